"""The judge of FAT volumes beside fsck.vfat, on volumes that mkfs.fat and mtools made."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from smartos_wizard.media.fat_check import check_volume
from smartos_wizard.media.fsck import run_fsck
from smartos_wizard.practice import gpt
from smartos_wizard.practice.image import build_usb_image
from tests.lab.rig import parts
from tests.unit.media.fat_damages import DAMAGES, DAMAGES_OF_FAT32, TREE, Fat
from tests.unit.media.fat_sample import reading

pytestmark = pytest.mark.lab
KINDS = pytest.mark.parametrize("wide", [True, False], ids=["FAT32", "FAT16"])
FIRST = 3 << 20
_volumes: dict[bool, bytes] = {}

# What fsck.vfat (dosfstools 4.2) does not look at, or calls harmless.
UNSEEN_BY_FSCK = {
    "jump", "media byte", "version", "backup boot sector", "free hint", "short lower", "long padding",
    "long character", "long twice", "behind the end", "attribute bits", "label below",
}  # fmt: skip


def run(*argv: object) -> None:
    name = shutil.which(str(argv[0]), path="/usr/sbin:/usr/bin:/sbin:/bin")
    if name is None:
        parts.missing(f"{argv[0]} is not installed")
    subprocess.run([name, *map(str, argv[1:])], capture_output=True, check=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def volume(wide: bool, tmp_path: Path) -> bytes:
    if wide not in _volumes:
        _volumes[wide] = made(wide, tmp_path)
    return _volumes[wide]


def made(wide: bool, directory: Path) -> bytes:
    """Clusters of 512 bytes; the files of TREE, ever deeper directories and a directory of many names."""
    image, source = directory / "volume", directory / "source"
    with image.open("wb") as file:
        file.truncate(40 << 20 if wide else 16 << 20)
    run("mkfs.fat", "-F", 32 if wide else 16, "-s", 1, "-n", "TEST", image)
    many = {f"many/name number {number} of many.conf": b"n" * number * 20 for number in range(120)}
    deep = {"/".join(f"level {depth}" for depth in range(24)) + "/down.txt": b"d" * 5000}
    seen: set[str] = set()
    for path, content in {**TREE, **many, **deep}.items():
        parts = path.rstrip("/").split("/")
        for depth in range(1, len(parts) + path.endswith("/")):
            if (above := "/".join(parts[:depth])) not in seen:
                seen.add(above)
                run("mmd", "-i", image, f"::/{above}")
        if not path.endswith("/"):
            source.write_bytes(content)
            run("mcopy", "-i", image, source, f"::/{path}")
    return image.read_bytes()


def both(image: bytes | bytearray) -> tuple[tuple[str, ...], bool, str]:
    pread = reading(image, len(image), FIRST)
    clean, words = run_fsck(pread, FIRST, len(image))
    return check_volume(pread, FIRST, len(image)), clean, words


@KINDS
def test_both_judges_call_a_volume_of_mtools_clean(volume: bytes) -> None:
    found, clean, words = both(volume)
    assert found == ()
    assert clean, words


@KINDS
def test_both_still_do_after_deleting_and_copying_again(volume: bytes, tmp_path: Path) -> None:
    image, source = tmp_path / "again", tmp_path / "source"
    image.write_bytes(volume)
    for number in range(0, 120, 3):
        run("mdel", "-i", image, f"::/many/name number {number} of many.conf")
    source.write_bytes(b"a file in pieces" * 4000)
    run("mcopy", "-i", image, source, "::/many/in the gaps.bin")
    run("mdeltree", "-i", image, "::/platform/i86pc")
    run("mren", "-i", image, "::/big.bin", "a much longer name than before.bin")
    found, clean, words = both(image.read_bytes())
    assert found == ()
    assert clean, words


@pytest.mark.parametrize(
    ("wide", "name"),
    [(True, name) for name in (*DAMAGES, *DAMAGES_OF_FAT32)] + [(False, name) for name in DAMAGES],
)
def test_both_notice_damage(volume: bytes, wide: bool, name: str) -> None:
    image = bytearray(volume)
    (DAMAGES | DAMAGES_OF_FAT32)[name](Fat(image))
    found, clean, words = both(image)
    assert found
    assert clean == (name in UNSEEN_BY_FSCK), words


@pytest.mark.parametrize("part", [gpt.LOADER, gpt.ROOT])
def test_both_call_a_practice_key_clean(part: gpt.Slice, tmp_path: Path) -> None:
    image = build_usb_image(tmp_path / "key.img", "20260903T001557Z")
    with image.open("rb") as file:

        def pread(at: int, length: int) -> bytes:
            file.seek(at)
            return file.read(length)

        assert check_volume(pread, part.offset, part.size) == ()
        clean, words = run_fsck(pread, part.offset, part.size)
    assert clean, words


@pytest.mark.parametrize(
    "change", ["label entry gone", "label in the boot sector", "free count unknown", "boot code"]
)
def test_what_holds_nothing_together_is_no_fault(change: str, tmp_path: Path) -> None:
    image = bytearray(made(True, tmp_path))
    fat = Fat(image)
    match change:
        case "label entry gone":
            image[fat.root] = 0xE5
        case "label in the boot sector":
            image[71:82] = image[6 * 512 + 71 : 6 * 512 + 82] = b"NO NAME    "
        case "free count unknown":
            image[512 + 488 : 512 + 496] = b"\xff" * 8
        case _:
            image[200:210] = b"\x90" * 10
    found, clean, words = both(image)
    assert found == ()
    assert clean, words
