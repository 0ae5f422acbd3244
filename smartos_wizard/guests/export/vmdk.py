"""Writes VMDK files of the kind that OVA archives carry: `streamOptimized`, compressed, from front to back.

Layout: VMware's Virtual Disk Format 5.0, stream-optimized compressed sparse extents. A header, the descriptor,
then for every 32 MiB of disk its compressed grains and their table, at last the directory, a footer with the
place of the directory, and an end mark. Parts that hold nothing are not there at all.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from isal import isal_zlib

from smartos_wizard.core.errors import Refused

SECTOR = 512
GRAIN = 64 << 10
PER_TABLE = 512
FORMAT = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
_OVERHEAD, _DESCRIPTOR = 128, 20  # sectors
_AT_END = 0xFFFF_FFFF_FFFF_FFFF
_END, _TABLE, _DIRECTORY, _FOOTER = range(4)
_LARGEST = 62 << 40


def capacity_of(size: int) -> int:
    """The bytes of a disk as VMDK has them: whole grains."""
    return -(-size // GRAIN) * GRAIN


class StreamVmdk:
    """One disk, written through `write` with nothing ever written twice. Grains come in ascending order.

    Raises Refused `disk-too-large` for what the format cannot hold.
    """

    def __init__(self, write: Callable[[bytes], object], size: int, name: str, cid: int) -> None:
        self._write = write
        self._capacity = capacity_of(size)
        if self._capacity > _LARGEST:
            raise Refused("disk-too-large", "A VMDK holds 62 TiB at most.")
        tables = -(-self._capacity // (GRAIN * PER_TABLE))
        self._directory = [0] * tables
        self._table = [0] * PER_TABLE
        self._current = 0
        self._last = -1
        self._sector = 0
        self._put(self._header(_AT_END))
        self._put(descriptor(self._capacity, name, cid).ljust(_DESCRIPTOR * SECTOR, b"\0"))
        self._put(bytes((_OVERHEAD - self._sector) * SECTOR))

    def put(self, offset: int, data: bytes) -> None:
        """Add what lies at `offset`, a multiple of the grain; zeros are left out."""
        for at in range(0, len(data), GRAIN):
            self._grain((offset + at) // GRAIN, data[at : at + GRAIN])

    def close(self) -> int:
        """Write what comes at the end; return the bytes of the whole file."""
        self._flush()
        self._marker((len(self._directory) * 4 + SECTOR - 1) // SECTOR, _DIRECTORY)
        place = self._sector
        self._put(_padded(struct.pack(f"<{len(self._directory)}I", *self._directory)))
        self._marker(1, _FOOTER)
        self._put(self._header(place))
        self._marker(0, _END)
        return self._sector * SECTOR

    def _grain(self, number: int, data: bytes) -> None:
        if number <= self._last:
            raise ValueError(f"grain {number} after {self._last}")
        if not data.strip(b"\0"):
            return
        self._last = number
        if number // PER_TABLE != self._current:
            self._flush()
            self._current = number // PER_TABLE
        if self._sector >> 32:
            raise Refused(
                "disk-too-large", "What the disk holds is more than a VMDK of this kind can: 2 TiB."
            )
        self._table[number % PER_TABLE] = self._sector
        packed = _packed(data.ljust(GRAIN, b"\0"))
        self._put(_padded(struct.pack("<QI", number * (GRAIN // SECTOR), len(packed)) + packed))

    def _flush(self) -> None:
        if not any(self._table):
            return
        self._marker(PER_TABLE * 4 // SECTOR, _TABLE)
        self._directory[self._current] = self._sector
        self._put(struct.pack(f"<{PER_TABLE}I", *self._table))
        self._table = [0] * PER_TABLE

    def _marker(self, sectors: int, kind: int) -> None:
        self._put(_padded(struct.pack("<QII", sectors, 0, kind)))

    def _header(self, directory: int) -> bytes:
        # Flags: the line-end test is valid, grains are compressed, markers are there.
        head = struct.pack(
            "<4sIIQQQQIQQQB4sH", b"KDMV", 3, 1 | 1 << 16 | 1 << 17, self._capacity // SECTOR, GRAIN // SECTOR,
            1, _DESCRIPTOR, PER_TABLE, 0, directory, _OVERHEAD, 0, b"\n \r\n", 1,
        )  # fmt: skip
        return _padded(head)

    def _put(self, data: bytes) -> None:
        self._write(data)
        self._sector += len(data) // SECTOR


def descriptor(capacity: int, name: str, cid: int) -> bytes:
    """The description of the disk as text; `name` is the file's own."""
    cylinders = min(16383, capacity // SECTOR // (255 * 63))
    return (
        "# Disk DescriptorFile\nversion=1\n"
        f"CID={cid & 0xFFFFFFFE:08x}\nparentCID=ffffffff\ncreateType=\"streamOptimized\"\n\n"
        f"# Extent description\nRW {capacity // SECTOR} SPARSE \"{name}\"\n\n"
        "# The Disk Data Base\n#DDB\n\n"
        f'ddb.adapterType = "lsilogic"\nddb.geometry.cylinders = "{cylinders}"\n'
        'ddb.geometry.heads = "255"\nddb.geometry.sectors = "63"\nddb.virtualHWVersion = "10"\n'
    ).encode("ascii")  # fmt: skip


def _packed(grain: bytes) -> bytes:
    packed: bytes = isal_zlib.compress(grain, 1)
    # Readers have room for little more than a grain; what does not shrink is stored.
    return packed if len(packed) <= GRAIN + 64 else zlib.compress(grain, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % SECTOR)
