"""Why a disk is not offered: one small function per reason, the gravest first.

The references are part of the command's contract and never change their meaning.
"""

from __future__ import annotations

from collections.abc import Iterator

from smartos_wizard.core.text import exact, size
from smartos_wizard.media.model import Disk, Mount, Reason

MOVABLE = ("usb", "mmc", "thunderbolt", "firewire")
"""Transports whose disks are meant to be pulled, whatever the removable flag says (UAS keys say 0)."""

_USER_AREAS = ("/media/", "/run/media/", "/mnt/")
_PLAIN = frozenset(
    (
        "vfat",
        "msdos",
        "exfat",
        "ntfs",
        "ntfs3",
        "fuseblk",
        "ext2",
        "ext3",
        "ext4",
        "xfs",
        "f2fs",
        "hfs",
        "hfsplus",
        "udf",
        "iso9660",
    )
)
_VIRTUAL = {"loop": "a loop device, not hardware", "ram": "a part of this machine's memory, not a disk"}


def is_movable(disk: Disk) -> bool | None:
    """Whether it is meant to be pulled out; None where that could not be read."""
    return True if disk.transport in MOVABLE else disk.removable


def is_users(mount: Mount) -> bool:
    """Whether the user (or the desktop for them) mounted it to look at its files.

    Plain file systems on one device below /media, /run/media or /mnt; unmounting those hurts nobody.
    """
    inside = mount.point == "/mnt" or mount.point.startswith(_USER_AREAS)
    return inside and mount.fstype in _PLAIN


def reasons(disk: Disk, needed: int, allow_fixed: bool) -> tuple[Reason, ...]:
    """Every reason not to offer `disk` for an image of `needed` bytes; none means it may be offered."""
    return (
        *_system(disk),
        *_unknown(disk),
        *_in_use(disk),
        *_mounted(disk),
        *_kind(disk, allow_fixed),
        *_medium(disk, needed),
        *_fixed(disk, allow_fixed),
    )


def _system(disk: Disk) -> Iterator[Reason]:
    if disk.system_use:
        yield Reason("system-disk", f"the running system is on it: {'; '.join(disk.system_use)}")


def _unknown(disk: Disk) -> Iterator[Reason]:
    missing = []
    if disk.system_use is None:
        missing.append("what the system uses it for")
    if disk.size is None:
        missing.append("its size")
    if disk.read_only is None:
        missing.append("whether it is write-protected")
    if disk.sector is None:
        missing.append("its sector size")
    if is_movable(disk) is None:
        missing.append("whether it is removable")
    if missing:
        why = f" ({'; '.join(disk.unknown)})" if disk.unknown else ""
        yield Reason("unknown", f"could not be read: {', '.join(missing)}{why}")


def _in_use(disk: Disk) -> Iterator[Reason]:
    for holder in disk.holders:
        yield Reason("in-use", f"in use by {holder}")


def _mounted(disk: Disk) -> Iterator[Reason]:
    for mount in disk.mounts:
        if not (is_users(mount) and is_movable(disk)):
            yield Reason("mounted", f"{mount.device} is mounted at {mount.point}")


def _kind(disk: Disk, allow_fixed: bool) -> Iterator[Reason]:
    if disk.kind == "rom":
        yield Reason("optical", "an optical drive, not a key")
    elif disk.kind == "loop":
        if not allow_fixed:
            yield Reason("virtual", f"{_VIRTUAL['loop']} (--allow-fixed admits it)")
    elif disk.kind != "disk":
        yield Reason(
            "virtual", _VIRTUAL.get(disk.kind, f"made by the system ({disk.kind}), not a disk itself")
        )


def _medium(disk: Disk, needed: int) -> Iterator[Reason]:
    if disk.size == 0:
        yield Reason("no-medium", "no medium in it")
        return
    if disk.read_only:
        yield Reason("read-only", "write-protected; look for a small switch on the key or card")
    if disk.sector is not None and disk.sector != 512:
        yield Reason(
            "sector-4096",
            f"has sectors of {exact(disk.sector)} bytes; the SmartOS image is laid out for 512 and would not boot",
        )
    if disk.size is not None and disk.size < needed:
        yield Reason(
            "too-small", f"too small: {exact(disk.size)} of {exact(needed)} bytes ({size(disk.size)})"
        )


def _fixed(disk: Disk, allow_fixed: bool) -> Iterator[Reason]:
    if disk.kind == "disk" and is_movable(disk) is False and not allow_fixed:
        yield Reason("not-removable", "not a removable or USB disk (--allow-fixed admits it)")
