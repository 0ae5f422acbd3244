"""Changing files on a FAT32 volume so that a cut at any moment loses nothing.

Contents go into free clusters first; then a journal is written; then one sector makes the change count; only
then directories and chains change (fat_journal.py). Everything asked for between two commits becomes true
at once. Nothing is mounted and no other program is needed.

Why not a library: none of those at hand (pyfatfs, mtools) survives a cut; see docs/architecture.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from smartos_wizard.media import fat_journal
from smartos_wizard.media.fat_directory import Entry
from smartos_wizard.media.fat_draft import Draft, parts_of
from smartos_wizard.media.fat_geometry import SECTOR, read_geometry
from smartos_wizard.media.fat_journal_place import Place
from smartos_wizard.media.fat_names import ARCHIVE, DIRECTORY, dos_time
from smartos_wizard.media.fat_table import FatTable, Run, copies_differ, damaged
from smartos_wizard.media.volume import Volume

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """A content that lies in free clusters already, of which nobody knows yet. `size` in bytes."""

    runs: tuple[Run, ...]
    size: int

    @property
    def first(self) -> int:
        """Its first cluster, 0 where it is empty."""
        return self.runs[0][0] if self.runs else 0


class FatEditor:
    """The volume being changed. Opening it finishes a change that was cut short (`recovered`).

    Raises Refused (`not-fat32`, `file-system-damaged`, `no-space`, `no-journal`, `changed-since`) before
    anything in use changes, and OSError as the volume does.
    """

    def __init__(self, volume: Volume, *, now: float | None = None) -> None:
        self.volume = volume
        self.geometry = read_geometry(volume)
        self.recovered = fat_journal.recover(volume, self.geometry)
        if copies_differ(volume, self.geometry):
            raise damaged("the two copies of its file allocation table are not the same")
        self.table = FatTable.load(volume, self.geometry)
        self._when = dos_time(time.time() if now is None else now)
        self._begin()

    def _begin(self) -> None:
        clean = self.geometry.dirty or self.table.unclean() or fat_journal.miscounted(self.volume, self.table)
        self._draft = Draft(self.volume, self.table, self._when, clean=clean)
        self._staged: list[Staged] = []

    @property
    def free(self) -> int:
        """Free bytes, counting what was asked for since the last commit as taken."""
        return self.table.free_count() * self.geometry.cluster_size

    def find(self, path: str) -> Entry | None:
        """The file or directory of that path as it will be, or None."""
        found = self._draft.find(path)
        return found[1] if found else None

    def names(self, path: str = "") -> list[str]:
        """The names in a directory as it will be; empty where there is none."""
        directory = self._draft.walk(parts_of(path) if path.strip("/") else [])
        return [entry.name for entry in directory.entries] if directory is not None else []

    def size_of(self, path: str) -> int:
        """Bytes that a file or directory takes, with all that is below it, in whole clusters; 0 where there is none."""
        entry = self.find(path)
        if entry is None:
            return 0
        own = sum(count for _start, count in self.table.chain(entry.cluster)) * self.geometry.cluster_size
        below = self.names(path) if entry.directory else []
        return own + sum(self.size_of(f"{path}/{name}") for name in below)

    def read(self, path: str, limit: int = _PIECE) -> bytes | None:
        """Up to `limit` bytes of a file as it will be, None where there is none."""
        entry = self.find(path)
        if entry is None or entry.directory:
            return None
        out = b""
        for start, count in self.table.chain(entry.cluster):
            want = min(count * self.geometry.cluster_size, min(entry.size, limit) - len(out))
            if want <= 0:
                break
            out += self.volume.read(self.geometry.offset_of(start), -(-want // SECTOR) * SECTOR)[:want]
        return out

    def stage(
        self, size: int, chunks: Iterable[bytes], told: Callable[[int], None] = lambda _count: None
    ) -> Staged:
        """Write `size` bytes into free clusters. `told` gets the number of bytes of each piece written.

        Raises Refused `no-space`, ValueError where the chunks are of another size.
        """
        runs = self.table.allocate(-(-size // self.geometry.cluster_size))
        for at, piece in _laid(self.geometry.offset_of, runs, self.geometry.cluster_size, chunks, size):
            self.volume.write(at, piece)
            told(len(piece))
        staged = Staged(tuple(runs), size)
        if runs:
            self._draft.journal.chains.append(list(runs))
        self._staged.append(staged)
        return staged

    def staged_bytes(self, staged: Staged) -> Iterator[bytes]:
        """What lies where a content was staged, read from the volume in pieces of up to 1 MiB. Raises OSError."""
        left = staged.size
        for start, count in staged.runs:
            at, end = self.geometry.offset_of(start), count * self.geometry.cluster_size
            for step in range(0, min(end, -(-left // SECTOR) * SECTOR), _PIECE):
                want = min(_PIECE, end - step, -(-left // SECTOR) * SECTOR)
                piece = self.volume.read(at + step, want)[:left]
                left -= len(piece)
                yield piece

    def put(self, path: str, content: bytes | Staged) -> None:
        """Make `path` a file with this content; directories on the way are made. Raises Refused."""
        staged = content if isinstance(content, Staged) else self.stage(len(content), (content,))
        self._staged.remove(staged)
        self._draft.put(path, staged.first, staged.size)

    def remove(self, path: str) -> bool:
        """Take a file, or a directory with all that is in it, away; whether it was there."""
        found = self._draft.find(path)
        if found is not None:
            self._draft.remove(*found)
        return found is not None

    def remove_empty(self, path: str) -> None:
        """Take a directory away, and those above it, as long as nothing is in them."""
        parts = parts_of(path)
        while parts:
            found = self._draft.walk(parts)
            if found is None or found.entries:
                return
            self.remove("/".join(parts))
            parts.pop()

    def tree(self, files: dict[str, Staged]) -> Staged:
        """A directory of staged files that nobody knows yet, for `exchange`. Raises Refused `no-space`."""
        top = self._draft.new_directory(self._draft.root)
        for path, staged in files.items():
            *above, name = parts_of(path)
            self._staged.remove(staged)
            self._draft.add(self._draft.make(above, top), name, ARCHIVE, staged.first, staged.size)
        return Staged(tuple(top.runs), 0)

    def exchange(self, path: str, tree: Staged, keep: str) -> None:
        """Let directory `path` show `tree`; what it showed is then at `keep`, which must be free.

        Raises Refused where `path` is no directory.
        """
        draft = self._draft
        directory, entry = draft.directory(path)
        *above, name = parts_of(keep)
        parent = draft.make(above)
        if parent.find(name) is not None:
            raise ValueError(f"{keep} is there already")
        draft.add(parent, name, DIRECTORY, entry.cluster, 0)
        draft.set_parent(draft.at(entry.cluster), parent)
        draft.set_parent(draft.at(tree.first), directory)
        draft.repoint(directory, entry, tree.first)
        draft.shown(path, directory, entry)

    def swap(self, path: str, other: str) -> None:
        """Let two directories exchange what they show. Raises Refused where one is none."""
        draft = self._draft
        (here, a), (there, b) = draft.directory(path), draft.directory(other)
        draft.set_parent(draft.at(a.cluster), there)
        draft.set_parent(draft.at(b.cluster), here)
        one, two = a.cluster, b.cluster
        draft.repoint(there, b, one)
        draft.repoint(here, a, two)
        draft.shown(path, here, a)

    def commit(self, switch: str = "") -> bool:
        """Make all of it true, or nothing; whether there was anything to do.

        The directory sector that shows `switch` is written last, so that who looks at the key in the
        middle of it (a machine that boots) sees it as it was, or as it will be.
        """
        if self._staged:
            raise ValueError("a content was staged and not used")
        journal = self._draft.journal
        journal.patches = self._draft.patches(switch)
        if not (journal.patches or journal.chains or journal.frees or journal.clean):
            return False
        for at, data in self._draft.unseen():
            self.volume.write(at, data)
        self.volume.sync()
        body = fat_journal.encode(journal)
        place = Place.choose(self.volume, self.geometry, self.table, body)
        place.write_body(self.volume, body)
        self.volume.sync()
        place.write_header(self.volume)
        self.volume.sync()
        fat_journal.apply(journal, self.table, self.volume)
        place.clear(self.volume)
        self.geometry = read_geometry(self.volume)
        self._begin()
        return True


def _laid(
    offset_of: Callable[[int], int], runs: Iterable[Run], cluster: int, chunks: Iterable[bytes], size: int
) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of a content in its clusters, in pieces of up to 1 MiB, the last padded with zeros.

    Raises ValueError where the chunks do not hold exactly `size` bytes.
    """
    held = bytearray()
    source = iter(chunks)
    came = 0
    for start, count in runs:
        at, left = offset_of(start), count * cluster
        while left:
            want = min(left, _PIECE)
            while len(held) < want:
                chunk = next(source, None)
                if chunk is None:
                    if came != size:
                        raise ValueError(f"{came} bytes came instead of {size}")
                    held += bytes(want - len(held))
                    break
                held += chunk
                came += len(chunk)
            yield at, bytes(held[:want])
            del held[:want]
            at, left = at + want, left - want
    came += sum(len(chunk) for chunk in source)
    if came != size:
        raise ValueError(f"{came} bytes came instead of {size}")
