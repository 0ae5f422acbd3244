"""Which part of a key a byte lies in: table, partition, file system, file. For a proof that failed.

Reads through a function and never fails: where the key cannot be read, it says less.
"""

from __future__ import annotations

from smartos_wizard.media.fat import FatProblem, FatVolume
from smartos_wizard.media.partitions import SECTOR, Entry, Pread, Table, read_table

_ARRAY_SECTORS = 32


def locate(pread: Pread, size: int, offset: int) -> str:
    """Where byte `offset` lies, in words that follow “the first difference is”.

    For example `in partition root, file platform/i86pc/amd64/boot_archive`. Never raises.
    """
    try:
        table = read_table(pread, size)
        return _in_table(table, offset) or _in_partitions(pread, size, table, offset)
    except OSError:
        return "in a part of the disk that cannot be read"


def _in_table(table: Table, offset: int) -> str:
    sector = offset // SECTOR
    if sector == 0:
        return "in the boot sector (MBR)"
    if table.scheme != "gpt":
        return ""
    if sector == 1:
        return "in the partition table (header of the GPT)"
    if sector < 2 + _ARRAY_SECTORS:
        return "in the partition table (list of the GPT)"
    if table.image_size is None:
        return ""
    if offset >= table.image_size:
        return "behind the end of the image"
    if offset >= table.image_size - (_ARRAY_SECTORS + 1) * SECTOR:
        return "in the partition table (backup GPT at the end of the image)"
    return ""


def _in_partitions(pread: Pread, size: int, table: Table, offset: int) -> str:
    for entry in table.entries:
        if entry.first <= offset < entry.end:
            name = f"in partition {entry.name or entry.slot}"
            inside = _in_file_system(pread, size, entry, offset)
            return f"{name}, {inside}" if inside else name
    following = min((e for e in table.entries if e.first > offset), key=lambda e: e.first, default=None)
    if following is not None:
        return f"in unused space before partition {following.name or following.slot}"
    return "in unused space behind the partitions" if table.entries else "in a part without a partition"


def _in_file_system(pread: Pread, size: int, entry: Entry, offset: int) -> str:
    try:
        volume = FatVolume(pread, entry.first, min(entry.size, size - entry.first))
        return volume.owner(offset - entry.first)
    except FatProblem:
        return ""
