"""The console as those who draw it have it: a real socket and a real log at the other end."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smartos_wizard.guests import console_tee
from smartos_wizard.guests.console_line import BOUND, LOGIN, SETUP, ConsoleLine, Way
from smartos_wizard.guests.console_text import plain_lines, said_so_far
from smartos_wizard.guests.model import ConsoleEndpoint
from tests.unit.guests.other_end import OtherEnd


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[OtherEnd]:
    made = OtherEnd(tmp_path)
    yield made
    made.off()


@contextlib.contextmanager
def joined(where: ConsoleEndpoint) -> Iterator[ConsoleLine]:
    line = ConsoleLine(where)
    line.start()
    try:
        yield line
    finally:
        line.close()
        assert not line._thread.is_alive()


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "never came"
        time.sleep(0.01)


def taken(line: ConsoleLine, wanted: bytes, seconds: float = 5.0) -> bytes:
    got = bytearray()

    def there() -> bool:
        got.extend(line.take(8192))
        return wanted in got

    until(there, seconds)
    return bytes(got)


def test_what_was_said_before_comes_first_and_nothing_comes_twice(guest: OtherEnd) -> None:
    guest.say(b"earlier\r\n")
    with joined(guest.where) as line:
        guest.accept()
        for number in range(200):
            guest.say(b"now %d\r\n" % number)
        got = taken(line, b"now 199\r\n")
        time.sleep(0.5)  # the log lags no longer: nothing may come by the socket as well
        got += line.take(8192)
    assert got == b"earlier\r\n" + b"".join(b"now %d\r\n" % n for n in range(200))


def test_what_is_typed_reaches_the_guest(guest: OtherEnd) -> None:
    with joined(guest.where) as line:
        guest.accept()
        until(lambda: line.state.way is Way.TWO_WAY)
        assert line.send(b"root\r")
        assert guest.hear() == b"root\r"
        assert not line.send(bytes(1 << 20))  # nobody types as much; nothing of it is sent
        assert line.send(b"x")
        assert guest.hear() == b"x"


def test_a_guest_that_is_off_is_read_and_joined_once_it_runs(tmp_path: Path) -> None:
    (tmp_path / "console.log").write_bytes(b"the last words\r\n")
    with joined(ConsoleEndpoint(tmp_path / "console", tmp_path / "console.log")) as line:
        assert taken(line, b"last words") == b"the last words\r\n"
        assert line.state.way is Way.READ_ONLY
        assert "off" in line.state.why
        assert not line.send(b"x")
        guest = OtherEnd(tmp_path)
        guest.accept()
        until(lambda: line.state.way is Way.TWO_WAY)
        guest.off()
        until(lambda: line.state.way is Way.READ_ONLY)


def test_it_is_known_whether_setup_or_a_login_waits(guest: OtherEnd) -> None:
    with joined(guest.where) as line:
        guest.accept()
        assert line.state.met == ""
        guest.say(b"SmartOS Se")
        taken(line, b"Se")
        guest.say(b"tup\r\n----\r\n")
        until(lambda: line.state.met == SETUP)
        guest.say(b"\r\nlab console log")
        guest.say(b"in: ")
        until(lambda: line.state.met == LOGIN)
        guest.say(b"\r\nSmartOS Setup\r\nLast login: Mon Nov 23 17:00:00 on console\r\n")
        until(lambda: line.state.met == SETUP)
        guest.say(b"\r\nLoading unix...\r\n")
        until(lambda: line.state.met == "")


def test_without_a_log_what_is_said_comes_by_the_socket(tmp_path: Path) -> None:
    guest = OtherEnd(tmp_path, logs=False)
    with joined(guest.where) as line:
        guest.accept()
        guest.say(b"no room for a log\r\n")
        got = taken(line, b"log\r\n")
        guest.say(b"and more\r\n")
        got += taken(line, b"more\r\n")
    assert got == b"no room for a log\r\nand more\r\n"
    guest.off()


def test_somebody_else_at_the_console_is_told(guest: OtherEnd) -> None:
    other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    other.connect(str(guest.where.socket))
    guest.accept()  # that one; the next waits in the queue as with QEMU
    with joined(guest.where) as line:
        until(lambda: line.state.way is Way.TWO_WAY)
        time.sleep(0.4)
        guest.say(b"to the other one\r\n")
        until(lambda: line.state.way is Way.TAKEN)
        assert not line.send(b"x")
        other.close()
        guest.accept()
        guest.say(b"to us\r\n")
        until(lambda: line.state.way is Way.TWO_WAY)
    other.close()


def test_more_than_can_be_drawn_is_left_out_and_said(guest: OtherEnd) -> None:
    with joined(guest.where) as line:
        guest.accept()
        assert guest.where.log is not None
        with guest.where.log.open("ab") as log:
            log.write(b"".join(b"line %06d of a burst\r\n" % n for n in range(200_000)))
        until(lambda: line.left_out > 3_000_000)
        time.sleep(0.2)
        assert len(line._came) <= BOUND + 100
        got = taken(line, b"line 199999 of a burst\r\n")
        assert b"are left out here; the log has them" in got
        assert got.count(b"\nline 199999") == 1


def test_two_may_share_the_console_where_a_process_stands_beside_the_guest(tmp_path: Path) -> None:
    """As with VirtualBox and VMware: the guest's own end, the process, its log, and any number of listeners."""
    guest = OtherEnd(tmp_path / "vm", logs=False)
    assert guest.where.socket is not None
    where = ConsoleEndpoint(tmp_path / "console", tmp_path / "console.log")
    assert where.socket is not None
    assert where.log is not None
    tee = console_tee.start(guest.where.socket, where.socket, where.log)
    try:
        guest.accept()
        with joined(where) as one, joined(where) as other:
            until(lambda: {one.state.way, other.state.way} == {Way.TWO_WAY}, 20)
            guest.say(b"to both\r\n")
            assert taken(one, b"both\r\n") == taken(other, b"both\r\n") == b"to both\r\n"
            assert one.send(b"1")
            assert guest.hear() == b"1"
            assert other.send(b"2")
            assert guest.hear() == b"2"
            time.sleep(1.2)
            assert one.take(100) == other.take(100) == b""
            assert {one.state.way, other.state.way} == {Way.TWO_WAY}
            guest.off()
            until(lambda: one.state.way is Way.READ_ONLY)
    finally:
        guest.off()
        tee.kill()
        tee.wait()


def test_a_log_as_text() -> None:
    said = (
        b"\x1b[2J\x1b[1;32mOK\x1b[0m\r\npasswrod\x08\x08\x08ord\r\n50%\r100%\r\na\tb\r\n\x1b]0;title\x07end"
    )
    assert plain_lines(said) == ["OK", "password", "100%", "a       b", "end"]


def test_the_end_of_a_long_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert said_so_far(log) == ([], 0)
    log.write_bytes(b"".join(b"%06d\n" % n for n in range(1000)))
    lines, before = said_so_far(log, 70)
    assert lines[-2:] == ["000999", ""]
    assert before % 7 == 0
    assert before + sum(len(line) + 1 for line in lines) - 1 == 7000
