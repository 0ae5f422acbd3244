"""A real shell behind a login on a serial line: one command at a time, whole or not at all, whatever the line does."""

from __future__ import annotations

import random
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smartos_wizard.core.errors import (
    Cancelled,
    DeviceLost,
    NetworkFailed,
    PrivilegeFailed,
    WizardError,
)
from smartos_wizard.reinstall import console_shell
from smartos_wizard.reinstall.console_reading import Seen
from smartos_wizard.reinstall.console_shell import ConsoleShell
from smartos_wizard.reinstall.streams import CommandFailed, StreamHost, ask, shell
from tests.unit.reinstall.played_console import Wire, loader_console, shell_console

SHELLS = [("bash", "--norc", "--noprofile", "-i"), ("sh", "-i")]
NOISE = b"\r\nNov 28 10:00:00 kestrel scsi: [ID 107833 kern.warning] WARNING: /pci@0,0 (sd1): \x1b[1mok\x1b[m # $ Error for Command\r\nNov 28 10:00:00 kestrel login: [ID 254462 auth.notice] ROOT LOGIN /dev/console\r\n"


def ready(console: object, **words: float) -> ConsoleShell:
    host = ConsoleShell(console, "kestrel", **words)  # type: ignore[arg-type]
    host.log_in()
    return host


def once(there: Path, then: Callable[[], object]) -> threading.Thread:
    """Do something as soon as a command has made that file."""

    def wait() -> None:
        until = time.monotonic() + 60
        while not there.exists() and time.monotonic() < until:
            time.sleep(0.02)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize("below", SHELLS, ids=["bash", "sh"])
def test_a_command_is_answered_with_its_output_and_nothing_else(below: tuple[str, ...]) -> None:
    with shell_console(shell=below) as console:
        host: StreamHost = ready(console)
        assert ask(host, "echo one; echo two >&2; echo three") == b"one\nthree\n"
        assert ask(host, "true") == b""
        assert host.run("echo $((6 * 7)); exit 3\n") == "42\n"
        assert (
            host.feed("tr a-z A-Z", [b"a b\xff\0 'c'\\\n", b"~%$!\t\x01d"]) == b"A B\xff\0 'C'\\\n~%$!\t\x01D"
        )
        assert (host.name, host.port, host.host_key) == ("kestrel", 0, "")
        assert host.sent == [
            shell("echo one; echo two >&2; echo three"),
            shell("true"),
            "/bin/sh -s",
            "echo $((6 * 7)); exit 3\n",
            "tr a-z A-Z",
        ]
        host.close()


def test_a_command_that_fails_is_told_with_its_status_and_complaint() -> None:
    with shell_console() as console:
        host = ready(console)
        said = []
        with pytest.raises(CommandFailed) as raised:
            said += host.stream("echo before; echo it is busy >&2; exit 7")
        assert (raised.value.status, raised.value.complaint) == (7, "it is busy\n")
        with pytest.raises(CommandFailed) as raised:
            ask(host, "no-such-command")
        assert raised.value.status == 127


def test_a_long_answer_and_a_long_script_arrive_byte_for_byte(tmp_path: Path) -> None:
    script = "".join(f"echo 'line {n} with \"quotes\", \\\\ and ümlaut'\n" for n in range(200))
    with shell_console() as console:
        host = ready(console)
        assert (
            host.run(script)
            == subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True).stdout
        )
        assert (
            ask(host, f"head -c 20000 /dev/urandom | tee {tmp_path}/random")
            == (tmp_path / "random").read_bytes()
        )


def test_what_the_kernel_says_in_between_is_no_part_of_an_answer() -> None:
    chance = random.Random(5)
    wire = Wire(said=lambda data: data + NOISE if chance.random() < 0.2 else data)
    with shell_console(wire) as console:
        host = ready(console)
        for number in range(5):
            assert (
                ask(host, f"echo {number}; seq 300")
                == f"{number}\n".encode() + "".join(f"{n}\n" for n in range(1, 301)).encode()
            )


