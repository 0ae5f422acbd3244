"""Small FAT volumes for tests. The FAT16 one is made by the simplest writer there can be, used by nothing else."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache

from smartos_wizard.media.fat_format import format_fat32
from smartos_wizard.media.partitions import Pread
from tests.unit.media.fat_damages import TREE

FAT32_SIZE = 34 << 20
FAT16_SIZE = 4 << 20
_KEPT = 2 << 20  # tables and files lie in the first bytes, the rest is zeros


def size_of(wide: bool) -> int:
    return FAT32_SIZE if wide else FAT16_SIZE


@lru_cache(maxsize=2)
def sample(wide: bool) -> bytes:
    """The beginning of a volume that holds TREE."""
    if not wide:
        return bytes(_fat16(TREE))
    image = bytearray(_KEPT)
    for offset, data in format_fat32(FAT32_SIZE, "sample", 1, files=TREE, fresh=True):
        if offset < _KEPT:
            image[offset : offset + len(data)] = data
    return bytes(image)


def reading(image: bytes | bytearray, size: int, first: int = 0) -> Pread:
    """Reads a volume that lies at byte `first`, zeros behind what is kept."""

    def pread(at: int, length: int) -> bytes:
        start = at - first
        end = max(start, min(start + length, size))
        return bytes(image[start:end]).ljust(end - start, b"\0")

    return pread


_RESERVED, _FAT_SECTORS, _ROOTS = 1, 32, 512
_DATA = (_RESERVED + 2 * _FAT_SECTORS) * 512 + _ROOTS * 32


def _fat16(files: Mapping[str, bytes]) -> bytearray:
    image = bytearray(_KEPT)
    sectors = FAT16_SIZE // 512
    boot = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x3c\x90", b"SAMPLE", 512, 1, _RESERVED, 2, _ROOTS, sectors,
                       0xF8, _FAT_SECTORS, 63, 16, 0, 0)  # fmt: skip
    image[: len(boot)] = boot
    image[36:62] = struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0x5AA5_0016, b"NO NAME    ", b"FAT16   ")
    image[510:512] = b"\x55\xaa"
    table = [0xFFF8, 0xFFFF]
    directories: dict[str, tuple[int, bytearray]] = {"": (0, bytearray())}
    for path, content in files.items():
        parts = path.rstrip("/").split("/")
        for depth in range(1, len(parts) + path.endswith("/")):
            _directory(directories, table, "/".join(parts[:depth]))
        if not path.endswith("/"):
            start = _take(table, -(-len(content) // 512)) if content else 0
            _enter(directories, path, 0x20, start, len(content))
    for start, entries in directories.values():
        at = _DATA + (start - 2) * 512 if start else _DATA - _ROOTS * 32
        assert len(entries) <= (512 * _ROOM if start else _ROOTS * 32)
        image[at : at + len(entries)] = entries
    raw = struct.pack(f"<{len(table)}H", *table)
    for copy in range(2):
        at = (_RESERVED + copy * _FAT_SECTORS) * 512
        image[at : at + len(raw)] = raw
    return image


_ROOM = 2  # clusters of every directory


def _take(table: list[int], count: int) -> int:
    start = len(table)
    table += [*range(start + 1, start + count), 0xFFFF]
    return start


def _directory(directories: dict[str, tuple[int, bytearray]], table: list[int], path: str) -> None:
    if path in directories:
        return
    start = _take(table, _ROOM)
    _enter(directories, path, 0x10, start, 0)
    parent = directories[path.rpartition("/")[0]][0]
    dots = _entry(b".", 0x10, start, 0) + _entry(b"..", 0x10, parent, 0)
    directories[path] = (start, bytearray(dots))


def _enter(
    directories: dict[str, tuple[int, bytearray]], path: str, kind: int, start: int, size: int
) -> None:
    above, _slash, name = path.rpartition("/")
    entries = directories[above][1]
    short = b"F%07d   " % (len(entries) // 32)
    total = 0
    for byte in short:
        total = ((total >> 1) + ((total & 1) << 7) + byte) & 0xFF
    count = -(-len(name) // 13)
    units = (name + "\0" * (len(name) % 13 > 0)).encode("utf-16-le").ljust(count * 26, b"\xff")
    for number in range(count, 0, -1):
        part = units[number * 26 - 26 : number * 26]
        order = number | 0x40 * (number == count)
        entries += struct.pack("<B10sBBB12sH4s", order, part[:10], 15, 0, total, part[10:22], 0, part[22:])
    entries += _entry(short, kind, start, size)


def _entry(short: bytes, kind: int, start: int, size: int) -> bytes:
    return struct.pack("<11sB8xHHHHI", short.ljust(11), kind, 0, 0, 0x5821, start, size)
