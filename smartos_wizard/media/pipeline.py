"""One decode, any number of targets: the middle of writing and of checking.

A thread inflates the image into slots of a small pool, a second one hashes each slot and hands it to every
lane (so that inflating, the slowest part, does nothing else); a lane is one target with a thread of its own. The pool bounds memory, and it is what a slow lane makes the others wait
on. A lane that failed gives its slots back at once, so it stops nobody.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from smartos_wizard.core.errors import WizardError, WriteFailed
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.slots import SLOT, Pool, Slot, digest
from smartos_wizard.media.source import Source, declared_size

_SLOTS = 6


class Consumer(Protocol):
    """What a lane does with the image."""

    def take(self, slot: Slot) -> None:
        """Work on one slot; they come in order. Raises WizardError when this target is done for."""
        ...


class Lane:
    """One target of a stream: its queue, its thread, and how it ended.

    `error` is set when it failed; `next` is the first slot it has not finished.
    """

    def __init__(self, name: str, consumer: Consumer, start: int = 0) -> None:
        self.name = name
        self.consumer = consumer
        self.start = start
        self.next = start
        self.error: WizardError | None = None
        self._idle = 0.0
        self._waiting_since: float | None = None
        self.left_behind = False
        self.finished = threading.Event()
        self.queue: queue.SimpleQueue[Slot | None] = queue.SimpleQueue()

    def idle(self, now: float) -> float:
        """Seconds it has waited for the image so far; `now` is monotonic."""
        since = self._waiting_since
        return self._idle + (now - since if since is not None else 0.0)

    def run(self, pool: Pool, stop: threading.Event) -> None:
        """Take slots until there are no more. After an error, only give them back."""
        try:
            while True:
                self._waiting_since = time.monotonic()
                slot = self.queue.get()
                self._idle, self._waiting_since = self.idle(time.monotonic()), None
                if slot is None:
                    return
                try:
                    if self.error is None and not self.left_behind and not stop.is_set():
                        self.consumer.take(slot)
                        self.next = slot.index + 1
                except WizardError as error:
                    self.error = error
                except Exception as error:
                    self.error = WriteFailed("internal-error", f"{type(error).__name__}: {error}")
                finally:
                    pool.release(slot)
        finally:
            self.finished.set()


class Stream:
    """A pass over the image for several lanes, each from its own start.

    After `wait` returned True: `error`, or else `size`, `digests` (one per slot) and `source_digest` (of
    the file as it lies on disk).
    """

    def __init__(self, image: VerifiedImage, lanes: Sequence[Lane], limit: int) -> None:
        self.lanes = tuple(lanes)
        self.size = 0
        self.declared: int | None = None
        self.digests: list[bytes] = []
        self.source_digest = ""
        self.error: WizardError | None = None
        self.stop = threading.Event()
        self._image = image
        self._limit = limit
        self._pool = Pool(_SLOTS)
        self._source: Source | None = None
        self._decoder = threading.Thread(target=self._run, name="decode", daemon=True)
        self._hasher = threading.Thread(target=self._hand_on, name="hash", daemon=True)
        self._filled: queue.SimpleQueue[Slot | None] = queue.SimpleQueue()

    def begin(self) -> None:
        """Start the threads."""
        for lane in self.lanes:
            threading.Thread(
                target=lane.run, args=(self._pool, self.stop), name=lane.name, daemon=True
            ).start()
        self._decoder.start()
        self._hasher.start()

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; True when decoding and every lane that was not left behind has ended."""
        until = time.monotonic() + seconds
        self._decoder.join(seconds)
        self._hasher.join(max(0.0, until - time.monotonic()))
        for lane in self.lanes:
            if not lane.left_behind:
                lane.finished.wait(max(0.0, until - time.monotonic()))
        if self._decoder.is_alive() or self._hasher.is_alive():
            return False
        return all(lane.left_behind or lane.finished.is_set() for lane in self.lanes)

    def abandon(self) -> None:
        """Ask every thread to end; those inside the kernel end when it lets them."""
        self.stop.set()

    def leave_behind(self, lane: Lane) -> None:
        """Go on without `lane`; what it had queued is given back. Its thread ends with the stream."""
        lane.left_behind = True
        while True:
            try:
                slot = lane.queue.get_nowait()
            except queue.Empty:
                break
            if slot is None:
                lane.queue.put(None)
                break
            self._pool.release(slot)

    @property
    def reading(self) -> bool:
        """Whether decoding waits for the image file just now."""
        return self._source is not None and self._source.ahead.waiting

    def _run(self) -> None:
        try:
            self._decode()
        except WizardError as error:
            self.error = error
            self.stop.set()
        except Exception as error:
            self.error = WriteFailed("image-unreadable", f"The image cannot be read: {error}")
            self.stop.set()
        finally:
            self._filled.put(None)

    def _decode(self) -> None:
        with Source(self._image, self._limit) as source:
            self._source = source
            index = 0
            while not self.stop.is_set() and any(self._wanted(lane) for lane in self.lanes):
                slot = self._pool.take(0.2)
                if slot is None:
                    continue
                slot.length = source.fill(slot.view)
                if slot.length == 0:
                    self._pool.share(slot, 0)
                    break
                slot.index, slot.last = index, False
                index += 1
                short = slot.length < SLOT  # read before the slot is given away
                self._filled.put(slot)
                if short:
                    break
            if not self.stop.is_set():
                self.source_digest = source.digest()

    def _hand_on(self) -> None:
        """Hash the slots and hand them out, one behind, so that the last one is known to be the last."""
        held: Slot | None = None
        try:
            while (slot := self._filled.get()) is not None:
                self._finish(slot)
                if held is not None:
                    self._hand_out(held)
                held = slot
            if held is not None and not self.stop.is_set():
                held.last = True
                self._hand_out(held)
        finally:
            for lane in self.lanes:
                lane.queue.put(None)

    def _finish(self, slot: Slot) -> None:
        slot.digest = digest(slot.data)
        self.digests.append(slot.digest)
        self.size += slot.length
        if slot.index == 0:
            self.declared = declared_size(slot.data)

    def _hand_out(self, slot: Slot) -> None:
        lanes = [lane for lane in self.lanes if self._wanted(lane) and slot.index >= lane.start]
        self._pool.share(slot, len(lanes))
        for lane in lanes:
            lane.queue.put(slot)

    @staticmethod
    def _wanted(lane: Lane) -> bool:
        return lane.error is None and not lane.left_behind
