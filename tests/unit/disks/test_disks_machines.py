"""Recorded machines: each disk is offered or withheld for exactly the reasons written down with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.media.disks.judge import judge
from smartos_wizard.media.disks.linux import LinuxDisks
from smartos_wizard.media.model import Disk, Withheld
from tests.machines.build import Machine, MemoryReader, recorded

MACHINES = dict(recorded())


def nothing(_command: list[str]) -> str | None:
    return None


def disks_of(told: dict[str, Any], **more: Any) -> dict[str, Disk]:
    reader = MemoryReader(Machine(told))
    disks = LinuxDisks(reader=reader, run=nothing, usb_bus=dict, used=lambda _: None, **more).list()
    return {d.path: d for d in disks}


def references(disk: Disk, allow_fixed: bool = False) -> list[str]:
    judged = judge(disk, allow_fixed=allow_fixed)
    return list(dict.fromkeys(r.reference for r in judged.reasons)) if isinstance(judged, Withheld) else []


@pytest.mark.parametrize("name", MACHINES)
def test_each_disk_of_a_recorded_machine_is_judged_as_written_down(name: str) -> None:
    told = MACHINES[name]
    disks = disks_of(told)
    assert {p: references(disks[p]) for p in told["expect"]} == told["expect"]
    fixed = told.get("expect_fixed", {})
    assert {p: references(disks[p], allow_fixed=True) for p in fixed} == fixed


@pytest.mark.parametrize("name", [n for n in MACHINES if not {"locked", "loops"} & set(MACHINES[n])])
def test_real_files_and_links_tell_the_same_as_memory(name: str, tmp_path: Path) -> None:
    machine = Machine(MACHINES[name])
    machine.lay_out(tmp_path)
    on_disk = LinuxDisks(tmp_path, run=nothing, usb_bus=dict, used=lambda _: None).list()
    assert {d.path: d for d in on_disk} == disks_of(MACHINES[name])


def test_a_key_the_desktop_mounted_is_offered_and_says_that_it_is_unmounted() -> None:
    key = judge(disks_of(MACHINES["laptop-luks-lvm"])["/dev/sdk"])
    assert not isinstance(key, Withheld)
    assert key.unmount == ("/run/media/ann/BACKUPS",)
    assert any("/dev/sdk1 is mounted at /run/media/ann/BACKUPS" in note for note in key.notes)


def test_the_words_name_what_is_in_the_way() -> None:
    laptop = disks_of(MACHINES["laptop-luks-lvm"])["/dev/nvme0n1"]
    assert laptop.system_use is not None
    assert "/ through LVM and LUKS" in laptop.system_use
    assert laptop.holders == ("LUKS mapping luks-1 (on /dev/nvme0n1p3)",)
    odd = disks_of(MACHINES["odd-keys"])
    small = judge(odd["/dev/sdf"])
    assert isinstance(small, Withheld)
    assert "1,073,741,824 of 1,940,000,256" in small.reasons[0].text
    assert odd["/dev/sdh"].holders == ("LUKS mapping luks-key (on /dev/sdh1)",)
    assert disks_of(MACHINES["zfs-root"])["/dev/sdc"].holders == ("ZFS pool zones (on /dev/sdc1)",)


def test_zpool_completes_what_udev_does_not_know() -> None:
    told = {**MACHINES["zfs-root-without-udev"]}

    def run(command: list[str]) -> str | None:
        return "rpool\t1G\t1M\n\t/dev/sda1\t1G\n" if command[0] == "zpool" else None

    disks = LinuxDisks(reader=MemoryReader(Machine(told)), run=run, usb_bus=dict).list()
    judged = {d.path: references(d) for d in disks}
    assert judged == {"/dev/sda": ["system-disk", "in-use", "not-removable"], "/dev/sdb": []}


@pytest.mark.parametrize(
    "answer", [None, "", "{", "[]", '{"blockdevices": 3}', '{"blockdevices": [1, {"path": 2}]}', "[" * 100000]
)
def test_nonsense_from_lsblk_changes_nothing(answer: str | None) -> None:
    told = MACHINES["virtual-machine"]
    told = {**told, "disks": [{**told["disks"][0], "parts": [{}]}], "mounts": ["vda1 / ext4 /dev/vda1"]}
    disks = LinuxDisks(reader=MemoryReader(Machine(told)), run=lambda _: answer, usb_bus=dict).list()
    assert [references(d) for d in disks] == [["system-disk", "not-removable"]]


def test_names_that_would_lie_are_tamed() -> None:
    evil = "Nice\x1b[2J\u202ekey\n" + "x" * 500
    told = {
        "disks": [{"name": "sdb", "bus": "usb", "model": evil, "usb": {"serial": "a\u202eb"}}],
        "mounts": ["0:1 / tmpfs t"],
    }
    disk = disks_of(told)["/dev/sdb"]
    assert "\x1b" not in disk.model + disk.serial
    assert "\u202e" not in disk.model + disk.serial
    assert len(disk.model) <= 64
