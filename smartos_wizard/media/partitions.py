"""Reading partition tables: the GPT of a loader key, the MBR of a GRUB key, and what is wrong with them.

Trusts nothing it reads: any bytes give a Table, faults are sentences in `problems`. Only OSError of the
reading function gets out. Layout: smartos-live, tools/format_image; illumos, sys/efi_partition.h; key
versions: smartos-live, src/lib/sdc/usb-key.sh.
"""

from __future__ import annotations

import itertools
import struct
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from smartos_wizard.core.text import exact, tame

SECTOR = 512
_MOST_ENTRIES = 1024
_LARGEST_ENTRY = 4096

Pread = Callable[[int, int], bytes]
"""(offset, length) -> bytes; fewer at the end."""

TYPES = {
    "C12A7328-F81F-11D2-BA4B-00A0C93EC93B": "EFI system",
    "6A82CB45-1DD2-11B2-99A6-080020736631": "illumos boot",
    "6A85CF4D-1DD2-11B2-99A6-080020736631": "illumos root",
    "6A945A3B-1DD2-11B2-99A6-080020736631": "illumos reserved",
    "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7": "basic data",
    "0FC63DAF-8483-4772-8E79-3D69D8477DE4": "Linux data",
}
_MBR_TYPES = {0x0B: "FAT32", 0x0C: "FAT32", 0x83: "Linux", 0xEE: "GPT protection", 0x07: "NTFS or exFAT"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A partition. `first` and `size` in bytes; `slot` counts from 1 as Linux names partitions."""

    slot: int
    first: int
    size: int
    name: str
    type: str
    kind: str = ""
    active: bool = False

    @property
    def end(self) -> int:
        """The byte after its last."""
        return self.first + self.size


@dataclass(frozen=True, slots=True)
class Table:
    """What the first and last sectors say.

    `scheme` is gpt, mbr, iso or none; `key_version` is `2.0` for a loader key, `grub` for one before
    2019-04, empty otherwise. `image_size` is what the table believes its disk's size to be, in bytes.
    `backup_ok` tells about the second GPT at the end of the image, None where there is none to expect.
    """

    scheme: str
    key_version: str = ""
    entries: tuple[Entry, ...] = ()
    entry_count: int = 0
    image_size: int | None = None
    backup_ok: bool | None = None
    boot_code: bool = False
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def entry(self, name: str) -> Entry | None:
        """The partition of that GPT name."""
        return next((e for e in self.entries if e.name == name), None)

    @property
    def root(self) -> Entry | None:
        """The partition with SmartOS on it: GPT slot 3 named `root`, or the FAT32 of a GRUB key."""
        if self.scheme == "gpt":
            return self.entry("root")
        return next((e for e in self.entries if e.kind in ("0x0b", "0x0c")), None)


@dataclass(slots=True)
class _Found:
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_table(pread: Pread, size: int) -> Table:
    """The partition table of an image or disk of `size` bytes. Raises only what `pread` raises."""
    head = pread(0, 2 * SECTOR)
    if len(head) < 2 * SECTOR:
        return Table("none", problems=("It is too short to hold a partition table.",))
    found = _Found()
    signed = head[510:512] == b"\x55\xaa"
    code = any(head[:440])
    if head[SECTOR : SECTOR + 8] == b"EFI PART":
        return _read_gpt(pread, size, head, found, code)
    if size > 32774 and pread(32769, 5) == b"CD001":
        return Table("iso", boot_code=code)
    if signed:
        return _read_mbr(head, size, found, code)
    if not any(head):
        return Table("none", problems=_nothing_at_the_front(pread, size))
    return Table("none", boot_code=code, problems=("There is no partition table.",))


def _nothing_at_the_front(pread: Pread, size: int) -> tuple[str, ...]:
    """The front is empty: an empty disk, or a write that never came to its last step."""
    if pread(2048 * SECTOR, SECTOR)[510:512] == b"\x55\xaa" and size > 2049 * SECTOR:
        return ("Its boot sectors are missing but there is data behind them: unfinished write.",)
    return ("There is no partition table: the first sectors are empty.",)


def _read_mbr(head: bytes, size: int, found: _Found, code: bool) -> Table:
    entries = _mbr_entries(head, size, found)
    version = "grub" if head[0x3E:0x40] == b"\x03\x02" else ""
    if any(e.kind == "0xee" for e in entries):
        found.problems.append("The MBR announces a GPT, but there is none behind it: unfinished write.")
    image_size = max((e.end for e in entries), default=None) if version else None
    if version and image_size is not None and image_size > size:
        found.problems.append(_cut_off(size, image_size))
    return Table(
        "mbr",
        version,
        entries,
        4,
        image_size,
        None,
        code,
        tuple(found.problems),
        tuple(found.notes),
    )


def _mbr_entries(head: bytes, size: int, found: _Found) -> tuple[Entry, ...]:
    entries = []
    for slot in range(4):
        flag, kind, first, count = struct.unpack_from("<B3xB3xII", head, 446 + 16 * slot)
        if not kind or not count:
            continue
        if first * SECTOR >= size:
            found.problems.append(f"Partition {slot + 1} begins behind the end.")
        label = _MBR_TYPES.get(kind, f"type 0x{kind:02x}")
        entries.append(
            Entry(slot + 1, first * SECTOR, count * SECTOR, "", label, f"0x{kind:02x}", flag == 0x80)
        )
    return tuple(entries)


@dataclass(frozen=True, slots=True)
class _Header:
    other: int
    first_usable: int
    last_usable: int
    array_at: int
    count: int
    entry_size: int
    array_crc: int
    crc_ok: bool
    mine: int


def _header(sector: bytes) -> _Header | None:
    if len(sector) < 92 or sector[:8] != b"EFI PART":
        return None
    length, crc, mine, other, first, last = struct.unpack_from("<II4xQQQQ", sector, 12)
    array_at, count, entry_size, array_crc = struct.unpack_from("<QIII", sector, 72)
    whole = sector[:length] if 92 <= length <= len(sector) else b""
    crc_ok = bool(whole) and zlib.crc32(whole[:16] + bytes(4) + whole[20:]) == crc
    return _Header(other, first, last, array_at, count, entry_size, array_crc, crc_ok, mine)


def _read_gpt(pread: Pread, size: int, head: bytes, found: _Found, code: bool) -> Table:
    header = _header(head[SECTOR:])
    assert header is not None
    _check_mbr(head, found, code)
    if not header.crc_ok:
        found.problems.append("The checksum of the GPT header is wrong.")
    array, sane = _array(pread, header, size, found, "GPT")
    entries = _gpt_entries(array, header, size, found) if sane else ()
    image_size = (header.other + 1) * SECTOR if header.crc_ok and header.other > 1 else None
    backup_ok = _check_backup(pread, size, header, array, image_size, found) if header.crc_ok else None
    version = f"{head[0xFA]}.{head[0xFB]}" if head[0xFA] and _is_key(entries) else ""
    if head[0x3E:0x40] == b"\x03\x02":
        version = "grub"
    return Table(
        "gpt",
        version,
        entries,
        min(header.count, 0xFFFFFFFF),
        image_size,
        backup_ok,
        code,
        tuple(found.problems),
        tuple(found.notes),
    )


def _is_key(entries: tuple[Entry, ...]) -> bool:
    return {"loader", "boot", "root"} <= {e.name for e in entries}


def _check_mbr(head: bytes, found: _Found, code: bool) -> None:
    if head[510:512] != b"\x55\xaa":
        found.problems.append("The first sector lacks the boot signature: unfinished write, or overwritten.")
    elif 0xEE not in (head[450 + 16 * slot] for slot in range(4)):
        found.problems.append("The MBR does not protect the GPT.")
    if not code:
        found.problems.append("The first sector holds no boot code, so a BIOS cannot start it.")


def _array(pread: Pread, header: _Header, size: int, found: _Found, what: str) -> tuple[bytes, bool]:
    """The bytes of the entries and whether they may be believed in shape. Never assumes 128 entries."""
    # An entry is 128 bytes times a power of two (UEFI specification, 5.3.3).
    shape_ok = (
        0 < header.count <= _MOST_ENTRIES
        and header.entry_size in (128, 256, 512, 1024, 2048, _LARGEST_ENTRY)
        and header.array_at * SECTOR < size
    )
    if not shape_ok:
        found.problems.append(f"The {what} describes an impossible list of partitions.")
        return b"", False
    length = header.count * header.entry_size
    array = pread(header.array_at * SECTOR, length)
    if len(array) < length:
        found.problems.append(f"The {what}'s list of partitions is cut off.")
        return array, False
    if zlib.crc32(array) != header.array_crc:
        found.problems.append(f"The checksum of the {what}'s list of partitions is wrong.")
    return array, True


def _gpt_entries(array: bytes, header: _Header, size: int, found: _Found) -> tuple[Entry, ...]:
    entries = []
    for slot in range(header.count):
        raw = array[slot * header.entry_size : slot * header.entry_size + 128]
        if not any(raw[:16]):
            continue
        first, last = struct.unpack_from("<QQ", raw, 32)
        if last < first or first < 2:
            found.problems.append(f"Partition {slot + 1} has impossible borders.")
            continue
        name = tame(raw[56:128].decode("utf-16-le", "replace").split("\0")[0])
        kind = str(uuid.UUID(bytes_le=raw[:16])).upper()
        if (last + 1) * SECTOR > size:
            found.problems.append(f"Partition {slot + 1} ({name or 'no name'}) goes beyond the end.")
        label = TYPES.get(kind, kind)
        entries.append(Entry(slot + 1, first * SECTOR, (last - first + 1) * SECTOR, name, label, kind))
    _check_overlap(entries, found)
    return tuple(entries)


def _check_overlap(entries: list[Entry], found: _Found) -> None:
    ordered = sorted(entries, key=lambda e: e.first)
    for before, after in itertools.pairwise(ordered):
        if after.first < before.end:
            found.problems.append(f"Partitions {before.slot} and {after.slot} overlap.")


def _check_backup(
    pread: Pread, size: int, header: _Header, array: bytes, image_size: int | None, found: _Found
) -> bool:
    if image_size is None or image_size > size:
        found.problems.append(_cut_off(size, image_size or 0) if image_size else "The GPT names no backup.")
        return False
    backup = _header(pread(header.other * SECTOR, SECTOR))
    if backup is None:
        found.problems.append("The backup GPT at the end of the image is missing: unfinished write.")
        return False
    if not backup.crc_ok or backup.other != header.mine:
        found.problems.append("The backup GPT at the end of the image is damaged.")
        return False
    second, sane = _array(pread, backup, size, found, "backup GPT")
    if sane and second != array:
        found.problems.append("The two GPTs disagree.")
        return False
    if image_size < size:
        found.notes.append(
            f"The image ends at byte {exact(image_size)}, the disk is larger: "
            "other tools may call that a fault. It is harmless; do not let them repair it."
        )
    return sane


def _cut_off(size: int, expected: int) -> str:
    return f"It is cut off: {exact(size)} bytes are there, its table speaks of {exact(expected)}."
