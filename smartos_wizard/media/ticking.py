"""Progress of several keys that share one decode: how far each is, what is slowest, and who holds up the others."""

from __future__ import annotations

import time
from collections.abc import Iterator

from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run
from smartos_wizard.media.keys import Key, Keys
from smartos_wizard.media.pipeline import Lane, Stream
from smartos_wizard.media.ports import MediaWorld

PATIENCE = 8.0
"""Seconds the other keys wait in sum for a slow one until they go on without it."""
_SHARE = 0.25  # and that must be this part of the time: keys that differ a little stay together


class Ticker:
    """Makes progress events of what the threads have done since the last tick."""

    def __init__(
        self, run: Run[MediaWorld], step: Step, keys: Keys, stream: Stream, lanes: dict[Key, Lane]
    ) -> None:
        self._run, self._step, self._keys, self._stream, self._lanes = run, step, keys, stream, lanes
        self._at = self._begun = time.monotonic()
        self._idle = dict.fromkeys(lanes, 0.0)
        self._held_up = dict.fromkeys(lanes, 0.0)

    def tick(self) -> Iterator[Event]:
        """One event per key; and a note where a key was left behind."""
        now = time.monotonic()
        spent, self._at = max(now - self._at, 1e-6), now
        idle: dict[Key, float] = {}
        for key, lane in self._lanes.items():
            total = lane.idle(now)
            idle[key] = (total - self._idle[key]) / spent
            self._idle[key] = total
            yield self._advanced(key, idle[key])
        yield from self._leave_behind(idle, spent)

    def _advanced(self, key: Key, idle: float) -> Advanced:
        word = "the key"
        if idle > 0.5:
            word = "reading the image" if self._stream.reading else "decompressing"
        total = self._keys.image.raw_size or self._stream.declared
        return Advanced(
            self._run.clock(),
            self._step.id,
            key.writing.done,
            total,
            key.writing.durable,
            key.target.path,
            word,
        )

    def _leave_behind(self, idle: dict[Key, float], spent: float) -> Iterator[Event]:
        """Let the others go on where they mostly wait for one: it is written on its own afterwards."""
        together = [key for key, lane in self._lanes.items() if lane.error is None and not lane.left_behind]
        busy = [key for key in together if idle[key] < 0.2]
        if len(together) < 2 or len(busy) != 1:
            return
        slow = busy[0]
        self._held_up[slow] += spent
        if self._held_up[slow] < max(PATIENCE, _SHARE * (self._at - self._begun)):
            return
        self._stream.leave_behind(self._lanes[slow])
        words = f"{slow.target.path} is much slower than the others; they go on, it is finished after them."
        yield Noted(self._run.clock(), self._step.id, words, "warning", slow.target.path, "left-behind")
