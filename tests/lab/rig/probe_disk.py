"""Disks in files that a BIOS starts: real GRUB in front of one partition with a file system of a choice.

The file systems are made from directories without mounting anything (mkfs.ext4 -d, mkfs.btrfs -r, mkfs.xfs -p, mtools).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.lab.rig import parts, probe
from tests.lab.rig.bootkey import GCC, GRUB

SECTOR, START = 512, 1 << 20
PROGRAMS = (
    "grub-mkimage",
    "grub-script-check",
    "sfdisk",
    "mkfs.ext4",
    "mkfs.xfs",
    "mkfs.vfat",
    "mkfs.btrfs",
    "mcopy",
    "blkid",
)
_IN_CORE = (
    "biosdisk",
    "part_msdos",
    "part_gpt",
    "ext2",
    "xfs",
    "fat",
    "btrfs",
    "normal",
    "configfile",
    "search",
    "echo",
    "test",
)
_SIZES = {"ext4": 64 << 20, "vfat": 64 << 20, "xfs": 320 << 20, "btrfs": 128 << 20}


def need() -> None:
    """What this rig is made with."""
    probe.need()
    parts.need_programs(PROGRAMS)
    parts.need_files([str(GRUB / name) for name in ("multiboot.mod", "loopback.mod", "iso9660.mod")])


def run(*words: str, data: bytes | None = None) -> bytes:
    """Run a program, which must end well."""
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "MTOOLS_SKIP_CHECK": "1"}
    done = subprocess.run(words, input=data, capture_output=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, (
        words,
        done.stderr.decode(errors="replace"),
        done.stdout.decode(errors="replace"),
    )
    return done.stdout


def partitioned(path: Path, size: int) -> Path:
    """An empty disk with one partition from the first MiB to its end."""
    with path.open("wb") as file:
        file.truncate(START + size)
    run("sfdisk", "-q", str(path), data=b"label: dos\nstart=2048, type=83, bootable\n")
    return path


def filled(path: Path, fstype: str, tree: Path) -> str:
    """A disk whose partition has that file system, with the tree in it; returns the file system's UUID."""
    partitioned(path, _SIZES[fstype])
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.truncate(_SIZES[fstype])
    match fstype:
        case "ext4":
            run("mkfs.ext4", "-q", "-d", str(tree), str(part))
        case "btrfs":
            run("mkfs.btrfs", "-q", "-r", str(tree), str(part))
        case "xfs":
            proto = path.with_suffix(".proto")
            proto.write_text("/dev/null\n0 0\n" + "\n".join(_proto(tree)) + "\n")
            run("mkfs.xfs", "-q", "-p", str(proto), str(part))
        case "vfat":
            run("mkfs.vfat", str(part))
            run("mcopy", "-s", "-i", str(part), *(str(p) for p in sorted(tree.iterdir())), "::/")
    uuid = run("blkid", "-o", "value", "-s", "UUID", str(part)).decode().strip()
    run("dd", f"if={part}", f"of={path}", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none")
    part.unlink()
    return uuid


def _proto(folder: Path) -> list[str]:
    """The directory as mkfs.xfs reads it (xfsprogs: mkfs.xfs(8), -p protofile)."""
    lines = ["d--755 0 0"]
    for each in sorted(folder.iterdir()):
        if each.is_dir():
            lines += [f"{each.name} {_proto(each)[0]}", *_proto(each)[1:]]
        else:
            lines.append(f"{each.name} ---{each.stat().st_mode & 0o777:o} 0 0 {each}")
    return [*lines, "$"]


def install_grub(path: Path, prefix: str = "(hd0,msdos1)/boot/grub") -> None:
    """GRUB before the partition: it goes on with grub.cfg and modules in `prefix`."""
    place = path.parent
    core, first, early = place / "core.img", place / "first.bin", place / "early.cfg"
    early.write_text(
        f"set prefix={prefix}\nset root=(hd0,msdos1)\nterminal_output console\nconfigfile $prefix/grub.cfg\n"
    )
    run("grub-mkimage", "-O", "i386-pc", "-o", str(core), "-p", prefix, "-c", str(early), *_IN_CORE)
    source = Path(__file__).with_name("kernel32") / "first.S"
    run(*GCC, "-DCORE=1", "-Wl,--oformat=binary", "-Wl,-Ttext=0", "-o", str(first), str(source))
    code, image = first.read_bytes(), bytearray(core.read_bytes())
    image[500:508] = (2).to_bytes(8, "little")  # diskboot.img: where the rest of the image lies
    assert len(code) < 440
    assert len(image) < START - SECTOR
    with path.open("r+b") as file:
        file.write(code)
        file.seek(SECTOR)
        file.write(image)


def grub_modules(into: Path) -> None:
    """GRUB's modules for BIOS, as grub-install copies them."""
    into.mkdir(parents=True)
    for each in (*GRUB.glob("*.mod"), *GRUB.glob("*.lst")):
        shutil.copy(each, into / each.name)


def booted(path: Path, place: Path, patience: float = 60) -> probe.Ran:
    """Start the disk by BIOS; it is not changed."""
    media = ["-drive", f"file={path},format=raw,if=virtio,snapshot=on"]
    return probe.started(place, media, patience=patience)
