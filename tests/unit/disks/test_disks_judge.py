"""The door to a target: found by name, refused with reasons, told apart from its double."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.media.disks.judge import (
    file_target,
    find_target,
    fingerprint_of,
    judge,
    judge_all,
    verify_fingerprint,
)
from smartos_wizard.media.disks.linux import LinuxDisks
from smartos_wizard.media.disks.manual import SYSTEMS, manual_commands
from smartos_wizard.media.disks.platform import system_disks
from smartos_wizard.media.disks.usb import ask_pyusb, port_words, seconds_for
from smartos_wizard.media.model import Disk, Partition, Target, UsbFacts, Withheld
from smartos_wizard.media.ports import MediaWorld

KEY = Disk(
    "/dev/sdk", 16_000_000_000, model="Ultra", vendor="SanDisk", serial="4C53", transport="usb", removable=False,
    read_only=False, sector=512, diskseq=41, rdev=(8, 160), partitions=(Partition("/dev/sdk1", 15_000_000_000),),
)  # fmt: skip


def world(*disks: Disk) -> MediaWorld:
    return cast(MediaWorld, SimpleNamespace(disks=SimpleNamespace(list=lambda: disks)))


def refusal(action: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        action()
    return caught.value


def test_a_uas_key_that_denies_being_removable_is_offered() -> None:
    assert isinstance(judge(KEY), Target)


def test_allow_fixed_lifts_only_its_own_reasons() -> None:
    fixed = replace(KEY, transport="sata")
    assert isinstance(judge(fixed), Withheld)
    assert isinstance(judge(fixed, allow_fixed=True), Target)
    for worse in (
        {"system_use": ("/",)}, {"system_use": None}, {"holders": ("md array md0",)}, {"read_only": True},
        {"size": 0}, {"size": 1000}, {"sector": 4096}, {"kind": "rom"}, {"kind": "ram"}, {"size": None}, {"removable": None},
    ):  # fmt: skip
        assert isinstance(judge(replace(fixed, **worse), allow_fixed=True), Withheld), worse


def test_targets_come_first_in_the_order_given() -> None:
    fixed, other = replace(KEY, transport="sata", path="/dev/sda"), replace(KEY, path="/dev/sdl")
    assert [j.disk.path for j in judge_all([fixed, KEY, other])] == ["/dev/sdk", "/dev/sdl", "/dev/sda"]


def test_a_withheld_disk_is_refused_with_every_reason_and_code_4() -> None:
    bad = replace(KEY, read_only=True, size=1000)
    error = refusal(lambda: find_target(world(bad), "/dev/sdk"))
    assert (error.reference, int(error.exit_code)) == ("withheld", 4)
    assert [r["reference"] for r in error.details["reasons"]] == ["read-only", "too-small"]


def test_looking_at_a_key_forgives_its_lock_but_not_its_owner() -> None:
    locked = replace(KEY, read_only=True, size=1000)
    assert find_target(world(locked), "/dev/sdk", for_reading=True).path == "/dev/sdk"
    refusal(lambda: find_target(world(replace(locked, system_use=("/",))), "/dev/sdk", for_reading=True))


def test_a_partition_is_refused_and_its_disk_named() -> None:
    error = refusal(lambda: find_target(world(KEY), "/dev/sdk1"))
    assert error.reference == "is-partition"
    assert "/dev/sdk" in error.hint


def test_a_path_that_is_no_disk_is_refused_with_code_4(tmp_path: Path) -> None:
    file = tmp_path / "key.img"
    file.touch()
    for path in ("/dev/sdz", str(file), "", "sdk"):
        error = refusal(lambda path=path: find_target(world(KEY), path))
        assert (error.reference, int(error.exit_code)) == ("no-such-disk", 4)


def test_a_link_to_a_disk_is_followed(tmp_path: Path) -> None:
    node, link = tmp_path / "sdk", tmp_path / "by-id"
    node.touch()
    link.symlink_to(node)
    assert find_target(world(replace(KEY, path=str(node))), str(link)).path == str(node)


def test_another_disk_under_the_same_name_is_noticed() -> None:
    print_ = fingerprint_of(KEY)
    assert verify_fingerprint(print_, print_) == []
    for change in (
        {"serial": "X"},
        {"size": 5},
        {"sector": 4096},
        {"rdev": (8, 0)},
        {"diskseq": 42},
        {"serial": ""},
    ):
        assert len(verify_fingerprint(print_, replace(print_, **change))) == 1, change
    assert verify_fingerprint(print_, replace(print_, diskseq=None)) == []


def test_a_file_target_is_a_regular_file_or_nothing(tmp_path: Path) -> None:
    fresh = file_target(tmp_path / "new.img", 4096)
    assert (fresh.regular_file, fresh.token, fresh.notes) == (True, str(tmp_path / "new.img"), ())
    old = tmp_path / "old.img"
    old.write_bytes(b"x" * 1234)
    assert "1,234 bytes are lost" in file_target(old, 4096).notes[0]
    fifo, loose, device = tmp_path / "fifo", tmp_path / "loose", tmp_path / "device"
    os.mkfifo(fifo)
    loose.symlink_to(tmp_path / "nowhere")
    device.symlink_to("/dev/null")
    for path in (fifo, loose, device, tmp_path, Path("/dev/null")):
        assert refusal(lambda path=path: file_target(path, 1)).reference == "not-a-file"
    assert refusal(lambda: file_target(tmp_path / "no" / "x", 1)).reference == "no-such-directory"


def test_words_for_the_port_tell_what_a_slow_one_costs() -> None:
    assert port_words(UsbFacts(version="3.20", speed=5000), 1_940_000_256) == "USB 3 port, 5 Gb/s"
    slow = port_words(UsbFacts(version="2.10", speed=480), 1_940_000_256)
    assert slow == "in a USB 2 port: about 1 min 30 s instead of 30 s"
    assert port_words(UsbFacts(version="2.00", speed=480), 1) == "USB 2, 480 Mb/s"
    assert port_words(UsbFacts(version="junk"), 1) == ""
    assert seconds_for(1, None) is None


def test_a_usb_bus_that_cannot_be_asked_is_no_error() -> None:
    assert isinstance(ask_pyusb(), dict)


@pytest.mark.parametrize("system", ["darwin", "win32", "freebsd14", "sunos5", "macOS", "Windows", "illumos"])
def test_each_other_system_gets_its_recipe_with_file_and_checksum(system: str) -> None:
    text = manual_commands(system, "/tmp/my key.img.gz", "a" * 64)
    assert text.startswith("# ")
    assert text.count("# ", 0, 3) == 1
    assert "my key.img.gz" in text
    assert "a" * 64 in text
    error = refusal(system_disks(system).list)
    assert error.reference == "not-linux"
    assert "IMAGE.img.gz" in error.hint


def test_an_unknown_system_gets_every_recipe() -> None:
    text = manual_commands("plan9", "x.img.bz2", "b" * 32)
    assert all(name in text for name in SYSTEMS.values())
    assert "bzcat" in text
    assert "MD5" in text


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at the disks of this machine")
def test_the_disk_this_very_machine_runs_from_is_withheld() -> None:
    number = Path("/").stat().st_dev
    place = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not place.exists():
        pytest.skip("the root of this machine lies on no single block device")
    real = place.resolve()
    name = real.parent.name if (real / "partition").exists() else real.name
    disk = next(d for d in LinuxDisks().list() if d.path == f"/dev/{name}")
    judged = judge(disk, 1, allow_fixed=True)
    assert isinstance(judged, Withheld)
    assert judged.reasons[0].reference == "system-disk"


def test_a_machine_whose_disks_cannot_be_listed_does_not_look_empty(tmp_path: Path) -> None:
    with pytest.raises(WizardError) as caught:
        LinuxDisks(tmp_path).list()
    assert (caught.value.reference, int(caught.value.exit_code)) == ("cannot-list-disks", 1)
