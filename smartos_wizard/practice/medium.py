"""The file behind a practice key: as big as the key claims to be, and nearly free on the real disk.

Zeros are kept as holes. What was never written reads as old data, not as zeros, so that writing a practice
key is as much work as writing a used one. Opens regular files inside one directory and nothing else.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from smartos_wizard.core.errors import Refused

_CHUNK = 1 << 20  # the grain in which "never written" is remembered
_OLD_CHUNKS = 2048  # old data fills the first 2 GiB, more than any image
_PIECE = 64 << 10  # the grain in which zeros become holes
_ZEROS = bytes(_PIECE)
_OLD = b"\xf6" * _CHUNK  # the byte that factories fill media with
_KEEP_SIZE_PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE of <linux/falloc.h>


def open_inside(root: Path, path: Path, flags: int) -> int:
    """A descriptor of the regular file `path`, which must lie inside `root` in truth and not by a link.

    Raises Refused `outside-practice` for anything else.
    """
    refusal = Refused(
        "outside-practice",
        f"{path} lies outside the practice directory. Practice touches nothing real.",
        hint=f"Use a name below {root}, or leave --practice away.",
    )
    home = root.resolve()
    parent = path.parent.resolve()
    if not parent.is_relative_to(home) or path.name in ("", ".", ".."):
        raise refusal
    try:
        fd = os.open(parent / path.name, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except (IsADirectoryError, FileNotFoundError):
        raise
    except OSError as error:
        raise refusal from error
    info = os.fstat(fd)
    # A second name elsewhere would make a write here change a file out there.
    if not stat.S_ISREG(info.st_mode) or info.st_nlink > 1:
        os.close(fd)
        raise refusal
    return fd


class Medium:
    """A sparse file of `size` bytes below `root`, with a map beside it of what was ever written.

    `blank` makes everything unwritten read as zeros.
    """

    def __init__(self, root: Path, path: Path, size: int, *, blank: bool) -> None:
        self.size = size
        self._fd = open_inside(root, path, os.O_RDWR | os.O_CREAT)
        self._map = -1
        try:
            if os.fstat(self._fd).st_size != size:
                os.ftruncate(self._fd, size)
            if not blank:
                self._map = open_inside(root, path.with_suffix(".map"), os.O_RDWR | os.O_CREAT)
                os.ftruncate(self._map, _OLD_CHUNKS)
        except BaseException:
            self.close()
            raise

    def read(self, into: memoryview, offset: int) -> int:
        """Fill the buffer from `offset`; return how many bytes came, 0 at the end."""
        length = min(len(into), self.size - offset)
        if length <= 0:
            return 0
        got = os.preadv(self._fd, [into[:length]], offset)
        if self._map >= 0:
            first, written = self._written(offset, got)
            for index, flag in enumerate(written, first):
                if not flag:
                    start, end = max(offset, index * _CHUNK), min(offset + got, (index + 1) * _CHUNK)
                    into[start - offset : end - offset] = _OLD[: end - start]
        return got

    def write(self, data: memoryview, offset: int) -> int:
        """Write at `offset`; return how many bytes were taken."""
        length = min(len(data), self.size - offset)
        if length <= 0:
            raise OSError(28, os.strerror(28))
        self._claim(offset, length)
        raw = bytes(data[:length])
        start = 0
        while start < length:
            # Runs of one kind at a time, so that a plain 4 MiB of data is one system call.
            zero, end = self._run(raw, start)
            if zero:
                self._punch(offset + start, end - start)
            else:
                start += os.pwrite(self._fd, memoryview(raw)[start:end], offset + start)
                continue
            start = end
        return length

    def sync(self) -> None:
        """Nothing to wait for: a make-believe key needs not survive a real power cut."""

    def close(self) -> None:
        """Close the files; a second call does nothing."""
        fds, self._fd, self._map = (self._fd, self._map), -1, -1
        for fd in fds:
            if fd >= 0:
                os.close(fd)

    def _written(self, offset: int, length: int) -> tuple[int, bytes]:
        first = offset // _CHUNK
        last = min((offset + length - 1) // _CHUNK, _OLD_CHUNKS - 1)
        return first, os.pread(self._map, last - first + 1, first) if last >= first else b""

    def _claim(self, offset: int, length: int) -> None:
        """Mark chunks as written; old data around a partial write is made real first."""
        if self._map < 0:
            return
        first, written = self._written(offset, length)
        if not written or all(written):
            return
        for index, flag in enumerate(written, first):
            start, end = index * _CHUNK, (index + 1) * _CHUNK
            if not flag and (start < offset or end > offset + length):
                os.pwrite(self._fd, _OLD, start)
        os.pwrite(self._map, b"\x01" * len(written), first)

    @staticmethod
    def _run(raw: bytes, start: int) -> tuple[bool, int]:
        """Whether zeros begin at `start`, and where that run of pieces ends."""

        def zero(at: int) -> bool:
            piece = min(_PIECE, len(raw) - at)
            return raw.startswith(_ZEROS if piece == _PIECE else bytes(piece), at)

        kind = zero(start)
        end = start
        while end < len(raw) and zero(end) == kind:
            end += _PIECE
        return kind, min(end, len(raw))

    def _punch(self, offset: int, length: int) -> None:
        """Make the range read as zeros, taking no room where the file system can do that."""
        try:
            hole = os.lseek(self._fd, offset, os.SEEK_DATA) >= offset + length
        except OSError:
            hole = True  # ENXIO: no data from here to the end
        if hole or _fallocate(self._fd, offset, length):
            return
        os.pwrite(self._fd, bytes(length), offset)


def _fallocate(fd: int, offset: int, length: int) -> bool:
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).fallocate
    except AttributeError:  # not Linux
        return False
    call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return bool(call(fd, _KEEP_SIZE_PUNCH_HOLE, offset, length) == 0)
