"""A pool drawn in lines of text: its vdevs, spares, log and cache, each disk with its size.

Pure. Lines are plain text without colour, at most `width` columns wide where names allow it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.boot.disklayout import Layout, Vdev
from smartos_wizard.core.text import tame

POOL = "zones"
"""The name of every pool that setup makes."""
SHOWN_DISKS = 24
"""Of the disks of one group, or of vdevs that look the same, so many are drawn before the rest is counted."""
SHOWN_VDEVS = 2
"""So many vdevs that look the same are drawn, however many disks they have."""
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_LONGEST_NAME = 32


@dataclass(frozen=True, slots=True)
class _Lines:
    """What the tree is drawn with: a branch, the last branch, and what stands below each."""

    branch: str
    last: str
    below: str
    after: str = "   "


_UNICODE = _Lines("├─ ", "└─ ", "│  ")
_ASCII = _Lines("|- ", "`- ", "|  ")


@dataclass(frozen=True, slots=True)
class _Group:
    head: str
    disks: tuple[ListedDisk, ...] = ()


def sold(count: float) -> str:
    """A size as disks are sold, in powers of 1000 with three figures: `600 GB`, `1.6 TB`; `size unknown`."""
    if not 0 < count < math.inf:
        return "size unknown"
    for unit in _UNITS:
        if count < 999.5 or unit == _UNITS[-1]:
            return f"{count:.3g} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def counted(number: int, what: str) -> str:
    """`1 disk`, `2 disks`, `8 mirrors`; raidz has no plural."""
    return f"{number} {what}{'' if number == 1 or 'raidz' in what else 's'}"


def shown_name(name: str) -> str:
    """A disk's name, safe to print and in ASCII."""
    return tame(name, _LONGEST_NAME).encode("ascii", "replace").decode()


def pool_picture(layout: Layout, width: int = 80, ascii: bool = False, *, whole: bool = False) -> list[str]:
    """The pool as lines of text. `whole` draws every disk, where long rows of the same are cut otherwise."""
    lines = _ASCII if ascii else _UNICODE
    groups = [*_vdevs(layout.vdevs, whole=whole), *_others(layout)]
    drawn = [f"{POOL}  {sold(layout.capacity)} for data"]
    for group in groups:
        end = group is groups[-1]
        drawn.append((lines.last if end else lines.branch) + group.head)
        below = lines.after if end else lines.below
        drawn += [below + row for row in _rows(group.disks, width - len(below), whole=whole)]
    return drawn


def _vdevs(vdevs: Sequence[Vdev], *, whole: bool) -> Iterator[_Group]:
    """A group for each vdev; of many that look the same, the first few and a line that counts the others."""
    for head, alike in groupby(vdevs, _head):
        run = list(alike)
        most = max(SHOWN_VDEVS, SHOWN_DISKS // len(run[0].disks))
        cut = len(run) if whole or len(run) <= most + 1 else most
        yield from (_Group(head, vdev.disks) for vdev in run[:cut])
        if rest := run[cut:]:
            first, last = rest[0].disks[0], rest[-1].disks[-1]
            names = f"{shown_name(first.name)} to {shown_name(last.name)}"
            yield _Group(f"and {counted(len(rest), f'more {rest[0].kind}')} like these: {names}")


def _head(vdev: Vdev) -> str:
    if not vdev.kind:
        return "one disk  if it fails, everything is lost"
    count = len(vdev.disks)
    loss = f"{vdev.may_fail} of {count} may fail" if vdev.may_fail else "if it fails, everything is lost"
    return f"{vdev.kind}  {counted(count, 'disk')}, {loss}"


def _others(layout: Layout) -> Iterator[_Group]:
    if layout.spares:
        yield _Group(f"{counted(len(layout.spares), 'spare')}  in place of a disk that failed", layout.spares)
    if layout.logs:
        yield _Group(f"log  {counted(len(layout.logs), 'disk')}: writes that must not wait", layout.logs)
    if layout.cache:
        yield _Group(f"cache  {counted(len(layout.cache), 'disk')}: reads that come again", layout.cache)


def _rows(disks: Sequence[ListedDisk], width: int, *, whole: bool) -> Iterator[str]:
    """The disks as tiles of the same width, as many beside each other as there is room for."""
    cut = len(disks) if whole or len(disks) <= SHOWN_DISKS + 1 else SHOWN_DISKS
    tiles = _tiles(disks[:cut])
    if not tiles:
        return
    each = max(1, (width + 1) // (len(tiles[0]) + 1))
    for at in range(0, len(tiles), each):
        yield " ".join(tiles[at : at + each])
    if cut < len(disks):
        yield f"and {len(disks) - cut} more, to {shown_name(disks[-1].name)}"


def _tiles(disks: Iterable[ListedDisk]) -> list[str]:
    labels = [(shown_name(disk.name), sold(disk.bytes) + (" ssd" if disk.solid else "")) for disk in disks]
    names, sizes = (max((len(label[i]) for label in labels), default=0) for i in (0, 1))
    return [f"[{name:<{names}} {size:>{sizes}}]" for name, size in labels]
