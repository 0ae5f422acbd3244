"""The file allocation table under judgement: chains, who owns which cluster, what nobody owns.

A key has 3.2 million clusters in few fragments, so a stretch of a chain is found and claimed as a whole: in a
map with one byte per cluster that is 1 wherever a chain does not go on with the very next cluster.
Values: Microsoft's FAT specification (fatgen103), "FAT Data Structure".
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from smartos_wizard.media.fat_check_boot import Findings, Geometry
from smartos_wizard.media.partitions import Pread

_END = 0x0FFFFFF8
_BAD = 0x0FFFFFF7
_CLEAN_BITS = 0x0C000000
_STEP = 1 << 20
_LANES = 1 << 16
_NAMED = 1 << 16  # with more stretches than this, who else owns a cluster is not looked up
_LOW_NIBBLE = bytes(value & 0x0F for value in range(256))
_ONE = b"\0" + b"\1" * 255


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that was followed: how many clusters, why it does not end well, its stretches in the table's list."""

    clusters: int
    problem: str
    runs: range


class Table:
    """The table of a volume. `entries` holds the value of each cluster with the reserved bits cleared."""

    def __init__(self, entries: array[int]) -> None:
        self.entries = entries
        self._last = len(entries) - 1
        self._breaks, self._taken = _maps(_little(entries))
        self._owned = bytearray(len(entries))
        self._starts, self._ends, self._whose = array("I"), array("I"), array("I")
        self._names: list[str] = []

    @property
    def free(self) -> int:
        """How many clusters are marked free."""
        return self.entries.count(0) - self.entries[:2].count(0)

    def follow(self, first: int, name: str, *, named: bool) -> Chain:
        """Claim the chain that begins at `first` for `name`; `named` asks who else owns a cluster of it."""
        begin, count = len(self._starts), 0
        self._names.append(name)
        at, problem = first, ""
        while not problem:
            if not 2 <= at <= self._last:
                what = "goes on to" if count else "begins at"
                problem = f"{what} cluster {at}, which this volume does not have"
                break
            stop, claimed = self._stretch(at)
            self._claim(at, stop)
            count += stop - at
            if claimed:
                problem = self._crossing(stop, begin, named)
                break
            at = self.entries[stop - 1]
            if at >= _END:
                break
            if at in (0, _BAD):
                problem = f"has cluster {stop - 1}, which is marked {'bad' if at else 'free'}"
        return Chain(count, problem, range(begin, len(self._starts)))

    def runs(self, chain: Chain) -> Iterator[tuple[int, int]]:
        """(first cluster, number of clusters) of each stretch of a chain."""
        for index in chain.runs:
            yield self._starts[index], self._ends[index] - self._starts[index]

    def lost(self) -> tuple[int, int]:
        """How many clusters are taken and owned by nobody, and the first of them."""
        size = len(self._owned)
        taken, owned = int.from_bytes(self._taken, "little"), int.from_bytes(self._owned, "little")
        left = (taken & ~owned).to_bytes(size, "little")
        return left.count(1, 2), left.find(1, 2)

    def _stretch(self, at: int) -> tuple[int, bool]:
        """The cluster behind the stretch that begins at a cluster, and whether another's begins there.

        Looks in growing windows, so that the work is in proportion to what is claimed, whatever the table.
        """
        if self._breaks[at] and not self._owned[at]:
            return at + 1, False
        window = _LANES >> 4
        while True:
            limit = min(at + window, self._last + 1)
            end = self._breaks.find(1, at, limit)
            claimed = self._owned.find(1, at, limit if end < 0 else end + 1)
            if claimed >= 0:
                return claimed, True
            if end >= 0 or limit > self._last:
                return (limit if end < 0 else end + 1), False
            window *= 4

    def _claim(self, start: int, end: int) -> None:
        if end > start:
            self._owned[start:end] = b"\1" * (end - start)
            self._starts.append(start)
            self._ends.append(end)
            self._whose.append(len(self._names) - 1)

    def _crossing(self, cluster: int, begin: int, named: bool) -> str:
        name = ""
        if named and len(self._starts) <= _NAMED:
            spans = zip(self._starts, self._ends, strict=True)
            index = next((i for i, (a, b) in enumerate(spans) if a <= cluster < b), -1)
            if index >= begin:
                return f"runs in a circle at cluster {cluster}"
            name = self._names[self._whose[index]]
        return f"shares cluster {cluster} with {name or 'another chain or itself'}"


