"""Small keys whose tables and file systems the program under test did not make: sfdisk, mkfs.fat and mtools."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.practice.release_files import key_files, make_believe

MIB = 1 << 20
STAMP = "20260903T001557Z"
LEGACY_STAMP = "20180903T001557Z"
VOLUME = 34 * MIB
"""The smallest FAT32 volume with clusters of 512 bytes, as SmartOS keys have them."""
PROGRAMS = ("sfdisk", "mkfs.fat", "fsck.vfat", "mcopy", "mdel", "mdir")
_ROOT = 8192 * 512
_LEGACY_ROOT = 600 * 512
_KERNEL = {"platform/i86pc/kernel/amd64/unix": make_believe("unix", 100_000)}
_GPT = f"""label: gpt
table-length: 9
first-lba: 34
start=2048, size=4096, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=loader
start=6144, size=2048, type=6A82CB45-1DD2-11B2-99A6-080020736631, name=boot
start=8192, size={VOLUME // 512}, type=6A85CF4D-1DD2-11B2-99A6-080020736631, name=root
"""
_MBR = f"label: dos\nstart=600, size={VOLUME // 512}, type=c, bootable\n"


@dataclass(frozen=True, slots=True)
class SmallKey:
    """An image file, and the byte at which its SmartOS volume begins."""

    path: Path
    first: int
    legacy: bool = False

    def bytes_around(self) -> bytes:
        """Everything that is not the volume: tables, boot sectors, the other partitions."""
        with self.path.open("rb") as file:
            before = file.read(self.first)
            file.seek(self.first + VOLUME)
            return before + file.read()


def program(name: str) -> str:
    """Where a program is, also where ordinary users do not look."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert found is not None, name
    return found


def run(*words: object, data: bytes | None = None) -> bytes:
    """What the program says. Fails with its words where it fails."""
    name, *rest = map(str, words)
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MTOOLSRC": "/dev/null"}
    done = subprocess.run(
        [program(name), *rest], input=data or b"", capture_output=True, check=False, env=env
    )
    assert done.returncode == 0, (words, (done.stdout + done.stderr).decode(errors="replace"))
    return done.stdout + done.stderr


def volume(path: Path, files: Mapping[str, bytes], at: int = 0) -> Path:
    """A FAT32 volume of `VOLUME` bytes with these files, at byte `at` of a file that is made where it is missing."""
    if not at:
        with path.open("wb") as file:
            file.truncate(VOLUME)
    run("mkfs.fat", "-F", 32, "-s", 1, "-n", "SMARTOSBOOT", "--offset", at // 512, path, VOLUME // 1024)
    put(path, files, at)
    return path


def put(image: Path, files: Mapping[str, bytes], at: int = 0) -> None:
    """Copy files to the volume by mtools."""
    source = image.with_suffix(".source")
    for name, content in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    run("mcopy", "-s", "-o", "-Q", "-i", f"{image}@@{at}", *sorted(source.iterdir()), "::/")
    shutil.rmtree(source)


def plain_stick(path: Path, files: Mapping[str, bytes]) -> Path:
    """A stick as it is bought: one FAT32 partition, and no SmartOS."""
    with path.open("wb") as file:
        file.truncate(_LEGACY_ROOT + VOLUME + MIB)
    run("sfdisk", "-q", path, data=_MBR.encode())
    return volume(path, files, _LEGACY_ROOT)


def small_key(
    path: Path, *, legacy: bool = False, stamp: str = "", extra: Mapping[str, bytes] | None = None
) -> SmallKey:
    """A key with all files of a release, the kernel and the boot archive being small."""
    first = _LEGACY_ROOT if legacy else _ROOT
    with path.open("wb") as file:
        file.truncate(first + VOLUME + MIB)
    run("sfdisk", "-q", path, data=(_MBR if legacy else _GPT).encode())
    with path.open("r+b") as file:
        file.seek(0x3E if legacy else 0xFA)
        file.write(b"\x03\x02" if legacy else b"\x02\x00")
    stamp = stamp or (LEGACY_STAMP if legacy else STAMP)
    files = key_files(stamp, MIB >> 2, 1, legacy=legacy) | _KERNEL | dict(extra or {})
    volume(path, files, first)
    return SmallKey(path, first, legacy)
