"""What goes over the socket between the program and its opener, whole and broken (F26)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from smartos_wizard.core.errors import DeviceLost, PrivilegeFailed, Refused, WizardError
from smartos_wizard.media.handover import Doorbell, error_of
from smartos_wizard.media.model import Disk, Fingerprint, Target
from smartos_wizard.privileged import opener

TARGET = Target(Disk("/dev/nothing", 4096), Fingerprint("/dev/nothing", 4096))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    a, b = socket.socketpair()
    with a, b:
        a.settimeout(2)
        b.settimeout(2)
        yield a, b


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def test_a_message_arrives_as_it_was_sent(pair):
    opener.send(pair[0], {"do": "flush", "names": ["ä"]})
    assert opener.receive(pair[1]) == {"do": "flush", "names": ["ä"], "version": opener.VERSION}


def test_the_end_of_the_stream_is_no_message(pair):
    pair[0].close()
    assert opener.receive(pair[1]) is None


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"\0\0",
        frame(b'{"version": 1}')[:-3],
        (opener.LIMIT + 1).to_bytes(4, "big") + b"x" * 100,
        b"\xff\xff\xff\xff",
        frame(b"no json at all"),
        frame(b'["a", "list"]'),
        frame(b'{"version": 99, "do": "flush"}'),
        frame(b'{"do": "flush"}'),
        frame(b"\xff\xfe\x00"),
        frame(b""),
    ],
)
def test_a_broken_message_is_refused_and_never_half_understood(pair, bytes_sent):
    pair[0].sendall(bytes_sent)
    pair[0].close()
    with pytest.raises(opener.No) as no:
        opener.receive(pair[1])
    assert no.value.reference == "bad-request"


def answered(tmp_path, act) -> WizardError:
    """What the program makes of an opener that behaves like `act(sock)`."""
    with Doorbell(tmp_path / "run") as bell, socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(bell.path))
        act(caller)
        caller.shutdown(socket.SHUT_WR)
        with pytest.raises(WizardError) as caught:
            bell.answer(TARGET, write=True, seconds=2)
        return caught.value


@pytest.mark.parametrize(
    "answer",
    [b"", b"\0", frame(b'{"ok": true, "vers'), frame(b'{"ok": true, "version": 2}'), b"\x7f\0\0\0aaaa"],
)
def test_a_broken_answer_is_a_privilege_failure_and_says_nothing_was_written(tmp_path, answer):
    error = answered(tmp_path, lambda sock: sock.sendall(answer))
    assert (type(error), error.reference) == (PrivilegeFailed, "opener-failed")
    assert "Nothing was written" in error.message


def test_an_answer_without_a_descriptor_is_a_failure(tmp_path):
    error = answered(tmp_path, lambda sock: opener.send(sock, {"ok": True}))
    assert error.reference == "opener-failed"


def test_descriptors_that_come_with_a_broken_answer_are_closed(tmp_path):
    read_end, write_end = os.pipe()

    def act(sock: socket.socket) -> None:
        socket.send_fds(sock, [frame(b"garbage")], [write_end])

    try:
        answered(tmp_path, act)
        os.close(write_end)
        assert os.read(read_end, 1) == b""  # every copy of the other end is closed
    finally:
        os.close(read_end)


def test_an_opener_that_never_answers_is_not_waited_for_without_end(tmp_path):
    with Doorbell(tmp_path / "run") as bell, socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(bell.path))
        with pytest.raises(PrivilegeFailed) as caught:
            bell.answer(TARGET, write=True, seconds=0.2)
    assert caught.value.reference == "opener-failed"


@pytest.mark.parametrize(
    ("reference", "kind", "code"),
    [
        ("identity-changed", Refused, 4),
        ("system-disk", Refused, 4),
        ("mounted", Refused, 4),
        ("in-use", Refused, 4),
        ("read-only", Refused, 4),
        ("not-a-disk", Refused, 4),
        ("no-such-device", DeviceLost, 10),
        ("open-failed", PrivilegeFailed, 9),
        ("wrong-caller", PrivilegeFailed, 9),
        ("bad-request", PrivilegeFailed, 9),
    ],
)
def test_every_no_of_the_opener_has_its_exit_code(reference, kind, code):
    error = error_of(reference, "words", "/dev/x")
    assert type(error) is kind
    assert int(error.exit_code) == code
    assert reference in opener.EXITS


def test_the_exit_codes_of_the_opener_tell_its_reasons_apart():
    assert len(set(opener.EXITS.values())) == len(opener.EXITS)
    assert set(opener.ERRNOS.values()) <= set(opener.EXITS)


def test_the_socket_lies_where_nobody_else_can_enter(tmp_path):
    with Doorbell(tmp_path / "run") as bell:
        assert bell.private.stat().st_mode & 0o077 == 0
        place = bell.private
    assert not place.exists()


def test_a_long_home_does_not_make_the_socket_too_long(tmp_path):
    with Doorbell(tmp_path / ("x" * 120)) as bell:
        assert len(str(bell.path)) < 108
        assert bell.private.stat().st_mode & 0o077 == 0
