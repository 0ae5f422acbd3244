"""What is wrong with the image: F21, and two writers at one key (F22) (tests/lab/README.md)."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.rig import command, disks, images, keys
from tests.lab.rig.images import MIB, Image

pytestmark = pytest.mark.lab

SIZE = 64 * MIB


@pytest.fixture
def disk(fault_rig: Path) -> Iterator[disks.Disk]:
    with disks.loop(disks.backing_file(fault_rig, SIZE)) as made:
        yield made


def made(home: Path, name: str, data: bytes, image: Image) -> Image:
    path = home / name
    path.write_bytes(data)
    return images.given(path, image.raw)


def test_f21_a_truncated_gzip_file_never_makes_a_booting_key(
    disk: disks.Disk, image: Image, home: Path
) -> None:
    data = image.path.read_bytes()
    broken = made(home, "short.img.gz", data[: len(data) * 2 // 3], image)
    outcome = keys.write(home, disk, broken)
    keys.assert_failed(outcome, 7, home)
    assert "truncated" in outcome.reference, outcome.told()
    assert keys.blank(disk) or keys.untouched(disk)


def test_f21_a_wrong_crc_never_makes_a_booting_key(disk: disks.Disk, image: Image, home: Path) -> None:
    data = bytearray(image.path.read_bytes())
    data[-8] ^= 1
    outcome = keys.write(home, disk, made(home, "crc.img.gz", bytes(data), image))
    keys.assert_failed(outcome, 7, home)
    assert "corrupt" in outcome.reference, outcome.told()
    assert keys.blank(disk)


def test_f21_every_gzip_member_is_written(disk: disks.Disk, image: Image, home: Path) -> None:
    raw = image.raw.read_bytes()
    members = b"".join(gzip.compress(raw[at : at + 5 * MIB], 1) for at in range(0, len(raw), 5 * MIB))
    outcome = keys.write(home, disk, made(home, "members.img.gz", members, image))
    keys.assert_proven(outcome, disk, image, home)


def test_bzip2_and_raw_images_are_written_too(disk: disks.Disk, image: Image, home: Path) -> None:
    for name, data in (
        ("a.img.bz2", bz2.compress(image.raw.read_bytes(), 1)),
        ("b.img", image.raw.read_bytes()),
    ):
        disk.poke(5 * MIB, os.urandom(64))
        keys.assert_proven(keys.write(home, disk, made(home, name, data, image)), disk, image, home)


def test_f21_garbage_behind_the_stream_is_told(disk: disks.Disk, image: Image, home: Path) -> None:
    data = image.path.read_bytes() + b"garbage behind the stream" * 400
    outcome = keys.write(home, disk, made(home, "garbage.img.gz", data, image))
    keys.assert_failed(outcome, 7, home)
    assert "garbage" in outcome.reference, outcome.told()
    assert keys.blank(disk) or keys.untouched(disk)


def test_f21_a_bomb_stops_at_the_expected_size(disk: disks.Disk, image: Image, home: Path) -> None:
    bomb = image.path.read_bytes() + gzip.compress(bytes(512 * MIB), 9)
    outcome = keys.write(home, disk, made(home, "bomb.img.gz", bomb, image))
    keys.assert_failed(outcome, 7, home)
    assert keys.blank(disk) or keys.untouched(disk)


def test_a_wrong_digest_is_refused_before_the_disk_is_touched(
    disk: disks.Disk, image: Image, home: Path
) -> None:
    wrong = Image(image.path, hashlib.sha256(b"another file").hexdigest(), image.raw)
    keys.assert_failed(keys.write(home, disk, wrong), 6, home)
    assert keys.untouched(disk)


def test_an_image_without_a_digest_is_refused(disk: disks.Disk, image: Image, home: Path) -> None:
    words = [
        "key",
        "write",
        disk.path,
        "--image",
        image.path,
        "--allow-fixed",
        "--confirm",
        disk.path,
        "--json",
    ]
    keys.assert_failed(command.run(home, *words), 6, home)
    assert keys.untouched(disk)


def test_f22_two_writers_never_share_a_key(fault_rig: Path, image: Image, home: Path) -> None:
    with disks.faulty(fault_rig, SIZE, write_rate=8_000_000) as slow:
        first = keys.start(home, slow, image)
        first.written("write", 0.1)
        second = keys.write(home, slow, image)
        assert second.code == 4, second.told()
        keys.assert_proven(first.end(), slow, image, home)
