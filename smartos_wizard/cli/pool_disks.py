"""Where `pool preview` takes its disks from: the command line, a listing of `diskinfo`, or this machine."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.boot.disklayout_text import Listing, read_listing
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import parse_size, tame

if TYPE_CHECKING:
    from smartos_wizard.media.model import Disk
    from smartos_wizard.world import World

MOST_DISKS = 10_000
MOST_BYTES = 8 << 20
"""Of a listing: ten thousand disks need one."""
HOW_TO_LIST = "On SmartOS: diskinfo -Hp > disks.txt, also in its rescue mode, before anything is set up."

_SPEC = re.compile(r"(?:(\d{1,6})\s*[x×*]\s*)?(.+?)(?::(ssd|hdd))?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class DiskSpec:
    """`count` disks of `size` bytes."""

    count: int
    size: int
    solid: bool


class DiskSpecType(click.ParamType[DiskSpec]):
    """`4TB`, `400GB:ssd`, `8x4TB`, `2x400GB:ssd`."""

    name = "DISK"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> DiskSpec:
        """The disks meant; a usage error where the words mean none."""
        if isinstance(value, DiskSpec):
            return value
        match = _SPEC.fullmatch(str(value).strip())
        try:
            if match is None:
                raise ValueError
            count, size = int(match[1] or 1), parse_size(match[2])
        except ValueError:
            self.fail(
                f"{tame(str(value))!r} is no disk; write for example 4TB, 8x4TB or 400GB:ssd.", param, ctx
            )
        if not size or not count:
            self.fail(f"{tame(str(value))!r} means no disk at all.", param, ctx)
        return DiskSpec(count, size, (match[3] or "").lower() == "ssd")


def from_specs(specs: tuple[DiskSpec, ...]) -> tuple[ListedDisk, ...]:
    """The disks of `--disk`, named disk0, disk1 (disk00 where they are more than ten). Raises UsageProblem `too-many-disks`."""
    count = sum(spec.count for spec in specs)
    if count > MOST_DISKS:
        raise UsageProblem(
            "too-many-disks", f"{count} disks are more than this command looks at: {MOST_DISKS} at most."
        )
    each = [spec for spec in specs for _ in range(spec.count)]
    digits = len(str(count - 1))  # disks of one size are taken by name, so names are made to sort
    return tuple(
        ListedDisk("SCSI", f"disk{number:0{digits}}", "-", "-", str(spec.size), solid=spec.solid)
        for number, spec in enumerate(each)
    )


def from_file(path: str) -> Listing:
    """The disks of a listing, from stdin for `-`. Raises UsageProblem `unreadable-file`, `no-disk-listing`."""
    try:
        data = sys.stdin.buffer.read(MOST_BYTES + 1) if path == "-" else _bytes(path)
    except OSError as error:
        said = f"{tame(path, 200)} cannot be read: {error.strerror or error}."
        raise UsageProblem(
            "unreadable-file", said, hint="Check the name and the rights of the file."
        ) from error
    if len(data) > MOST_BYTES:
        raise _no_listing(path, "is larger than 8 MiB; that is no listing of disks.")
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not wide and b"\0" in data:
        raise _no_listing(path, "is no text, so no listing of disks.")
    listing = read_listing(data.decode("utf-16" if wide else "utf-8", "replace"))
    if listing.odd and not listing.disks:
        raise _no_listing(path, "lists no disk.")
    return listing


def _bytes(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _no_listing(path: str, said: str) -> UsageProblem:
    return UsageProblem("no-disk-listing", f"{tame(path, 200)} {said}", hint=HOW_TO_LIST)


@dataclass(frozen=True, slots=True)
class Host:
    """The disks of this machine that setup would look at; those it leaves out, each with the reason; the RAM.

    `system` are names of disks that hold the system which runs now.
    """

    disks: tuple[ListedDisk, ...]
    out: tuple[tuple[str, str], ...]
    system: tuple[str, ...]
    ram: int | None


def from_host(world: World) -> Host:
    """The disks of this machine as `diskinfo` would list them, under the names they have here.

    Setup leaves out disks on USB and those with a partition named SMARTOSBOOT (smartos-live:
    src/smartdc/lib/smartos_prompt_config.sh, promptpool).
    """
    facts = world.hardware()
    solid = {(disk.name, disk.size): disk.solid for disk in facts.disks or ()}
    taken, out, system = [], [], []
    for disk in world.disks.list():
        if disk.kind != "disk":
            continue
        name = Path(disk.path).name
        if why := _left_out(disk):
            out.append((name, why))
            continue
        known = solid.get((name, disk.size or 0), _looks_solid(disk))
        kind = "NVME" if disk.transport == "nvme" else "SCSI"
        removable = bool(disk.removable)
        taken.append(ListedDisk(kind, name, disk.vendor, disk.model, str(disk.size), removable, known))
        if disk.system_use:
            system.append(name)
    return Host(tuple(taken), tuple(out), tuple(system), facts.memory)


def _left_out(disk: Disk) -> str:
    if disk.transport == "usb":
        return "on USB"
    if disk.size is None:
        return "of unknown size"
    if any(part.label == "SMARTOSBOOT" for part in disk.partitions):
        return "SmartOS boots from it"
    return ""


def _looks_solid(disk: Disk) -> bool:
    return disk.transport == "nvme" or "SSD" in disk.name.upper()
