"""The SmartOS loader's menu and prompt played on a serial line, as illumos-joyent draws and reads them.

After boot/forth/menu.4th (items at places of the screen, a clock that any key stops, Enter boots from any menu, Esc counts only where
nothing follows it within 50 ms), joyent.menu.rc and menu-commands.4th (captions, what Rescue Mode sets), and
boot/libsa/gets.c with common/commands.c (echo, Ctrl-U, what `set` and `show` answer).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Receive = Callable[[float], bytes | None]
"""What was typed within so many seconds: nothing, or None where the other end has gone for good."""
_B, _M = "\x1b[1m", "\x1b[m"


@dataclass
class PlayedLoader:
    """One start of it. `environment` is what the kernel is told in the end; `spoils` makes something of each echo or answer."""

    environment: dict[str, str] = field(default_factory=lambda: {"smartos": "true"})
    waits: float = 10.0
    colour: bool = True
    spoils: Callable[[str], str] = lambda said: said
    deaf: Callable[[str], bool] = lambda key: False
    bootable: bool = True

    def __post_init__(self) -> None:
        self.pressed = ""
        self.lines: list[str] = []
        self._line, self._menu = "", "main"

    def play(self, receive: Receive, say: Callable[[bytes], None]) -> dict[str, str] | None:
        """Until it boots: the environment, or None where it rebooted or the other end has gone."""
        self._say = say
        self._draw()
        left, at = self.waits, time.monotonic()
        ticking = True
        while True:
            typed = receive(0.05)
            if typed is None:
                return None
            for number, key in enumerate(typed.decode("latin-1")):
                ticking = False
                if key == "\x1b" and number + 1 < len(typed):
                    break  # a sequence: all of it is dropped
                self.pressed += key
                ended = self._key(key)
                if ended is not None:
                    return ended or None
            now = time.monotonic()
            if ticking and int(left) != int(left - (now - at)):
                self._out(
                    f"\x1b[23;4HAutoboot in {max(0, int(left - (now - at)))} seconds.  [Space] to pause "
                )
            left, at = left - (now - at), now
            if ticking and left <= 0 and (ended := self._boot()) is not None:
                return ended or None

    def _out(self, text: str) -> None:
        self._say(text.encode())

    # ------------------------------------------------------------------ the menu

    def _draw(self) -> None:
        rescue = "On" if self.environment.get("noimport") else "Off"
        if self._menu == "main":
            items = [
                ("B", "oot SmartOS ", "[Enter]"), ("Esc", "ape to loader prompt", ""), ("", "Reboot", ""),
                ("Configure Boot ", "O", "ptions..."),
            ]  # fmt: skip
        else:
            items = [
                ("", "Back to Main Menu ", "[Backspace]"), ("Os", "C", "onsole........... text"),
                ("V", "erbose............. Off", ""), ("k", "mdb Mode........... Off", ""),
                ("R", "escue Mode......... ", rescue),
            ]  # fmt: skip
        self._out("\x1b[2J\x1b[10;5H" + " " * 38 + "\x1b[9;13HWelcome to SmartOS")
        for row, parts in enumerate(items, 1):
            self._out(f"\x1b[{10 + row};5H{row} \x1b[{10 + row};6H.\x1b[{10 + row};8H{self._caption(parts)}")
        self._out("\x1b[25;1H")

    def _caption(self, parts: tuple[str, str, str]) -> str:
        one, two, three = parts
        if self.colour:
            return (
                f"{_B}{one}{_M}{two}\x1b[34;1m{three}{_M}" if len(two) > 1 else f"{one}{_B}{two}{_M}{three}"
            )
        if len(two) == 1:
            return f"{one}[{two}]{three}"
        return f"[{one}]{two}{three}" if one and one != "B" else f"{one}{two}{three}"

    def _key(self, key: str) -> dict[str, str] | None:
        """Empty where it reboots."""
        if self.deaf(key):
            return None
        if self._menu == "prompt":
            return self._type(key)
        if key in "\r\n":
            return self._boot()
        if self._menu == "main":
            if key in "b1":
                return self._boot()
            if key in "\x1b2":
                self._menu = "prompt"
                self._out("\r\nTo get back to the menu, type `menu' and press ENTER\r\n"
                          "or type `boot' and press ENTER to start illumos.\r\n\r\nok ")  # fmt: skip
            elif key == "3":
                return {}
            elif key in "o4":
                self._menu = "options"
                self._draw()
        elif key in "1\b":
            self._menu = "main"
            self._draw()
        elif key in "r5":
            self._toggle()
            self._draw()
        return None

    def _toggle(self) -> None:
        if self.environment.pop("noimport", None):
            self.environment.pop("standalone", None)
            self.environment["smartos"] = "true"
        else:
            self.environment |= {"noimport": "true", "standalone": "true", "smartos": "false"}

    def _boot(self) -> dict[str, str] | None:
        if not self.bootable:
            self._menu = "prompt"
            self._out("\r\ncan't load 'unix'\r\nok ")
            return None
        self._out("\r\nLoading unix...\r\n")
        return dict(self.environment)

    # ------------------------------------------------------------------ the prompt

    def _type(self, key: str) -> dict[str, str] | None:
        if key == "\x15":
            self._line = ""
            self._out("\r\n")
        elif key in "\b\x7f":
            self._line = self._line[:-1]
            self._out("\b \b")
        elif key in "\r\n":
            line, self._line = self._line.strip(), ""
            self._out("\r\n")
            return self._do(line)
        else:
            self._line += key
            self._out(self.spoils(key))
        return None

    def _do(self, line: str) -> dict[str, str] | None:
        if line:
            self.lines.append(line)
        word, _, rest = line.partition(" ")
        if word == "boot":
            return self._boot()
        if word == "reboot":
            return {}
        if word == "menu":
            self._menu = "main"
            self._draw()
            return None
        name, _, value = rest.partition("=")
        if word == "set":
            self.environment[name] = value
        elif word == "show":
            said = self.environment.get(rest, f"variable '{rest}' not found")
            self._out(self.spoils(said) + "\r\n")
        elif word:
            self._out(f"{word} not found\r\n")
        self._out("ok ")
        return None
