"""The guest's own copy of the image on file systems that share blocks, and on one that is full: real ones, on loop devices."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import ChecksumFailed, WriteFailed
from smartos_wizard.guests.key_copy import KeyCopy
from smartos_wizard.media.model import ImageKind, VerifiedImage
from tests.lab.rig import parts

pytestmark = pytest.mark.lab
MIB = 1 << 20


@contextlib.contextmanager
def mounted(space: Path, kind: str, size: int, *options: str) -> Iterator[Path]:
    """A new file system of that kind, mounted below `space`."""
    parts.need_files(["/dev/loop-control"])
    parts.need_programs([f"mkfs.{kind}", "mount", "umount"])
    if kind not in Path("/proc/filesystems").read_text().split():
        parts.missing(f"the file system {kind} in this kernel")
    backing, place = space / f"{kind}-{size}.disk", space / f"{kind}-{size}"
    with backing.open("wb") as file:
        file.truncate(size)
    subprocess.run([f"mkfs.{kind}", "-q", *options, str(backing)], check=True, capture_output=True)
    place.mkdir()
    subprocess.run(["mount", "-o", "loop", str(backing), str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
        backing.unlink()
        place.rmdir()


def image_in(place: Path, algorithm: str = "sha256") -> VerifiedImage:
    """A raw image of 100 MiB, 30 MiB of it data and the rest a hole."""
    path = place / "smartos.img"
    with path.open("wb") as file:
        file.write(random.Random(3).randbytes(30 * MIB))
        file.truncate(100 * MIB)
    digest = hashlib.new("sha256", path.read_bytes()).hexdigest()
    return VerifiedImage(path, ImageKind.RAW, algorithm, digest, "the test", "stamp")


def used(place: Path) -> int:
    os.sync()
    found = os.statvfs(place)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


@pytest.mark.parametrize("algorithm", ["sha256", "none"])
def test_where_blocks_can_be_shared_a_copy_takes_none(space: Path, algorithm: str) -> None:
    with mounted(space, "btrfs", 256 * MIB) as place:
        image = image_in(place, algorithm)
        before = used(place)
        copy = KeyCopy(image, place / "key.img", Cancel())
        assert copy.run() == 100 * MIB == copy.done
        assert used(place) - before < 4 * MIB
        assert (place / "key.img").read_bytes() == image.path.read_bytes()
        with (place / "key.img").open("r+b") as file:  # the guest's answers are written on it
            file.write(b"changed")
        assert image.path.read_bytes()[:7] != b"changed"


def test_what_was_cloned_is_digested_all_the_same(space: Path) -> None:
    with mounted(space, "btrfs", 256 * MIB) as place:
        image = image_in(place)
        with image.path.open("r+b") as file:
            file.seek(20 * MIB)
            file.write(b"!")
        with pytest.raises(ChecksumFailed):
            KeyCopy(image, place / "key.img", Cancel()).run()


def test_a_full_file_system_is_named(space: Path) -> None:
    with mounted(space, "ext4", 24 * MIB) as place:
        image = image_in(space)
        with pytest.raises(WriteFailed) as caught:
            KeyCopy(image, place / "key.img", Cancel()).run()
        assert caught.value.reference == "guest-disk-full"
        assert "Make room" in caught.value.hint
        image.path.unlink()
