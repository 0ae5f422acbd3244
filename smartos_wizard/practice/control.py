"""Which practice keys are plugged in, and what happened to them: one small JSON file, shared by processes.

Every change is made under a lock and put in place whole, so a job in another process sees a key vanish at
the moment the interface does.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from smartos_wizard.core.paths import private_directory


@dataclass(frozen=True, slots=True)
class KeyState:
    """What happened to one practice key since the last reset.

    `away` tells whether it was pulled, `until` when (seconds since the epoch) it comes back by itself, None
    for never; `turns` counts how often it was pulled, so that a key that came back is another attachment;
    `tripped` that its fault already showed; `used` that somebody opened it for writing.
    """

    away: bool = False
    until: float | None = None
    turns: int = 0
    tripped: bool = False
    used: bool = False

    def plugged(self, now: float) -> bool:
        """Whether it is in its port at `now`."""
        return not self.away or (self.until is not None and now >= self.until)


class Control:
    """The state of all practice keys, kept in `file`."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self.file = file
        self.clock = clock
        self._seen: tuple[int, int] = (-1, -1)
        self._states: dict[str, KeyState] = {}

    def state(self, name: str) -> KeyState:
        """What is known of the key `name`, read again when another process changed it."""
        return self._read().get(name, KeyState())

    def plugged(self, name: str) -> bool:
        """Whether the key `name` is in its port now."""
        return self.state(name).plugged(self.clock())

    def unplug(self, name: str, seconds: float | None = None) -> None:
        """Pull the key; with `seconds` it comes back by itself after that time."""
        until = None if seconds is None else self.clock() + seconds
        with self._changing() as states:
            old = states.get(name, KeyState())
            states[name] = replace(old, away=True, until=until, turns=old.turns + 1)

    def plug(self, name: str) -> None:
        """Put the key back."""
        self.mark(name, away=False, until=None)

    def mark(self, name: str, **changes: object) -> None:
        """Change some fields of the key's state."""
        with self._changing() as states:
            states[name] = replace(states.get(name, KeyState()), **changes)  # type: ignore[arg-type]

    def reset(self) -> None:
        """Every key as it was at the beginning, in its port. Open keys count as pulled."""
        with self._changing() as states:
            for name, old in list(states.items()):
                states[name] = KeyState(turns=old.turns + 1)

    def _read(self) -> dict[str, KeyState]:
        try:
            info = self.file.stat()
        except FileNotFoundError:
            return {}
        seen = (info.st_mtime_ns, info.st_ino)
        if seen != self._seen:
            data = json.loads(self.file.read_text(encoding="utf-8"))
            self._states = {name: KeyState(**fields) for name, fields in data.items()}
            self._seen = seen
        return self._states

    @contextmanager
    def _changing(self) -> Iterator[dict[str, KeyState]]:
        private_directory(self.file.parent)
        with locked(self.file.with_suffix(".lock")):
            states = dict(self._read())
            yield states
            # No fsync as for a journal: losing this file costs nothing but a make-believe unplugging.
            new = self.file.with_suffix(f".{os.getpid()}.new")
            new.write_text(json.dumps({name: asdict(s) for name, s in states.items()}), encoding="utf-8")
            new.replace(self.file)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for, then hold, the lock file `path`. The kernel lets go of it when the process ends."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
