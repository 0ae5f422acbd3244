"""Files of a backup: written with their digest while they arrive, read back and compared. Modes 0700 and 0600: secrets lie in them."""

from __future__ import annotations

import errno
import hashlib
import os
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from smartos_wizard.core.errors import ProofFailed, Refused, WriteFailed
from smartos_wizard.core.files import sync_directory
from smartos_wizard.core.text import size, tame
from smartos_wizard.reinstall.backup_manifest import Kept
from smartos_wizard.reinstall.backup_stream import RECORD, check_end, head_of

_PIECE = 1 << 20
_GZIP = 31
"""zlib's window for a gzip file, RFC 1952."""
_LEVEL = 1
"""Fast: it has to keep up with the network, and what is compressed already gets no smaller anyway."""

Progress = Generator[int, None, Kept]
"""Yields how many bytes are done; returns what was kept."""


def make_directory(path: Path) -> bool:
    """Make it, with mode 0700; whether it was missing. Raises Refused where it cannot hold a backup."""
    if path.exists() and not path.is_dir():
        raise Refused("not-a-directory", f"{tame(str(path), 255)} is no directory.")
    missing = not path.exists()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise WriteFailed("cannot-write", f"{tame(str(path), 255)}: {error.strerror}") from error
    return missing


def keep(directory: Path, kept: Kept, chunks: Iterable[bytes]) -> Progress:
    """Write the chunks to a file, packed where its name ends in `.gz`; it has its name only when all of it is on the disk.

    Raises WriteFailed `backup-disk-full`, `cannot-write`, ProofFailed where a stream is none, and what the chunks raise.
    """
    part = directory / f".{kept.path}.part"
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP) if kept.path.endswith(".gz") else None
    digest, raw = hashlib.sha256(), hashlib.sha256()
    written = seen = 0
    ends = _Ends()
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with _disk(directory), os.fdopen(os.open(part, flags, 0o600), "wb") as file:
            for chunk in _and_end(chunks):
                if chunk is not None:
                    seen += len(chunk)
                    raw.update(chunk)
                    ends.see(chunk)
                packed = _packed(packer, chunk)
                digest.update(packed)
                written += len(packed)
                file.write(packed)
                yield seen
            if kept.kind == "stream":
                ends.check(kept.path, seen)
            file.flush()
            os.fsync(file.fileno())
        part.replace(directory / kept.path)
        sync_directory(directory)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    done = replace(kept, size=written, sha256=digest.hexdigest())
    return replace(done, stream_size=seen, stream_sha256=raw.hexdigest()) if packer else done


def _packed(packer: zlib._Compress | None, chunk: bytes | None) -> bytes:
    if packer is None:
        return chunk or b""
    return packer.flush() if chunk is None else packer.compress(chunk)


def _and_end(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    yield from chunks
    yield None


class _Ends:
    """The first and the last record of a stream that goes by."""

    def __init__(self) -> None:
        self._first, self._last = b"", b""

    def see(self, chunk: bytes) -> None:
        if len(self._first) < RECORD:
            self._first += chunk[: RECORD - len(self._first)]
        self._last = (self._last + chunk[-RECORD:])[-RECORD:]

    def check(self, what: str, length: int) -> None:
        head_of(self._first, what)
        check_end(self._last, what, length)


@contextmanager
def _disk(directory: Path) -> Iterator[None]:
    """Turn what a full or failing disk says into words."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        where = tame(str(directory), 255)
        raise WriteFailed(
            "backup-disk-full" if full else "cannot-write",
            f"The disk of {where} is full." if full else f"{where}: {error.strerror}",
            hint="Make room, then give the same command again: what is finished is kept." if full else "",
        ) from error


def read_back(directory: Path, kept: Kept) -> Generator[int, None, None]:
    """Read the file from the disk and compare it with what is known of it; a stream is unpacked on the way.

    Yields how many bytes were read. Raises ProofFailed `backup-damaged`, `backup-file-missing`.
    """
    digest, raw, ends = hashlib.sha256(), hashlib.sha256(), _Ends()
    done = length = 0
    unpacker = zlib.decompressobj(_GZIP) if kept.path.endswith(".gz") else None
    try:
        with _opened(directory / kept.path) as file:
            for piece in _pieces(file):
                digest.update(piece)
                done += len(piece)
                if unpacker is not None:
                    for part in _unpacked(unpacker, piece):
                        raw.update(part)
                        ends.see(part)
                        length += len(part)
                yield done
    except (OSError, zlib.error) as error:
        raise _damaged(kept, tame(str(error), 120)) from error
    if done != kept.size or digest.hexdigest() != kept.sha256:
        raise _damaged(kept, f"{size(done)} where {size(kept.size)} were written" if done != kept.size else "its sha256 is another")  # fmt: skip
    if unpacker is not None and (not unpacker.eof or (length, raw.hexdigest()) != (kept.stream_size, kept.stream_sha256)):  # fmt: skip
        raise _damaged(kept, "what is packed in it is not what was packed")
    if kept.kind == "stream":
        ends.check(kept.path, length)


def unpacked(
    directory: Path, kept: Kept, seen: Callable[[int], None] = lambda _count: None
) -> Iterator[bytes]:
    """What is packed in the file, in pieces; `seen` is told how many bytes of the file were read."""
    unpacker, done = zlib.decompressobj(_GZIP), 0
    with _opened(directory / kept.path) as file:
        for piece in _pieces(file):
            done += len(piece)
            seen(done)
            yield from _unpacked(unpacker, piece)


def _unpacked(unpacker: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    """In small parts, however well it was packed; an empty piece is the end. What stands after it, the digest tells of."""
    if not piece and (part := unpacker.flush()):
        yield part
    while piece and not unpacker.eof:
        part = unpacker.decompress(piece, _PIECE)
        if part:
            yield part
        piece = unpacker.unconsumed_tail


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces, the last one empty."""
    while piece := file.read(_PIECE):
        yield piece
    yield b""


def _opened(path: Path) -> BinaryIO:
    file = path.open("rb")
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return file


def _damaged(kept: Kept, why: str) -> ProofFailed:
    return ProofFailed("backup-damaged", f"{kept.path} is not what was written: {why}.", hint="Do not rely on this backup. Make it again, on another disk.", file=kept.path)  # fmt: skip
