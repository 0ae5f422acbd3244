"""The partition tables of make-believe keys: the loader key since 2019-04 and the GRUB key before it.

Pure bytes. Layout: smartos-live, tools/format_image/format_image.c; illumos, lib/libefi/common/rdwr_efi.c
(nine entries, not 128); before: smartos-live, tools/usb_fdisk_table.
"""

from __future__ import annotations

import struct
import uuid
import zlib
from dataclasses import dataclass

SECTOR = 512
ENTRIES = 9
ENTRY_SIZE = 128
ARRAY_SECTORS = 32
LEGACY_START = 600
LEGACY_SECTORS = 3_905_400


@dataclass(frozen=True, slots=True)
class Slice:
    """One used entry; `first` and `sectors` in sectors of 512 bytes."""

    slot: int
    name: str
    type_guid: str
    first: int
    sectors: int

    @property
    def offset(self) -> int:
        """First byte."""
        return self.first * SECTOR

    @property
    def size(self) -> int:
        """Bytes."""
        return self.sectors * SECTOR


LOADER = Slice(0, "loader", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", 2048, 524_288)
BOOT = Slice(1, "boot", "6A82CB45-1DD2-11B2-99A6-080020736631", 526_336, 2048)
ROOT = Slice(2, "root", "6A85CF4D-1DD2-11B2-99A6-080020736631", 528_384, 3_244_032)
RESERVED = Slice(8, "reserved", "6A945A3B-1DD2-11B2-99A6-080020736631", 3_772_646, 16_384)
SLICES = (LOADER, BOOT, ROOT, RESERVED)


def key_tables(total_sectors: int, seed: int, boot_code: bytes) -> list[tuple[int, bytes]]:
    """(offset, bytes) of MBR, primary and backup GPT of a key with `total_sectors`."""
    array = _array(seed)
    last = total_sectors - 1
    crc = zlib.crc32(array[: ENTRIES * ENTRY_SIZE])
    head = _header(1, last, 2, last, crc, seed)
    tail = _header(last, 1, last - ARRAY_SECTORS, last, crc, seed)
    return [
        (0, _key_mbr(total_sectors, boot_code, seed)),
        (SECTOR, head.ljust(SECTOR, b"\0")),
        (2 * SECTOR, array),
        ((last - ARRAY_SECTORS) * SECTOR, array),
        (last * SECTOR, tail.ljust(SECTOR, b"\0")),
    ]


def legacy_mbr(boot_code: bytes) -> bytes:
    """Sector 0 of a GRUB key: one active FAT32 partition from sector 600, the mark 0x0203 at 0x3E."""
    sector = bytearray(_code(boot_code))
    sector[0x3E:0x40] = b"\x03\x02"
    entry = struct.pack(
        "<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x0C, b"\xfe\xff\xff", LEGACY_START, LEGACY_SECTORS
    )
    sector[446:462] = entry
    return bytes(sector)


def guid(seed: int, what: str) -> uuid.UUID:
    """A GUID that is always the same for the same seed and purpose."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"practice:{seed}:{what}")


def _code(boot_code: bytes) -> bytes:
    if len(boot_code) > 440:
        raise ValueError("boot code is 440 bytes at most")
    return boot_code.ljust(510, b"\0") + b"\x55\xaa"


def _key_mbr(total_sectors: int, boot_code: bytes, seed: int) -> bytes:
    sector = bytearray(_code(boot_code))
    sector[0xFA], sector[0xFB] = 2, 0
    struct.pack_into("<HQ", sector, 0xFC, BOOT.sectors, BOOT.first)
    sector[0x106:0x116] = guid(seed, BOOT.name).bytes_le
    sector[446:462] = struct.pack("<B3sB3sII", 0, b"\0\x02\0", 0xEE, b"\xff\xff\xff", 1, total_sectors - 1)
    return bytes(sector)


def _array(seed: int) -> bytes:
    array = bytearray(ARRAY_SECTORS * SECTOR)
    for part in SLICES:
        struct.pack_into(
            "<16s16sQQQ72s",
            array,
            part.slot * ENTRY_SIZE,
            uuid.UUID(part.type_guid).bytes_le,
            guid(seed, part.name).bytes_le,
            part.first,
            part.first + part.sectors - 1,
            0,
            part.name.encode("utf-16-le"),
        )
    return bytes(array)


def _header(mine: int, other: int, array_at: int, last: int, array_crc: int, seed: int) -> bytes:
    disk = guid(seed, "disk").bytes_le

    def packed(own_crc: int) -> bytes:
        start = struct.pack("<8sIIIIQQQQ", b"EFI PART", 0x10000, 92, own_crc, 0, mine, other, 34, last - 33)
        return start + disk + struct.pack("<QIII", array_at, ENTRIES, ENTRY_SIZE, array_crc)

    return packed(zlib.crc32(packed(0)))
