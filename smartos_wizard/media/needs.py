"""What making a key needs of this machine, and whether it is there. Looks only; changes nothing, asks no network."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smartos_wizard.core import text
from smartos_wizard.core.paths import Paths
from smartos_wizard.media import elevation, machine

ROOM = 4 << 30
"""Bytes that downloading and unpacking a release takes at most, with the one before it kept."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing: whether it is there, what it is good for, and how to get it. `needed` without it no key."""

    name: str
    there: bool
    found: str
    purpose: str
    how: str = ""
    needed: bool = False

    def to_json(self) -> dict[str, Any]:
        """The fact as a JSON object."""
        return asdict(self)


def look(paths: Paths) -> tuple[Need, ...]:
    """Everything that was looked for, what a key cannot do without first."""
    return (_system(), _python(), _rights(), _opener(), _room(paths), *_programs(), _usb(), _uefi())


def _system() -> Need:
    there = sys.platform.startswith("linux")
    return Need(
        "Linux", there, os.uname().release if there else sys.platform, "listing and writing disks",
        "On other systems `smartos-wizard key list` prints the commands to type by hand.", needed=True,
    )  # fmt: skip


def _python() -> Need:
    return Need(
        "Python", sys.version_info >= (3, 11), ".".join(map(str, sys.version_info[:3])), "running this program",
        "Install Python 3.11 or newer.", needed=True,
    )  # fmt: skip


def _rights() -> Need:
    """How this user gets a disk opened: as root, by a tool, or by a disk node that is open to them."""
    tools = [name for name in ("sudo", "doas", "pkexec") if shutil.which(name)]
    if os.geteuid() == 0:
        found = "this is root"
    elif tools:
        found = ", ".join(tools)
    else:
        found = "member of a group that may write disks" if _disk_group() else ""
    return Need(
        "right to open a disk", bool(found), found or "none", "opening the key, the only thing done as root",
        "Install sudo and let this user use it, or run smartos-wizard as root.", needed=True,
    )  # fmt: skip


def _disk_group() -> bool:
    import grp

    try:
        return grp.getgrnam("disk").gr_gid in os.getgroups()
    except KeyError:
        return False


def _opener() -> Need:
    """What root would run, and whether only root can change it."""
    interpreter = Path(elevation.interpreter())
    try:
        program = elevation.opener_file(Path("/nonexistent"))
    except OSError:  # out of a zip file: copied to a private place when it is needed
        program = Path("opener.py")
    loose = [str(p) for p in (interpreter, program) if not elevation.owned_by_root(p)]
    found = f"{interpreter} -I {program}"
    if loose:
        found += f" ({' and '.join(loose)} can be changed by others than root)"
    return Need(
        "opener owned by root", not loose, found, "no other user's program can change what root runs",
        "Install SmartOS Wizard from a package; from a checkout this is as good as it gets.",
    )  # fmt: skip


def _room(paths: Paths) -> Need:
    place = paths.store
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    return Need(
        "free space", free >= ROOM, f"{text.size(free)} at {paths.store}", "keeping downloaded releases",
        f"Make {text.size(ROOM)} free, or move it by XDG_CACHE_HOME or `release download --to DIR`.",
    )  # fmt: skip


_PROGRAMS = (
    (machine.PROGRAM, "boot test of a written key", machine.HINT),
    ("udisksctl", "switching a key off before it is pulled", "Install udisks2; without it a key is flushed."),
    ("systemd-inhibit", "keeping the desktop awake while writing", "Part of systemd; without it, forbid sleep yourself."),
    ("fsck.vfat", "a second opinion on a key's file system", "Install dosfstools."),
)  # fmt: skip


def _programs() -> list[Need]:
    needs = []
    for name, purpose, how in _PROGRAMS:
        found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
        needs.append(Need(name, found is not None, found or "not found", purpose, how))
    return needs


def _usb() -> Need:
    """pyusb needs libusb to tell maker and speed of a port; sysfs tells most of it too."""
    name = "libusb"
    how = "Install libusb-1.0; without it the system's own tables are read."
    try:
        from usb.backend import libusb1

        there = libusb1.get_backend() is not None  # type: ignore[no-untyped-call]
    except Exception:  # a broken libusb is as good as none, whatever way it breaks
        there = False
    return Need(
        name, there, "loaded" if there else "not found", "maker, product and port speed of a key", how
    )


def _uefi() -> Need:
    firmware = machine.uefi()
    found = firmware.files[0] if firmware and firmware.files else "not found"
    return Need("UEFI firmware", firmware is not None, found, "boot test by UEFI", machine.OVMF_HINT)
