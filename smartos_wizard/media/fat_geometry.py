"""Where the parts of a FAT32 volume lie, read from its boot sector and believed only where it makes sense.

Numbers: Microsoft's FAT specification (fatgen103).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.volume import Volume

SECTOR = 512
_DIRTY_AT = 0x41
"""Where Linux and Windows note in the boot sector that the volume was not unmounted (bit 0)."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """A FAT32 volume in sectors of 512 bytes; clusters are numbered from 2 to `last`."""

    cluster_sectors: int
    reserved: int
    fats: int
    fat_sectors: int
    sectors: int
    root: int
    info: int
    backup: int
    dirty: bool

    @property
    def data(self) -> int:
        """First sector of cluster 2."""
        return self.reserved + self.fats * self.fat_sectors

    @property
    def last(self) -> int:
        """The highest cluster number."""
        room = (self.sectors - self.data) // self.cluster_sectors
        return min(room, self.fat_sectors * SECTOR // 4 - 2) + 1

    @property
    def cluster_size(self) -> int:
        """Bytes per cluster."""
        return self.cluster_sectors * SECTOR

    def offset_of(self, cluster: int) -> int:
        """Byte offset of a cluster in the volume."""
        return (self.data + (cluster - 2) * self.cluster_sectors) * SECTOR

    def fat_offset(self, copy: int) -> int:
        """Byte offset of a copy of the file allocation table."""
        return (self.reserved + copy * self.fat_sectors) * SECTOR


def read_geometry(volume: Volume) -> Geometry:
    """The geometry of the FAT32 volume. Raises Refused `not-fat32` where it is another or none, OSError."""
    if volume.size < 64 * SECTOR:
        raise _not("It is too small to hold one.")
    boot = volume.read(0, SECTOR)
    if boot[510:] != b"\x55\xaa":
        raise _not("Its boot sector has no signature.")
    sector, spc, reserved, fats, roots, small, _media, fat16 = struct.unpack_from("<HBHBHHBH", boot, 11)
    large, fat32, flags, version, root, info, backup = struct.unpack_from("<IIHHIHH", boot, 32)
    if fat16 or roots or small:
        raise _not("It is FAT16 or FAT12.")
    if sector != SECTOR:
        raise _not(f"Its sectors have {sector} bytes instead of 512.")
    if spc not in (1, 2, 4, 8, 16, 32, 64, 128) or fats not in (1, 2) or version:
        raise _not("Its boot sector makes no sense.")
    if flags & 0x80:
        raise _not("Only one of its file allocation tables is kept up to date.")
    found = Geometry(
        spc, reserved, fats, fat32, large, root & 0x0FFFFFFF, info, backup, bool(boot[_DIRTY_AT] & 1)
    )
    if reserved < 2 or not fat32 or large * SECTOR > volume.size or found.data >= large:
        raise _not("Its boot sector tells of more than there is.")
    if not 2 <= found.root <= found.last:
        raise _not("Its root directory lies outside.")
    return found


def without_dirt(boot: bytes) -> bytes:
    """The boot sector, saying that the volume was unmounted."""
    return boot[:_DIRTY_AT] + bytes([boot[_DIRTY_AT] & ~1]) + boot[_DIRTY_AT + 1 :]


def _not(why: str) -> Refused:
    return Refused(
        "not-fat32",
        f"There is no FAT32 file system that could be changed: {why} Nothing was changed.",
        hint="Write the key anew with `smartos-wizard key write`.",
    )
