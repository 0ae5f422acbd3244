"""Entries of FAT directories: short names, long names, and the 32 bytes of each.

Pure; imports nothing of this program. Numbers: Microsoft's FAT specification (fatgen103).
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Collection

ENTRY = 32
"""Bytes of one directory entry."""
DIRECTORY, ARCHIVE, VOLUME, LONG = 0x10, 0x20, 0x08, 0x0F
_SHORT_OK = re.compile(r"[A-Z0-9$%'\-_@~`!(){}^#&]+\Z")
# 2024-01-01 00:00: the same tree gives the same bytes.
_FIXED = (((2024 - 1980) << 9) | (1 << 5) | 1, 0)


def dos_time(seconds: float) -> tuple[int, int]:
    """Date and time (UTC) as FAT has them, to two seconds; years before 1980 and after 2107 become those."""
    t = time.gmtime(max(0.0, seconds))
    year = min(2107, max(1980, t.tm_year))
    return ((year - 1980) << 9) | (t.tm_mon << 5) | t.tm_mday, (t.tm_hour << 11) | (t.tm_min << 5) | (
        t.tm_sec // 2
    )


def dir_entry(
    short: bytes, attributes: int, cluster: int, size: int, when: tuple[int, int] = _FIXED
) -> bytes:
    """One entry of 32 bytes; `when` is date and time as `dos_time` gives them."""
    date, clock = when
    return struct.pack(
        "<11sBBBHHHHHHHI",
        short,
        attributes,
        0,
        0,
        clock,
        date,
        date,
        cluster >> 16,
        clock,
        date,
        cluster & 0xFFFF,
        size,
    )


def checksum_of(short: bytes) -> int:
    """What long entries carry to say whose they are: the checksum of the eleven bytes of the short name."""
    checksum = 0
    for byte in short:
        checksum = (((checksum & 1) << 7) + (checksum >> 1) + byte) & 0xFF
    return checksum


def long_entries(name: str, short: bytes) -> bytes:
    """The entries that carry `name`, in the order in which they stand before the short one."""
    checksum = checksum_of(short)
    units = name.encode("utf-16-le")
    count = -(-len(units) // 26)
    if len(units) < count * 26:
        units = (units + b"\0\0").ljust(count * 26, b"\xff")
    out = b""
    for index in range(count):
        part = units[index * 26 : index * 26 + 26]
        order = index + 1 | (0x40 if index + 1 == count else 0)
        packed = struct.pack(
            "<B10sBBB12sH4s", order, part[:10], LONG, 0, checksum, part[10:22], 0, part[22:26]
        )
        out = packed + out
    return out


def fits_short(name: str, short: bytes) -> bool:
    """Whether the short name says all of `name`, so that no long entries are needed."""
    base, extension = short[:8].decode().rstrip(), short[8:].decode().rstrip()
    return name == (f"{base}.{extension}" if extension else base)


def short_name(name: str, taken: Collection[bytes]) -> bytes:
    """Eleven bytes for `name` that are not in `taken`. Raises ValueError after a million tries."""
    stem, _dot, extension = name.upper().lstrip(".").rpartition(".")
    if not stem:
        stem, extension = extension, ""
    base, suffix = _clean(stem), _clean(extension)[:3]
    plain = base[:8].ljust(8).encode() + suffix.ljust(3).encode()
    exact = (
        len(base) <= 8 and base == stem and len(extension) <= 3 and suffix == extension and name[:1] != "."
    )
    if exact and plain not in taken:
        return plain
    for number in range(1, 1_000_000):
        tail = f"~{number}"
        short = (base[: 8 - len(tail)] + tail).ljust(8).encode() + suffix.ljust(3).encode()
        if short not in taken:
            return short
    raise ValueError(f"too many names like {name}")


def _clean(text: str) -> str:
    return "".join(c if _SHORT_OK.match(c) else "" if c in " ." else "_" for c in text)
