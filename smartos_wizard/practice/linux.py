"""A make-believe Linux to put SmartOS beside: a small tree of files, and a GRUB whose generator is played.

Nothing of it is executed, and nothing outside its directory is touched.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame
from smartos_wizard.media.disks.reader import FileReader, Reader
from smartos_wizard.netboot.dualboot_ports import Ran
from smartos_wizard.practice.linux_kinds import KINDS, ROOT_UUID, Kind, kind_called

NAME = KINDS[0].hostname
_HEADER = "set default=0\nset timeout=5\n"
_OWN = """\
#!/bin/sh
exec cat << 'ENTRY'
menuentry 'Practice GNU/Linux' --class os {
	linux /boot/vmlinuz root=UUID=7c1f4a52-0d6e-4b57-9a3c-2f1e5b8d9c10
	initrd /boot/initrd.img
}
ENTRY
"""
_FILES = {
    "/etc/hostname": f"{NAME}\n",
    "/etc/os-release": 'PRETTY_NAME="Practice GNU/Linux 12"\n',
    "/etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=""\n',
    "/etc/grub.d/10_linux": _OWN,
    "/boot/vmlinuz": "a make-believe kernel\n",
    "/boot/initrd.img": "a make-believe ramdisk\n",
    "/boot/grub/i386-pc/multiboot.mod": "make-believe\n",
    "/usr/sbin/grub-mkconfig": "", "/usr/sbin/update-grub": "", "/usr/bin/grub-script-check": "",
    "/proc/self/mountinfo": "24 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n",
    "/proc/swaps": "Filename Type Size Used Priority\n",
    "/sys/block/sda/dev": "8:0\n", "/sys/block/sda/size": "976773168\n", "/sys/block/sda/ro": "0\n",
    "/sys/block/sda/removable": "0\n", "/sys/block/sda/device/model": "Practice SSD\n",
    "/sys/block/sda/queue/logical_block_size": "512\n", "/sys/block/sda/sda1/dev": "8:1\n",
    "/sys/block/sda/sda1/partition": "1\n", "/sys/block/sda/sda1/size": "976771072\n", "/sys/block/sda/sda1/ro": "0\n",
    "/run/udev/data/b8:0": "I:1\nE:ID_BUS=ata\nE:ID_SERIAL_SHORT=PRACTICE0001\n",
    "/run/udev/data/b8:1": f"I:1\nE:ID_FS_TYPE=ext4\nE:ID_FS_UUID={ROOT_UUID}\n",
    "/sys/block/sdb/dev": "8:16\n", "/sys/block/sdb/size": "7814037168\n", "/sys/block/sdb/ro": "0\n",
    "/sys/block/sdb/removable": "0\n", "/sys/block/sdb/device/model": "Practice HDD\n",
    "/sys/block/sdb/queue/logical_block_size": "512\n",
    "/run/udev/data/b8:16": "I:1\nE:ID_BUS=ata\nE:ID_SERIAL_SHORT=PRACTICE0002\n",
}  # fmt: skip
_DISKS = ("sda", "sdb")
_FOLDERS = tuple(
    f"/sys/block/{name}/{kind}" for name in (*_DISKS, "sda/sda1") for kind in ("holders", "slaves")
)
_LAID = ".laid-out"
"""A file beside the make-believe ones, written last: a tree without it was cut short."""


def practice_linux(place: Path, name: str = "") -> PracticeLinux:
    """The make-believe Linux of that name, its files below `place`. Raises UsageProblem `no-such-linux`."""
    kind = kind_called(name)
    if kind is None:
        names = ", ".join(each.name for each in KINDS if each.name)
        raise UsageProblem(
            "no-such-linux", f"In practice there is no Linux “{tame(name)}”.", hint=f"There are: {names}."
        )
    return PracticeLinux(place / (f"linux-{name}" if name else "linux"), kind)


class PracticeLinux:
    """Satisfies `Linux`."""

    def __init__(self, root: Path, kind: Kind = KINDS[0]) -> None:
        self.root, self.kind = root, kind
        if not (root / _LAID).exists():
            self._lay_out()
        self.reader: Reader = FileReader(root)
        self.arch, self.hostname, self.kernel = kind.arch, kind.hostname, kind.kernel

    def _lay_out(self) -> None:
        told = {**_FILES, "/etc/hostname": f"{self.kind.hostname}\n", **self.kind.files}
        for folder in (*_FOLDERS, "/var/lib"):
            self.at(folder).mkdir(parents=True, exist_ok=True)
        for path, words in told.items():
            if words is not None:
                self.at(path).parent.mkdir(parents=True, exist_ok=True)
                self.at(path).write_text(words, encoding="utf-8")
        if "/boot/grub/grub.cfg" not in told:
            self.at("/etc/grub.d/10_linux").chmod(0o755)
            self.at("/boot/grub/grub.cfg").write_text(self._menu(), encoding="utf-8")
        for disk in _DISKS:
            if f"/sys/block/{disk}/dev" in told and told[f"/sys/block/{disk}/dev"] is None:
                shutil.rmtree(self.at(f"/sys/block/{disk}"), ignore_errors=True)
        self.at(_LAID).touch()

    def at(self, path: str) -> Path:
        """See Linux."""
        return self.root / path.lstrip("/")

    def free(self, path: str) -> int | None:  # noqa: ARG002 - one file system
        """See Linux: what the real file system below has, unless it is a full one."""
        if self.kind.free is not None:
            return self.kind.free
        told = os.statvfs(self.root)
        return told.f_bavail * told.f_frsize

    def may_change(self) -> bool:
        """See Linux."""
        return True

    def has(self, program: str) -> bool:
        """See Linux."""
        return any(self.at(f"{place}/{program}").exists() for place in ("/usr/sbin", "/usr/bin"))

    def run(self, words: Sequence[str]) -> Ran:
        """See Linux: the generator prints what the scripts would print, the checker is content."""
        if words[0] == self.kind.fails:
            return Ran(1, f"{words[0]}: error: this one always fails (practice)\n")
        if words[0] == "grub-mkconfig":
            self.at(words[2]).write_text(self._menu(), encoding="utf-8")
        return Ran(0, "")

    def _menu(self) -> str:
        parts = [_HEADER]
        for script in sorted(self.at("/etc/grub.d").iterdir()):
            printed = re.search(r"<< '(\w+)'\n(.*)^\1$", script.read_text("utf-8"), re.DOTALL | re.MULTILINE)
            if printed and os.access(script, os.X_OK):
                name = f"/etc/grub.d/{script.name}"
                parts.append(f"\n### BEGIN {name} ###\n{printed[2]}### END {name} ###\n")
        return "".join(parts)
