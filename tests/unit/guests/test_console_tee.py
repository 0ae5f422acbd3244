"""The process that gives a console both a log and a socket, with a real process and real sockets."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smartos_wizard.guests import console_tee


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tee") as name:
        yield Path(name)


@pytest.fixture
def line(place: Path) -> Iterator[socket.socket]:
    """The guest's end; the process was there before it, as it is when a guest is started."""
    process = console_tee.start(place / "com1", place / "console", place / "console.log")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.bind(str(place / "com1"))
            door.listen(1)
            door.settimeout(10)
            found, _ = door.accept()
        (place / "com1").unlink()
        found.settimeout(10)
        with found:
            yield found
        assert process.wait(10) == 0, "it ends with the guest"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(5)


def look(place: Path) -> socket.socket:
    person = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    person.settimeout(10)
    person.connect(str(place / "console"))
    return person


def until_true(ask: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not ask():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_log_and_people_get_all_and_people_may_type(place: Path, line: socket.socket) -> None:
    with look(place) as one, look(place) as two:
        time.sleep(0.1)
        line.sendall(b"SmartOS (build: X)\n")
        assert one.recv(100) == two.recv(100) == b"SmartOS (build: X)\n"
        one.sendall(b"root\n")
        assert line.recv(100) == b"root\n"
        two.close()
        line.sendall(b"login:")
        assert one.recv(100) == b"login:"
    line.close()
    until_true(lambda: not (place / "console").exists())
    assert (place / "console.log").read_bytes() == b"SmartOS (build: X)\nlogin:"


def test_somebody_who_looks_but_never_reads_holds_nobody_up(place: Path, line: socket.socket) -> None:
    with look(place):
        time.sleep(0.1)
        line.sendall(b"x" * (4 << 20))
        until_true(lambda: (place / "console.log").stat().st_size == 4 << 20)


def test_where_the_guest_never_comes_it_ends(place: Path) -> None:
    process = console_tee.start(place / "com1", place / "console", place / "console.log", 0.1)
    try:
        assert process.wait(10) == 1
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert not (place / "console").exists()


def test_one_that_waits_ends_when_its_socket_is_taken_away(place: Path) -> None:
    process = console_tee.start(place / "com1", place / "console", place / "console.log", 60)
    try:
        until_true((place / "console").exists)
        time.sleep(0.1)
        (place / "console").unlink()
        assert process.wait(10) == 1
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(5)
