"""Disks by size class, and what each class is good for: storage, log or cache. The first half of `disklayout`.

Pure. Facts: smartos-live: src/node_modules/disklayout.js. Its arithmetic is kept step by step, odd corners
included, because the outcome has to be the same.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key

from smartos_wizard.boot.disk_numbers import floor, half_up, number_of, number_text

STEPS = (500_000, 150_000, 80_000, 20_000, 4_500, 1_000)
"""What sizes are sold in multiples of, in MB."""
NEAR = 0.05
"""Sizes no further apart than this are one class."""
MOST_LOGS = 4
"""A class of solid-state disks with more members than this becomes cache instead of log."""


@dataclass(frozen=True, slots=True)
class ListedDisk:
    """A disk as `diskinfo -Hp` lists it. `size` is the text of its bytes; None means that the column is missing."""

    kind: str
    name: str
    vendor: str | None
    product: str | None
    size: str | None
    removable: bool = False
    solid: bool = False

    @property
    def bytes(self) -> float:
        """Its size as a number; NaN where the text is none."""
        return number_of(self.size)


@dataclass(frozen=True, slots=True)
class Roles:
    """What the disks are used for. Each tuple is in the order in which disks are taken; `ignored` are not used."""

    storage: tuple[ListedDisk, ...] = ()
    logs: tuple[ListedDisk, ...] = ()
    cache: tuple[ListedDisk, ...] = ()
    ignored: tuple[ListedDisk, ...] = ()


@dataclass(slots=True)
class _Bucket:
    size: float
    solid: bool
    disks: list[ListedDisk]

    @property
    def smallest(self) -> float:
        """Its smallest size, compared as text, as `disklayout` does: "1000…" is before "999…"."""
        least = self.disks[0].size
        for disk in self.disks:
            if least is not None and disk.size is not None and disk.size < least:
                least = disk.size
        return number_of(least)


def size_class(size: float) -> float:
    """The class of a disk of `size` bytes, in GB: the marketed size it is nearest to; 0 for what is too small."""
    mb = size / 1_000_000
    if mb == 0:
        return 0.0
    best: float | None = None
    least = 0.0
    for step in STEPS:
        rounded = floor((mb + step // 2) / step) * step
        if abs(mb - rounded) / mb > NEAR:
            continue
        times = rounded / step
        distance = (mb - rounded) * (mb - rounded) * ((times * times) * (times * times))
        if distance < least or least == 0:  # an exact fit leaves 0, so the next step replaces it
            best, least = rounded, distance
    if best is not None and abs(best - mb) / mb < NEAR:
        return best / 1000
    return half_up(mb / 1000)


def roles_of(disks: Iterable[ListedDisk], *, cache: bool = True) -> Roles:
    """What each disk would be used for. Without `cache` no disk becomes cache."""
    buckets: dict[str, _Bucket] = {}
    ignored: list[ListedDisk] = []
    for disk in disks:
        gigabytes = 0.0 if disk.removable else size_class(disk.bytes)
        if gigabytes == 0:
            ignored.append(disk)
            continue
        key = f"{disk.kind},{number_text(gigabytes)},{disk.solid}"
        buckets.setdefault(key, _Bucket(gigabytes, disk.solid, [])).disks.append(disk)
    alike = [[b for b in buckets.values() if b.solid is solid] for solid in (False, True)]
    return _assigned(*map(_merged, alike), cache=cache, ignored=ignored)


def _merged(buckets: list[_Bucket]) -> list[_Bucket]:
    """The buckets after those of nearly the same size have become one; the larger takes in the smaller."""
    near = _Near([bucket.size for bucket in buckets])
    alive = [True] * len(buckets)
    for here, mine in enumerate(buckets):
        for there in near.to(mine.size) if alive[here] else ():
            other = buckets[there]
            if here == there or not alive[there] or abs(mine.size - other.size) / other.size > NEAR:
                continue
            if len(mine.disks) > len(other.disks):
                mine.disks += other.disks
                alive[there] = False
            else:
                other.disks += mine.disks
                alive[here] = False
                break
    return [bucket for bucket, lives in zip(buckets, alive, strict=True) if lives]


class _Near:
    """Which sizes may be near to a size, found without comparing each with each; the caller compares exactly."""

    def __init__(self, sizes: Sequence[float]) -> None:
        self._all = range(len(sizes))
        self._odd = not all(0 < size < math.inf for size in sizes)
        self._sorted = [] if self._odd else sorted((size, at) for at, size in enumerate(sizes))

    def to(self, size: float) -> Sequence[int]:
        """Positions of the sizes within 6 % of `size`, in order; of all of them where one is no proper size."""
        if self._odd:
            return self._all
        first = bisect_left(self._sorted, size * 0.94, key=_size_of)
        last = bisect_right(self._sorted, size * 1.06, key=_size_of)
        return sorted(at for _, at in self._sorted[first:last])


def _size_of(entry: tuple[float, int]) -> float:
    return entry[0]


def _assigned(
    spinning: list[_Bucket], solid: list[_Bucket], *, cache: bool, ignored: list[ListedDisk]
) -> Roles:
    spinning, solid = _by_smallest(spinning), _by_smallest(solid)
    if not spinning and not solid:
        return Roles(ignored=tuple(ignored))
    storage = (spinning or solid).pop()
    logs = solid.pop(0).disks if solid and len(solid[0].disks) <= MOST_LOGS else []
    rest = [disk for bucket in spinning + solid for disk in _in_order(bucket.disks)]
    if not cache:
        ignored, rest = ignored + rest, []
    return Roles(_in_order(storage.disks), _in_order(logs), tuple(rest), tuple(ignored))


def _by_smallest(buckets: list[_Bucket]) -> list[_Bucket]:
    def compare(a: tuple[float, _Bucket], b: tuple[float, _Bucket]) -> int:
        return _sign(a[0] - b[0])

    smallest = [(bucket.smallest, bucket) for bucket in buckets]
    return [bucket for _, bucket in sorted(smallest, key=cmp_to_key(compare))]


def _in_order(disks: list[ListedDisk]) -> tuple[ListedDisk, ...]:
    """By size, then by name; text that differs but means the same number stays in the order it came in."""
    keyed = [(d.bytes, d.size, d.name.encode("utf-16-be", "surrogatepass"), d) for d in disks]

    def compare(
        a: tuple[float, str | None, bytes, ListedDisk], b: tuple[float, str | None, bytes, ListedDisk]
    ) -> int:
        if a[1] != b[1]:
            return _sign(a[0] - b[0])
        return (a[2] > b[2]) - (a[2] < b[2])

    return tuple(disk for *_, disk in sorted(keyed, key=cmp_to_key(compare)))


def _sign(difference: float) -> int:
    """-1, 0 or 1; 0 for NaN, as sorting in JavaScript has it."""
    return (difference > 0) - (difference < 0)
