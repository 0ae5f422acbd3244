"""Independent readers agree with the images made here: fsck.vfat, mtools, sfdisk, tar."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from smartos_wizard.media.fat_format import format_fat32
from smartos_wizard.practice import gpt
from smartos_wizard.practice.image import build_usb_image
from smartos_wizard.practice.release_files import key_files
from tests.lab.rig import parts

pytestmark = pytest.mark.lab
STAMP = "20260903T001557Z"


def run(*argv: object) -> subprocess.CompletedProcess[bytes]:
    name = shutil.which(str(argv[0]), path="/usr/sbin:/usr/bin:/sbin:/bin")
    if name is None:
        parts.missing(f"{argv[0]} is not installed")
    return subprocess.run([name, *map(str, argv[1:])], capture_output=True, check=False)


def partition(image: Path, part: gpt.Slice, target: Path) -> Path:
    """A copy of one partition, sparse."""
    run("dd", f"if={image}", f"of={target}", "bs=1M", "iflag=skip_bytes,count_bytes",
        f"skip={part.offset}", f"count={part.size}", "conv=sparse")  # fmt: skip
    with target.open("r+b") as file:
        file.truncate(part.size)
    return target


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_usb_image(tmp_path_factory.mktemp("image") / "key.img", STAMP)


@pytest.mark.parametrize("part", [gpt.LOADER, gpt.ROOT])
def test_fsck_finds_nothing_to_repair(image: Path, part: gpt.Slice, tmp_path: Path) -> None:
    done = run("fsck.vfat", "-n", "-v", partition(image, part, tmp_path / "part.img"))
    assert done.returncode == 0, done.stdout.decode()


def test_sfdisk_verifies_nine_entries(image: Path) -> None:
    done = run("sfdisk", "--verify", image)
    assert done.returncode == 0
    assert b"No errors detected" in done.stdout
    assert b"4 out of 9" in done.stdout


def test_mtools_copies_every_file_out_unchanged(image: Path, tmp_path: Path) -> None:
    for name, data in key_files(STAMP, 24 << 20, 1).items():
        target = tmp_path / "out"
        done = run("mcopy", "-n", "-o", "-i", f"{image}@@{gpt.ROOT.offset}", f"::/{name}", target)
        assert done.returncode == 0, done.stderr.decode()
        assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(data).digest(), name


@pytest.mark.parametrize("size", [40 << 20, 300 << 20, 1_940_000_256, 10 << 30, 64 << 30])
@pytest.mark.parametrize("label", ["KEYS", ""])
def test_a_restored_key_of_any_size_is_clean(size: int, label: str, tmp_path: Path) -> None:
    path = tmp_path / "fat.img"
    with path.open("wb") as file:
        file.truncate(size)
        for offset, data in format_fat32(size, label, hidden_sectors=2048, fresh=True):
            file.seek(offset)
            file.write(data)
    done = run("fsck.vfat", "-n", "-v", path)
    assert done.returncode == 0, done.stdout.decode()
