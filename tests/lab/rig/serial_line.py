"""The serial line of a machine: one socket that stays while the machine restarts, with a played loader on it before each start.

Whoever joins it is alone there, as at a real serial port; who joins later takes the place.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.unit.reinstall.played_loader import PlayedLoader


class SerialLine:
    """The line's end for programs is the socket `place`. `loaders` are all that were played, the newest last."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.loaders: list[PlayedLoader] = []
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(place))
        self._door.listen()
        self._wake, self._woken = socket.socketpair()
        self._other: socket.socket | None = None
        self._machine: socket.socket | None = None
        self._typed = bytearray()
        self._news = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def boot(self, environment: dict[str, str], waits: float) -> dict[str, str] | None:
        """Play the loader until it boots: what it tells the kernel. None where the line was closed meanwhile."""
        while not self._closed:
            self.loaders.append(PlayedLoader(dict(environment), waits=waits))
            with self._news:
                self._typed.clear()
            told = self.loaders[-1].play(self._receive, self._say)
            if told is not None:
                return told
        return None

    def join(self, machine: Path, seconds: float = 20) -> None:
        """Hand the line on to a machine's serial port, until that ends."""
        until = time.monotonic() + seconds
        line = socket.socket(socket.AF_UNIX)
        while True:
            try:
                line.connect(str(machine))
                break
            except OSError:
                if time.monotonic() > until or self._closed:
                    line.close()
                    return
                time.sleep(0.02)
        self._machine = line
        self._wake.send(b".")

    def close(self) -> None:
        """Let go of it."""
        self._closed = True
        self._wake.send(b".")
        self._thread.join(5)
        for each in (self._door, self._other, self._machine, self._wake, self._woken):
            if each is not None:
                each.close()

    def _receive(self, seconds: float) -> bytes | None:
        if self._closed:
            return None
        with self._news:
            self._news.wait_for(lambda: self._typed, seconds)
            said = bytes(self._typed)
            self._typed.clear()
        return said

    def _say(self, data: bytes) -> None:
        other = self._other
        if other is not None:
            with suppress(OSError):
                other.sendall(data)

    def _run(self) -> None:
        while not self._closed:
            ends = [
                each for each in (self._door, self._woken, self._other, self._machine) if each is not None
            ]
            for end in select.select(ends, [], [])[0]:
                if end is self._door:
                    if self._other is not None:
                        self._other.close()
                    self._other, _ = self._door.accept()
                elif end is self._woken:
                    self._woken.recv(64)
                elif end is self._machine:
                    self._from_machine(end)
                elif end is self._other:
                    self._from_other(end)

    def _from_machine(self, machine: socket.socket) -> None:
        data = b""
        with suppress(OSError):
            data = machine.recv(65536)
        if data:
            self._say(data)
        else:
            machine.close()
            self._machine = None

    def _from_other(self, other: socket.socket) -> None:
        data = b""
        with suppress(OSError):
            data = other.recv(65536)
        if not data:
            other.close()
            self._other = None
        elif self._machine is not None:
            with suppress(OSError):
                self._machine.sendall(data)
        else:
            with self._news:
                self._typed += data
                self._news.notify_all()
