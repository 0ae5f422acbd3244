"""The loader of a machine, driven over its serial console: into Rescue Mode, or to its prompt with lines read back.

The menu waits ten seconds, so it is watched for without pause, and the first key stops its clock. No key is pressed before what
it is meant for is seen; no line is ended before its echo is right, letter by letter; `boot` is never typed unless every
value was read back. Anything unexpected ends in an error that says where the machine stands (`at`), and it is left there:
with a factory reset waiting a reboot would destroy, so whether to reboot is for the caller to say (`Loader.reboot`).

Where this comes from: illumos-joyent, boot/forth/menu.4th (Esc counts alone only, Enter boots from any menu) and
boot/libsa/gets.c (each letter is echoed, Ctrl-U forgets the line).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.console_port import Console
from smartos_wizard.reinstall.console_reading import BOOTING, MENU, OPTION, PROMPT, Reader, Seen, Stop

PATIENCE = 6.0
"""Seconds the loader may take to answer a key; its own clock is stopped by then."""
MENU_WAITS = 300.0
"""Seconds a machine may take from its reboot to the loader's menu: firmware of servers is slow."""
_ESC, _ENTER, _FORGET = b"\x1b", b"\r", b"\x15"
_LINE = re.compile(r"set (?P<name>[a-z_][a-z0-9_.-]*)=(?P<value>[A-Za-z0-9_.,:/-]+)", re.ASCII)
_HERE = (Seen.MENU, Seen.OPTIONS, Seen.PROMPT)
_MOVED_ON = (Seen.BOOTING, Seen.LOGIN, Seen.SETUP)
_TRIES = 3


