"""Reading FAT volumes through a reading function: files, their contents, and what a byte belongs to.

Mounts nothing and writes nothing. Directories are parsed by dissect.fat; the chains of clusters are
followed here, because a key has 3.2 million clusters of 512 bytes and one file of 600,000 of them.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from smartos_wizard.core.text import tame
from smartos_wizard.media.partitions import Pread

_PAGE = 1 << 16
_MOST_NAMES = 20_000
_DEEPEST = 24
_STEP = 1 << 20

Run = tuple[int, int]
"""(first cluster, number of clusters)"""


class FatProblem(ValueError):
    """This is no FAT volume, or a damaged one; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class FatFile:
    """A file or directory: path without a leading slash, size in bytes, first cluster (0 where empty)."""

    path: str
    size: int
    cluster: int
    directory: bool = False


class _Chains:
    """The file allocation table, read in pages. Stands in for dissect.fat's own, which goes cluster by cluster."""

    def __init__(self, pread: Pread, start: int, length: int, width: int, clusters: int) -> None:
        self._pread = pread
        self._start = start
        self._length = length
        self._width = width
        self._last = clusters + 1
        self._pages: dict[int, Any] = {}

    def next_of(self, cluster: int) -> int:
        """What the table says about a cluster: 0 free, 2 and more the next one, very large the end."""
        index, within = divmod(cluster * self._width, _PAGE)
        page = self._pages.get(index)
        if page is None:
            page = self._pages[index] = self._page(index)
        try:
            value: int = page[within // self._width]
        except IndexError:
            raise FatProblem("The file allocation table is cut off.") from None
        return value & 0x0FFFFFFF

    def runlist(self, cluster: int) -> Iterator[Run]:
        """Runs as dissect.fat wants them: counted from the first data cluster."""
        for first, count in self.runs(cluster):
            yield first - 2, count

    def runs(self, cluster: int) -> Iterator[Run]:
        """The stretches of a chain. Raises FatProblem where it leaves the volume or runs in a circle."""
        left, last = self._last, self._last
        end = 0x0FFFFFF8 if self._width == 4 else 0xFFF8
        first, count = cluster, 0
        while True:
            if not 2 <= cluster <= last or left <= 0:
                raise FatProblem(f"A chain of clusters is broken at cluster {cluster}.")
            left -= 1
            count += 1
            following = self.next_of(cluster)
            if following != cluster + 1:
                yield first, count
                if following >= end:
                    return
                first, count = following, 0
            cluster = following

    def _page(self, index: int) -> Any:
        at = index * _PAGE
        raw = self._pread(self._start + at, max(0, min(_PAGE, self._length - at)))
        page = array("I" if self._width == 4 else "H")
        page.frombytes(raw[: len(raw) - len(raw) % self._width])
        return page


class FatVolume:
    """A FAT16 or FAT32 volume at byte `first` of what `pread` reads. Raises FatProblem where it is none."""

    def __init__(self, pread: Pread, first: int, size: int) -> None:
        from dissect.fat.fat import FATFS

        self._pread = pread
        self._first = first
        try:
            fs: Any = FATFS(_stream(pread, first, size))
        except OSError:
            raise
        except Exception as error:
            raise FatProblem(f"There is no FAT file system: {error}.") from error
        self._fs = fs
        width = {32: 4, 16: 2}.get(fs.fat.bits_per_entry)
        if width is None:
            raise FatProblem("FAT12 is for floppy disks.")
        sector: int = fs.sector_size
        self.cluster_size: int = fs.cluster_size
        self.label = tame(fs.volume_label)
        self._fat_start: int = int(fs.bpb.BPB_RsvdSecCnt) * sector
        self._fat_length: int = int(fs.fat_size) * sector
        self._data_start: int = int(fs.first_data_sector) * sector
        told = int(fs.total_sectors) * sector
        # What a hostile boot sector claims is bounded by what is there, or chains would be followed for hours.
        self.clusters = max(0, min(told, size) - self._data_start) // self.cluster_size
        self.clusters = min(self.clusters, max(0, self._fat_length // width - 2))
        self._chains = _Chains(pread, first + self._fat_start, self._fat_length, width, self.clusters)
        fs.fat = self._chains
        self._tree: tuple[FatFile, ...] | None = None

    def files(self) -> tuple[FatFile, ...]:
        """Every file and directory, a directory before what is in it. Raises FatProblem."""
        if self._tree is None:
            try:
                self._tree = tuple(itertools.islice(self._walk(self._fs.root, "", 0, set()), _MOST_NAMES))
            except (OSError, FatProblem):
                raise
            except Exception as error:
                raise FatProblem(f"A directory cannot be read: {error}.") from error
        return self._tree

    def find(self, path: str) -> FatFile | None:
        """The file or directory of that path, upper and lower case being the same, or None."""
        wanted = path.strip("/").lower()
        return next((f for f in self.files() if f.path.lower() == wanted), None)

    def lookup(self, path: str) -> FatFile | None:
        """As `find`, but reads no more than the directories on the way. Raises FatProblem."""
        entry: Any = self._fs.root
        try:
            for part in path.strip("/").lower().split("/"):
                inside = itertools.islice(entry.iterdir(), _MOST_NAMES)
                named = (e for e in inside if not int(e.dirent.DIR_Attr) & 0x08 and _name(e).lower() == part)
                entry = next(named, None)
                if entry is None:
                    return None
            dirent = entry.dirent
            return FatFile(path, int(dirent.DIR_FileSize), int(entry.cluster), bool(dirent.DIR_Attr & 0x10))
        except (OSError, FatProblem):
            raise
        except Exception as error:
            raise FatProblem(f"A directory cannot be read: {error}.") from error

    def chunks(self, file: FatFile) -> Iterator[bytes]:
        """The file's content in pieces of up to 1 MiB. Raises FatProblem where less is there than said."""
        left = file.size
        for first, count in self._chains.runs(file.cluster) if file.cluster and left else ():
            at = self._first + self._data_start + (first - 2) * self.cluster_size
            length = min(count * self.cluster_size, left)
            for step in range(0, length, _STEP):
                want = min(_STEP, length - step)
                piece = self._pread(at + step, want)
                if len(piece) != want:
                    raise FatProblem(f"{file.path} goes beyond the end.")
                yield piece
            left -= length
        if left:
            raise FatProblem(f"{file.path} is cut off: {left} bytes are missing.")

    def read(self, path: str, limit: int = _STEP) -> bytes | None:
        """Up to `limit` bytes of a small file, None where there is none of that name. Raises FatProblem."""
        file = self.find(path)
        if file is None or file.directory:
            return None
        out = b""
        for piece in self.chunks(FatFile(file.path, min(file.size, limit), file.cluster)):
            out += piece
        return out

    def whole(self, file: FatFile) -> bool:
        """Whether the chain of the file is as long as its size says."""
        needed = -(-file.size // self.cluster_size)
        try:
            runs = self._chains.runs(file.cluster) if file.cluster else iter(())
            return sum(count for _first, count in runs) == needed
        except FatProblem:
            return False

    def owner(self, offset: int) -> str:
        """What the byte at `offset` of the volume belongs to, in words. Raises FatProblem."""
        if offset < self._fat_start:
            return "the file system's boot sectors"
        if offset < self._data_start:
            copy = (offset - self._fat_start) // self._fat_length + 1 if self._fat_length else 1
            return f"the file allocation table, copy {copy}"
        cluster = (offset - self._data_start) // self.cluster_size + 2
        if cluster > self.clusters + 1:
            return "space behind the last cluster"
        if not self._chains.next_of(cluster):
            return "free space"
        if self._holds(int(self._fs.root.cluster or 0), cluster):
            return "the root directory"
        for file in self.files():
            if self._holds(file.cluster, cluster):
                return f"{'directory' if file.directory else 'file'} {file.path}"
        return "space that is taken but belongs to no file"

    def _holds(self, first: int, cluster: int) -> bool:
        try:
            return bool(first) and any(a <= cluster < a + n for a, n in self._chains.runs(first))
        except FatProblem:
            return False

    def _walk(self, directory: Any, above: str, depth: int, seen: set[int]) -> Iterator[FatFile]:
        for entry in itertools.islice(directory.iterdir(), _MOST_NAMES):
            attributes = int(entry.dirent.DIR_Attr)
            if attributes & 0x08 or entry.name in (".", ".."):
                continue
            path = f"{above}{_name(entry)}"
            cluster = int(entry.cluster)
            if not attributes & 0x10:
                yield FatFile(path, int(entry.dirent.DIR_FileSize), cluster)
                continue
            yield FatFile(path, 0, cluster, True)
            if depth < _DEEPEST and cluster and cluster not in seen:
                seen.add(cluster)
                yield from self._walk(entry, f"{path}/", depth + 1, seen)


def _name(entry: Any) -> str:
    """The name with its case: Windows and Linux note lower case of short names in two bits."""
    name = str(entry.name)
    if not entry.ldirents:
        flags = int(entry.dirent.DIR_NTRes)
        base, dot, extension = name.partition(".")
        name = (
            (base.lower() if flags & 0x08 else base)
            + dot
            + (extension.lower() if flags & 0x10 else extension)
        )
    return tame(name, 255).replace("/", "_")


def _stream(pread: Pread, first: int, size: int) -> Any:
    from dissect.util.stream import AlignedStream

    class Volume(AlignedStream):
        def _read(self, offset: int, length: int) -> bytes:
            return pread(first + offset, max(0, min(length, size - offset)))

    return Volume(size, align=4096)
