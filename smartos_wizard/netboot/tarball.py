"""The files of a platform tarball, in its order, for a tree; whatever no published one holds is refused at once.

Streamed: no name of the archive becomes a path of this machine, and what it claims is bounded before it is read.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from smartos_wizard.core import text
from smartos_wizard.core.errors import ChecksumFailed, UsageProblem, WriteFailed
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.netboot.unpacking import Entries, Watch, odd
from smartos_wizard.releases.names import is_stamp

_PIECE = 1 << 20
_MOST_FILES = 2000
_MOST_BYTES = 8 << 30
_MOST_BETWEEN = 4 << 20
"""Bytes of headers between two files; long names take some hundred, a bomb of headers takes gigabytes."""


def tarball_entries(image: VerifiedImage, watch: Watch) -> Entries:
    """Each regular file as (path below the tree's root, size, pieces).

    At the end the file as a whole is compared with its published digest. Raises as `unpacking.unpack`.
    """
    digest = hashlib.new(image.algorithm, usedforsecurity=False) if image.digest else None
    with _named(image.path), image.path.open("rb") as file:
        source = _Counted(file, watch, digest)
        with gzip.GzipFile(fileobj=cast(IO[bytes], source)) as plain:
            bounded = _Bounded(cast(IO[bytes], plain), image.path)
            with tarfile.open(fileobj=cast(IO[bytes], bounded), mode="r|", bufsize=_PIECE) as tar:
                yield from _files(tar, bounded, image.path)
            while plain.read(_PIECE):
                watch.stop()
        while source.read(_PIECE):
            pass
    if digest is not None and digest.hexdigest() != image.digest.lower():
        raise ChecksumFailed(
            "image-changed",
            f"{image.path.name} is not what was published, or the disk it lies on reads badly. Nothing was changed.",
            context=str(image.path), hint="Download it again.", expected=image.digest, got=digest.hexdigest(),
        )  # fmt: skip


def stamp_inside(path: Path) -> str:
    """The stamp that the tarball's one directory is named after (`platform-<stamp>/`); empty where it tells none."""
    with _named(path), gzip.open(path) as plain:
        bounded = cast(IO[bytes], _Bounded(cast(IO[bytes], plain), path))
        with tarfile.open(fileobj=bounded, mode="r|") as tar:
            first = tar.next()
    name = first.name.strip("./").split("/")[0].removeprefix("platform-") if first is not None else ""
    return name if is_stamp(name) else ""


def _files(tar: tarfile.TarFile, bounded: _Bounded, where: Path) -> Entries:
    seen: set[str] = set()
    total = 0
    for info in tar:
        path = _path(info, where)
        total += info.size
        if len(seen) >= _MOST_FILES or total > _MOST_BYTES or info.size < 0:
            raise odd(where, f"it holds more than {_MOST_FILES} files or {text.size(_MOST_BYTES)}")
        bounded.allow(info.size)
        if info.isdir():
            continue
        if path in seen:
            raise odd(where, f"{text.tame(path)} is in it twice")
        seen.add(path)
        content = tar.extractfile(info)
        assert content is not None
        yield path, info.size, _pieces(content, where)


def _path(info: tarfile.TarInfo, where: Path) -> str:
    """The path with `platform/` in the place of the one directory that all is in. Raises Refused for any other."""
    shown = text.tame(info.name, 120)
    if not (info.isreg() or info.isdir()) or info.issparse():
        raise odd(where, f"{shown} is a link, a device or another thing that is no file")
    parts = info.name.removeprefix("./").rstrip("/").split("/")
    if any(part in ("", "..") or "\\" in part or not part.isprintable() for part in parts):
        raise odd(where, f"{shown} would lie elsewhere")
    return "/".join(("platform", *parts[1:]))


def _pieces(content: IO[bytes], where: Path) -> Iterator[bytes]:
    with _named(where):  # read by whoever takes the pieces, outside of the one around all files
        while piece := content.read(_PIECE):
            yield piece


@contextmanager
def _named(where: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise WriteFailed(
                "image-unreadable", f"{where.name} cannot be read: {error.strerror}. Nothing was changed.",
                context=str(where), hint="Check the disk it lies on, or download it again.",
            ) from error  # fmt: skip
        raise UsageProblem(
            "not-a-platform",
            f"{where.name} is no gzipped tarball, or it is cut off: {text.tame(str(error))}. Nothing was changed.",
            context=str(where), hint="Download it again.",
        ) from error  # fmt: skip


class _Counted:
    """The compressed file: counted, hashed, stopped on request."""

    def __init__(self, file: IO[bytes], watch: Watch, digest: hashlib._Hash | None) -> None:
        self._file, self._watch, self._digest = file, watch, digest
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        """As a file reads."""
        self._watch.stop()
        data = self._file.read(size)
        self._count += len(data)
        if self._digest is not None:
            self._digest.update(data)
        self._watch.told(self._count)
        return data


class _Bounded:
    """The plain stream, of which no more may be read than the files so far announced, and some headers."""

    def __init__(self, file: IO[bytes], where: Path) -> None:
        self._file, self._where = file, where
        self._left = _MOST_BETWEEN + _PIECE

    def allow(self, count: int) -> None:
        """A file of `count` bytes was announced."""
        self._left = max(self._left, _MOST_BETWEEN) + count + tarfile.BLOCKSIZE

    def read(self, size: int = -1) -> bytes:
        """As a file reads. Raises Refused `odd-archive`."""
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < -_PIECE:
            raise odd(self._where, "its headers have no end")
        return data
