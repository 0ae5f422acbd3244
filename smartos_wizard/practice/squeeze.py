"""Compressing images that are mostly zeros, fast: the zeros are not compressed again and again.

A gzip made here is one member as `gzip` makes it; a bzip2 has many streams as `pbzip2` makes it.
"""

from __future__ import annotations

import bz2
import os
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

_STEP = 1 << 20
_ZERO_RUN = 64 << 20
_ZEROS = bytes(_STEP)


def pieces(source: BinaryIO, size: int) -> Iterator[bytes | int]:
    """The file's content: bytes, or a number that stands for so many zeros. Holes are not read."""
    fd, at, zeros = source.fileno(), 0, 0
    while at < size:
        data_at = min(_next_data(fd, at, size), size)
        zeros += data_at - at
        at = data_at
        if at >= size:
            break
        chunk = os.pread(fd, min(_STEP, size - at), at)
        if not chunk:
            raise EOFError(f"the file became shorter: {at} of {size}")
        at += len(chunk)
        if chunk == _ZEROS[: len(chunk)]:
            zeros += len(chunk)
            continue
        if zeros:
            yield zeros
            zeros = 0
        yield chunk
    if zeros:
        yield zeros


def _next_data(fd: int, at: int, size: int) -> int:
    if not hasattr(os, "SEEK_DATA"):  # pragma: no cover - not on every system
        return at
    try:
        return os.lseek(fd, at, os.SEEK_DATA)
    except OSError:
        return size


class GzipWriter:
    """Writes one gzip member piece by piece; `zeros` adds a run at almost no cost."""

    def __init__(self, out: BinaryIO, level: int = 1) -> None:
        self._out = out
        self._level = level
        self._crc = 0
        self._size = 0
        out.write(b"\x1f\x8b\x08\0\0\0\0\0\0\x03")

    def data(self, chunk: bytes) -> None:
        """Add bytes."""
        from isal import isal_zlib

        self._out.write(_deflated(chunk, self._level))
        self._crc = isal_zlib.crc32(chunk, self._crc)
        self._size += len(chunk)

    def zeros(self, count: int) -> None:
        """Add `count` zero bytes."""
        from isal import isal_zlib

        for length in (*[_ZERO_RUN] * (count // _ZERO_RUN), count % _ZERO_RUN):
            if length:
                deflated, crc = _deflated_zeros(length)
                self._out.write(deflated)
                self._crc = isal_zlib.crc32_combine(self._crc, crc, length)
        self._size += count

    def finish(self) -> None:
        """End the member."""
        self._out.write(b"\x03\0" + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))


def _deflated(chunk: bytes, level: int) -> bytes:
    from isal import isal_zlib

    deflater = isal_zlib.compressobj(level, isal_zlib.DEFLATED, -15)
    return deflater.compress(chunk) + deflater.flush(isal_zlib.Z_FULL_FLUSH)


@lru_cache(maxsize=8)
def _deflated_zeros(length: int) -> tuple[bytes, int]:
    from isal import isal_zlib

    deflater = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
    out, crc, left = [], 0, length
    while left:
        step = _ZEROS[: min(left, _STEP)]
        out.append(deflater.compress(step))
        crc = isal_zlib.crc32(step, crc)
        left -= len(step)
    return b"".join([*out, deflater.flush(isal_zlib.Z_FULL_FLUSH)]), crc


def compress_gzip(source: Path, target: Path) -> Path:
    """Compress a mostly empty file to one gzip member at `target`; return it."""
    with source.open("rb") as file, target.open("wb") as out:
        writer = GzipWriter(out)
        for piece in pieces(file, source.stat().st_size):
            if isinstance(piece, int):
                writer.zeros(piece)
            else:
                writer.data(piece)
        writer.finish()
    return target


def compress_bzip2(source: Path, target: Path) -> Path:
    """Compress a mostly empty file to a bzip2 of several streams at `target`; return it."""
    with source.open("rb") as file, target.open("wb") as out:
        for piece in pieces(file, source.stat().st_size):
            if isinstance(piece, int):
                left = piece
                # The longest first, each length compressed once: only the rest is new every time.
                for run in (_ZERO_RUN, 8 << 20, 1 << 20):
                    count, left = divmod(left, run)
                    out.write(_bzip2_zeros(run) * count if count else b"")
                out.write(_bzip2_zeros(left))
            else:
                out.write(bz2.compress(piece, 1))
    return target


@lru_cache(maxsize=8)
def _bzip2_zeros(length: int) -> bytes:
    squeezer = bz2.BZ2Compressor(9)
    parts = [squeezer.compress(_ZEROS[: min(_STEP, length - at)]) for at in range(0, length, _STEP)]
    return b"".join([*parts, squeezer.flush()]) if length else b""
