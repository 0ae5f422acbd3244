"""Datasets sent from one machine with real OpenZFS into the pool of another, over both real sshds, and back again.

Cut off on either side and killed, they are taken up where they broke off. SmartOS's own commands are played (`rig/played`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.rig import parts, zfs_things, zfs_tree
from tests.lab.rig.command import Outcome
from tests.lab.rig.zfs_host import ZfsHost
from tests.lab.rig.zfs_things import IMAGE, OWN, SECRET, WEB
from tests.lab.rig.zfs_wizard import PATIENCE, Wizard, cut, door_to, quick

pytestmark = [pytest.mark.lab, pytest.mark.slow]

PLACE = "tank/lab"


@pytest.fixture(scope="module")
def attic(space: Path) -> Iterator[ZfsHost]:
    """The machine that is sent to: a pool, and something of its own on it."""
    parts.need_programs(["qemu-system-x86_64", "debootstrap", "ssh-keygen"])
    place = space / "attic-zfs"
    place.mkdir()
    machine = ZfsHost(place, zfs_tree.prepare(), {"vda": 1 << 30}, make=False, hostid="00ef56ab")
    try:
        machine.ready(PATIENCE)
        machine.sh("zpool create -f tank /dev/vda && zfs create tank/own && echo mine > /tank/own/file")
        machine.run(
            "/usr/bin/python3", "-c", "import sys; sys.path.insert(0, '/mnt'); import boot; boot.sshd()"
        )
        yield machine
    finally:
        machine.close()


@pytest.fixture(scope="module")
def wizard(space: Path) -> Iterator[Wizard]:
    place = space / "sending-zfs"
    place.mkdir()
    images = [{"manifest": {"uuid": IMAGE, "name": "base-64-lts", "version": "23.4.0"}}]
    machine = ZfsHost(place, zfs_tree.prepare(), {"vda": 1 << 30}, make=False, images=images)
    quick(machine)
    try:
        machine.ready(PATIENCE)
        zfs_things.set_up(machine)
        zfs_things.fill(machine)
        yield Wizard(machine, space / "sending-home")
    finally:
        machine.close()


def guids(machine: ZfsHost, *tops: str) -> list[str]:
    """Every snapshot below, by guid and what stands after the `@`."""
    listed = machine.sh(f"zfs list -rHp -t snapshot -o name,guid {' '.join(tops)}").splitlines()
    return sorted(" ".join(line.split("@")[1].split("\t")) for line in listed)


def resumed(done: Outcome) -> int:
    return sum(event.get("reference") == "stream-resumed" for event in done.events)


def test_there_and_back_byte_for_byte_whatever_cuts_it(wizard: Wizard, attic: ZfsHost, space: Path) -> None:
    to, machine = space / "sent-zfs", wizard.machine
    before = zfs_things.everything(machine)
    there = ("--to-host", "root@127.0.0.1", "--to-dataset", PLACE, *door_to(attic, "to-"))
    words = wizard.backup(to, *there)
    large = next(
        step["id"] for step in wizard.run([*words, "--dry-run"]).document["steps"]
        if step["action"] == "backup-send-there" and step["params"]["dataset"] == OWN
    )  # fmt: skip
    for side in (machine, attic):
        running = wizard.in_the_middle(words, large)
        cut(side)
        lost = running.end(PATIENCE)
        assert lost.code == 10, lost.told()
    running = wizard.in_the_middle(words, large)
    running.kill()
    running.end()
    done = wizard.run(words)
    assert done.code == 0, done.told()
    assert resumed(done) == 1
    assert zfs_things.everything(machine) == before
    assert not zfs_things.made_for_backups(machine)
    manifest = json.loads((to / "manifest.json").read_text())
    sent = {each["dataset"]: each["place"] for each in manifest["sent"]}
    assert set(sent) == {f"zones/{IMAGE}", f"zones/{WEB}", OWN, SECRET}
    assert attic.sh(f"zfs get -rHo value mounted {PLACE} | sort -u").split() == ["-", "no"]
    assert attic.sh("cat /tank/own/file") == "mine\n"
    origin = attic.sh(f"zfs get -Ho value origin {sent[f'zones/{WEB}']}").strip()
    assert origin == f"{sent[f'zones/{IMAGE}']}@final"
    checked = wizard.run(["reinstall", "backup-check", str(to), "--there", "--json"])
    assert checked.code == 0, checked.told()
    again = wizard.run([*wizard.backup(space / "again-zfs", *there)])
    assert (again.code, again.reference) == (4, "target-exists"), again.told()
    came_back(wizard, attic, to, before)


def came_back(wizard: Wizard, attic: ZfsHost, to: Path, before: dict[str, str]) -> None:
    """On a pool that was made anew; cut off on the way."""
    machine = wizard.machine
    kept = guids(attic, PLACE)
    zfs_things.empty(machine)
    words = wizard.restore(to, "--confirm", "lab")
    running = wizard.in_the_middle(words, f"receive:{OWN}")
    cut(attic)
    lost = running.end(PATIENCE)
    assert lost.code == 10, lost.told()
    done = wizard.run(words)
    assert done.code == 0, done.told()
    assert resumed(done) == 1
    said = [event["text"] for event in done.events if event.get("reference") == "property-not-set"]
    assert not said, said
    assert guids(machine, f"zones/{IMAGE}", f"zones/{WEB}", OWN, SECRET) == kept == guids(attic, PLACE)
    zfs_things.mount(machine)
    after = zfs_things.everything(machine)
    for what, text in before.items():
        assert after[what] == text, what
    assert machine.sh(f"vmadm lookup uuid={WEB}").strip() == WEB


def test_what_was_changed_there_is_found(wizard: Wizard, attic: ZfsHost, space: Path) -> None:
    to = space / "sent-zfs"
    place = next(s["place"] for s in json.loads((to / "manifest.json").read_text())["sent"] if s["dataset"] == OWN)  # fmt: skip
    attic.sh(f"zfs destroy {place}@old")
    checked = wizard.run(["reinstall", "backup-check", str(to), "--there", "--json"])
    assert checked.code == 8, checked.told()
    wizard.machine.sh(f"zfs destroy -r {OWN}")
    (to / "restored-00ab12cd.json").unlink()
    words = ["reinstall", "restore", str(to), "root@127.0.0.1", *wizard.door, "--dataset", OWN, "--json", "--confirm", "lab"]  # fmt: skip
    refused = wizard.run(words)
    assert (refused.code, refused.reference) == (8, "sent-differs"), refused.told()
    assert wizard.machine.run("zfs", "list", OWN).code, "nothing was received"
