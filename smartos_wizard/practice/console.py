"""The console of a make-believe guest: it asks who logs in, and answers a few commands.

A thread of this process stands for the guest: it listens at the guest's console like a hypervisor does, writes what
is said into the log, and ends once the guest is off. Practice guests have no process of their own that could.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from smartos_wizard.core.paths import private_directory
from smartos_wizard.guests.model import Guest

_LOOK = 0.2
"""Seconds between two looks whether the guest still runs."""
_HELP = "Make-believe. It knows: help, uname -a, zpool list, burst, exit, poweroff"
_POOL = (
    "NAME    SIZE  ALLOC   FREE  CKPOINT  EXPANDSZ   FRAG    CAP  DEDUP    HEALTH  ALTROOT\r\n"
    "zones  39.5G  1.21G  38.3G        -         -     0%     3%  1.00x    ONLINE  -"
)
_BURST = 15_000
_running: dict[str, PracticeConsole] = {}
_lock = threading.Lock()


def serve(guest: Guest, runs: Callable[[], bool], switch_off: Callable[[], None]) -> None:
    """Answer at the console of a guest that runs, until it is off; nothing where that is done already, or it is off."""
    with _lock:
        there = _running.get(guest.spec.uuid)
        if there is not None and there.alive:
            return
        if runs() and not _answered(guest.console.socket):
            console = PracticeConsole(guest, runs, switch_off)
            _running[guest.spec.uuid] = console
            console.start()


class PracticeConsole:
    """One guest's serial line."""

    def __init__(self, guest: Guest, runs: Callable[[], bool], switch_off: Callable[[], None]) -> None:
        assert guest.console.socket is not None
        assert guest.console.log is not None
        self._guest, self._runs, self._switch_off = guest, runs, switch_off
        self._place, self._log = guest.console.socket, guest.console.log
        self._typed, self._user = "", ""
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._run, daemon=True, name="practice-console")

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Take its place. Raises OSError."""
        private_directory(self._place.parent)
        self._place.unlink(missing_ok=True)
        self._door.bind(str(self._place))
        self._door.listen(1)
        self._door.settimeout(_LOOK)
        self._thread.start()

    def _run(self) -> None:
        with self._door:
            while self._runs():
                with contextlib.suppress(TimeoutError):
                    line, _ = self._door.accept()
                    with line:
                        line.settimeout(_LOOK)
                        self._talk(line)
            self._place.unlink(missing_ok=True)

    def _talk(self, line: socket.socket) -> None:
        """One at a time, as QEMU has it, until the other end leaves or the guest is off."""
        while self._runs():
            try:
                data = line.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            said = "".join(self._key(char) for char in data.decode("utf-8", "replace"))
            with contextlib.suppress(OSError):
                self._say(line, said.encode())

    def _say(self, line: socket.socket, said: bytes) -> None:
        with self._log.open("ab") as file:
            file.write(said)
        line.settimeout(2.0)
        line.sendall(said)
        line.settimeout(_LOOK)

    def _key(self, char: str) -> str:
        """What is said when one key is typed."""
        if char in "\r\n":
            words, self._typed = self._typed, ""
            return "\r\n" + self._answer(words.strip())
        if char in "\x7f\b":
            had, self._typed = self._typed, self._typed[:-1]
            return "\b \b" if had else ""
        if char == "\x03":
            self._typed = ""
            return "^C\r\n" + self._prompt()
        if not char.isprintable() or len(self._typed) > 200:
            return ""
        self._typed += char
        return char

    def _answer(self, words: str) -> str:
        if not self._user:
            if words == "root":
                self._user = words
                return f"SmartOS (build: {self._guest.spec.boot.stamp or 'practice'})\r\n" + self._prompt()
            return ("Login incorrect\r\n" if words else "") + self._prompt()
        match words:
            case "":
                said = ""
            case "help":
                said = _HELP
            case "uname -a":
                said = f"SunOS {self._guest.name} 5.11 joyent_{self._guest.spec.boot.stamp} i86pc i386 i86pc"
            case "zpool list":
                said = _POOL
            case "burst":
                said = "\r\n".join(
                    f"line {n:06d} of a burst of make-believe output {'.' * 20}" for n in range(_BURST)
                )
            case "exit":
                self._user = ""
                said = "logout\r\n"
            case "poweroff":
                self._user = ""
                self._switch_off()
                return "It is now safe to turn off your make-believe.\r\n"
            case _:
                said = f"-bash: {words.split(maxsplit=1)[0]}: command not found"
        return (f"{said}\r\n" if said else "") + self._prompt()

    def _prompt(self) -> str:
        return f"[root@{self._guest.name} ~]# " if self._user else f"{self._guest.name} login: "


def _answered(place: Path | None) -> bool:
    """Whether another process of this program answers there already."""
    if place is None:
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(place))
        except OSError:
            return False
    return True
