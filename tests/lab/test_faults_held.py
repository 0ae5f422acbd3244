"""A disk that is in use, and a disk that is not the one that was chosen: F3 and F23 on loop devices.

What a loop device cannot be (a swap or LVM member on USB, a key with a serial) is in test_guest.py; recorded
machines with every disguise of the system disk (F24) are in tests/unit/disks.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.rig import command, disks, keys, parts
from tests.lab.rig.images import MIB, Image

pytestmark = pytest.mark.lab

SIZE = 64 * MIB


@pytest.fixture
def disk(fault_rig: Path) -> Iterator[disks.Disk]:
    with disks.loop(disks.backing_file(fault_rig, SIZE)) as made:
        yield made


def listed(home: Path, path: str) -> dict[str, Any]:
    outcome = command.run(home, "key", "list", "--all", "--json")
    assert outcome.code == 0, outcome.told()
    return next(entry for entry in outcome.document if entry["path"] == path)


def test_a_loop_device_is_withheld_unless_it_is_asked_for(disk: disks.Disk, image: Image, home: Path) -> None:
    assert listed(home, disk.path)["withheld"]
    words = [word for word in keys.write_words(disk.path, image) if word != "--allow-fixed"]
    keys.assert_failed(command.run(home, *words), 4, home)
    assert keys.untouched(disk)


def test_no_disk_of_this_machine_is_offered(home: Path) -> None:
    root = subprocess.run(
        ["findmnt", "-no", "SOURCE", "/"], capture_output=True, text=True, check=False
    ).stdout.strip()
    outcome = command.run(home, "key", "list", "--all", "--json")
    assert outcome.code == 0, outcome.told()
    for entry in outcome.document:
        assert entry["withheld"], entry
    if root.startswith("/dev/"):
        assert any(root.startswith(entry["path"]) for entry in outcome.document)


def test_f23_a_mounted_disk_is_refused_with_its_mount_point(
    disk: disks.Disk, image: Image, home: Path
) -> None:
    parts.need_programs(["mkfs.ext4"])
    subprocess.run(["mkfs.ext4", "-q", "-F", disk.path], check=True, capture_output=True)
    point = home / "mounted here"
    point.mkdir()
    subprocess.run(["mount", disk.path, str(point)], check=True)
    try:
        (point / "precious").write_text("data")
        withheld = listed(home, disk.path)["withheld"]
        assert "mounted here" in json.dumps(withheld), withheld
        outcome = keys.write(home, disk, image)
        keys.assert_failed(outcome, 4, home)
        assert (point / "precious").read_text() == "data"
    finally:
        subprocess.run(["umount", str(point)], check=True)


def test_f23_a_disk_another_program_holds_open_is_refused(disk: disks.Disk, image: Image, home: Path) -> None:
    import os

    held = os.open(disk.path, os.O_RDWR | os.O_EXCL)
    try:
        outcome = keys.write(home, disk, image)
        assert outcome.code in (4, 9), outcome.told()
        assert keys.untouched(disk)
    finally:
        os.close(held)


def swapped_plan(home: Path, disk: disks.Disk, image: Image) -> Path:
    """A job whose plan was made and confirmed for the disk as it is now."""
    planned = command.run(home, *keys.write_words(disk.path, image), "--dry-run")
    assert planned.code == 0, planned.told()
    job = home / "state" / "jobs" / "20260101T000000Z-abcdef"
    job.mkdir(parents=True)
    plan = {**planned.document, "practice": False, "confirmed": [disk.path]}
    (job / "plan.json").write_text(json.dumps(plan))
    return job


@pytest.mark.parametrize("size", [SIZE, 48 * MIB], ids=["same size", "other size"])
def test_f3_another_disk_under_the_confirmed_name_is_refused(
    fault_rig: Path, image: Image, home: Path, size: int
) -> None:
    first = disks.backing_file(fault_rig, SIZE)
    other = disks.backing_file(fault_rig, size)
    device = disks.attach(first)
    try:
        job = swapped_plan(home, disks.Disk(device, first), image)
        disks.detach(device)
        disks.attach(other, device=device)
        outcome = command.run(home, "job", "run", job.name)
        assert outcome.code == 4, outcome.told()
        journal = [json.loads(line) for line in (job / "journal.jsonl").read_text().splitlines()]
        assert journal[-1]["reference"] == "identity-changed", journal[-1]
        assert keys.untouched(disks.Disk(device, other))
        assert keys.untouched(disks.Disk(device, first))
    finally:
        disks.detach(device)


def test_the_plan_for_the_right_disk_does_run(disk: disks.Disk, image: Image, home: Path) -> None:
    job = swapped_plan(home, disk, image)
    outcome = command.run(home, "job", "run", job.name)
    assert outcome.code == 0, outcome.told() + (job / "journal.jsonl").read_text()[-2000:]
    assert image.matches(disk.backing)
