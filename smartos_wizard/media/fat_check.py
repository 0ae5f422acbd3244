"""Judging a FAT16 or FAT32 volume: every inconsistency as a sentence. Writes nothing, mounts nothing.

Independent of what writes volumes and of what reads files out of them, so that none covers for another.
Any bytes give sentences within bounded time and memory; only OSError of the reading function gets out.
Rules: Microsoft's FAT specification (fatgen103).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from smartos_wizard.core.text import exact
from smartos_wizard.media.fat_check_boot import Findings, Geometry, check_reserved, read_geometry
from smartos_wizard.media.fat_check_names import Item, Reader
from smartos_wizard.media.fat_check_table import Chain, Table, read_table
from smartos_wizard.media.partitions import Pread

_LARGEST_DIRECTORY = 65536 * 32
_ALL_DIRECTORIES = 8 << 20
_LONGEST_PATH = 300

Span = tuple[int, int]
"""(offset from the start of the disk, length), in bytes."""


def check_volume(pread: Pread, first: int, size: int) -> tuple[str, ...]:
    """What is wrong with the volume of `size` bytes at byte `first`, () where it is clean.

    At most about a hundred sentences. Raises OSError as the reading function does.
    """
    say = Findings()
    at = read_geometry(pread, first, size, say)
    table = read_table(pread, at, say) if at else None
    if at is None or table is None:
        return say.sentences()
    _Walk(pread, at, table, say).run()
    lost, where = table.lost()
    if lost:
        say(_lost(lost, where))
    check_reserved(pread, at, table.free, say)
    return say.sentences()


def metadata_spans(pread: Pread, first: int, size: int) -> tuple[Span, ...]:
    """Where everything but the contents of files lies: boot sectors, tables, directories.

    () where the boot sector or the table cannot be made sense of. Raises OSError as reading does.
    """
    say = Findings()
    at = read_geometry(pread, first, size, say)
    table = read_table(pread, at, say) if at else None
    if at is None or table is None:
        return ()
    walk = _Walk(pread, at, table, say)
    walk.run()
    return ((at.first, at.data_start), *walk.spans)


@dataclass(slots=True)
class _Directory:
    path: str
    cluster: int
    parent: int


class _Walk:
    """Through all directories, each cluster claimed by the first who names it, so every walk ends."""

    def __init__(self, pread: Pread, at: Geometry, table: Table, say: Findings) -> None:
        self._pread = pread
        self._at = at
        self._table = table
        self._say = say
        self._left = _ALL_DIRECTORIES
        self.spans: list[Span] = []

    def run(self) -> None:
        waiting = [_Directory("the root directory", 0, 0)]
        while waiting:
            directory = waiting.pop()
            raw = self._content(directory)
            if raw is None:
                return
            reader = Reader(directory.path, directory.cluster, directory.parent, self._at.wide, self._say)
            for item in reader.items(raw):
                path = _below(directory, item.name)
                if not item.directory:
                    self._file(path, item)
                elif self._enterable(path, item):
                    waiting.append(_Directory(path, item.cluster, directory.cluster))

    def _content(self, directory: _Directory) -> bytes | None:
        """The entries of a directory; None where all directories together are too large to go on."""
        out = b""
        for offset, whole in self._spans_of(directory):
            length = min(whole, _LARGEST_DIRECTORY - len(out))
            self._left -= length
            if length <= 0:
                break
            if self._left < 0:
                self._say("There are more entries in directories than this check looks at.")
                return None
            piece = self._pread(offset, length)
            self.spans.append((offset, length))
            out += piece
            if len(piece) < length:
                self._say(f"{_called(directory.path)} cannot be read to its end.")
                break
        return out

    def _spans_of(self, directory: _Directory) -> Iterator[Span]:
        at = self._at
        if not directory.cluster and not at.wide:
            yield at.first + at.root_start, at.root_length
            return
        chain = self._follow(directory.cluster or at.root_cluster, directory.path)
        if chain.clusters * at.cluster > _LARGEST_DIRECTORY:
            self._say(f"{_called(directory.path)} is larger than a directory may be.")
        for start, count in self._table.runs(chain):
            yield at.offset_of(start), count * at.cluster

    def _follow(self, first: int, path: str) -> Chain:
        chain = self._table.follow(first, path, named=not self._say.full)
        if chain.problem:
            self._say(f"{_called(path)} {chain.problem}.")
        return chain

    def _enterable(self, path: str, item: Item) -> bool:
        if item.size:
            self._say(f"{path} is a directory, but has a size of {exact(item.size)} bytes.")
        if not item.cluster:
            self._say(f"{path} is a directory, but has no cluster.")
        return bool(item.cluster)

    def _file(self, path: str, item: Item) -> None:
        if not item.cluster:
            if item.size:
                self._say(f"{path} has {exact(item.size)} bytes, but no cluster.")
            return
        chain = self._follow(item.cluster, path)
        needed = -(-item.size // self._at.cluster)
        if not chain.problem and chain.clusters != needed:
            self._say(
                f"{path} has {exact(item.size)} bytes, so it needs {needed} clusters, but it has {chain.clusters}."
            )


def _below(directory: _Directory, name: str) -> str:
    path = f"{directory.path}/{name}" if directory.cluster else name
    return path if len(path) <= _LONGEST_PATH else f"…{path[-_LONGEST_PATH:]}"


def _called(path: str) -> str:
    return f"T{path[1:]}" if path == "the root directory" else path


def _lost(count: int, first: int) -> str:
    if count == 1:
        return f"Cluster {first} is taken, but belongs to no file or directory."
    return f"{exact(count)} clusters are taken, but belong to no file or directory; the first is cluster {first}."
