"""The nouns of the room: where files of a tree lie, a release in it, a machine with wishes of its own.

Facts: smartos-docs, pxe-booting-smartos (the path rule); smartos-netboot-server (`os/<stamp>/platform`). Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame

KERNEL = "platform/i86pc/kernel/amd64/unix"
ARCHIVE = "platform/i86pc/amd64/boot_archive"
HASH = f"{ARCHIVE}.hash"
VERSION = "platform/etc/version/platform"
NEEDED = (KERNEL, ARCHIVE, HASH, VERSION)
"""What of a release is served; the rest of a platform (its root password among it) has no business there."""

RELEASES = "os"
"""The directory of the releases, one below it for each stamp."""
MACHINES = "machines"
"""The directory of what single machines are told, one below it for each address."""
FIRST_SCRIPT = "boot.ipxe"
"""What every machine asks for first."""
MENU = "menu.ipxe"
PXELINUX = "pxelinux.cfg"
GRUB = "grub/grub.cfg"

_MAC = re.compile(r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}\Z")


@dataclass(frozen=True, slots=True)
class File:
    """A file of a release as it was checked: size in bytes, SHA-1 in hex."""

    size: int
    sha1: str


@dataclass(frozen=True, slots=True)
class Held:
    """A release in the tree: what it came from, and its files by path below `os/<stamp>/`."""

    stamp: str
    source: str
    files: dict[str, File] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(file.size for file in self.files.values())


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that is told something else than all others. `mac` is lower-case with hyphens."""

    mac: str
    choices: BootChoices

    @property
    def place(self) -> str:
        """Its directory in the tree."""
        return f"{MACHINES}/{self.mac}"


def mac_of(text: str) -> str:
    """An Ethernet address as iPXE and PXELINUX write it: lower-case, hyphens. Raises UsageProblem `bad-mac`."""
    plain = text.strip().lower()
    if not _MAC.match(plain) or int(plain[1], 16) & 1:
        raise UsageProblem(
            "bad-mac",
            f"“{tame(text)}” is no address of a network card.",
            hint="Six pairs of hex digits: 52:54:00:12:34:56. The second digit is even.",
        )
    return plain.replace(":", "-")


def path_of(stamp: str, path: str) -> str:
    """Where a file of a release lies in the tree."""
    return f"{RELEASES}/{stamp}/{path}"
