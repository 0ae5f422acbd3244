"""Disks as VMware reads them, written without VMware: an empty one that grows, and a descriptor around a raw image.

Format: VMware Virtual Disks, Virtual Disk Format 5.0 (technical note); QEMU's block/vmdk.c reads the same.
"""

from __future__ import annotations

import os
import secrets
import struct
from collections.abc import Iterable
from pathlib import Path

SECTOR = 512
GRAIN = 128
"""Sectors that a growing disk takes at a time: 64 KiB."""
LARGEST = 2040 << 30
"""Bytes a disk in one growing file may have: places in it are 32-bit numbers of sectors."""
_ENTRIES = 512
"""Grains one table tells the place of."""
_TABLE = _ENTRIES * 4 // SECTOR
_DESCRIPTOR_AT, _DESCRIPTOR_ROOM = 1, 20
_HEADER = struct.Struct("<4sIIQQQQIQQQB4sH")


def sectors_of(size: int) -> int:
    """Sectors of a growing disk for `size` bytes: whole grains, one at least. Raises ValueError for a bad size."""
    if not 0 < size <= LARGEST:
        raise ValueError(f"a disk of {size} bytes")
    return -(-size // (GRAIN * SECTOR)) * GRAIN


def empty_disk(
    size: int, name: str, content_id: int | None = None
) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """An empty growing disk (`monolithicSparse`) of `size` bytes, named `name` on the disk: (pieces, length).

    A piece is (offset, bytes); all else up to the length is zero. VMware and QEMU add grains at the end.
    Raises ValueError.
    """
    capacity = sectors_of(size)
    tables = -(-capacity // (GRAIN * _ENTRIES))
    directory = -(-tables * 4 // SECTOR)
    spare_at = _DESCRIPTOR_AT + _DESCRIPTOR_ROOM
    main_at = spare_at + directory + tables * _TABLE
    end = main_at + directory + tables * _TABLE
    overhead = -(-end // GRAIN) * GRAIN
    # Flags: line ends can be tested for damage by text transfers (1), there is a second directory (2).
    header = _HEADER.pack(
        b"KDMV", 1, 3, capacity, GRAIN, _DESCRIPTOR_AT, _DESCRIPTOR_ROOM, _ENTRIES,
        spare_at, main_at, overhead, 0, b"\n \r\n", 0,
    )  # fmt: skip
    text = _descriptor(
        "monolithicSparse", f'RW {capacity} SPARSE "{_plain(name)}"', capacity, "lsilogic", content_id
    )
    if len(text) > _DESCRIPTOR_ROOM * SECTOR:
        raise ValueError(f"the name {name} is too long")
    places = [
        (at * SECTOR, struct.pack(f"<{tables}I", *range(first, first + tables * _TABLE, _TABLE)))
        for at in (spare_at, main_at)
        for first in (at + directory,)
    ]
    return ((0, header), (_DESCRIPTOR_AT * SECTOR, text), *places), overhead * SECTOR


def descriptor_around(raw: str, size: int, content_id: int | None = None) -> str:
    """The text that makes a raw image of `size` bytes, lying beside it under the name `raw`, a disk for VMware.

    The image is neither copied nor changed (`monolithicFlat`). Raises ValueError where it is no whole sectors.
    """
    if size <= 0 or size % SECTOR:
        raise ValueError(f"{raw} has {size} bytes, which are no whole sectors")
    sectors = size // SECTOR
    return _descriptor(
        "monolithicFlat", f'RW {sectors} FLAT "{_plain(raw)}" 0', sectors, "ide", content_id
    ).decode()


def write_empty(path: Path, size: int) -> int:
    """Put an empty disk at `path`, in the place of what was there; return its length. Raises OSError, ValueError."""
    pieces, length = empty_disk(size, path.name)
    _put(path, pieces, length)
    return length


def write_around(path: Path, raw: Path) -> int:
    """Put a descriptor for the raw image `raw`, in the same directory, at `path`. Raises OSError, ValueError."""
    data = descriptor_around(raw.name, raw.stat().st_size).encode()
    _put(path, ((0, data),), len(data))
    return len(data)


def _put(path: Path, pieces: Iterable[tuple[int, bytes]], length: int) -> None:
    """A new file beside it first, then its name: never half of one. What is zero takes no room."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            part.chmod(0o600)
            for at, data in pieces:
                file.seek(at)
                file.write(data)
            file.truncate(length)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _descriptor(kind: str, extent: str, sectors: int, adapter: str, content_id: int | None) -> bytes:
    number = secrets.randbelow(0xFFFFFFFE) if content_id is None else content_id
    # Sizes as a BIOS counts them: IDE disks with 16 heads, SCSI disks with 255 above 1 GiB.
    heads = 16 if adapter == "ide" or sectors <= 2 << 20 else 255
    cylinders = sectors // (heads * 63)
    if adapter == "ide":
        cylinders = min(cylinders, 16383)
    return (
        "# Disk DescriptorFile\n"
        "version=1\n"
        f"CID={number:08x}\n"
        "parentCID=ffffffff\n"
        f'createType="{kind}"\n\n'
        f"# Extent description\n{extent}\n\n"
        "# The Disk Data Base\n#DDB\n\n"
        f'ddb.adapterType = "{adapter}"\n'
        f'ddb.geometry.cylinders = "{max(1, cylinders)}"\n'
        f'ddb.geometry.heads = "{heads}"\n'
        'ddb.geometry.sectors = "63"\n'
        'ddb.virtualHWVersion = "19"\n'
    ).encode()


def _plain(name: str) -> str:
    if not name or any(letter in name for letter in '"/\\\r\n'):
        raise ValueError(f"{name!r} cannot be named in a disk's description")
    return name
