"""One directory of a FAT32 volume in memory: its entries, and changing them in place.

Nothing is written here; `dirty` says which of its sectors changed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from smartos_wizard.media.fat_geometry import SECTOR, Geometry
from smartos_wizard.media.fat_names import (
    ARCHIVE,
    DIRECTORY,
    ENTRY,
    LONG,
    VOLUME,
    checksum_of,
    dir_entry,
    fits_short,
    long_entries,
    short_name,
)
from smartos_wizard.media.fat_table import Run, damaged

_FREE, _END, _KANJI = 0xE5, 0x00, 0x05
_MOST_SLOTS = 65536
"""A FAT directory has at most 2 MiB."""


@dataclass(slots=True)
class Entry:
    """A file or directory: its name, and where its entries stand (`slot` the first, `count` with long ones)."""

    name: str
    short: bytes
    attributes: int
    cluster: int
    size: int
    slot: int
    count: int

    @property
    def directory(self) -> bool:
        """Whether it is a directory."""
        return bool(self.attributes & DIRECTORY)

    @property
    def last(self) -> int:
        """The slot of its short entry, which is the one that counts."""
        return self.slot + self.count - 1


class Directory:
    """A directory held in memory. `runs` are its clusters, `new` says that nothing points at it yet."""

    def __init__(self, geometry: Geometry, runs: list[Run], data: bytes, *, new: bool = False) -> None:
        self.geometry = geometry
        self.runs = runs
        self.data = bytearray(data)
        self.new = new
        self.dirty: set[int] = set()
        self.entries = _parse(self.data)

    @property
    def first(self) -> int:
        """Its first cluster."""
        return self.runs[0][0]

    def find(self, name: str) -> Entry | None:
        """The entry of that name, upper and lower case being the same, or None."""
        folded = name.casefold()
        for entry in self.entries:
            if entry.name.casefold() == folded or _dotted(entry.short).casefold() == folded:
                return entry
        return None

    def offset_of(self, sector: int) -> int:
        """Where in the volume its sector of that number lies, in bytes."""
        clusters, within = divmod(sector, self.geometry.cluster_sectors)
        for start, count in self.runs:
            if clusters < count:
                return self.geometry.offset_of(start + clusters) + within * SECTOR
            clusters -= count
        raise damaged("a directory is shorter than it should be")

    def sector(self, number: int) -> bytes:
        """The bytes of one of its sectors as they are now."""
        return bytes(self.data[number * SECTOR : (number + 1) * SECTOR])

    def repoint(self, entry: Entry, cluster: int, size: int, when: tuple[int, int]) -> None:
        """Let an entry show another content; its name and place stay."""
        entry.cluster, entry.size = cluster, size
        at = entry.last * ENTRY
        date, clock = when
        struct.pack_into("<H", self.data, at + 20, cluster >> 16)
        struct.pack_into("<HHHI", self.data, at + 22, clock, date, cluster & 0xFFFF, size)
        struct.pack_into("<H", self.data, at + 18, date)
        if not entry.directory:
            entry.attributes |= ARCHIVE
            self.data[at + 11] = entry.attributes
        self._touch(entry.last, 1)

    def add(
        self, name: str, attributes: int, cluster: int, size: int, when: tuple[int, int],
        grow: Callable[[int], list[Run]],
    ) -> Entry:  # fmt: skip
        """Add an entry. `grow(clusters)` gives more clusters for the directory where it is full."""
        short = short_name(name, {e.short for e in self.entries})
        packed = dir_entry(short, attributes, cluster, size, when)
        if not fits_short(name, short):
            packed = long_entries(name, short) + packed
        count = len(packed) // ENTRY
        slot = self._room(count)
        if (slot + count) * ENTRY > len(self.data):
            if slot + count > _MOST_SLOTS:
                raise damaged("a directory is full")
            missing = (slot + count) * ENTRY - len(self.data)
            more = -(-missing // self.geometry.cluster_size)
            self._extend(grow(more), more)
        ended = self._ends_before(slot + count)
        self.data[slot * ENTRY : (slot + count) * ENTRY] = packed
        self._touch(slot, count)
        if ended and (slot + count) * ENTRY < len(self.data) and self.data[(slot + count) * ENTRY] != _END:
            self.data[(slot + count) * ENTRY] = _END  # behind the end there may be anything
            self._touch(slot + count, 1)
        entry = Entry(name, short, attributes, cluster, size, slot, count)
        self.entries.append(entry)
        return entry

    def remove(self, entry: Entry) -> None:
        """Take an entry away; its clusters are somebody else's business."""
        for slot in range(entry.slot, entry.slot + entry.count):
            self.data[slot * ENTRY] = _FREE
        self._touch(entry.slot, entry.count)
        self.entries.remove(entry)

    def set_parent(self, cluster: int) -> None:
        """Let `..` show another directory (0 for the root). Raises Refused where there is no `..`."""
        if self.data[ENTRY : ENTRY + 11] != b"..         ":
            raise damaged("a directory has no entry for the one above it")
        struct.pack_into("<H", self.data, ENTRY + 20, cluster >> 16)
        struct.pack_into("<H", self.data, ENTRY + 26, cluster & 0xFFFF)
        self._touch(1, 1)

    def _room(self, count: int) -> int:
        """The first of `count` free slots in a row; behind the end where there are none."""
        run = 0
        slots = len(self.data) // ENTRY
        for slot in range(slots):
            mark = self.data[slot * ENTRY]
            if mark == _END:
                return slot - run
            run = run + 1 if mark == _FREE else 0
            if run == count:
                return slot - count + 1
        return slots - run

    def _ends_before(self, slot: int) -> bool:
        """Whether the end of the directory is marked before `slot`."""
        return any(self.data[at] == _END for at in range(0, min(slot * ENTRY, len(self.data)), ENTRY))

    def _extend(self, runs: list[Run], clusters: int) -> None:
        self.runs = [*self.runs, *runs]
        self.data += bytes(clusters * self.geometry.cluster_size)

    def _touch(self, slot: int, count: int) -> None:
        first, last = slot * ENTRY // SECTOR, (slot + count - 1) * ENTRY // SECTOR
        self.dirty.update(range(first, last + 1))


