"""The make-believe Linuxes to put SmartOS beside: one on which all goes well, and one for each thing that may stand in the way.

Data only. Each says in which files it differs from the first; a file that is None is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_ON, _OFF = "\x06\0\0\0\x01", "\x06\0\0\0\0"
ROOT_UUID = "7c1f4a52-0d6e-4b57-9a3c-2f1e5b8d9c10"
_NO_GRUB: dict[str, str | None] = {
    "/boot/grub/grub.cfg": None, "/usr/sbin/grub-mkconfig": None, "/usr/sbin/update-grub": None,
    "/usr/bin/grub-script-check": None, "/etc/grub.d/10_linux": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One make-believe Linux. `free` are bytes that may be written (None: what this computer has), `fails` the program that does."""

    name: str
    hostname: str
    words: str
    files: Mapping[str, str | None] = field(default_factory=dict)
    arch: str = "x86_64"
    kernel: str = "Linux"
    free: int | None = None
    fails: str = ""


def _disk(
    name: str, number: int, size: int, model: str, serial: str, *, bus: str = "ata"
) -> dict[str, str | None]:
    place = f"/sys/block/{name}"
    return {
        f"{place}/dev": f"8:{number}\n", f"{place}/size": f"{size}\n", f"{place}/ro": "0\n",
        f"{place}/removable": f"{int(bus == 'usb')}\n", f"{place}/device/model": f"{model}\n",
        f"{place}/queue/logical_block_size": "512\n",
        f"/run/udev/data/b8:{number}": f"I:1\nE:ID_BUS={bus}\nE:ID_SERIAL_SHORT={serial}\n",
    }  # fmt: skip


def _part(
    disk: str, part: int, number: int, size: int, fstype: str, uuid: str, label: str = ""
) -> dict[str, str | None]:
    place = f"/sys/block/{disk}/{disk}{part}"
    notes = f"I:1\nE:ID_FS_TYPE={fstype}\nE:ID_FS_UUID={uuid}\n" + (
        f"E:ID_FS_LABEL={label}\n" if label else ""
    )
    return {
        f"{place}/dev": f"8:{number}\n", f"{place}/partition": f"{part}\n", f"{place}/size": f"{size}\n",
        f"{place}/ro": "0\n", f"/run/udev/data/b8:{number}": notes,
    }  # fmt: skip


_NO_SPARE: dict[str, str | None] = dict.fromkeys(_disk("sdb", 16, 0, "", ""))
_KEY = {
    **_disk("sdc", 32, 31_266_816, "Practice Stick", "PRACTICE0003", bus="usb"),
    **_part("sdc", 1, 33, 524_288, "vfat", "5A4F-0001", "SYSTEM"),
    **_part("sdc", 2, 34, 3_145_728, "vfat", "5A4F-0002", "SMARTOSBOOT"),
}
_ENCRYPTED: dict[str, str | None] = {
    "/proc/self/mountinfo": "24 1 253:0 / / rw,relatime - ext4 /dev/mapper/secret rw\n",
    "/sys/block/dm-0/dev": "253:0\n", "/sys/block/dm-0/size": "976000000\n", "/sys/block/dm-0/ro": "0\n",
    "/sys/block/dm-0/removable": "0\n", "/sys/block/dm-0/queue/logical_block_size": "512\n",
    "/sys/block/dm-0/dm/name": "secret\n", "/sys/block/dm-0/dm/uuid": "CRYPT-LUKS2-0f0f-secret\n",
    "/sys/block/dm-0/slaves/sda1": "", "/sys/block/sda/sda1/holders/dm-0": "",
    "/run/udev/data/b253:0": f"I:1\nE:ID_FS_TYPE=ext4\nE:ID_FS_UUID={ROOT_UUID}\n",
    "/run/udev/data/b8:1": "I:1\nE:ID_FS_TYPE=crypto_LUKS\nE:ID_FS_UUID=0f0f0f0f-0000\n",
}  # fmt: skip

KINDS = (
    Kind("", "practice-linux", "starts by BIOS with GRUB, and has a disk to spare: all goes well"),
    Kind(
        "one-disk", "practice-small", "one disk, this Linux is on it: SmartOS would find no disk of its own",
        {**_NO_SPARE, "/etc/default/grub": "GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\nGRUB_TIMEOUT_STYLE=hidden\n"},
    ),
    Kind("uefi", "practice-uefi", "starts by UEFI, a SmartOS key is plugged in", {_SECURE_BOOT: _OFF, **_KEY}),
    Kind("uefi-no-key", "practice-nokey", "starts by UEFI, no SmartOS key is here", {_SECURE_BOOT: _OFF}),
    Kind("secure-boot", "practice-secure", "starts by UEFI with Secure Boot on", {_SECURE_BOOT: _ON}),
    Kind("no-grub", "practice-sdboot", "starts with systemd-boot, not with GRUB",
         {**_NO_GRUB, "/boot/loader/loader.conf": "timeout 3\n"}),
    Kind("encrypted", "practice-luks", "/boot lies on an encrypted disk", _ENCRYPTED),
    Kind("full", "practice-full", "/boot has 18 MiB left", free=18 << 20),
    Kind("breaks", "practice-breaks", "GRUB's generator fails: what was begun is taken back", fails="grub-mkconfig"),
    Kind("macos", "practice-mac", "no Linux at all", _NO_GRUB, arch="arm64", kernel="Darwin"),
)  # fmt: skip
"""The first is the one that commands and screens begin with."""


def kind_called(name: str) -> Kind | None:
    """The make-believe Linux of that name; None where there is none."""
    return next((kind for kind in KINDS if kind.name == name), None)