def read_table(pread: Pread, at: Geometry, say: Findings) -> Table | None:
    """The table, the copies compared. None where it cannot be read whole; raises OSError as reading does."""
    active = at.active_fat or 0
    if active >= at.fats:
        say(f"The boot sector makes table {active + 1} the valid one, but there are only {at.fats}.")
        return None
    raw = _read(pread, at, active)
    if raw is None:
        say("The file allocation table is cut off.")
        return None
    if at.active_fat is None:
        for copy in range(1, at.fats):
            _compare(pread, at, raw, copy, say)
    width = 4 if at.wide else 2
    del raw[(at.clusters + 2) * width :]
    _check_first(raw, at, say)
    return Table(_widened(raw, at.wide))


def _read(pread: Pread, at: Geometry, number: int) -> bytearray | None:
    start = at.first + at.fat_start + number * at.fat_length
    raw = bytearray()
    while len(raw) < at.fat_length:
        piece = pread(start + len(raw), min(_STEP, at.fat_length - len(raw)))
        if not piece:
            return None
        raw += piece
    return raw


def _compare(pread: Pread, at: Geometry, raw: bytearray, copy: int, say: Findings) -> None:
    start = at.first + at.fat_start + copy * at.fat_length
    for offset in range(0, len(raw), _STEP):
        here = raw[offset : offset + _STEP]
        there = pread(start + offset, len(here))
        if there != here:
            differing = (i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b)
            index = next(differing, min(len(here), len(there)))
            cluster = (offset + index) // (4 if at.wide else 2)
            say(f"The copies of the file allocation table differ, first at cluster {cluster}.")
            return


def _check_first(raw: bytearray, at: Geometry, say: Findings) -> None:
    """Entries 0 and 1 hold no clusters: the kind of medium, and whether the volume was left in order."""
    if at.wide:
        media, state = (int.from_bytes(raw[i : i + 4], "little") & 0x0FFFFFFF for i in (0, 4))
        dirty = (state & _CLEAN_BITS) != _CLEAN_BITS
        end = (state | _CLEAN_BITS) >= _END
    else:
        media, state = (int.from_bytes(raw[i : i + 2], "little") | 0x0FFF0000 for i in (0, 2))
        dirty = (state & 0xC000) != 0xC000
        end = (state | 0xC000) >= _END
    if media != 0x0FFFFF00 | at.media:
        say("The file allocation table does not begin with the kind of medium.")
    if not end:
        say("The second entry of the file allocation table is no end mark.")
    elif dirty:
        say("The file allocation table is marked as not properly closed, or with errors.")


def _widened(raw: bytearray, wide: bool) -> array[int]:
    if wide:
        raw[3::4] = raw[3::4].translate(_LOW_NIBBLE)
        return _native(array("I"), raw)
    narrow = _native(array("H"), raw)
    return array("I", (value if value < 0xFFF7 else value | 0x0FFF0000 for value in narrow))


def _native(into: array[int], raw: bytearray) -> array[int]:
    into.frombytes(raw)
    if sys.byteorder == "big":
        into.byteswap()
    return into


def _little(entries: array[int]) -> bytes:
    if sys.byteorder == "big":
        entries = entries[:]
        entries.byteswap()
    return entries.tobytes()


def _maps(raw: bytes) -> tuple[bytes, bytes]:
    """One byte per cluster: where a chain does not go on with the next cluster; where a cluster is in use.

    Whole blocks of entries are compared as numbers of 256 KiB.
    """
    following = int.from_bytes(_little(array("I", range(1, _LANES + 1))), "little")
    step = int.from_bytes(_LANES.to_bytes(4, "little") * _LANES, "little")
    bad = int.from_bytes(_BAD.to_bytes(4, "little") * _LANES, "little")
    breaks, taken = bytearray(), bytearray()
    for at in range(0, len(raw), _LANES * 4):
        block = raw[at : at + _LANES * 4]
        value, mask = int.from_bytes(block, "little"), (1 << len(block) * 8) - 1
        breaks += _differing(value ^ (following & mask), len(block))
        used = int.from_bytes(_differing(value, len(block)), "little")
        fine = int.from_bytes(_differing(value ^ (bad & mask), len(block)), "little")
        taken += (used & fine).to_bytes(len(block) // 4, "little")
        following += step
    return bytes(breaks), bytes(taken)


def _differing(lanes: int, length: int) -> bytes:
    """1 for each four bytes that are not all zero."""
    raw = lanes.to_bytes(length, "little")
    merged = 0
    for plane in range(4):
        merged |= int.from_bytes(raw[plane::4], "little")
    return merged.to_bytes(length // 4, "little").translate(_ONE)