def fresh(geometry: Geometry, runs: list[Run], parent: int, when: tuple[int, int]) -> Directory:
    """An empty directory in these clusters; `parent` is the cluster of the one above, 0 for the root."""
    first = runs[0][0]
    data = dir_entry(b".          ", DIRECTORY, first, 0, when)
    data += dir_entry(b"..         ", DIRECTORY, parent, 0, when)
    clusters = sum(count for _first, count in runs)
    return Directory(geometry, runs, data.ljust(clusters * geometry.cluster_size, b"\0"), new=True)


def _parse(data: bytearray) -> list[Entry]:
    entries: list[Entry] = []
    parts: list[tuple[int, bytes]] = []
    for slot in range(len(data) // ENTRY):
        raw = bytes(data[slot * ENTRY : (slot + 1) * ENTRY])
        if raw[0] == _END:
            break
        if raw[0] == _FREE:
            parts = []
        elif raw[11] & 0x3F == LONG:
            if raw[0] & 0x40:
                parts = []
            parts.append((raw[0] & 0x3F, raw))
        else:
            if not raw[11] & VOLUME and raw[:11] not in (b".          ", b"..         "):
                entries.append(_entry(raw, slot, parts))
            parts = []
    return entries


def _entry(raw: bytes, slot: int, parts: list[tuple[int, bytes]]) -> Entry:
    short, attributes = raw[:11], raw[11]
    high, low, size = struct.unpack_from("<H", raw, 20)[0], *struct.unpack_from("<HI", raw, 26)
    cluster = ((high << 16) | low) & 0x0FFFFFFF
    count = 1
    name = _cased(short, raw[12])
    orders = [order for order, _ in parts]
    if (
        parts
        and orders == list(range(len(parts), 0, -1))
        and all(p[13] == checksum_of(short) for _, p in parts)
    ):
        units = b"".join(p[1:11] + p[14:26] + p[28:32] for _, p in reversed(parts))
        long = units.decode("utf-16-le", "surrogatepass").split("\0", 1)[0]
        name, count = long, 1 + len(parts)
    return Entry(name, short, attributes, cluster, size, slot - count + 1, count)


def _dotted(short: bytes) -> str:
    if short[:1] == bytes([_KANJI]):
        short = bytes([_FREE]) + short[1:]
    base, extension = short[:8].decode("cp437").rstrip(), short[8:].decode("cp437").rstrip()
    return f"{base}.{extension}" if extension else base


def _cased(short: bytes, flags: int) -> str:
    base, dot, extension = _dotted(short).partition(".")
    return (base.lower() if flags & 0x08 else base) + dot + (extension.lower() if flags & 0x10 else extension)
