"""The nouns of dual boot: a Linux's boot set-up, the file systems that hold it, what speaks against it, and the way.

Pure; imports the standard library only. Sizes are bytes. Paths are those that Linux sees, as text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

HOMES = ("/boot/smartos-wizard", "/var/lib/smartos-wizard-dualboot")
"""Where SmartOS' files go: beside the kernels of Linux, or, where /boot is too small, on the file system of /var."""
SCRIPT = "/etc/grub.d/42_smartos-wizard"
"""The one file in GRUB's set-up: after those of the distribution and of the user (10_ to 41_), so that no entry moves."""
RECORD = "record.json"
READABLE = ("ext2", "ext3", "ext4", "xfs", "vfat", "btrfs")
"""File systems GRUB reads, of those that Linux boots from (old SmartOS wiki, “Booting SmartOS from GRUB2”, and GRUB)."""


class Way(StrEnum):
    """How GRUB comes to SmartOS."""

    UNPACKED = "unpacked"
    ISO = "iso"
    CHAINLOAD = "chainload"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it cannot be done, or what must be known: `stop` refuses, `warning` and `note` are shown."""

    reference: str
    text: str
    hint: str = ""
    level: str = "stop"

    def to_json(self) -> dict[str, str]:
        """As a JSON object."""
        return {"reference": self.reference, "text": self.text, "hint": self.hint, "level": self.level}


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted file system. `inside` is the directory of it that is mounted (a subvolume of btrfs; `/` otherwise).

    `layers` says what lies between it and the disks (“LUKS”, “LVM”), `free` what may still be written (None: unknown).
    """

    point: str
    fstype: str
    uuid: str
    inside: str = "/"
    free: int | None = None
    layers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()

    def for_grub(self, path: str) -> str:
        """How GRUB calls `path` once its root is this file system."""
        below = path.removeprefix(self.point.rstrip("/"))
        return f"{self.inside.rstrip('/')}/{below.lstrip('/')}"


@dataclass(frozen=True, slots=True)
class FatPartition:
    """A partition that UEFI could start something from. `smartos`: beside it lies SmartOS' own file system; `own`: on a
    disk that this Linux runs from.
    """

    uuid: str
    path: str
    smartos: bool
    own: bool


@dataclass(frozen=True, slots=True)
class Setup:
    """How this Linux starts. None means that it could not be told (without root's rights, for instance).

    `volumes` are the file systems of HOMES, in that order. `grub_dir` and `generator` are empty where there is no GRUB,
    `loader` names another boot loader that was found. `unused` are disks that this Linux does not use, in words.
    """

    hostname: str
    system: str
    firmware: str
    volumes: tuple[Volume | None, ...]
    arch: str = "x86_64"
    kernel: str = "Linux"
    secure_boot: bool | None = False
    grub_dir: str = ""
    generator: str = ""
    checker: str = ""
    by_hand: str = ""
    loader: str = ""
    bls: bool = False
    multiboot: bool | None = True
    menu_hidden: bool = False
    unused: tuple[str, ...] | None = ()
    pools: tuple[str, ...] = ()
    installed: str = ""
    fats: tuple[FatPartition, ...] = ()

    @property
    def grub_cfg(self) -> str:
        """The menu that GRUB reads."""
        return f"{self.grub_dir}/grub.cfg"

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, for showing."""
        boot = self.volumes[0]
        return {
            "hostname": self.hostname, "system": self.system, "arch": self.arch, "firmware": self.firmware,
            "secure_boot": self.secure_boot, "grub_dir": self.grub_dir, "generator": self.generator, "bls": self.bls,
            "multiboot_module": self.multiboot, "other_loader": self.loader, "menu_hidden": self.menu_hidden,
            "unused_disks": None if self.unused is None else list(self.unused), "zfs_pools": list(self.pools),
            "smartos_loaders": [f.uuid for f in self.fats if f.smartos], "installed": self.installed,
            "boot": None if boot is None else {
                "point": boot.point, "fstype": boot.fstype, "uuid": boot.uuid, "inside": boot.inside, "free": boot.free,
                "layers": list(boot.layers), "own_partition": boot.point != "/",
            },
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class File:
    """A file of SmartOS beside Linux: its path below the home, its size; its SHA-256 where it is known already."""

    path: str
    size: int
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Installed:
    """What was put beside a Linux, as its record says. `done` is False where that was cut short.

    `before` is (SHA-256, mode) of the menu as it was, None where there was none; `after` the SHA-256 it then had.
    """

    home: str
    stamp: str
    way: str
    files: tuple[str, ...]
    grub_cfg: str
    generator: str
    checker: str
    before: tuple[str, int] | None
    after: str = ""
    done: bool = False
    titles: tuple[str, ...] = field(default=())
