"""Where on a volume the journal of a change lies: reserved sectors where it fits, else free clusters at the end."""

from __future__ import annotations

import struct
import zlib
from typing import cast

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.fat_geometry import SECTOR, Geometry
from smartos_wizard.media.fat_table import FatTable, Run
from smartos_wizard.media.partitions import Pread
from smartos_wizard.media.volume import Volume

MAGIC = b"SMARTOS-WIZARD-1"
MOST_BODY = 64 << 20
"""Bytes of the largest journal that is believed."""
_HEADER = struct.Struct("<16sIIII")
_FIRST = 9
"""The first reserved sector that no system uses: 0 to 2 are the boot sectors, 6 to 8 their copies."""
_MOST_RUNS = 56


class Place:
    """Where the journal lies: reserved sectors where it fits, else free clusters at the end."""

    def __init__(self, header: int, runs: list[Run], length: int, checksum: int) -> None:
        self.header = header
        self.runs = runs
        self.length = length
        self.checksum = checksum

    @classmethod
    def choose(cls, volume: Volume, geometry: Geometry, table: FatTable, body: bytes) -> Place:
        """Find room for `body`. Raises Refused `no-journal` where there is none, OSError."""
        spare = _spare(volume, geometry)
        if not spare:
            raise Refused(
                "no-journal",
                "This key has no room where a change could be noted safely. Nothing was changed.",
                hint="Write the key anew with `smartos-wizard key write`.",
            )
        header, rest = spare[-1], spare[:-1]
        needed = -(-len(body) // SECTOR)
        run = _in_a_row(rest, needed)
        if run is not None:
            return cls(header, [run], len(body), zlib.crc32(body))
        found: list[Run] = []
        for start, count in reversed(list(table.free_runs())):
            take = min(count, -(-(needed - sum(n for _, n in found)) // geometry.cluster_sectors))
            low = (geometry.offset_of(start + count - take)) // SECTOR
            found.append((low, take * geometry.cluster_sectors))
            if sum(n for _, n in found) >= needed or len(found) == _MOST_RUNS:
                break
        if sum(n for _, n in found) < needed:
            raise Refused(
                "no-journal",
                "There is not enough free room on the key to note the change safely. Nothing was changed.",
                hint="Take files away that you put there, or write the key anew.",
            )
        return cls(header, found, len(body), zlib.crc32(body))

    def write_body(self, volume: Volume, body: bytes) -> None:
        """Put the journal there; it does not count before `write_header`. Raises OSError."""
        padded = body.ljust(-(-len(body) // SECTOR) * SECTOR, b"\0")
        at = 0
        for sector, count in self.runs:
            part = padded[at : at + count * SECTOR]
            if part:
                volume.write(sector * SECTOR, part)
            at += len(part)

    def read_body(self, volume: Volume) -> bytes:
        """What lies there. Raises OSError."""
        return b"".join(volume.read(s * SECTOR, n * SECTOR) for s, n in self.runs)[: self.length]

    def write_header(self, volume: Volume) -> None:
        """The one sector that makes the change done. Raises OSError."""
        packed = _HEADER.pack(MAGIC, len(self.runs), self.length, self.checksum, 0)
        packed += b"".join(struct.pack("<II", *run) for run in self.runs)
        packed = packed.ljust(SECTOR - 4, b"\0")
        volume.write(self.header * SECTOR, packed + struct.pack("<I", zlib.crc32(packed)))

    def clear(self, volume: Volume) -> None:
        """Forget the journal: first the header, then the body. Raises OSError."""
        volume.write(self.header * SECTOR, bytes(SECTOR))
        volume.sync()
        left = -(-self.length // SECTOR)
        for sector, count in self.runs:
            use = min(count, left)
            if use:
                volume.write(sector * SECTOR, bytes(use * SECTOR))
            left -= use
        volume.sync()


def pending(volume: Volume, geometry: Geometry) -> Place | None:
    """The place of a journal that says the last change was cut short; None where there is none. Raises OSError."""
    end = min(geometry.reserved, 64)
    if end <= _FIRST:
        return None
    area = volume.read(_FIRST * SECTOR, (end - _FIRST) * SECTOR)
    for at in range(0, len(area), SECTOR):
        sector = area[at : at + SECTOR]
        if not sector.startswith(MAGIC) or zlib.crc32(sector[:-4]) != struct.unpack("<I", sector[-4:])[0]:
            continue
        _magic, count, length, checksum, _zero = _HEADER.unpack_from(sector)
        if count > _MOST_RUNS or length > MOST_BODY:
            continue
        runs = [cast(Run, struct.unpack_from("<II", sector, _HEADER.size + 8 * n)) for n in range(count)]
        if all((low + n) * SECTOR <= volume.size for low, n in runs):
            return Place(_FIRST + at // SECTOR, runs, length, checksum)
    return None


def in_reserved(pread: Pread, first: int) -> bool:
    """Whether the volume at byte `first` has a journal in its reserved sectors, as far as a reader tells."""
    area = pread(first + _FIRST * SECTOR, (64 - _FIRST) * SECTOR)
    return any(area[at:].startswith(MAGIC) for at in range(0, len(area), SECTOR))


def _spare(volume: Volume, geometry: Geometry) -> list[int]:
    """Reserved sectors that hold nothing. Raises OSError."""
    end = min(geometry.reserved, 64)
    if end <= _FIRST:
        return []
    area = volume.read(_FIRST * SECTOR, (end - _FIRST) * SECTOR)
    taken = {geometry.info, geometry.backup, geometry.backup + 1, geometry.backup + 2}
    return [
        number
        for number in range(_FIRST, end)
        if number not in taken and not any(area[(number - _FIRST) * SECTOR : (number - _FIRST + 1) * SECTOR])
    ]


def _in_a_row(sectors: list[int], needed: int) -> Run | None:
    run: list[int] = []
    for sector in sectors:
        run = [*run, sector] if run and sector == run[-1] + 1 else [sector]
        if len(run) == needed:
            return run[0], needed
    return None
