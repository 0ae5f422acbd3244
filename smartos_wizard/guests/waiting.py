"""Waiting for what a guest says on its console: since it was last started, and no longer than it runs."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.text import tame
from smartos_wizard.guests.hypervisor import Hypervisor
from smartos_wizard.guests.model import Guest, State

WORDS = {"login": "login:", "setup": "SmartOS Setup"}
"""Short names for what is waited for most: the prompt at which one logs in, the questions of the first start."""
_START = "console.start"
_KEPT = 65536
_PIECE = 1 << 20
_LOOK = 0.1
_ASK = 2.0
"""Seconds between two looks at the log, and between two questions whether the guest still runs."""
_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|\r|\x00|\x07")
_OFF = (State.STOPPED, State.CRASHED, State.MISSING, State.SAVED, State.HALF_MADE)


class Outcome(StrEnum):
    """How waiting ended."""

    SEEN = "seen"
    LATE = "late"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Waited:
    """What came of it. `last` are the last lines the guest said, fit to be shown; `seconds` is how long it took."""

    outcome: Outcome
    text: str
    seconds: float
    last: tuple[str, ...] = ()


def text_of(word: str) -> str:
    """The text that a word stands for: itself, or what a short name means."""
    return WORDS.get(word, word)


def note_start(guest: Guest, hypervisor: Hypervisor) -> None:
    """Before a guest is started: remember where its log ends, so that an earlier start is not mistaken for this one.

    Nothing is changed for a guest that runs already.
    """
    log = guest.console.log
    if log is None or still_on(guest, hypervisor):
        return
    with contextlib.suppress(OSError):
        replace_file(guest.folder / _START, str(_size(log)).encode())


def started_at(guest: Guest) -> int:
    """Where in its log the last start begins, in bytes; 0 where that is not known or the log was begun anew since."""
    log = guest.console.log
    try:
        at = int((guest.folder / _START).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return at if log is not None and 0 <= at <= _size(log) else 0


def still_on(guest: Guest, hypervisor: Hypervisor) -> bool:
    """Whether the hypervisor says that it is on. What cannot be asked just now counts as on."""
    try:
        return hypervisor.inspect(guest).state not in _OFF
    except WizardError:
        return True


def wait_for(
    log: Path,
    word: str,
    seconds: float,
    out: BinaryIO | None = None,
    *,
    begin: int = 0,
    alive: Callable[[], bool] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Waited:
    """Read a console's log from `begin` until the text is in it, `seconds` passed, or the guest is off.

    What is read is copied to `out`. The text is found across reads, across escape sequences of the terminal,
    and in a log that is begun anew meanwhile. `tell` gets the newest line every ten seconds.
    """
    wanted, started = text_of(word), time.monotonic()
    reader, asked, told = _Reader(log, begin), started, started
    while True:
        now = time.monotonic()
        gone = alive is not None and now - asked >= _ASK and not alive()
        if now - asked >= _ASK:
            asked = time.monotonic()
        new = reader.more()  # after asking, so that its last words are read
        while new:
            if out is not None:
                out.write(new)
                out.flush()
            if reader.has(wanted.encode()):
                return _waited(Outcome.SEEN, wanted, started, reader)
            new = reader.more()
        if gone:
            return _waited(Outcome.STOPPED, wanted, started, reader)
        if now - started >= seconds:
            return _waited(Outcome.LATE, wanted, started, reader)
        if tell is not None and now - told >= 10:
            told = now
            tell(next(iter(reader.lines(ended=True)[-1:]), ""))
        time.sleep(_LOOK)


def _waited(outcome: Outcome, wanted: str, started: float, reader: _Reader) -> Waited:
    return Waited(outcome, wanted, round(time.monotonic() - started, 1), reader.lines()[-5:])


class _Reader:
    """Reads what is new in a file that grows, shrinks or is replaced; keeps the newest part of it."""

    def __init__(self, log: Path, begin: int) -> None:
        self._log, self._at, self._inode = log, begin, -1
        self._seen = b""

    def more(self) -> bytes:
        """The next bytes, 1 MiB at most; empty where there is nothing new."""
        try:
            with self._log.open("rb") as file:
                state = os.fstat(file.fileno())
                if state.st_size < self._at or self._inode not in (-1, state.st_ino):
                    self._at = 0
                self._inode = state.st_ino
                file.seek(self._at)
                new = file.read(_PIECE)
        except OSError:
            return b""
        self._at += len(new)
        # a line before stays, so that a text in two pieces is found
        self._seen = (self._seen[-_KEPT:] + new) if new else self._seen
        return new

    def has(self, wanted: bytes) -> bool:
        """Whether the text is in what was read."""
        return wanted in self._seen or wanted in _ESCAPE.sub(b"", self._seen)

    def lines(self, *, ended: bool = False) -> tuple[str, ...]:
        """The last lines that are not empty, without escape sequences; `ended` leaves out one that is not said to its end."""
        seen = self._seen[-_KEPT:]
        plain = _ESCAPE.sub(b"", seen[: seen.rfind(b"\n") + 1] if ended else seen).decode("utf-8", "replace")
        return tuple(tame(line, 200) for line in plain.splitlines()[-40:] if line.strip())


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0
