"""A FAT32 volume in memory that can be cut after any write, with or without what was not synced yet."""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping

from smartos_wizard.media.fat import FatVolume
from smartos_wizard.media.fat_format import format_fat32

SECTOR = 512
SIZE = 34 << 20


class Cut(OSError):
    """The key was pulled."""


class Memory:
    """A `Volume` over sectors in a dictionary. `log` holds (offset, bytes) and None for each sync.

    After `limit` sectors written it is pulled: everything after raises Cut.
    """

    def __init__(self, size: int = SIZE, sectors: Mapping[int, bytes] | None = None) -> None:
        self.size = size
        self.sectors = dict(sectors or {})
        self.log: list[tuple[int, bytes] | None] = []
        self.limit: int | None = None

    def read(self, offset: int, length: int) -> bytes:
        assert offset % SECTOR == 0
        assert length % SECTOR == 0
        assert 0 <= offset <= self.size - length
        return b"".join(self.sectors.get(at, bytes(SECTOR)) for at in range(offset, offset + length, SECTOR))

    def write(self, offset: int, data: bytes) -> None:
        assert offset % SECTOR == 0
        assert len(data) % SECTOR == 0
        assert data
        assert 0 <= offset <= self.size - len(data)
        for at in range(0, len(data), SECTOR):
            if self.limit is not None:
                if self.limit == 0:
                    raise Cut(5, "pulled")
                self.limit -= 1
            self.log.append((offset + at, data[at : at + SECTOR]))
            self.sectors[offset + at] = data[at : at + SECTOR]

    def sync(self) -> None:
        if self.limit == 0:
            raise Cut(5, "pulled")
        self.log.append(None)

    def pread(self, offset: int, length: int) -> bytes:
        low, high = offset // SECTOR * SECTOR, -(-(offset + length) // SECTOR) * SECTOR
        high = min(high, self.size)
        return self.read(low, high - low)[offset - low : offset - low + length] if high > low else b""

    def copy(self) -> Memory:
        return Memory(self.size, self.sectors)

    def after(self, log: list[tuple[int, bytes] | None], writes: int, chance: random.Random | None) -> Memory:
        """This volume as a cut after `writes` entries of `log` leaves it.

        With `chance`, of what was written since the last sync only some has arrived, in whatever order.
        """
        found = self.copy()
        head = log[:writes]
        synced = max((i for i, entry in enumerate(head) if entry is None), default=-1)
        for index, entry in enumerate(head):
            if entry is not None and (index < synced or chance is None or chance.random() < 0.5):
                found.sectors[entry[0]] = entry[1]
        return found


@functools.cache
def _formatted(size: int, files: tuple[tuple[str, bytes], ...], spc: int) -> dict[int, bytes]:
    sectors: dict[int, bytes] = {}
    for offset, data in format_fat32(size, "SMARTOSBOOT", spc, files=dict(files), fresh=True):
        for at in range(0, len(data), SECTOR):
            sectors[offset + at] = data[at : at + SECTOR].ljust(SECTOR, b"\0")
    return sectors


def volume(files: Mapping[str, bytes], *, size: int = SIZE, spc: int = 1) -> Memory:
    """A volume with these files."""
    return Memory(size, _formatted(size, tuple(files.items()), spc))


def tree_of(memory: Memory) -> dict[str, bytes | None]:
    """What a reader finds: path to content, None for a directory. Raises FatProblem where it is broken."""
    fat = FatVolume(memory.pread, 0, memory.size)
    return {f.path: None if f.directory else b"".join(fat.chunks(f)) for f in fat.files()}
