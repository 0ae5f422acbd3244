"""Machines in QEMU boot over a wire from the tree that was built, served by the real command with the real dnsmasq."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.boot.shadow import matches
from tests.lab.rig import netwire, parts, probe
from tests.lab.rig.command import Running, run
from tests.lab.rig.netwire import STAMPS, Machine, Wire

pytestmark = pytest.mark.lab

ARCHIVES = {stamp: probe.noise(3_000_000 + n) for n, stamp in enumerate(STAMPS)}
ANSWERED, PROFILED = "52:54:00:00:77:11", "52:54:00:00:77:12"
ANSWERS = {"hostname": "kestrel", "admin_ip": "dhcp"}


@pytest.fixture(scope="module")
def home(space: Path) -> Path:
    path = space / "netboot-home"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(scope="module")
def tree(space: Path, home: Path) -> Path:
    """A tree with two releases, a machine with answers and one with a profile of its own."""
    netwire.need()
    place, root = space / "netboot", space / "netboot" / "tree"
    place.mkdir()
    kernel = probe.build(place / "unix")
    made = run(home, "profile", "save", "rack", "--console", "ttya", "--speed", "57600", "--zpools", "a,b")
    assert made.code == 0, made.told()
    (place / "answers.json").write_text(json.dumps(ANSWERS))
    for stamp in STAMPS:
        tarball = netwire.platform_tarball(place, stamp, ARCHIVES[stamp], kernel)
        more = (
            ("--mac", f"{ANSWERED}={place}/answers.json", "--mac", f"{PROFILED}=rack")
            if stamp == STAMPS[1]
            else ()
        )
        done = run(
            home, "netboot", "build", root, "--tarball", tarball, "--sha256", netwire.sha256(tarball), *more
        )
        assert done.code == 0, done.told()
    return root


@pytest.fixture(scope="module")
def wire(space: Path) -> Iterator[Wire]:
    place = space / "wire"
    place.mkdir()
    with netwire.wire(place) as made:
        yield made


@pytest.fixture(scope="module")
def beside(wire: Wire, tree: Path, home: Path) -> Iterator[Running]:
    """The tree, served beside a foreign DHCP server."""
    with wire.dhcp_server():
        serving = wire.serve(home, str(tree))
        serving.wait_for(lambda e: e.get("event") == "step-started" and e.get("step") == "serve")
        yield serving
        serving.signal(signal.SIGINT)
        assert serving.end().code == 0


def booted(wire: Wire, mac: str, *keys: str) -> probe.Ran:
    """A machine that waits in the menu, where these keys are pressed and then Enter."""
    with Machine(wire, mac) as machine:
        machine.await_screen("Releases, newest first")
        machine.keys(*keys, "ret")
        return machine.ended()


def modules_of(report: probe.Report) -> list[tuple[str, str, int, str]]:
    return [(m.said("type"), m.said("name"), m.size, m.sha1) for m in report.modules]


def archive_and_hash(stamp: str) -> list[tuple[str, str, int, str]]:
    archive = ARCHIVES[stamp]
    line = f"{probe.sha1(archive)}\n".encode()
    return [
        ("rootfs", "ramdisk", len(archive), probe.sha1(archive)),
        ("hash", "ramdisk", len(line), hashlib.sha1(line, usedforsecurity=False).hexdigest()),
    ]


def test_a_machine_left_alone_boots_the_newest_release_on_its_screen(beside: Running, wire: Wire):
    ran = booted(wire, "52:54:00:00:77:01")
    assert ran.code == probe.ENDED
    assert ran.report.properties == {"console": "text", "smartos": "true"}
    assert ran.report.line.split()[0].endswith(f"/os/{STAMPS[0]}/{probe.UNIX}")
    assert modules_of(ran.report) == archive_and_hash(STAMPS[0])
    assert ran.report.hashes == {"ramdisk": "ok"}


def test_the_menu_changes_the_console_and_goes_into_rescue(beside: Running, wire: Wire):
    ran = booted(wire, "52:54:00:00:77:02", "c", "r", "k")
    found = ran.report.properties
    assert (found["console"], found["ttya-mode"]) == ("ttya", "115200,8,n,1,-")
    assert (found["smartos"], found["noimport"], found["standalone"]) == ("false", "true", "true")
    assert matches("root", found["root_shadow"])
    assert " -k -B " in ran.report.line
    assert modules_of(ran.report) == archive_and_hash(STAMPS[0])


def test_an_older_release_is_booted_whole_and_nothing_of_the_newest(beside: Running, wire: Wire):
    ran = booted(wire, "52:54:00:00:77:03", "down")
    assert ran.report.line.split()[0].endswith(f"/os/{STAMPS[1]}/{probe.UNIX}")
    assert modules_of(ran.report) == archive_and_hash(STAMPS[1])


def test_a_machine_with_answers_of_its_own_is_handed_them_guarded_by_their_hash(
    beside: Running, wire: Wire, tree: Path
):
    ran = booted(wire, ANSWERED)
    answers = (tree / "machines" / ANSWERED.replace(":", "-") / "answers.json").read_bytes()
    assert json.loads(answers) == ANSWERS
    found = ran.report.module("answers.json")
    assert (found.said("type"), found.size, found.sha1) == ("file", len(answers), probe.sha1(answers))
    assert ran.report.hashes == {"ramdisk": "ok", "answers.json": "ok"}
    assert ran.report.properties == {"console": "text", "smartos": "true"}


def test_a_machine_with_a_profile_is_told_what_is_in_it(beside: Running, wire: Wire):
    found = booted(wire, PROFILED).report.properties
    assert found == {"console": "ttya", "ttya-mode": "57600,8,n,1,-", "smartos": "true", "zpools": "a,b"}


def test_undionly_comes_by_tftp_and_leads_to_the_same_menu_and_not_in_a_circle(beside: Running, wire: Wire):
    with Machine(wire, "52:54:00:00:77:06") as machine:
        machine.await_screen("Releases, newest first")
        machine.keys("s")
        machine.await_screen("iPXE>")
        machine.type(f"chain tftp://{netwire.SERVER}/undionly.kpxe")
        machine.keys("ret")
        machine.await_screen("Features:")
        machine.await_screen("Releases, newest first")
        machine.keys("ret")
        ran = machine.ended()
    assert ran.code == probe.ENDED
    assert modules_of(ran.report) == archive_and_hash(STAMPS[0])


def test_a_uefi_machine_is_told_on_its_screen_and_in_the_table_that_it_cannot(beside: Running, wire: Wire):
    parts.need_files(["/usr/share/OVMF/OVMF_CODE_4M.fd"])
    with Machine(wire, "52:54:00:00:77:07", uefi=True) as machine:
        said = machine.await_said("started iPXE by UEFI", 120)
    assert "legacy" in said
    event = beside.wait_for(lambda e: e.get("target") == machine.mac and e["data"]["state"] == "not-by-uefi")
    assert "smartos-wizard key write" in event["text"]


def test_the_table_says_what_each_machine_fetched_and_that_it_has_everything(beside: Running, wire: Wire):
    mac = "52:54:00:00:77:08"
    booted(wire, mac)
    last = beside.wait_for(
        lambda e: e.get("target") == mac and e.get("event") == "noted" and e["data"]["starts"] == 1
    )
    states = [
        e["data"]["state"]
        for e in netwire.events_of(beside)
        if e.get("target") == mac and e["event"] == "noted"
    ]
    assert states == ["asks", "menu", "kernel", "archive", "starting"]
    assert last["data"]["release"] == STAMPS[0]
    assert last["data"]["address"].startswith("10.77.0.1")
    fetched = [e for e in netwire.events_of(beside) if e.get("target") == mac and e["event"] == "advanced"]
    assert (len(ARCHIVES[STAMPS[0]]),) * 2 in [(e["done"], e["total"]) for e in fetched]


def test_an_archive_that_rots_while_it_is_served_is_refused_by_the_kernel(
    beside: Running, wire: Wire, tree: Path
):
    archive = tree / "os" / STAMPS[1] / probe.ARCHIVE
    whole = archive.read_bytes()
    try:
        archive.write_bytes(whole[:1_000_000])
        assert booted(wire, "52:54:00:00:77:09", "down").code == probe.WRONG_HASH
        archive.unlink()
        with Machine(wire, "52:54:00:00:77:0a") as machine:
            machine.await_screen("Releases, newest first")
            machine.keys("down", "ret")
            shown = machine.await_screen("was not started")
        assert "the boot archive failed" in shown and "No such file" in shown
        beside.wait_for(lambda e: e.get("target") == machine.mac and e.get("level") == "warning")
    finally:
        archive.write_bytes(whole)
