"""Guests in the real QEMU: a program of 108 bytes starts from key and ISO, and everything around it is looked at from outside."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from smartos_wizard.core.paths import below
from smartos_wizard.guests.model import Guest
from smartos_wizard.guests.qemu import probe
from smartos_wizard.guests.qemu.driver import PROGRAM
from smartos_wizard.guests.qemu.monitor import Monitor
from tests.lab.rig import fatkey, parts, qemuguests, tinyboot
from tests.lab.rig.qemuguests import Desk, listening, until
from tests.lab.rig.tinyboot import SAYS, WORD, Media

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def media(space: Path) -> Media:
    parts.need_programs(fatkey.PROGRAMS)
    place = space / "media"
    place.mkdir(exist_ok=True)
    return tinyboot.build(place, "obeys")


@pytest.fixture
def desk(home: Path, media: Media) -> Iterator[Desk]:
    with qemuguests.desk(home, media) as made:
        yield made


def started(desk: Desk, guest: Guest, says: str = "runs.") -> psutil.Process:
    done = desk.run("start", guest.name)
    assert f"{guest.name} {says}" in done.stderr
    until(
        lambda: "login: " in desk.said(guest), what=desk.said(guest) + (guest.folder / "qemu.log").read_text()
    )
    return desk.process(guest)


def ended(process: psutil.Process) -> bool:
    """Whether it is gone; one that nobody has fetched yet is."""
    with suppress(psutil.Error):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


@pytest.mark.parametrize("iso", [False, True], ids=["key", "iso"])
def test_it_starts_talks_and_answers_and_nothing_that_was_downloaded_changes(desk: Desk, iso: bool) -> None:
    before = desk.media.before
    guest = desk.create(iso=iso)
    key = None if iso else guest.key.read_bytes()
    process = started(desk, guest)
    assert desk.said(guest).replace("\0", "").endswith(SAYS)
    assert desk.listed()["lab"]["actual"]["state"] == "running"
    assert desk.listed()["lab"]["drift"] == []
    # the socket: what is typed reaches the machine, and what it answers arrives there and in the log
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(guest.console.socket))
        line.sendall(b"Root")
        got = b""
        line.settimeout(20)
        while b"rOOT" not in got:
            got += line.recv(100)
    until(lambda: desk.said(guest).endswith("rOOT"))
    # waiting for words, by the command
    desk.run("console", "lab", "--wait-for", WORD, "--timeout", "20")
    desk.run("console", "lab", "--wait-for", "never said", "--timeout", "1", code=1)
    stopped = desk.run("stop", "lab", "--patience", "30")
    assert "switching it off" not in stopped.stderr, "the button was enough"
    assert ended(process)
    assert desk.media.before == before
    if key is not None:
        assert guest.key.read_bytes() == key, "what it wrote on its key is gone"
    desk.run("delete", "lab", "--confirm", "lab")
    assert desk.left() == []
    assert desk.media.before == before


def test_it_lives_on_in_its_own_sandbox_and_ssh_is_on_loopback_only(desk: Desk) -> None:
    guest = desk.create()
    process = started(desk, guest)
    line = process.cmdline()
    assert os.getsid(process.pid) == process.pid, "a terminal that is closed does not end it"
    assert psutil.Process().pid not in [each.pid for each in process.parents()], (
        "whoever started it has ended"
    )
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert line[line.index("-sandbox") + 1].startswith("on,obsolete=deny,elevateprivileges=deny,spawn=deny")
    assert re.search(r"^Seccomp:\s*2$", status, re.MULTILINE)
    port = desk.shown()["actual"]["ssh_port"]
    assert listening(process.pid) == [("0100007F", port)]
    with socket.create_connection(("127.0.0.1", port), 5):
        pass
    again = desk.run("start", "lab")
    assert "runs already" in again.stderr
    assert desk.process(guest).pid == process.pid


def test_one_that_does_not_obey_is_switched_off_after_its_time_or_at_once(space: Path, home: Path) -> None:
    parts.need_programs(fatkey.PROGRAMS)
    with qemuguests.desk(home, tinyboot.build(space / "media", "deaf", obeys=False)) as desk:
        guest = desk.create(iso=True)
        started(desk, guest)
        before = time.monotonic()
        said = desk.run("stop", "lab", "--patience", "2").stderr
        assert 2 < time.monotonic() - before < 30
        assert "waiting up to 2 s" in said
        assert "switching it off" in said
        assert desk.listed()["lab"]["actual"]["state"] == "stopped"
        process = started(desk, guest)
        said = desk.run("stop", "lab", "--force").stderr
        assert "Asked" not in said
        assert ended(process)
        # a QEMU that is stuck itself: nothing answers, its process is ended
        process = started(desk, guest)
        process.suspend()
        assert desk.listed()["lab"]["actual"]["state"] == "unknown", "it is there and does not answer"
        said = desk.run("stop", "lab", "--force").stderr
        assert "ending its process" in said
        until(lambda: ended(process))
        assert desk.listed()["lab"]["actual"]["state"] == "stopped"
        # killed from outside: seen, and started anew
        process = started(desk, guest)
        process.kill()
        until(lambda: ended(process))
        assert desk.listed()["lab"]["actual"]["state"] == "stopped"
        assert started(desk, guest).pid != process.pid
        desk.run("delete", "lab", "--confirm", "lab")
        assert desk.left() == []


def test_the_number_in_a_file_is_not_believed(desk: Desk) -> None:
    """A number left in the guest's file may be any process by now: it must be the guest's to be ended."""
    guest = desk.create(iso=True)
    guest.sockets.mkdir(parents=True, mode=0o700)
    with psutil.Popen(["sleep", "60"]) as other:
        (guest.sockets / "pid").write_text(str(other.pid))
        assert desk.listed()["lab"]["actual"]["state"] == "stopped"
        desk.run("stop", "lab", "--force")
        desk.run("delete", "lab", "--confirm", "lab")
        assert other.poll() is None
        other.kill()
    assert desk.left() == []


def test_another_command_than_was_asked_for_is_told_as_it_runs(desk: Desk) -> None:
    guest = desk.create(iso=True)
    start = guest.folder / "start.sh"
    asked = start.read_text()
    start.write_text(
        asked.replace("  -m \\\n  1024", "  -m \\\n  size=1536M")
        .replace("hostfwd=tcp:127.0.0.1:0-:22", "hostfwd=tcp:0.0.0.0:0-:22,hostfwd=tcp:127.0.0.1:0-:80")
        .replace("  -display \\\n  none", "  -device \\\n  intel-hda \\\n  -display \\\n  none")
    )
    started(desk, guest, "runs, but not all is as asked.")
    start.write_text(asked)
    shown = desk.shown()
    drift = {each["what"]: each["actual"] for each in shown["drift"]}
    assert drift["memory in MiB"] == "1536"
    assert drift["ssh from this machine"] == "0.0.0.0, hostfwd=tcp:127.0.0.1:0-:80"
    assert drift["sound"] == "on"
    assert "another command" in " ".join(shown["actual"]["notes"])
    assert sorted(address for address, _port in listening(desk.process(guest).pid)) == [
        "00000000",
        "0100007F",
    ]
    desk.run("stop", "lab", "--force")
    assert desk.shown()["drift"] == []


def test_an_iso_that_went_away_and_a_disk_that_is_lost_are_named(desk: Desk, space: Path) -> None:
    iso = desk.media.iso
    guest = desk.create(iso=True)
    aside = iso.rename(space / "aside.iso")
    try:
        assert desk.run("start", "lab", "--json", code=4).reference == "iso-gone"
    finally:
        aside.rename(iso)
    guest.disk(guest.spec.disks[0], "qcow2").unlink()
    assert desk.run("start", "lab", "--json", code=4).reference == "disk-gone"
    desk.run("reinstall", "lab", "--confirm", "lab")
    started(desk, guest)


def test_what_really_works_is_found_by_starting_it(home: Path) -> None:
    parts.need_programs([PROGRAM])
    engine = probe.find_engine(PROGRAM, "any", below(home).cache)
    assert engine is not None
    assert probe._try(PROGRAM, engine.accelerator, engine.cpu) is None
    assert "nothing-like-it" in str(probe._try(PROGRAM, "tcg", "nothing-like-it"))


def test_the_machine_that_is_tried_ends_by_itself_where_its_maker_was_killed(home: Path) -> None:
    parts.need_programs([PROGRAM])
    home.mkdir(exist_ok=True)
    disk = home / "probe-disk"
    disk.write_bytes(probe.boot_sector(resets=True) + bytes(1 << 20))
    line = [
        PROGRAM, "-nodefaults", "-display", "none", "-machine", "q35,accel=tcg", "-m", "64", "-net", "none", "-no-reboot",
        "-serial", f"file:{home}/serial", "-drive", f"file={disk},format=raw,if=ide,snapshot=on",
    ]  # fmt: skip
    assert subprocess.run(line, check=False, timeout=60).returncode == 0
    assert probe.WORD in (home / "serial").read_bytes()


def test_a_console_on_another_port_is_on_that_port(desk: Desk) -> None:
    guest = desk.create("lab", "--console", "ttyb", iso=False)
    desk.run("start", "lab")
    assert "isa-serial,index=1,chardev=com1" in desk.process(guest).cmdline()
    with Monitor(guest) as monitor:
        tree = str(monitor.ask("human-monitor-command", **{"command-line": "info qtree"}))
    (port,) = re.findall(r"dev: isa-serial.*?iobase = (\d+)", tree, re.DOTALL)
    assert int(port) == 0x2F8
