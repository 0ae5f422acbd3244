"""Making FAT32 file systems: an empty one for a restored key, one full of files for practice images.

Yields extents, (offset, bytes) pairs in rising order, and writes nothing itself. Imports nothing that
reads devices. Numbers: Microsoft's FAT specification (fatgen103).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from smartos_wizard.media.fat_tree import Content, Placed, place, short_label

SECTOR = 512
_RESERVED = 32
_FATS = 2
_FEWEST_CLUSTERS = 65525
_MOST_CLUSTERS = 0x0FFFFFF5
_END_OF_CHAIN = 0x0FFFFFFF
_CHUNK = 1 << 20

Extent = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class FatLayout:
    """Where the parts of a FAT32 volume lie, in sectors of 512 bytes."""

    sectors: int
    cluster_sectors: int
    reserved: int
    fat_sectors: int

    @property
    def data_start(self) -> int:
        """First sector of cluster 2."""
        return self.reserved + _FATS * self.fat_sectors

    @property
    def clusters(self) -> int:
        """How many clusters hold data."""
        return (self.sectors - self.data_start) // self.cluster_sectors

    def offset_of(self, cluster: int) -> int:
        """Byte offset of a cluster in the volume."""
        return (self.data_start + (cluster - 2) * self.cluster_sectors) * SECTOR


def layout_of(size: int, cluster_sectors: int | None = None) -> FatLayout:
    """How a volume of `size` bytes is divided.

    Without `cluster_sectors` the clusters are as large as other systems would make them, and every part
    begins on a multiple of 4096 bytes. Raises ValueError where FAT32 cannot have that size (the fewest
    clusters are 65,525; about 33 MiB with 512-byte clusters).
    """
    sectors = min(size // SECTOR, 0xFFFFFFFF)
    unit = 8 if cluster_sectors is None else 1
    spc = cluster_sectors or _usual_cluster(sectors)
    clusters = max(0, sectors - _RESERVED) // spc
    fat_sectors = -(-(clusters + 2) * 4 // SECTOR)
    fat_sectors += -fat_sectors % unit
    layout = FatLayout(sectors, spc, _RESERVED, fat_sectors)
    if not _FEWEST_CLUSTERS <= layout.clusters <= _MOST_CLUSTERS:
        raise ValueError(f"FAT32 of {size} bytes cannot have clusters of {spc * SECTOR} bytes")
    return _tightened(layout) if unit == 1 else layout


def _tightened(layout: FatLayout) -> FatLayout:
    """The same with the smallest FAT that still covers its clusters."""
    while True:
        needed = -(-(layout.clusters + 2) * 4 // SECTOR)
        smaller = FatLayout(layout.sectors, layout.cluster_sectors, layout.reserved, layout.fat_sectors - 1)
        if layout.fat_sectors <= needed or -(-(smaller.clusters + 2) * 4 // SECTOR) > smaller.fat_sectors:
            return layout
        layout = smaller


def _usual_cluster(sectors: int) -> int:
    """Sectors per cluster as common formatters choose them, small volumes rounded to what FAT32 allows."""
    for limit_mib, spc in ((260, 1), (8192, 8), (16384, 16), (32768, 32)):
        if sectors <= limit_mib * 2048:
            return spc
    return 64


def format_fat32(
    size: int,
    label: str,
    cluster_sectors: int | None = None,
    *,
    files: Mapping[str, Content] | None = None,
    serial: int = 0x5AA5_0001,
    hidden_sectors: int = 0,
    fresh: bool = False,
) -> Iterator[Extent]:
    """The extents of a FAT32 volume of `size` bytes with the `files` in it, laid one after another.

    `hidden_sectors` is where the partition starts on its disk. `fresh` says that the target holds only
    zeros, so the empty rest of the FATs and of the reserved sectors need not be written. Every FAT of an old file
    system is overwritten otherwise. Raises ValueError where the size or the files do not fit.
    """
    layout = layout_of(size, cluster_sectors)
    placed = place(label, files or {}, layout.cluster_sectors * SECTOR)
    if placed.clusters > layout.clusters:
        raise ValueError(f"the files need {placed.clusters} clusters, the volume has {layout.clusters}")
    return _extents(layout, label, placed, serial, hidden_sectors, fresh)


def _extents(
    layout: FatLayout, label: str, placed: Placed, serial: int, hidden: int, fresh: bool
) -> Iterator[Extent]:
    yield 0, _reserved_area(layout, label, serial, hidden, placed.clusters)
    fat = _fat(placed)
    for copy in range(_FATS):
        start = (layout.reserved + copy * layout.fat_sectors) * SECTOR
        yield from _fat_extents(start, fat, layout.fat_sectors * SECTOR, fresh)
    for cluster, data in placed.data():
        yield layout.offset_of(cluster), data


def _fat_extents(start: int, fat: bytes, length: int, fresh: bool) -> Iterator[Extent]:
    for at in range(0, len(fat), _CHUNK):
        yield start + at, fat[at : at + _CHUNK]
    if not fresh:
        for at in range(len(fat), length, _CHUNK):
            yield start + at, bytes(min(_CHUNK, length - at))


def _fat(placed: Placed) -> bytes:
    """The used beginning of the FAT, whole sectors. Chains are sequential: each entry names the next."""
    table = array("I", range(1, placed.clusters + 3))
    if table.itemsize != 4:  # pragma: no cover - no such system is known to run this
        table = array("L", table)
    table[0], table[1] = 0x0FFFFFF8, 0x0FFFFFFF
    for last in placed.last_clusters:
        table[last] = _END_OF_CHAIN
    data = table[: placed.clusters + 2].tobytes()
    return data + bytes(-len(data) % 4096)


def _reserved_area(layout: FatLayout, label: str, serial: int, hidden: int, used: int) -> bytes:
    area = bytearray(layout.reserved * SECTOR)
    boot = _boot_sector(layout, label, serial, hidden)
    info = _info_sector(layout.clusters - used, used + 2)
    third = bytes(510) + b"\x55\xaa"
    for at in (0, 6):
        for index, sector in enumerate((boot, info, third)):
            area[(at + index) * SECTOR : (at + index + 1) * SECTOR] = sector
    return bytes(area)


def _boot_sector(layout: FatLayout, label: str, serial: int, hidden: int) -> bytes:
    head = struct.pack(
        "<3s8sHBHBHHBHHHII",
        b"\xeb\x58\x90",
        b"MSDOS5.0",
        SECTOR,
        layout.cluster_sectors,
        layout.reserved,
        _FATS,
        0,
        0,
        0xF8,
        0,
        63,
        255,
        hidden,
        layout.sectors,
    )
    tail = struct.pack(
        "<IHHIHH12xBBBI11s8s",
        layout.fat_sectors,
        0,
        0,
        2,
        1,
        6,
        0x80,
        0,
        0x29,
        serial,
        short_label(label),
        b"FAT32   ",
    )
    # Halts with interrupts off: a restored key says nothing instead of running into random bytes.
    code = b"\xfa\xf4\xeb\xfd"
    return (head + tail + code).ljust(510, b"\0") + b"\x55\xaa"


def _info_sector(free: int, next_free: int) -> bytes:
    return struct.pack("<4s480x4sII12x4s", b"RRaA", b"rrAa", free, next_free, b"\0\0\x55\xaa")