def test_words_that_break_into_a_line_are_noticed_and_the_answer_fetched_again() -> None:
    broken = 0

    def said(data: bytes) -> bytes:
        nonlocal broken
        if broken < 3 and re.search(rb"(?:[0-9a-f]{2} ){10}", data):
            broken += 1
            return data[: len(data) // 2] + b" WARNING: pool 'tank' is degraded " + data[len(data) // 2 :]
        return data

    with shell_console(Wire(said=said)) as console:
        host = ready(console)
        assert ask(host, "seq 200") == "".join(f"{n}\n" for n in range(1, 201)).encode()
    assert broken == 3


def test_letters_that_get_lost_on_the_way_never_make_another_command(tmp_path: Path) -> None:
    chance = random.Random(11)
    armed = threading.Event()

    def typed(data: bytes) -> bytes:
        if armed.is_set() and len(data) > 20 and chance.random() < 0.1:
            at, much = chance.randrange(len(data)), chance.choice((1, 1, 3, 60))
            return data[:at] + data[at + much :]
        return data

    wire = Wire(typed=typed)
    with shell_console(wire) as console:
        host = ready(console, patience=0.5)
        armed.set()
        for number in range(6):
            command = f"echo {number} >>{tmp_path}/once; echo done {number}"
            assert ask(host, command) == f"done {number}\n".encode()
        armed.clear()
    assert (tmp_path / "once").read_text() == "".join(f"{n}\n" for n in range(6))  # each of them once


def test_a_command_is_never_typed_itself() -> None:
    wire = Wire()
    with shell_console(wire) as console:
        host = ready(console)
        ask(host, "echo zpool destroy zones")
    assert b"echo zpool destroy zones" not in wire.keys
    assert b"destroy" not in wire.keys
    assert max(len(line) for line in wire.keys.split(b"\r")) <= 255


def test_a_wrong_password_is_refused_and_told() -> None:
    with shell_console(password="another") as console, pytest.raises(PrivilegeFailed) as raised:
        ConsoleShell(console).log_in()
    assert raised.value.reference == "login-refused"


def test_the_password_stands_in_no_list_of_what_was_sent() -> None:
    with shell_console(password="very secret") as console:
        host = ConsoleShell(console)
        host.log_in("very secret")
        ask(host, "true")
        assert not any("secret" in each for each in host.sent)


def test_a_shell_that_somebody_left_open_is_taken_and_left_as_it_was() -> None:
    with shell_console() as console:
        console.send(b"\r")
        time.sleep(0.3)
        first = ConsoleShell(console)
        assert first.look() is Seen.LOGIN
        console.send(b"root\r")
        time.sleep(0.5)
        console.send(b"root\r")
        time.sleep(0.5)
        console.read(1)
        console._recent.clear()  # whatever it showed: nobody saw it
        second = ConsoleShell(console, "kestrel")
        assert second.look(0.5) is Seen.SHELL
        second.log_in()
        assert ask(second, "echo here") == b"here\n"
        second._session.end()  # type: ignore[union-attr]
        console.send(b"echo still $((40 + 2))\r")
        time.sleep(0.5)
        assert b"still 42" in console.read(1)


def test_half_a_login_of_somebody_else_is_begun_anew() -> None:
    with shell_console() as console:
        time.sleep(0.3)
        console.send(b"tess\r")
        host = ready(console)
        assert ask(host, "echo in") == b"in\n"


def test_setup_is_never_answered() -> None:
    with loader_console(before=b"SmartOS Setup\r\n\r\nIs this correct, proceed with installation? [y]: ") as (
        console,
        _,
    ):
        with pytest.raises(NetworkFailed) as raised:
            ConsoleShell(console).log_in()
        assert raised.value.reference == "console-at-setup"


def test_a_silent_console_is_asked_with_a_word_that_is_no_yes() -> None:
    wire = Wire()
    with shell_console(wire) as console:
        time.sleep(0.5)
        console.read(1)
        console._recent.clear()  # what it showed before is not seen
        assert ConsoleShell(console).look(0.5) in (Seen.PASSWORD, Seen.LOGIN)
        assert bytes(wire.keys) == b"\x1b\b\x15id\r"


def test_a_machine_at_its_loader_is_told_as_such() -> None:
    with loader_console(before=b"\r\nok ") as (console, _):
        with pytest.raises(NetworkFailed) as raised:
            ConsoleShell(console).log_in()
        assert raised.value.reference == "console-at-loader"


def test_nobody_who_answers_is_told() -> None:
    with loader_console() as (console, _):
        with pytest.raises(NetworkFailed) as raised:
            ConsoleShell(console).log_in(seconds=0.5)
        assert raised.value.reference == "console-silent"


def test_a_line_that_is_cut_in_the_middle_is_told_and_the_command_goes_on(tmp_path: Path) -> None:
    wire, mark = Wire(), tmp_path / "mark"
    with shell_console(wire) as console:
        host = ready(console)
        began = once(tmp_path / "began", wire.cut.set)
        with pytest.raises(DeviceLost):
            ask(host, f"touch {tmp_path}/began; sleep 3; echo yes >{mark}.part; mv {mark}.part {mark}")
        began.join()
        until = time.monotonic() + 30
        while not mark.exists() and time.monotonic() < until:
            time.sleep(0.1)
        assert mark.read_text() == "yes\n"


def test_a_machine_that_restarts_meanwhile_is_told_and_its_words_are_left_to_be_read(tmp_path: Path) -> None:
    wire = Wire()
    with shell_console(wire) as console:
        host = ready(console, patience=2)

        def restart() -> None:
            wire.said = lambda data: b"\r\nSunOS Release 5.11\r\nkestrel console login: "

        began = once(tmp_path / "began", restart)
        with pytest.raises(DeviceLost) as raised:
            ask(host, f"touch {tmp_path}/began; sleep 30")
        began.join()
        assert raised.value.reference == "connection-lost"
        assert b"login:" in console.read(2)


def test_a_command_is_ended_where_that_is_asked_for(tmp_path: Path) -> None:
    with shell_console() as console:
        host = ready(console)
        with pytest.raises(Cancelled):
            ask(
                host,
                f"echo $$ >{tmp_path}/part; mv {tmp_path}/part {tmp_path}/pid; sleep 300; echo never >{tmp_path}/never",
                (tmp_path / "pid").exists,
            )
        pid = int((tmp_path / "pid").read_text())
        assert ask(host, f"sleep 0.3; ps -o stat= -p {pid} | grep -v Z || echo ended") == b"ended\n"
        assert not (tmp_path / "never").exists()


def test_a_script_that_takes_too_long_is_told() -> None:
    with shell_console() as console:
        host = ready(console)
        with pytest.raises(NetworkFailed) as raised:
            host.run("sleep 300\n", 2)
        assert raised.value.reference == "host-silent"


def test_what_is_too_much_for_a_console_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(console_shell, "LIMIT", 1000)
    monkeypatch.setattr(console_shell, "FEED", 1000)
    with shell_console() as console:
        host = ready(console)
        with pytest.raises(CommandFailed) as raised:
            ask(host, "seq 1000")
        assert "a serial console carries" in raised.value.context
        with pytest.raises(CommandFailed):
            host.feed(f"touch {tmp_path}/fed", [b"x" * 2000])
        assert not (tmp_path / "fed").exists()


def test_leaving_starts_the_command_once_and_leaves_the_console_to_others(tmp_path: Path) -> None:
    with shell_console() as console:
        host = ready(console)
        host.leave(f"echo once >>{tmp_path}/left; sleep 0.2; echo SunOS Release 5.11 >/dev/tty")
        time.sleep(1.5)
        assert (tmp_path / "left").read_text() == "once\n"
        assert b"SunOS Release" in console.read(1)
        with pytest.raises(WizardError) as raised:
            ask(host, "true")
        assert raised.value.reference == "console-not-logged-in"


def test_nothing_is_left_behind_on_the_machine() -> None:
    with shell_console() as console:
        host = ready(console)
        ask(host, "seq 3000")
        with pytest.raises(CommandFailed):
            ask(host, "false")
        assert host._session is not None
        place = Path(host._session.place)
        assert place.stat().st_mode & 0o777 == 0o700
        host.close()
        assert not place.exists()


def test_after_a_reboot_was_told_nothing_more_is_typed() -> None:
    wire = Wire()
    with shell_console(wire) as console:
        host = ready(console)
        ask(host, "echo GOING; : exec reboot")
        typed = len(wire.keys)
        host.close()
        assert len(wire.keys) == typed


def test_a_machine_that_was_told_to_restart_is_waited_for_and_nothing_is_typed() -> None:
    wire = Wire(said=lambda data: b"")
    with shell_console() as console:
        host = ConsoleShell(console, "kestrel", keep=True)
        host.log_in()
        host.leave(": not really, but said: reboot")
        time.sleep(0.5)
        console.read(0)
    with shell_console(wire) as restarting:
        restarting.note(console.recent)
        with pytest.raises(NetworkFailed) as raised:
            ConsoleShell(restarting, keep=True).log_in(seconds=2)
        assert raised.value.reference == "console-silent"
        assert not wire.keys


def test_a_console_that_is_kept_knows_what_it_showed_and_nothing_is_typed_to_find_out() -> None:
    wire = Wire()
    with shell_console(wire) as console:
        for _ in range(2):
            host = ConsoleShell(console, "kestrel", keep=True)
            host.log_in()
            assert ask(host, "echo in") == b"in\n"
            host.close()
        assert b"id\r" not in wire.keys
        assert b"\x1b" not in wire.keys
    question = b"SmartOS Setup\r\n\r\nIs this correct, proceed with installation? [y]: "
    with loader_console(before=question) as (console, _):
        for _ in range(2):
            with pytest.raises(NetworkFailed) as raised:
                ConsoleShell(console, keep=True).log_in(seconds=2)
            assert raised.value.reference == "console-at-setup"
