"""Machines as their files tell them, for dual boot: each is one way in which a Linux starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smartos_wizard.netboot.dualboot_ports import Ran
from tests.machines.build import Machine, MemoryReader

DEBIAN = ("grub-mkconfig", "update-grub", "grub-script-check")
FEDORA = ("grub2-mkconfig", "grub2-script-check")
_EFI = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_GRUB = {"/boot/grub/grub.cfg": "x", "/boot/grub/i386-pc/multiboot.mod": "x"}
_GRUB2 = {"/boot/grub2/grub.cfg": "x", "/boot/grub2/i386-pc/multiboot.mod": "x"}
_DEFAULT = {
    "/etc/default/grub": "GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
}


def _part(fstype: str, uuid: str = "", gb: float = 100, **more: Any) -> dict[str, Any]:
    return {"fstype": fstype, "gb": gb, "notes": {"ID_FS_UUID": uuid} if uuid else {}, **more}


_ROOT = _part("ext4", "aaaa-1111")
_BOOT = _part("ext4", "bbbb-2222", 1)
_SDA = {"name": "sda", "parts": [_ROOT]}
_PLAIN = {"disks": [_SDA], "mounts": ["sda1 / ext4 /dev/sda1"], "files": {**_GRUB, **_DEFAULT}}
_LVM = {
    "name": "dm-0",
    "dm": "vg-root",
    "uuid": "LVM-x",
    "on": ["sda2"],
    "notes": {"ID_FS_UUID": "aaaa-1111"},
}
_LUKS = {
    "name": "dm-0",
    "dm": "secret",
    "uuid": "CRYPT-LUKS2-x",
    "on": ["sda2"],
    "notes": {"ID_FS_UUID": "aaaa-1111"},
}
_MD = {"name": "md0", "on": ["sda1", "sdb1"], "notes": {"ID_FS_UUID": "aaaa-1111"}}

MACHINES: dict[str, dict[str, Any]] = {
    "debian": _PLAIN,
    "debian-spare-disk": {**_PLAIN, "disks": [_SDA, {"name": "sdb", "gb": 4000, "serial": "WD1"}]},
    "own-boot": {
        "disks": [{"name": "sda", "parts": [_BOOT, _ROOT]}], "mounts": ["sda2 / ext4 /dev/sda2", "sda1 /boot ext4 /dev/sda1"],
        "files": {**_GRUB, **_DEFAULT},
    },
    "lvm": {
        "disks": [{"name": "sda", "parts": [_BOOT, _part("LVM2_member")]}], "stacked": [_LVM],
        "mounts": ["dm-0 / xfs /dev/mapper/vg-root", "sda1 /boot xfs /dev/sda1"], "files": {**_GRUB, **_DEFAULT},
    },
    "all-on-lvm": {
        "disks": [{"name": "sda", "parts": [_BOOT, _part("LVM2_member")]}], "stacked": [_LVM],
        "mounts": ["dm-0 / ext4 /dev/mapper/vg-root"], "files": {**_GRUB, **_DEFAULT},
    },
    "raid": {
        "disks": [{"name": "sda", "parts": [_part("linux_raid_member")]}, {"name": "sdb", "parts": [_part("linux_raid_member")]}],
        "stacked": [_MD], "mounts": ["md0 / ext4 /dev/md0"], "files": {**_GRUB, **_DEFAULT},
    },
    "fedora-bls": {
        "disks": [{"name": "vda", "bus": "virtio", "parts": [_BOOT, _part("btrfs", "cccc-3333")]}],
        "mounts": ["0:33 / btrfs /dev/vda2", "vda1 /boot ext4 /dev/vda1"],
        "files": {
            **_GRUB2, "/boot/loader/entries/abc-6.8.conf": "title Fedora", "/etc/default/grub": "GRUB_ENABLE_BLSCFG=true\nGRUB_TIMEOUT=0\n",
            "/etc/os-release": 'PRETTY_NAME="Fedora Linux 40"',
        },
    },
    "fedora-as-user": {
        "disks": [{"name": "vda", "bus": "virtio", "parts": [_BOOT, _part("btrfs", "cccc-3333")]}],
        "mounts": ["0:33 / btrfs /dev/vda2", "vda1 /boot ext4 /dev/vda1"], "files": {**_GRUB2, **_DEFAULT},
        "locked": ["/boot/grub2", "/boot/grub2/i386-pc"],
    },
    "subvolume": {
        "disks": [{"name": "sda", "parts": [_part("btrfs", "cccc-3333")]}], "btrfs": {"cccc-3333": ["sda1"]},
        "files": {**_GRUB2, **_DEFAULT, "/proc/self/mountinfo": "30 1 0:33 /@/.snapshots/1 / rw - btrfs /dev/sda1 rw"},
    },
    "luks-root": {
        "disks": [{"name": "sda", "parts": [_BOOT, _part("crypto_LUKS")]}], "stacked": [_LUKS],
        "mounts": ["dm-0 / ext4 /dev/mapper/secret", "sda1 /boot ext4 /dev/sda1"], "files": {**_GRUB, **_DEFAULT},
    },
    "encrypted-boot": {
        "disks": [{"name": "sda", "parts": [_BOOT, _part("crypto_LUKS")]}], "stacked": [_LUKS],
        "mounts": ["dm-0 / ext4 /dev/mapper/secret"], "files": {**_GRUB, **_DEFAULT},
    },
    "uefi-secure": {**_PLAIN, "files": {**_GRUB, **_DEFAULT, _EFI: "\x06\0\0\0\x01"}},
    "uefi": {**_PLAIN, "files": {**_GRUB, **_DEFAULT, _EFI: "\x06\0\0\0\0"}},
    "uefi-with-key": {
        "disks": [
            {"name": "sda", "parts": [_part("vfat", "AAAA-0001", 1), _part("ext4", "aaaa-1111")]},
            {"name": "sdb", "bus": "usb", "parts": [
                _part("vfat", "BBBB-0002", 1, label="SYSTEM"), _part("", gb=1), _part("vfat", "CCCC-0003", 2, label="SMARTOSBOOT"),
            ]},
        ],
        "mounts": ["sda2 / ext4 /dev/sda2", "sda1 /boot/efi vfat /dev/sda1"], "files": {**_GRUB, **_DEFAULT, _EFI: "\x06\0\0\0\0"},
    },
    "uefi-unreadable": {**_PLAIN, "files": {**_GRUB, **_DEFAULT, "/sys/firmware/efi/fw_platform_size": "64"}},
    "systemd-boot": {**_PLAIN, "files": {**_DEFAULT, "/boot/loader/loader.conf": "timeout 3"}},
    "no-grub": {**_PLAIN, "files": _DEFAULT},
    "no-multiboot": {**_PLAIN, "files": {"/boot/grub/grub.cfg": "x", "/boot/grub/x86_64-efi/multiboot2.mod": "x", **_DEFAULT}},
    "zfs": {
        "disks": [{"name": "sda", "parts": [{"fstype": "zfs_member", "label": "rpool", "gb": 100}]}],
        "mounts": ["0:40 / zfs rpool/ROOT", "0:41 /boot zfs bpool/BOOT"], "files": {**_GRUB, **_DEFAULT},
    },
    "zones-on-linux": {
        **_PLAIN, "disks": [_SDA, {"name": "sdb", "parts": [{"fstype": "zfs_member", "label": "zones", "gb": 100}]}],
    },
    "no-udev": {**_PLAIN, "disks": [{**_SDA, "udev": False}], "files": {**_GRUB, **_DEFAULT, "/etc/fstab": "UUID=aaaa-1111 / ext4 defaults 0 1"}},
    "nothing-to-read": {"gone": ["/sys/block", "/proc/self/mountinfo"]},
}  # fmt: skip


class RecordedLinux:
    """Such a machine. Satisfies `Linux`; nothing can be run or changed on it."""

    arch, kernel, hostname, root = "x86_64", "Linux", "recorded", Path("/nowhere")

    def __init__(
        self, name: str, programs: Sequence[str] | None = None, free: dict[str, int] | None = None
    ) -> None:
        told = MACHINES[name]
        grub2 = any("/grub2/" in path for path in told.get("files", {}))
        self.reader = MemoryReader(Machine(told))
        self.programs = (
            programs
            if programs is not None
            else ()
            if name in ("no-grub", "systemd-boot")
            else FEDORA
            if grub2
            else DEBIAN
        )
        self.free_at = free or {}

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def free(self, path: str) -> int | None:
        return next((count for point, count in self.free_at.items() if path.startswith(point)), 1 << 34)

    def may_change(self) -> bool:
        return False

    def has(self, program: str) -> bool:
        return program in self.programs

    def run(self, words: Sequence[str]) -> Ran:
        raise AssertionError(f"{words} was to be run on a recorded machine")
