"""The boot sector of a FAT volume under judgement: where the parts lie, and what about them is wrong.

Shares no code with what writes volumes or reads files out of them. Layout: Microsoft's FAT specification
(fatgen103), "Boot Sector and BPB" and "FAT32 FSInfo Sector Structure and Backup Boot Sector".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from smartos_wizard.core.text import exact
from smartos_wizard.media.partitions import Pread

_MOST_CLUSTERS = 1 << 24  # 64 MiB of table; a key has 3.2 million clusters
_MOST_FINDINGS = 100
_NONE = (0, 0xFFFF)
_FIELDS_END = 90
_UNKNOWN = 0xFFFFFFFF
_MEDIA = (0xF0, *range(0xF8, 0x100))


class Findings:
    """Sentences, at most a hundred of them; the rest is only counted, because a hostile volume has millions."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._more = 0

    def __call__(self, sentence: str) -> None:
        if len(self._said) < _MOST_FINDINGS:
            self._said.append(sentence)
        else:
            self._more += 1

    @property
    def full(self) -> bool:
        """Whether another sentence would only be counted."""
        return len(self._said) >= _MOST_FINDINGS

    def sentences(self) -> tuple[str, ...]:
        """What was found, in the order it was found."""
        more = (f"And {self._more} more things are wrong.",) if self._more else ()
        return (*self._said, *more)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the parts of a volume lie: offsets and lengths in bytes from its start, `first` from the disk's."""

    first: int
    wide: bool
    sector: int
    cluster: int
    clusters: int
    fats: int
    fat_start: int
    fat_length: int
    root_start: int
    root_length: int
    root_cluster: int
    data_start: int
    media: int
    info: int
    backup: int
    active_fat: int | None

    @property
    def last(self) -> int:
        """The highest number of a cluster; the lowest is 2."""
        return self.clusters + 1

    def offset_of(self, cluster: int) -> int:
        """Byte offset of a cluster from the start of the disk."""
        return self.first + self.data_start + (cluster - 2) * self.cluster


def read_geometry(pread: Pread, first: int, size: int, say: Findings) -> Geometry | None:
    """What the boot sector says, None where nothing can be looked for by it; faults go to `say`.

    Raises OSError as the reading function does.
    """
    boot = pread(first, min(512, size))
    if len(boot) < 512 or boot[510:512] != b"\x55\xaa":
        say("There is no FAT file system: the boot sector lacks its mark.")
        return None
    sector, spc, reserved, fats, root_entries, short_total, media, narrow = struct.unpack_from(
        "<HBHBHHBH", boot, 11
    )
    total, fat_sectors = struct.unpack_from("<II", boot, 32)
    wide = narrow == 0
    total = short_total or total
    fat_sectors = fat_sectors if wide else narrow
    if sector not in (512, 1024, 2048, 4096) or not spc or spc & (spc - 1):
        say("The boot sector tells impossible sizes of sectors or clusters.")
        return None
    if not reserved or fats not in (1, 2) or not fat_sectors or (wide == bool(root_entries)):
        say("The boot sector contradicts itself: file allocation tables or root directory have no place.")
        return None
    root_start = (reserved + fats * fat_sectors) * sector
    root_length = root_entries * 32
    data_start = root_start + -(-root_length // sector) * sector
    clusters = (min(total * sector, size) - data_start) // (sector * spc)
    if total * sector > size:
        say(
            f"The file system claims {exact(total * sector)} bytes, more than the {exact(size)} of its partition."
        )
    if not _bearable(clusters, fat_sectors * sector // (4 if wide else 2) - 2, wide, say):
        return None
    ext_flags, version, root_cluster, info, backup = (
        struct.unpack_from("<HHIHH", boot, 40) if wide else (0, 0, 0, 0, 0)
    )
    _judge(boot, media, version, sector, root_length, say)
    return Geometry(
        first, wide, sector, sector * spc, clusters, fats, reserved * sector, fat_sectors * sector,
        root_start, root_length, root_cluster, data_start, media,
        0 if info in _NONE else info, 0 if backup in _NONE else backup,
        ext_flags & 0x0F if ext_flags & 0x80 else None,
    )  # fmt: skip


def _bearable(clusters: int, room: int, wide: bool, say: Findings) -> bool:
    if clusters < 1 or clusters > room:
        say(
            "The boot sector contradicts itself: the file allocation table does not fit the number of clusters."
        )
    elif clusters > _MOST_CLUSTERS:
        say(f"The file system has {clusters} clusters, more than this check looks at.")
    elif not wide and clusters < 4085:
        say("The file system is FAT12, which is for floppy disks.")
    elif not wide and clusters >= 65525:
        say(f"The file system says FAT16, but has {clusters} clusters, too many for that.")
    else:
        if wide and clusters < 65525:
            say(f"The file system says FAT32, but has only {clusters} clusters, too few for that.")
        return True
    return False


def _judge(boot: bytes, media: int, version: int, sector: int, root_length: int, say: Findings) -> None:
    if not (boot[0] == 0xE9 or (boot[0] == 0xEB and boot[2] == 0x90)):
        say("The boot sector does not begin with a jump.")
    if media not in _MEDIA:
        say(f"The boot sector names an unknown kind of medium, {media:02X}.")
    if version:
        say(f"The file system has version {version >> 8}.{version & 0xFF}; only 0.0 is known.")
    if root_length % sector:
        say("The root directory does not fill whole sectors.")


def check_reserved(pread: Pread, at: Geometry, free: int, say: Findings) -> None:
    """The sectors before the tables: dirty mark, backup boot sector, FSInfo against `free` clusters."""
    boot = pread(at.first, 512)
    state = 0x41 if at.wide else 0x25
    if len(boot) == 512 and boot[state] & 0x01:
        say("The file system is marked as not properly unmounted.")
    if not at.wide:
        return
    sectors = at.fat_start // at.sector
    for number, what in ((at.info, "FSInfo sector"), (at.backup, "backup boot sector")):
        if number >= sectors:
            say(f"The {what} is said to be sector {number}, outside the reserved {sectors}.")
    if at.backup and at.backup < sectors:
        copy = pread(at.first + at.backup * at.sector, 512)
        # The fields, not the boot code, which an installer of boot loaders may have put into the first only.
        # A mounted volume is marked in the first only, too.
        fields = (slice(510, 512), slice(11, state), slice(state + 1, _FIELDS_END))
        if any(copy[part] != boot[part] for part in fields):
            say("The boot sector and its backup differ.")
    if at.info and at.info < sectors:
        _check_info(pread(at.first + at.info * at.sector, 512), at, free, say)


def _check_info(info: bytes, at: Geometry, free: int, say: Findings) -> None:
    if len(info) < 512 or info[:4] != b"RRaA" or info[484:488] != b"rrAa" or info[508:512] != b"\0\0\x55\xaa":
        say("The FSInfo sector lacks its marks.")
        return
    told, hint = struct.unpack_from("<II", info, 488)
    if told not in (free, _UNKNOWN):
        say(f"FSInfo says that {told} clusters are free, but {free} are.")
    if hint != _UNKNOWN and not 2 <= hint <= at.last:
        say(f"FSInfo says to look for free clusters from cluster {hint}, which this volume does not have.")
