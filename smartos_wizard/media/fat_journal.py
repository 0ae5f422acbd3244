"""The journal that makes changing a FAT volume all or nothing.

Before anything that is in use changes, everything that will change is noted in sectors nobody uses, and one
sector, the header, says that the note is whole. From then on the change is done, even where the key is
pulled: whoever opens it next with this program finishes it. Without the header nothing has happened.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import cast

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.fat_geometry import SECTOR, Geometry, without_dirt
from smartos_wizard.media.fat_journal_place import MOST_BODY, pending
from smartos_wizard.media.fat_table import END, FatTable, Run, damaged
from smartos_wizard.media.volume import Volume

_UNKNOWN = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Patch:
    """A sector of a directory: where it lies in the volume, the checksum of what is there, and what will be."""

    offset: int
    before: int
    data: bytes


@dataclass(slots=True)
class Journal:
    """All that changes. `chains` are linked, `links` continue a chain, `frees` are let go, `wipes` are zeroed."""

    chains: list[list[Run]] = field(default_factory=list)
    links: list[tuple[int, int]] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)
    frees: list[list[Run]] = field(default_factory=list)
    wipes: list[Run] = field(default_factory=list)
    clean: bool = False


def encode(journal: Journal) -> bytes:
    """The journal as bytes, packed."""
    out = [struct.pack("<?", journal.clean)]
    for chains in (journal.chains, journal.frees, [journal.wipes]):
        out.append(struct.pack("<I", len(chains)))
        for runs in chains:
            out.append(struct.pack("<I", len(runs)) + b"".join(struct.pack("<II", *run) for run in runs))
    out.append(
        struct.pack("<I", len(journal.links)) + b"".join(struct.pack("<II", *x) for x in journal.links)
    )
    out.append(struct.pack("<I", len(journal.patches)))
    out += [struct.pack("<QI", p.offset, p.before) + p.data for p in journal.patches]
    return zlib.compress(b"".join(out), 6)


def decode(packed: bytes) -> Journal:
    """The inverse of `encode`. Raises ValueError, struct.error or zlib.error for anything else."""
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(packed, MOST_BODY)
    if not unpacker.eof:
        raise ValueError("the journal is cut off, or larger than any")
    at = 1

    def numbers(form: str) -> tuple[int, ...]:
        nonlocal at
        found = struct.unpack_from(form, raw, at)
        at += struct.calcsize(form)
        return found

    def runs() -> list[Run]:
        return [cast(Run, numbers("<II")) for _ in range(numbers("<I")[0])]

    chains, frees, wipes = ([runs() for _ in range(numbers("<I")[0])] for _ in range(3))
    links = runs()
    patches = []
    for _ in range(numbers("<I")[0]):
        offset, before = numbers("<QI")
        patches.append(Patch(offset, before, raw[at : at + SECTOR]))
        at += SECTOR
    return Journal(chains, links, patches, frees, wipes[0], raw[0] != 0)


def apply(journal: Journal, table: FatTable, volume: Volume) -> None:
    """Do what the journal says, in an order that shows the old files or the new ones at every moment.

    Doing it again changes nothing. `table` is the table as it was, or as a cut left it. Raises OSError.
    """
    geometry = table.geometry
    for runs in journal.chains:
        table.link(runs)
    for cluster, _to in journal.links:  # a directory must not go on into clusters that are not chained yet
        table.entries[cluster] = END
    _write_table(table, volume, [run for runs in journal.chains for run in runs])
    for cluster, to in journal.links:
        table.entries[cluster] = to
    _write_table(table, volume, [(cluster, 1) for cluster, _to in journal.links])
    for patch in journal.patches:
        volume.write(patch.offset, patch.data)
        volume.sync()
    freed = [run for runs in journal.frees for run in runs]
    table.free(freed)
    if journal.clean:
        table.mark_clean()
        freed.append((1, 1))
        volume.write(0, without_dirt(volume.read(0, SECTOR)))
    _write_table(table, volume, freed)
    _write_info(volume, table)
    for start, count in journal.wipes:
        volume.write(geometry.offset_of(start), bytes(count * geometry.cluster_size))
    volume.sync()


def fits(journal: Journal, table: FatTable, volume: Volume) -> bool:
    """Whether the volume is still as this journal left it: nobody else wrote to it since. Raises OSError."""
    last = table.geometry.last
    runs = [run for chain in (*journal.chains, *journal.frees, journal.wipes) for run in chain]
    if any(count < 1 or start < 2 or start + count - 1 > last for start, count in runs):
        return False
    if any(not 2 <= cluster <= last for link in journal.links for cluster in link):
        return False
    if not all(table.says(chain) for chain in (*journal.chains, *journal.frees)):
        return False
    if not all(table.links_to(*link) for link in journal.links):
        return False
    for patch in journal.patches:
        if len(patch.data) != SECTOR or patch.offset % SECTOR or patch.offset + SECTOR > volume.size:
            return False
        if zlib.crc32(volume.read(patch.offset, SECTOR)) not in (patch.before, zlib.crc32(patch.data)):
            return False
    return True


def recover(volume: Volume, geometry: Geometry) -> bool:
    """Finish a change that was cut short; whether there was one. Raises Refused `changed-since`, OSError."""
    place = pending(volume, geometry)
    if place is None:
        return False
    body = place.read_body(volume)
    if zlib.crc32(body) != place.checksum:
        raise _changed()
    try:
        journal = decode(body)
    except (ValueError, struct.error, zlib.error) as error:
        raise _changed() from error
    tables = [FatTable.load(volume, geometry, copy) for copy in range(geometry.fats)]
    if not all(fits(journal, table, volume) for table in tables):
        raise _changed()
    apply(journal, tables[0], volume)
    place.clear(volume)
    return True


def _changed() -> Refused:
    found = damaged("a change of it was cut short, and since then another system has written to it")
    found.reference = "changed-since"
    return found


def _write_table(table: FatTable, volume: Volume, runs: list[Run]) -> None:
    sectors = table.sectors_of(runs)
    for copy in range(table.geometry.fats):
        table.write(volume, sectors, copy)
    volume.sync()


def miscounted(volume: Volume, table: FatTable) -> bool:
    """Whether the volume keeps a count of free clusters that is wrong, as after not being unmounted. Raises OSError."""
    info = _info(volume, table)
    if info is None:
        return False
    free, first = struct.unpack_from("<II", info, 488)
    return free not in (table.free_count(), _UNKNOWN) or (
        first != _UNKNOWN and not 2 <= first <= table.geometry.last
    )


def _info(volume: Volume, table: FatTable) -> bytes | None:
    sector = table.geometry.info
    if not 0 < sector < table.geometry.reserved:
        return None
    info = volume.read(sector * SECTOR, SECTOR)
    return info if info[:4] == b"RRaA" and info[484:488] == b"rrAa" else None


def _write_info(volume: Volume, table: FatTable) -> None:
    """The count of free clusters, where the volume keeps one. A system trusts it, so it must be right."""
    info = _info(volume, table)
    if info is not None:
        first = next(table.free_runs(), (_UNKNOWN, 0))[0]
        counts = struct.pack("<II", table.free_count(), first)
        volume.write(table.geometry.info * SECTOR, info[:488] + counts + info[496:])
