"""The serial console of a make-believe machine at its loader: the menu, boot options, the prompt; then a login.

It shows what the loader of illumos-joyent shows (boot/forth/joyent.menu.rc) and reads what is typed there; whoever asked for the
reboot has told the machine already what becomes of it (`host_power`). No socket is used.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

_MAIN = (
    "1. Boot SmartOS [Enter]", "2. [Esc]ape to loader prompt", "3. Reboot", "Options:", "4. Configure Boot [O]ptions...",
)  # fmt: skip
_OPTIONS = (
    "1. Back to Main Menu [Backspace]", "Boot Options:", "2. Os[C]onsole........... text", "3. [V]erbose............. Off",
    "4. [k]mdb Mode........... Off", "5. [R]escue Mode......... {rescue}",
)  # fmt: skip
_RECENT = 8 << 10


@dataclass(slots=True)
class PracticeConsole:
    """Satisfies `Console`. It begins at the loader's menu."""

    name: str
    environment: dict[str, str] = field(default_factory=lambda: {"smartos": "true"})
    alive: bool = True
    _at: str = "main"
    _line: str = ""
    _came: bytearray = field(default_factory=bytearray)
    _recent: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._draw()

    @property
    def recent(self) -> bytes:
        """As `Console.recent`."""
        return bytes(self._recent)

    def send(self, data: bytes) -> None:
        """As `Console.send`."""
        for key in data.decode("latin-1"):
            self._key(key)

    def read(self, seconds: float) -> bytes:
        """As `Console.read`."""
        if not self._came:
            time.sleep(max(0.0, min(seconds, 0.05)))
        said = bytes(self._came)
        self._came.clear()
        return said

    def put_back(self, data: bytes) -> None:
        """As `Console.put_back`."""
        self._came[:0] = data

    def note(self, words: bytes) -> None:
        """As `Console.note`."""
        self._recent += words

    def close(self) -> None:
        """Nothing to let go of."""
        self.alive = False

    def _say(self, text: str) -> None:
        data = text.encode()
        self._came += data
        self._recent += data
        del self._recent[:-_RECENT]

    def _draw(self) -> None:
        rescue = "On" if "noimport" in self.environment else "Off"
        rows = _MAIN if self._at == "main" else _OPTIONS
        self._say("\x1b[2J" + "".join(f"\x1b[{10 + row};5H{words.format(rescue=rescue)}" for row, words in enumerate(rows)) + "\x1b[25;1H")  # fmt: skip

    def _key(self, key: str) -> None:
        if self._at == "prompt":
            self._typed(key)
        elif self._at in ("main", "options") and key in "\r\n":
            self._boot()
        elif self._at == "main" and key in "\x1b2":
            self._at = "prompt"
            self._say("\r\nTo get back to the menu, type `menu' and press ENTER\r\n\r\nok ")
        elif self._at == "main" and key in "o4":
            self._at = "options"
            self._draw()
        elif self._at == "main" and key in "3":
            self._anew()
        elif self._at == "options" and key in "1\b":
            self._at = "main"
            self._draw()
        elif self._at == "options" and key in "r5":
            on = "noimport" not in self.environment
            told = (
                {"noimport": "true", "standalone": "true", "smartos": "false"} if on else {"smartos": "true"}
            )
            self.environment = told
            self._draw()
        elif self._at == "login" and key in "\r\n":
            self._say("\r\nmake-believe console login: ")

    def _typed(self, key: str) -> None:
        if key in "\r\n":
            line, self._line = self._line.strip(), ""
            self._say("\r\n")
            self._do(*line.partition(" ")[::2])
        elif key == "\x15":
            self._line = ""
            self._say("\r\n")
        elif key in "\b\x7f":
            self._line = self._line[:-1]
            self._say("\b \b")
        else:
            self._line += key
            self._say(key)

    def _do(self, word: str, rest: str) -> None:
        name, _, value = rest.partition("=")
        if word == "boot":
            self._boot()
            return
        if word in ("reboot", "menu"):
            self._anew() if word == "reboot" else self._show("main")
            return
        if word == "set":
            self.environment[name] = value
        elif word == "show":
            self._say(self.environment.get(rest, f"variable '{rest}' not found") + "\r\n")
        elif word:
            self._say(f"{word} not found\r\n")
        self._say("ok ")

    def _show(self, menu: str) -> None:
        self._at = menu
        self._draw()

    def _anew(self) -> None:
        self.environment = {"smartos": "true"}
        self._show("main")

    def _boot(self) -> None:
        self._at = "login"
        self._say(
            "\r\nLoading unix...\r\nSunOS Release 5.11 (make-believe)\r\n\r\nmake-believe console login: "
        )
