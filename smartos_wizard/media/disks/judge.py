"""The one door between a disk that is attached and a disk that may be written. Reads nothing itself.

A disk is a Target only when nothing at all speaks against it; what is not known speaks against it. What
the user mounted to look at (plain file systems of a removable disk below /media, /run/media or /mnt) is no
obstacle: the plan shows and unmounts it. `--allow-fixed` lifts `not-removable` and the loop device's
`virtual`, nothing else.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.text import exact
from smartos_wizard.media.disks.reasons import is_users, reasons
from smartos_wizard.media.disks.usb import port_words
from smartos_wizard.media.model import (
    USB_IMAGE_SIZE,
    Disk,
    Fingerprint,
    Judged,
    Target,
    Withheld,
)

if TYPE_CHECKING:
    from smartos_wizard.media.ports import MediaWorld


def judge(disk: Disk, image_size: int = USB_IMAGE_SIZE, allow_fixed: bool = False) -> Judged:
    """`disk` as a Target for `image_size` bytes, or Withheld with every reason.

    `Target.unmount` holds the mount points to be unmounted first.
    """
    against = reasons(disk, image_size, allow_fixed)
    if against:
        return Withheld(disk, against)
    opened = [m for m in disk.mounts if is_users(m)]
    notes = [f"{m.device} is mounted at {m.point}; it is unmounted first" for m in opened]
    if disk.usb is not None:
        notes.append(port_words(disk.usb, image_size))
    points = tuple(dict.fromkeys(m.point for m in reversed(opened)))
    return Target(disk, fingerprint_of(disk), unmount=points, notes=tuple(n for n in notes if n))


def judge_all(
    disks: Iterable[Disk], image_size: int = USB_IMAGE_SIZE, allow_fixed: bool = False
) -> tuple[Judged, ...]:
    """Each disk judged: targets first, then withheld ones, each in the order given."""
    judged = [judge(disk, image_size, allow_fixed) for disk in disks]
    return tuple(sorted(judged, key=lambda j: isinstance(j, Withheld)))


def fingerprint_of(disk: Disk) -> Fingerprint:
    """What makes this disk this disk. Raises Refused where even its size is not known."""
    if disk.size is None:
        raise Refused("withheld", f"{disk.path} cannot be told from another disk: its size is unknown.")
    return Fingerprint(
        path=disk.path,
        size=disk.size,
        sector=disk.sector or 512,
        serial=disk.serial,
        wwn=disk.wwn,
        model=disk.name if disk.model else "",
        diskseq=disk.diskseq,
        rdev=disk.rdev,
    )


def verify_fingerprint(confirmed: Fingerprint, now: Fingerprint) -> list[str]:
    """How the disk there now differs from the one confirmed, in words; empty when it is the same.

    A fact that was known and is not told any more counts as a difference, but for the attachment number:
    a program with fewer rights may not see it.
    """
    differences = []
    pairs: tuple[tuple[str, object, object], ...] = (
        ("size", exact(confirmed.size), exact(now.size)),
        ("sector size", confirmed.sector, now.sector),
        ("serial number", confirmed.serial, now.serial),
        ("world wide name", confirmed.wwn, now.wwn),
        ("model", confirmed.model, now.model),
        ("device number", confirmed.rdev, now.rdev),
    )
    for word, before, after in pairs:
        if before not in ("", None) and before != after:
            differences.append(f"{word} was {before}, is {after or 'not told'}")
    if None not in (confirmed.diskseq, now.diskseq) and confirmed.diskseq != now.diskseq:
        differences.append("it was unplugged and plugged in again, or is another disk")
    return differences


def find_target(
    world: MediaWorld,
    path: str,
    image_size: int = USB_IMAGE_SIZE,
    allow_fixed: bool = False,
    *,
    for_reading: bool = False,
) -> Target:
    """The target named by `path` (a device node or a link to one).

    `for_reading` forgives a key that is write-protected or small: it is only looked at. Raises Refused
    `no-such-disk`, `is-partition` or `withheld` (with `reasons`), and whatever listing raises.
    """
    disks = world.disks.list()
    real = os.path.realpath(path)
    disk = next((d for d in disks if d.path == path), None) or next(
        (d for d in disks if real in (d.path, os.path.realpath(d.path))), None
    )
    if disk is None:
        raise _no_such_disk(disks, path, real)
    if for_reading and disk.size:
        disk, image_size = replace(disk, read_only=False), 0
    match judge(disk, image_size, allow_fixed):
        case Target() as target:
            return target
        case Withheld(reasons=against):
            raise Refused(
                "withheld",
                f"{disk.path} ({disk.name}) will not be written: {'; '.join(r.text for r in against)}.",
                hint=_withheld_hint({r.reference for r in against}),
                context=disk.path,
                path=disk.path,
                reasons=[{"reference": r.reference, "text": r.text} for r in against],
            )
    raise AssertionError("unreachable")


def _withheld_hint(references: set[str]) -> str:
    if references <= {"not-removable", "virtual"}:
        return "If you are certain that it may be erased, say --allow-fixed."
    if references == {"too-small"}:
        return "Use a larger key; 2 GB is enough for every SmartOS image."
    if "mounted" in references and references <= {"mounted", "not-removable"}:
        return "Unmount it if its data may be erased, then try again."
    return "See `smartos-wizard key list --all` for every disk and what speaks against it."


def _no_such_disk(disks: Iterable[Disk], path: str, real: str) -> Refused:
    for disk in disks:
        if any(p.path in (path, real) for p in disk.partitions):
            return Refused(
                "is-partition",
                f"{path} is a partition of {disk.path}; a SmartOS key takes the whole disk.",
                hint=f"If all of it may be erased, name {disk.path}.",
                context=path,
            )
    if Path(real).is_file():
        return Refused(
            "no-such-disk",
            f"{path} is a file, not a disk.",
            hint="To write into a file, say --file.",
            context=path,
        )
    return Refused(
        "no-such-disk",
        f"There is no disk {path}.",
        hint="Is the key plugged in? `smartos-wizard key list --all` shows every disk.",
        context=path,
    )


def file_target(path: Path, size: int) -> Target:
    """A regular file as a target of `size` bytes; its path is its token.

    A file that exists is shown as such in `notes`, since its content will be lost. Raises Refused
    `not-a-file` for anything but a regular file (devices and links to them above all), `no-such-directory`
    where its directory is missing, `withheld` for a write-protected file.
    """
    where = str(path.absolute())
    notes: tuple[str, ...] = ()
    rdev: tuple[int, int] | None = None
    try:
        found = os.stat(where)  # noqa: PTH116 - follows links on purpose
    except FileNotFoundError:
        if path.is_symlink():
            raise Refused("not-a-file", f"{where} is a link that leads nowhere.", context=where) from None
        if not path.absolute().parent.is_dir():
            raise Refused(
                "no-such-directory", f"There is no directory {path.absolute().parent}.", context=where
            ) from None
        read_only = not os.access(path.absolute().parent, os.W_OK)
    else:
        if not stat.S_ISREG(found.st_mode):
            raise Refused(
                "not-a-file",
                f"{where} is {_kind_word(found.st_mode)}, not a file.",
                hint="--file writes regular files only. To write a key, leave --file out.",
                context=where,
            )
        notes = (f"the file exists; its {exact(found.st_size)} bytes are lost",)
        read_only = not os.access(where, os.W_OK)
    if read_only:
        raise Refused(
            "withheld",
            f"{where} may not be written by you.",
            hint="Choose another place, or change its permissions.",
            context=where,
            reasons=[{"reference": "read-only", "text": "write-protected"}],
        )
    disk = Disk(
        path=where, size=size, model="file", transport="file", kind="file",
        removable=True, read_only=False, sector=512, rdev=rdev,
    )  # fmt: skip
    return Target(disk, Fingerprint(where, size), regular_file=True, notes=notes)


def _kind_word(mode: int) -> str:
    if stat.S_ISBLK(mode):
        return "a disk"
    if stat.S_ISDIR(mode):
        return "a directory"
    return "a pipe" if stat.S_ISFIFO(mode) else "a special file"
