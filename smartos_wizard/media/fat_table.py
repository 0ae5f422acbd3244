"""The file allocation table of a FAT32 volume in memory: chains, free clusters, and which sectors changed.

A key has 3.2 million clusters of 512 bytes, so everything here goes by runs and never cluster by cluster.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator
from itertools import pairwise

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.fat_geometry import SECTOR, Geometry
from smartos_wizard.media.volume import Volume

END = 0x0FFFFFFF
_MASK = 0x0FFFFFFF
_LEAST_END = 0x0FFFFFF8
_PER_SECTOR = SECTOR // 4
_PIECE = 1 << 20
_LOOK = 4096
_CLEAN, _UNHURT = 0x08000000, 0x04000000

Run = tuple[int, int]
"""(first cluster, number of clusters)"""


class FatTable:
    """One copy of the table, held as an array. Numbers are clusters."""

    def __init__(self, entries: array[int], geometry: Geometry) -> None:
        self.entries = entries
        self.geometry = geometry
        self._from = 2

    @classmethod
    def load(cls, volume: Volume, geometry: Geometry, copy: int = 0) -> FatTable:
        """Read one copy. Raises OSError."""
        return cls(_numbers(_raw(volume, geometry, copy)), geometry)

    def next_of(self, cluster: int) -> int:
        """What the table says about a cluster."""
        return self.entries[cluster] & _MASK

    def chain(self, first: int) -> list[Run]:
        """The runs of a chain; empty for cluster 0. Raises Refused where it is broken."""
        runs: list[Run] = []
        if not first:
            return runs
        entries, last = self.entries, self.geometry.last
        at, start, left = first, first, last
        while True:
            if not 2 <= at <= last or left <= 0:
                raise damaged(f"a chain of clusters is broken at cluster {at}")
            left -= 1
            following = entries[at] & _MASK
            if following != at + 1:
                runs.append((start, at + 1 - start))
                if following >= _LEAST_END:
                    return runs
                start = following
            at = following

    def free_count(self) -> int:
        """How many clusters are free."""
        return self.entries[2 : self.geometry.last + 1].count(0)

    def free_runs(self, limit: int | None = None) -> Iterator[Run]:
        """Free runs in rising order, not beyond cluster `limit`."""
        at, last = self._from, min(self.geometry.last, limit or self.geometry.last)
        while at <= last:
            try:
                start = self.entries.index(0, at, last + 1)
            except ValueError:
                return
            end = self._end_of_free(start, last)
            yield start, end - start
            at = end

    def allocate(self, count: int, limit: int | None = None) -> list[Run]:
        """Take `count` free clusters and chain them; nothing is written. Raises Refused `no-space`."""
        taken: list[Run] = []
        left = count
        for start, length in self.free_runs(limit) if count else ():
            use = min(left, length)
            taken.append((start, use))
            left -= use
            if not left:
                break
        if left:
            raise no_space(count * self.geometry.cluster_size, (count - left) * self.geometry.cluster_size)
        self.link(taken)
        if taken:
            self._from = taken[-1][0] + taken[-1][1]
        return taken

    def link(self, runs: list[Run]) -> None:
        """Chain the runs one after another, the last cluster being the end."""
        for index, (start, length) in enumerate(runs):
            self.entries[start : start + length] = array("I", range(start + 1, start + length + 1))
            self.entries[start + length - 1] = runs[index + 1][0] if index + 1 < len(runs) else END

    def free(self, runs: Iterable[Run]) -> None:
        """Make the clusters of these runs free."""
        for start, length in runs:
            self.entries[start : start + length] = array("I", bytes(4 * length))
            self._from = min(self._from, start)

    def says(self, runs: list[Run]) -> bool:
        """Whether every cluster of these runs is free, or chained as `link` would chain it, or an end."""
        for index, (start, length) in enumerate(runs):
            expected = array("I", range(start + 1, start + length + 1))
            expected[-1] = runs[index + 1][0] if index + 1 < len(runs) else END
            found = self.entries[start : start + length]
            if found != expected and any(
                f and f & _MASK != e and f & _MASK < _LEAST_END for f, e in zip(found, expected, strict=True)
            ):
                return False
        return True

    def links_to(self, cluster: int, to: int) -> bool:
        """Whether a cluster is free, the end of a chain, or goes on at `to` already."""
        return self.next_of(cluster) in (0, to) or self.next_of(cluster) >= _LEAST_END

    def unclean(self) -> bool:
        """Whether the table notes that the volume was not unmounted."""
        return not self.entries[1] & _CLEAN

    def mark_clean(self) -> None:
        """Note that the volume was unmounted."""
        self.entries[1] |= _CLEAN | _UNHURT

    def sectors_of(self, runs: Iterable[Run]) -> list[Run]:
        """The sectors of the table that hold the entries of these runs, as runs of sectors without overlap."""
        spans = sorted((s // _PER_SECTOR, (s + n - 1) // _PER_SECTOR + 1) for s, n in runs)
        merged: list[Run] = []
        for low, high in spans:
            if merged and low <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return [(low, high - low) for low, high in merged]

    def write(self, volume: Volume, sectors: Iterable[Run], copy: int) -> None:
        """Write these sectors of the table to one copy on the volume. Raises OSError."""
        base = self.geometry.fat_offset(copy)
        for first, count in sectors:
            for low in range(first, first + count, _PIECE // SECTOR):
                high = min(first + count, low + _PIECE // SECTOR)
                part = self.entries[low * _PER_SECTOR : high * _PER_SECTOR]
                volume.write(base + low * SECTOR, _bytes(part))

    def _end_of_free(self, start: int, last: int) -> int:
        zeros = array("I", bytes(4 * _LOOK))
        at = start
        while at + _LOOK <= last + 1 and self.entries[at : at + _LOOK] == zeros:
            at += _LOOK
        while at <= last and not self.entries[at]:
            at += 1
        return at


def copies_differ(volume: Volume, geometry: Geometry) -> bool:
    """Whether the copies of the table are not the same. Raises OSError."""
    length = geometry.fat_sectors * SECTOR
    bases = [geometry.fat_offset(copy) for copy in range(geometry.fats)]
    for one, other in pairwise(bases):
        for at in range(0, length, _PIECE):
            count = min(_PIECE, length - at)
            if volume.read(one + at, count) != volume.read(other + at, count):
                return True
    return False


def damaged(what: str) -> Refused:
    """The refusal to change a file system that is not whole."""
    return Refused(
        "file-system-damaged",
        f"The file system on the key is damaged: {what}. Nothing was changed.",
        hint="Write the key anew with `smartos-wizard key write`.",
    )


def no_space(needed: int, free: int) -> Refused:
    """The refusal where the free clusters do not suffice."""
    from smartos_wizard.core import text

    return Refused(
        "no-space",
        f"There is not enough room: {text.size(needed)} are needed, {text.size(free)} are free. "
        "Nothing was changed.",
        hint="Take files away that you put there, or write the key anew.",
        needed=needed,
        free=free,
    )


def _raw(volume: Volume, geometry: Geometry, copy: int) -> bytes:
    base, length = geometry.fat_offset(copy), geometry.fat_sectors * SECTOR
    return b"".join(volume.read(base + at, min(_PIECE, length - at)) for at in range(0, length, _PIECE))


def _numbers(raw: bytes) -> array[int]:
    numbers = array("I")
    numbers.frombytes(raw)
    if sys.byteorder != "little":  # pragma: no cover - no such machine is known to run this
        numbers.byteswap()
    return numbers


def _bytes(numbers: array[int]) -> bytes:
    if sys.byteorder != "little":  # pragma: no cover
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()
