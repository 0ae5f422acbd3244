"""The other end of a guest's serial line, as QEMU keeps it: for one caller at a time, and a log of all it says."""

from __future__ import annotations

import socket
from pathlib import Path

from smartos_wizard.guests.model import ConsoleEndpoint


class OtherEnd:
    """`say` and `hear`; `accept` lets the next caller in."""

    def __init__(self, place: Path, *, logs: bool = True, where: ConsoleEndpoint | None = None) -> None:
        self.where = where or ConsoleEndpoint(place / "console", place / "console.log")
        assert self.where.socket is not None
        self.where.socket.parent.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(self.where.socket))
        self._server.listen(1)
        self.line: socket.socket | None = None

    def accept(self) -> None:
        self._server.settimeout(5)
        if self.line is not None:
            self.line.close()
        self.line, _ = self._server.accept()
        self.line.settimeout(5)

    def say(self, data: bytes) -> None:
        assert self.where.log is not None
        if self._logs:
            with self.where.log.open("ab") as file:
                file.write(data)
        if self.line is not None:
            self.line.sendall(data)

    def hear(self) -> bytes:
        assert self.line is not None
        return self.line.recv(1000)

    def off(self) -> None:
        if self.line is not None:
            self.line.close()
            self.line = None
        self._server.close()
        assert self.where.socket is not None
        self.where.socket.unlink(missing_ok=True)
