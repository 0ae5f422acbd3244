"""Block devices as sysfs tells them: disks, partitions, and what is stacked on what.

Facts only; what they mean is said in `stack.py` and `use.py`. (Linux: Documentation/ABI/stable/sysfs-block.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from smartos_wizard.core.errors import WizardError
from smartos_wizard.media.disks.reader import Reader, number, words

SECTOR = 512  # sysfs counts sizes in these, whatever the device's own sectors are
_STACKED = re.compile(r"^(dm-|md|bcache)")
_MMC_PART = re.compile(r"^(mmcblk\d+)(boot\d+|rpmb|gp\d+)$")


@dataclass(frozen=True, slots=True)
class Node:
    """One block device. None means it could not be read; sizes are bytes.

    `parent` is the disk of a partition; `slaves` lie below it and `holders` above; `home` is the sysfs
    directory with links followed, which tells the bus. `whole` is False for partitions; the boot areas of a
    soldered memory chip are whole and still have a `parent`.
    """

    name: str
    home: str
    parent: str = ""
    dev: tuple[int, int] | None = None
    size: int | None = None
    read_only: bool | None = None
    removable: bool | None = None
    sector: int | None = None
    diskseq: int | None = None
    slaves: tuple[str, ...] | None = ()
    holders: tuple[str, ...] | None = ()
    partitions: tuple[str, ...] | None = ()
    dm_name: str = ""
    dm_uuid: str = ""
    backing: str = ""
    whole: bool = False

    @property
    def path(self) -> str:
        """Its device node."""
        return "/dev/" + self.name.replace("!", "/")


def read_nodes(reader: Reader) -> dict[str, Node]:
    """Every block device by name. Raises WizardError `cannot-list-disks` where sysfs cannot be read."""
    try:
        names = reader.names("/sys/block")
    except OSError as error:
        raise _cannot_list(str(error)) from error
    if names is None:
        raise _cannot_list("there is no /sys/block")
    found: dict[str, Node] = {}
    for name in names:
        disk = _read_disk(reader, name)
        if disk is None:
            continue
        found[name] = disk
        for part in disk.partitions or ():
            found[part] = _read_node(reader, part, f"/sys/block/{name}/{part}", f"{disk.home}/{part}", name)
    return found


def _cannot_list(why: str) -> WizardError:
    return WizardError(
        "cannot-list-disks",
        f"The disks of this machine could not be listed: {why}.",
        hint="This does not mean there are none. In a container or sandbox, run it on the machine itself;"
        " or write to a file with --file.",
    )


def _read_disk(reader: Reader, name: str) -> Node | None:
    """The disk, or None when it went away meanwhile or is only a path of another one."""
    base = f"/sys/block/{name}"
    try:
        inside = reader.names(base)
    except OSError:
        return Node(name, base, slaves=None, holders=None, partitions=None, whole=True)
    if inside is None or words(reader, f"{base}/hidden") == "1":
        return None
    parts = _partitions(reader, base, name, inside)
    home = reader.resolve(base)
    hardware_part = _MMC_PART.match(name)
    node = _read_node(reader, name, base, home, hardware_part[1] if hardware_part else "", parts)
    return replace(node, whole=True)


def _partitions(reader: Reader, base: str, name: str, inside: tuple[str, ...]) -> tuple[str, ...] | None:
    found = []
    for entry in inside:
        if not entry.startswith(name):
            continue
        try:
            if reader.text(f"{base}/{entry}/partition") is not None:
                found.append(entry)
        except OSError:
            return None
    return tuple(found)


def _read_node(
    reader: Reader, name: str, base: str, home: str, parent: str, partitions: tuple[str, ...] | None = ()
) -> Node:
    sectors = number(reader, f"{base}/size")
    # A partition of an array has no slaves of its own; the array has.
    stacked = bool(_STACKED.match(name)) and not parent
    return Node(
        name=name,
        home=home,
        parent=parent,
        dev=_dev(reader, base),
        size=None if sectors is None or sectors < 0 else sectors * SECTOR,
        read_only=_flag(reader, f"{base}/ro"),
        removable=_flag(reader, f"{base}/removable"),
        sector=number(reader, f"{base}/queue/logical_block_size"),
        diskseq=number(reader, f"{base}/diskseq"),
        slaves=_links(reader, f"{base}/slaves", None if stacked else ()),
        holders=_links(reader, f"{base}/holders", None),
        partitions=partitions,
        dm_name=words(reader, f"{base}/dm/name") if stacked else "",
        dm_uuid=words(reader, f"{base}/dm/uuid") if stacked else "",
        backing=_backing(reader, base, name, parent),
    )


def _backing(reader: Reader, base: str, name: str, parent: str) -> str:
    """The file or device under a loop device or a compressed RAM disk; `?` where it cannot be read."""
    try:
        if name.startswith("loop") and not parent:
            attached = number(reader, f"{base}/size") != 0
            return reader.text(f"{base}/loop/backing_file") or ("?" if attached else "")
        if name.startswith("zram"):
            device = reader.text(f"{base}/backing_dev") or ""
            return "" if device == "none" else device
    except OSError:
        return "?"
    return ""


def _dev(reader: Reader, base: str) -> tuple[int, int] | None:
    major, colon, minor = words(reader, f"{base}/dev").partition(":")
    return (int(major), int(minor)) if colon and major.isdigit() and minor.isdigit() else None


def _flag(reader: Reader, path: str) -> bool | None:
    value = number(reader, path)
    return None if value is None else value != 0


def _links(reader: Reader, path: str, absent: tuple[str, ...] | None) -> tuple[str, ...] | None:
    try:
        names = reader.names(path)
    except OSError:
        return None
    return absent if names is None else names
