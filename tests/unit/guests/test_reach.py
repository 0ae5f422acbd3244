"""The console of a guest: joined to a real terminal."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import socket
import termios
import threading
from pathlib import Path

import pytest

from smartos_wizard.core.errors import Refused
from smartos_wizard.guests import reach


def answering(place: Path) -> threading.Thread:
    """A console that greets, answers one line in capitals, and stays until the caller leaves."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(place))
    server.listen()

    def serve() -> None:
        # the caller may leave before the answer is sent
        with contextlib.suppress(ConnectionError), server, server.accept()[0] as line:
            line.sendall(b"login: ")
            while data := line.recv(100):
                line.sendall(data.upper())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def test_a_terminal_is_joined_and_left_as_it_was(tmp_path: Path) -> None:
    thread = answering(tmp_path / "s")
    ours, theirs = pty.openpty()
    read, write = os.pipe()
    before = termios.tcgetattr(theirs)
    typing = threading.Timer(0.3, os.write, (ours, b"root\x1dnever sent"))
    typing.start()
    reach.talk(tmp_path / "s", theirs, write)
    assert termios.tcgetattr(theirs) == before
    thread.join(5)
    assert not thread.is_alive()
    os.close(write)
    said = b""
    while data := os.read(read, 1000):
        said += data
    assert b"NEVER" not in said
    for fd in (ours, theirs, read):
        os.close(fd)


def test_nobody_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        reach.listen(tmp_path / "none", io.BytesIO())
    assert caught.value.reference == "console-busy"
