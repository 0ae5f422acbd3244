"""The directories of a FAT32 volume as they will be: what was asked for since the last commit, in memory.

Takes clusters from the table, notes in a journal what that means, and writes nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.fat_directory import Directory, Entry, fresh
from smartos_wizard.media.fat_geometry import SECTOR
from smartos_wizard.media.fat_journal import Journal, Patch
from smartos_wizard.media.fat_names import ARCHIVE, DIRECTORY, ENTRY
from smartos_wizard.media.fat_table import FatTable, Run, damaged
from smartos_wizard.media.volume import Volume

_WIPED = 1 << 20
"""Files up to this many bytes are overwritten with zeros when they go: they may hold a password."""
_MOST = 65536 * ENTRY


def parts_of(path: str) -> list[str]:
    """The names of a path. Raises ValueError for an empty one."""
    parts = [part for part in path.split("/") if part]
    if not parts:
        raise ValueError("an empty path")
    return parts


class Draft:
    """The tree as it will be. `when` is date and time of what changes, as `dos_time` gives them."""

    def __init__(self, volume: Volume, table: FatTable, when: tuple[int, int], *, clean: bool) -> None:
        self.volume = volume
        self.table = table
        self.geometry = table.geometry
        self.journal = Journal(clean=clean)
        self._when = when
        self._directories: dict[int, Directory] = {}
        self._original: dict[int, bytes] = {}
        self._shown: dict[str, tuple[Directory, Entry]] = {}
        self.root = self.at(self.geometry.root)

    def at(self, cluster: int) -> Directory:
        """The directory whose first cluster that is. Raises Refused where it is broken, OSError."""
        found = self._directories.get(cluster)
        if found is None:
            found = self._directories[cluster] = self._load(cluster)
        return found

    def walk(self, parts: list[str]) -> Directory | None:
        """The directory of that path, None where there is none."""
        at = self.root
        for part in parts:
            entry = at.find(part)
            if entry is None or not entry.directory:
                return None
            at = self.at(entry.cluster)
        return at

    def find(self, path: str) -> tuple[Directory, Entry] | None:
        """A file or directory and the directory it is in, or None."""
        *above, name = parts_of(path)
        directory = self.walk(above)
        entry = directory.find(name) if directory is not None else None
        return None if directory is None or entry is None else (directory, entry)

    def directory(self, path: str) -> tuple[Directory, Entry]:
        """A directory's entry, and where that is. Raises Refused `no-such-directory`."""
        found = self.find(path)
        if found is None or not found[1].directory:
            raise Refused(
                "no-such-directory", f"There is no directory {path} on the key. Nothing was changed."
            )
        return found

    def make(self, parts: list[str], top: Directory | None = None) -> Directory:
        """The directory of that path below `top` (the root), made where it is missing. Raises Refused."""
        at = top or self.root
        for part in parts:
            entry = at.find(part)
            if entry is None:
                made = self.new_directory(at)
                self.add(at, part, DIRECTORY, made.first, 0)
                at = made
            elif entry.directory:
                at = self.at(entry.cluster)
            else:
                raise Refused(
                    "not-a-directory",
                    f"{part} is a file on the key, so nothing can be put below it. Nothing was changed.",
                    hint="Choose another name.",
                )
        return at

    def new_directory(self, parent: Directory) -> Directory:
        """An empty directory that no entry shows yet. Raises Refused `no-space`."""
        runs = self.table.allocate(1)
        self.journal.chains.append(list(runs))
        above = 0 if parent is self.root else parent.first
        made = fresh(self.geometry, runs, above, self._when)
        self._directories[made.first] = made
        return made

    def add(self, directory: Directory, name: str, attributes: int, cluster: int, size: int) -> Entry:
        """Add an entry to a directory, which grows where it must. Raises Refused."""
        self._note(directory)

        def grow(clusters: int) -> list[Run]:
            runs = self.table.allocate(clusters)
            end = directory.runs[-1][0] + directory.runs[-1][1] - 1
            self.table.entries[end] = runs[0][0]
            for chain in self.journal.chains:
                if sum(chain[-1]) - 1 == end:  # taken since the last commit: it just becomes longer
                    chain.extend(runs)
                    return runs
            self.journal.chains.append(list(runs))
            self.journal.links.append((end, runs[0][0]))
            return runs

        return directory.add(name, attributes, cluster, size, self._when, grow)

    def put(self, path: str, cluster: int, size: int) -> None:
        """Let `path` be a file with the content that begins at `cluster`. Raises Refused `not-a-file`."""
        *above, name = parts_of(path)
        directory = self.make(above)
        entry = directory.find(name)
        if entry is None:
            entry = self.add(directory, name, ARCHIVE, cluster, size)
        elif entry.directory:
            raise Refused(
                "not-a-file",
                f"{path} is a directory on the key. Nothing was changed.",
                hint="Choose another name.",
            )
        else:
            self._let_go(entry)
            self.repoint(directory, entry, cluster, size)
        self.shown(path, directory, entry)

    def remove(self, directory: Directory, entry: Entry) -> None:
        """Take an entry away, with all that is below it."""
        self._free_all(entry)
        self._note(directory)
        directory.remove(entry)

    def repoint(self, directory: Directory, entry: Entry, cluster: int, size: int = 0) -> None:
        """Let an entry show another content."""
        self._note(directory)
        directory.repoint(entry, cluster, size, self._when)

    def set_parent(self, directory: Directory, parent: Directory) -> None:
        """Let `..` of a directory show `parent`. Raises Refused where it has none."""
        self._note(directory)
        directory.set_parent(0 if parent is self.root else parent.first)

    def shown(self, path: str, directory: Directory, entry: Entry) -> None:
        """Note where the entry of `path` is, for `patches`."""
        self._shown["/".join(parts_of(path)).casefold()] = (directory, entry)

    def patches(self, switch: str) -> list[Patch]:
        """The changed directory sectors, the one that shows `switch` last, before it those of the root."""
        last: tuple[Directory, int] | None = None
        if switch:
            directory, entry = self._shown.get("/".join(parts_of(switch)).casefold(), (None, None))
            if directory is not None and entry is not None:
                last = (directory, entry.last * ENTRY // SECTOR)
        found = []
        for directory, sector, offset in self._sectors():
            before = self._original.get(offset)
            data = directory.sector(sector)
            if before is not None and data != before:
                order = ((directory, sector) == last, directory is self.root, offset)
                found.append((order, Patch(offset, zlib.crc32(before), data)))
        return [patch for _order, patch in sorted(found, key=lambda pair: pair[0])]

    def unseen(self) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes) of what nobody points at yet: new directories, and clusters that old ones grew by."""
        for directory, sector, offset in self._sectors():
            grown = directory.offset_of(0) in self._original and offset not in self._original
            if directory.new or grown:
                yield offset, directory.sector(sector)

    def _sectors(self) -> Iterator[tuple[Directory, int, int]]:
        for directory in self._directories.values():
            if directory.new or directory.dirty:
                for sector in range(len(directory.data) // SECTOR):
                    yield directory, sector, directory.offset_of(sector)

    def _note(self, directory: Directory) -> None:
        """Keep how the directory lies on the volume, before its first change."""
        if directory.new or directory.offset_of(0) in self._original:
            return
        for sector in range(len(directory.data) // SECTOR):
            self._original[directory.offset_of(sector)] = directory.sector(sector)

    def _load(self, cluster: int) -> Directory:
        runs = self.table.chain(cluster)
        size = self.geometry.cluster_size
        if not runs or sum(count for _start, count in runs) * size > _MOST:
            raise damaged("a directory is empty, or larger than any may be")
        data = b"".join(
            self.volume.read(self.geometry.offset_of(start), count * size) for start, count in runs
        )
        return Directory(self.geometry, runs, data)

    def _let_go(self, entry: Entry) -> None:
        runs = self.table.chain(entry.cluster)
        if runs:
            self.journal.frees.append(runs)
            if entry.size <= _WIPED and not entry.directory:
                self.journal.wipes += runs

    def _free_all(self, entry: Entry) -> None:
        if entry.directory and entry.cluster:
            for below in list(self.at(entry.cluster).entries):
                self._free_all(below)
        self._let_go(entry)
        if entry.directory:
            self._directories.pop(entry.cluster, None)
