"""Disk listings as SmartOS's `diskinfo` prints them, and layouts as its `disklayout` prints them, byte for byte.

Pure. Facts: smartos-live: src/disklayout.js; illumos: usr/src/cmd/diskinfo/diskinfo.c.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.boot.disk_numbers import SPACE, number_of, number_text
from smartos_wizard.boot.disklayout import Layout, NoLayoutError, Vdev
from smartos_wizard.core.text import parse_size

_ROUNDED = re.compile(r"\d{1,12}(?:\.\d{1,6})? ?[KMGTP]iB", re.ASCII)
_FOR_PEOPLE = re.compile(
    r"(\S+)\s+(\S+)\s+(.*?)\s*(\d{1,12}(?:\.\d{1,6})? ?[KMGTP]iB|\d{1,20})\s+(yes|no)\s+(yes|no)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing as read. `odd` are lines that are no disk with a size, each with its number, first is 1."""

    disks: tuple[ListedDisk, ...] = ()
    odd: tuple[tuple[int, str], ...] = ()
    rounded: bool = False
    """Whether sizes were given for people, so that their bytes are only near."""


def read_listing(text: str) -> Listing:
    """The disks of a listing: of `diskinfo -Hp`, which is what setup uses, or of `diskinfo` as people see it.

    Nothing is refused. Like `disklayout` it takes every line that has a name for a disk, whatever its size.
    """
    disks, odd, rounded = [], [], False
    for number, line in enumerate(text.replace("\r\n", "\n").strip(SPACE).split("\n"), 1):
        row = _row(line)
        if not line or [cell.strip() for cell in row[:2]] == ["TYPE", "DISK"]:
            continue
        if len(row) > _SIZE and _ROUNDED.fullmatch(row[_SIZE]):
            row[_SIZE], rounded = str(parse_size(row[_SIZE])), True
        if len(row) <= _SIZE or not row[_NAME] or not 0 < number_of(row[_SIZE]) < math.inf:
            odd.append((number, line))
        if len(row) > _NAME and row[_NAME]:
            disks.append(_disk(row))
    return Listing(tuple(disks), tuple(odd), rounded)


_NAME, _SIZE, _WIDTH = 1, 4, 7  # columns of a row


def _row(line: str) -> list[str]:
    if "\t" in line:
        return line.split("\t")
    match = _FOR_PEOPLE.fullmatch(line.strip())
    if match is None:
        return line.split()[:2] if line.split()[:1] == ["TYPE"] else [line]
    kind, name, made, *rest = match.groups()
    vendor, _, product = made.partition(" ")
    return [kind, name, vendor, product.strip(), *rest]


def _disk(row: list[str]) -> ListedDisk:
    cells: list[str | None] = [*row, *[None] * _WIDTH]
    kind, name, vendor, product, size, removable, solid = cells[:_WIDTH]
    return ListedDisk(kind or "", name or "", vendor, product, size, removable == "yes", solid == "yes")


def layout_text(layout: Layout) -> str:
    """What `disklayout` prints for this layout, newline included: JSON indented with tabs."""
    document: dict[str, object] = {}
    if layout.spares:
        document["spares"] = _devices(layout.spares)
    document["vdevs"] = [_vdev(vdev) for vdev in layout.vdevs]
    document |= _capacity(layout)
    if layout.logs:
        document["logs"] = _devices(layout.logs)
    if layout.cache:
        document["cache"] = _devices(layout.cache)
    return _printed(document) + "\n"


def error_text(error: NoLayoutError) -> str:
    """What `disklayout` prints where there is no layout, newline included."""
    return f"fatal error: {error}\n"


class _Number(str):
    """Digits that are printed without quotes."""

    __slots__ = ()


def _capacity(layout: Layout) -> dict[str, object]:
    if layout.name == "single":  # the size as it was read: text, or nothing where there was none
        size = layout.vdevs[0].disks[0].size
        return {} if size is None else {"capacity": size}
    value = layout.capacity
    return {"capacity": _Number(number_text(value) if math.isfinite(value) else "null")}


def _vdev(vdev: Vdev) -> dict[str, object]:
    if not vdev.kind:
        return _device(vdev.disks[0])
    return {"type": vdev.kind, "devices": _devices(vdev.disks)}


def _devices(disks: Iterable[ListedDisk]) -> list[dict[str, object]]:
    return [_device(disk) for disk in disks]


def _device(disk: ListedDisk) -> dict[str, object]:
    fields = {
        "name": disk.name,
        "vid": disk.vendor,
        "pid": disk.product,
        "size": disk.size,
        "solid_state": disk.solid,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _printed(value: object, depth: int = 0) -> str:
    """The value as JavaScript's JSON.stringify prints it with tabs; `json` cannot print numbers its way."""
    inner, outer = "\n" + "\t" * (depth + 1), "\n" + "\t" * depth
    match value:
        case _Number():
            return str(value)
        case dict():
            items = [f"{json.dumps(key)}: {_printed(item, depth + 1)}" for key, item in value.items()]
            return "{" + inner + ("," + inner).join(items) + outer + "}"
        case list():
            items = [_printed(item, depth + 1) for item in value]
            return "[" + inner + ("," + inner).join(items) + outer + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
