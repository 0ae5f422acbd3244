"""What a console says as text to be looked through, and what it tells about the state a machine is in.

The words are those of illumos-joyent's loader (boot/forth: joyent.menu.rc, menu.4th, menu-commands.4th), of login, and of
smartos-live's setup. With colours the loader shows `Escape`, `Options` and `Rescue`, without them `[Esc]ape` and so on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from enum import StrEnum

from smartos_wizard.core.errors import Cancelled
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.console_port import Console

BOUND = 64 << 10
"""So many bytes of what came last are looked through."""
PROBES = ((b"\x1b", 1.5), (b"\b", 1.0), (b"\x15id\r", 5.0))
"""Typed where a console is silent, one after the other until it is known, with the seconds each is given. Harmless wherever it stands:
the loader's menu shows its prompt at Esc (Enter would boot), its options go back at Backspace; then a shell says
who it is, login takes `id` for a name, the loader does not know it, and setup takes it for no yes."""
RESTARTS = b"\r\n[told to restart] Loading unix\r\n"
"""What is noted of a console whose machine was told to restart: until it says something, it is taken to be booting."""
_QUIET = 0.3
_PIECE = 0.1
_MOVED = re.compile(rb"\x1b\[[0-9;]*[Hf]|\r+\n?")
_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])|[\x00-\x08\x0b-\x1a\x7f]"
)
_CUT = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*)?\Z")

Stop = Callable[[], bool]


class Seen(StrEnum):
    """What a machine's console shows."""

    MENU = "menu"
    """The loader's main menu; it boots by itself ten seconds after it began, unless a key was pressed."""
    OPTIONS = "options"
    """The loader's menu of boot options."""
    PROMPT = "prompt"
    """The loader's prompt, where it waits for ever."""
    BOOTING = "booting"
    LOGIN = "login"
    PASSWORD = "password"
    SETUP = "setup"
    SHELL = "shell"
    """Somebody is logged in already, or was."""
    SILENT = "silent"
    """It says nothing at all."""
    UNKNOWN = "unknown"


OPTION = re.compile(r"\[?R\]?escue Mode[. :]*(?P<state>On|Off)\b")
MENU = re.compile(r"Configure Boot \[?O\]?ptions")
PROMPT = re.compile(r"(?:\A|\n)[ \t]*(?:ok|OK)[ \t]*\Z")
# Not “Last login:”, nor what syslog prints of a login: “kestrel login: [ID 254462 auth.notice] ROOT LOGIN /dev/console”.
LOGIN = re.compile(r"(?<!Last )\blogin:(?!\s*(?:\[ID|ROOT LOGIN))")
PASSWORD = re.compile(r"Password:[ ]*\Z")
BOOTING = re.compile(r"Loading unix|SunOS Release")
REFUSED = re.compile(r"Login incorrect")
# A prompt is the last that was said, but for a line of syslog, which begins with the time.
_SHELL = re.compile(
    r"\buid=\d+\(|(?:\A|\n)[^\n]{0,120}[#$](?:[ ]?\Z| (?=[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ))"
)
_MARKS = (
    (re.compile(r"Autoboot in \d"), Seen.MENU), (MENU, Seen.MENU), (OPTION, Seen.OPTIONS), (PROMPT, Seen.PROMPT),
    (BOOTING, Seen.BOOTING), (LOGIN, Seen.LOGIN), (PASSWORD, Seen.PASSWORD), (_SHELL, Seen.SHELL),
    (re.compile(r"SmartOS Setup"), Seen.SETUP),
)  # fmt: skip


def plain(raw: bytes) -> str:
    """The text without escape sequences, a new line wherever the cursor was moved to another place."""
    raw = _ESCAPE.sub(b"", _MOVED.sub(b"\n", _CUT.sub(b"", raw)))
    return raw.decode("utf-8", "replace")


def seen_in(text: str) -> Seen:
    """What the last of the known words in it means: SILENT where nothing was said, UNKNOWN where none is known."""
    best, at = Seen.UNKNOWN if text.strip() else Seen.SILENT, -1
    for mark, seen in _MARKS:
        for found in mark.finditer(text):
            if found.end() >= at:
                best, at = seen, found.end()
    return best


class Reader:
    """Reads a console, and keeps the end of what it said since `forget`. `send` types."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._raw = bytearray()
        self._text: str | None = ""

    @property
    def text(self) -> str:
        """What it said since `forget`, at most its last BOUND bytes."""
        if self._text is None:
            self._text = plain(bytes(self._raw))
        return self._text

    @property
    def seen(self) -> Seen:
        """What that shows."""
        return seen_in(self.text)

    @property
    def last(self) -> str:
        """Its last words, fit to be shown."""
        lines = [tame(line, 120) for line in self.text.splitlines()]
        return " / ".join([line for line in lines if line][-3:]) or "nothing"

    def forget(self) -> None:
        """Begin to look anew."""
        self._raw.clear()
        self._text = ""

    def recall(self) -> None:
        """Take what it said last for what was read, where nothing was."""
        if not self._raw:
            self._raw += self.console.recent
            self._text = None

    def give_back(self) -> None:
        """Let all that was read since `forget` be read again by who reads next."""
        self.console.put_back(bytes(self._raw))
        self.forget()

    def send(self, data: bytes) -> None:
        """Type. Raises DeviceLost."""
        self.console.send(data)

    def more(self, seconds: float) -> bool:
        """Whether anything came within so many seconds. Raises DeviceLost."""
        said = self.console.read(seconds)
        if said:
            self._raw += said
            del self._raw[:-BOUND]
            self._text = None
        return bool(said)

    def until(self, done: Callable[[], bool], seconds: float, stop: Stop = lambda: False) -> bool:
        """Read until `done` says so, looked at whenever something came; False after so many seconds.

        Raises DeviceLost, Cancelled where `stop` says so.
        """
        end = time.monotonic() + seconds
        while not done():
            if stop():
                raise Cancelled("cancelled", f"Stopped; the console {self.console.name} is left as it is.")
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.more(min(left, _PIECE * 5))
        return True

    def find(self, what: re.Pattern[str], seconds: float, stop: Stop = lambda: False) -> re.Match[str] | None:
        """The first place in what it said since `forget`; None where it does not come."""
        self.until(lambda: what.search(self.text) is not None, seconds, stop)
        return what.search(self.text)

    def settle(self, seconds: float = 5.0, quiet: float = _QUIET) -> None:
        """Read until nothing came for a moment."""
        end = time.monotonic() + seconds
        while self.more(quiet) and time.monotonic() < end:
            pass


def look(reader: Reader, seconds: float = 5.0, *, probe: bool = True) -> Seen:
    """What the console shows now: what it says, else what it said last. Where neither tells, PROBES are typed.

    Waits at most `seconds` and those of PROBES. Raises DeviceLost.
    """
    nothing = (Seen.SILENT, Seen.UNKNOWN)

    def known() -> bool:
        return reader.seen not in nothing

    reader.settle(1.0)
    if not known() and (before := seen_in(plain(reader.console.recent))) not in nothing:
        return before
    reader.until(known, seconds)
    for keys, patience in PROBES if probe else ():
        if known():
            break
        reader.send(keys)
        reader.until(known, patience)
    reader.settle()
    return reader.seen