class Loader:
    """One visit to the loader. Made when the machine was told to reboot: what the console says from then on counts."""

    def __init__(self, console: Console, patience: float = PATIENCE, stop: Stop = lambda: False) -> None:
        self._reader, self._patience, self._stop = Reader(console), patience, stop
        self._name = tame(console.name, 80)
        self._proven: dict[str, str] = {}
        self._wanted: dict[str, str] = {}
        self._reader.more(0)
        self._reader.recall()  # of a machine that stands there since an earlier run
        if self._reader.seen not in (*_HERE, Seen.SILENT, Seen.UNKNOWN):
            self._reader.forget()  # of an earlier boot

    @property
    def proven(self) -> dict[str, str]:
        """Every value that was set and read back, by its name."""
        return dict(self._proven)

    def menu(self, seconds: float = MENU_WAITS) -> None:
        """Wait for the menu, and stop its clock.

        Raises WizardError `loader-menu-missed` (it boots as it would without anybody) or `loader-not-seen`, DeviceLost.
        """
        reader = self._reader

        def started() -> bool:  # a login is no sign of it: one may show anew while the machine goes down
            return reader.seen is Seen.SETUP or BOOTING.search(reader.text) is not None

        reader.until(lambda: reader.seen in _HERE or started(), seconds, self._stop)
        if reader.seen in (Seen.OPTIONS, Seen.PROMPT):
            return
        if reader.seen is not Seen.MENU:
            if started():
                raise self._missed()
            raise self._error("loader-not-seen", f"The loader's menu did not show on {self._name} within {round(seconds)} seconds.",
                              "Is this its console, and does the loader write to it?", "unknown")  # fmt: skip
        reader.send(b" ")  # no item has it; any key stops the clock
        reader.settle(2.0)
        if reader.seen in _MOVED_ON:
            raise self._missed()

    def rescue(self) -> None:
        """From the menu boot once in Rescue Mode, after the loader showed that it is On.

        Raises WizardError `loader-menu-missed`, `loader-unexpected`; nothing was booted by this then. DeviceLost.
        """
        self._to_options()
        reader = self._reader
        if self._shown() == "Off":
            reader.forget()
            reader.send(b"r")
            self._await(lambda: OPTION.search(reader.text) is not None, "Rescue Mode did not change")
            reader.settle(2.0)
        if self._shown() != "On":
            raise self._unexpected("Rescue Mode does not show as On", "menu")
        self._to_main()
        self._go("menu")

    def prompt(self) -> None:
        """From the menu to the prompt; there it waits for ever, and nothing happens.

        Raises WizardError `loader-menu-missed`, `loader-unexpected`, DeviceLost.
        """
        reader = self._reader
        if reader.seen is Seen.PROMPT:
            return
        if reader.seen is Seen.OPTIONS:
            self._to_main()
        reader.forget()
        reader.send(_ESC)
        reader.settle(1.0)  # a key right behind it would make it a sequence, which the menu drops
        self._await(lambda: reader.seen is Seen.PROMPT, "the prompt did not come")

    def type_lines(self, lines: Sequence[str]) -> None:
        """At the prompt type `set NAME=VALUE` lines, and read each value back with `show NAME`, letter by letter.

        Raises Refused `loader-line` for a line of another form, before anything is typed; WizardError
        `loader-unexpected` where a value does not come back as it was set. It stands at the prompt then.
        """
        parsed = [_LINE.fullmatch(line) for line in lines]
        for line, found in zip(lines, parsed, strict=True):
            if found is None:
                raise Refused("loader-line", f"This is not typed at a loader's prompt: {tame(line, 80)}", hint="Only `set NAME=VALUE` is.")  # fmt: skip
        for line, found in zip(lines, parsed, strict=True):
            assert found is not None
            name, value = found["name"], found["value"]
            self._wanted[name] = value
            self._proven.pop(name, None)
            said = self._say(line)
            if said:
                raise self._unexpected(f"“{line}” was answered with “{tame(said, 60)}”", "prompt")
            said = self._say(f"show {name}")
            if said != value:
                raise self._unexpected(f"{name} should be {value}, and the loader shows “{tame(said, 60)}”", "prompt")  # fmt: skip
            self._proven[name] = value

    def boot(self) -> None:
        """Type `boot`. Raises Refused `loader-unproven` unless all that was set was read back; WizardError
        `loader-unexpected` where it was not taken. After it the machine boots, and nothing can be taken back.
        """
        if not self._wanted or self._proven != self._wanted:
            raise Refused(
                "loader-unproven", f"Not every value was read back from the loader on {self._name}; it is not booted.",
                hint="It stands at its prompt. Type reboot there to begin again.", at="prompt",
            )  # fmt: skip
        self._echoed("boot")
        self._go("prompt")

    def reboot(self) -> None:
        """Leave the loader by its own `reboot`, from its menu or prompt. All that was set is forgotten.

        Raises WizardError `loader-unexpected`, DeviceLost. Not for a machine on which a factory reset waits.
        """
        self._wanted.clear()
        self._proven.clear()
        self.prompt()
        self._echoed("reboot")
        self._reader.forget()
        self._reader.send(_ENTER)

    # ------------------------------------------------------------------ one thing at a time

    def _to_options(self) -> None:
        reader = self._reader
        if reader.seen is Seen.OPTIONS:
            return
        if reader.seen is Seen.PROMPT:
            raise self._unexpected("it is at its prompt, not in its menu", "prompt")
        reader.forget()
        reader.send(b"o")
        self._await(lambda: OPTION.search(reader.text) is not None, "the boot options did not show")
        reader.settle(2.0)

    def _to_main(self) -> None:
        reader = self._reader
        reader.forget()
        reader.send(b"1")
        self._await(lambda: MENU.search(reader.text) is not None, "the main menu did not come back")
        reader.settle(2.0)

    def _shown(self) -> str:
        """What Rescue Mode shows last."""
        found = list(OPTION.finditer(self._reader.text))
        return found[-1]["state"] if found else ""

    def _say(self, line: str) -> str:
        """Type a line; what it is answered with, before the prompt comes again."""
        self._echoed(line)
        reader = self._reader
        reader.forget()
        reader.send(_ENTER)
        self._await(lambda: PROMPT.search(reader.text) is not None, "the prompt did not come again")
        return PROMPT.sub("", reader.text).strip("\n")

    def _echoed(self, line: str) -> None:
        """Type a line without its end, one letter after the other, each only after the one before was echoed."""
        reader, seen = self._reader, ""
        for _ in range(_TRIES):
            reader.settle(1.0, 0.05)
            reader.forget()
            if all(self._letter(line[: count + 1]) for count in range(len(line))):
                reader.settle(1.0, 0.1)  # nothing more may come
                if reader.text == line:
                    return
            seen = reader.text
            reader.forget()
            reader.send(_FORGET)
            reader.settle(1.0)
            if reader.seen in _MOVED_ON:
                break
            self._fresh()
        else:
            raise self._unexpected(f"“{line}” came back as “{tame(seen, 60)}”", "prompt")
        raise self._missed()

    def _letter(self, so_far: str) -> bool:
        reader = self._reader
        reader.send(so_far[-1].encode())
        reader.until(lambda: len(reader.text) >= len(so_far), self._patience, self._stop)
        return reader.text == so_far

    def _fresh(self) -> None:
        """An empty line, answered with a prompt: what was typed before is forgotten."""
        self._reader.forget()
        self._reader.send(_ENTER)
        self._await(lambda: PROMPT.search(self._reader.text) is not None, "the prompt did not come again")

    def _go(self, at: str) -> None:
        """Press Enter, which boots, and see that the loader goes on."""
        reader = self._reader
        reader.forget()
        reader.send(_ENTER)
        reader.until(lambda: reader.seen not in (Seen.SILENT, Seen.UNKNOWN), self._patience)
        reader.settle(2.0)
        if reader.seen in _HERE:
            raise self._unexpected("it did not boot", "prompt" if reader.seen is Seen.PROMPT else at)
        reader.give_back()

    def _await(self, done: Stop, otherwise: str) -> None:
        reader = self._reader
        reader.until(lambda: done() or BOOTING.search(reader.text) is not None, self._patience, self._stop)
        if done():
            return
        if reader.seen in _MOVED_ON:
            raise self._missed()
        at = "prompt" if reader.seen is Seen.PROMPT else "menu" if reader.seen in (Seen.MENU, Seen.OPTIONS) else "unknown"  # fmt: skip
        raise self._unexpected(otherwise, at)

    # ------------------------------------------------------------------ what went wrong

    def _missed(self) -> WizardError:
        return self._error("loader-menu-missed", f"The loader's menu on {self._name} has gone by; the machine boots as it does without anybody.",
                           "Reboot it and begin again; the menu waits ten seconds.", "booting")  # fmt: skip

    def _unexpected(self, what: str, at: str) -> WizardError:
        where = {"prompt": "at its prompt, and waits", "menu": "in its menu"}.get(at, "somewhere")
        return self._error("loader-unexpected", f"The loader on {self._name} did something else: {what}. Nothing was booted by this; it stands {where}.",
                           "Look at the console. `reboot` at the prompt begins again, with nothing set.", at)  # fmt: skip

    def _error(self, reference: str, message: str, hint: str, at: str) -> WizardError:
        return WizardError(
            reference,
            message,
            hint=hint,
            context=f"last said: {self._reader.last}",
            at=at,
            last=self._reader.last,
        )
