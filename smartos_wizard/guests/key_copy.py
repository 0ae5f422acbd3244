"""A guest's own copy of the USB image: decoded, checked against its digest, with the empty parts left empty.

Raw images are cloned where the file system can do that (btrfs, XFS, by the FICLONE call of ioctl_ficlone(2)); their
holes are not read elsewhere (lseek(2), SEEK_DATA). What is copied is digested in a thread of its own meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import ChecksumFailed, WizardError, WriteFailed
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.media.slots import SLOT, aligned
from smartos_wizard.media.source import Source, peek_size

_PIECE = 64 << 10
_BLOCK = 4096
_ZEROS = bytes(SLOT)
_BUFFERS = 3
_FICLONE = 0x40049409
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class KeyCopy:
    """One copy. `done` counts bytes of the decoded image, `total` is their number where it is known beforehand."""

    def __init__(self, image: VerifiedImage, target: Path, cancel: Cancel, state: str = "") -> None:
        self.done = 0
        self.total = image.raw_size
        self._image, self._target, self._cancel = image, target, cancel
        self._state = state or "Stopped; nothing has changed."

    def run(self) -> int:
        """Make the file, which must be new, and put it on the disk; return its size in bytes.

        Raises WriteFailed (`guest-disk-full`, `guest-key-unwritten`, and those of `Source`), ChecksumFailed
        `image-changed` where the image is not what its checksum says, Cancelled.
        """
        self.total = peek_size(self._image)
        try:
            with self._target.open("x+b", buffering=0) as file:
                digest = self._raw(file.fileno()) if self._is_raw else self._decoded(file.fileno())
                self._check(digest)
                os.ftruncate(file.fileno(), self.done)
                os.fsync(file.fileno())
        except OSError as error:
            raise self._failed(error) from error
        return self.done

    @property
    def _is_raw(self) -> bool:
        return self._image.kind in (ImageKind.RAW, ImageKind.ISO)

    def _decoded(self, target: int) -> str:
        buffer = aligned(SLOT)
        try:
            opened = Source(self._image)
        except OSError as error:
            raise _unreadable(self._image, error.strerror or str(error)) from error
        with opened as source:
            while count := source.fill(buffer):
                self._put(target, buffer[:count], self.done)
            return source.digest()

    def _raw(self, target: int) -> str:
        with _opened(self._image) as source:
            size = os.fstat(source).st_size
            if _clone(source, target):
                # What is digested is the copy, so what was checked is what the guest gets.
                return self._read(target, size, None)
            return self._read(source, size, target)

    def _read(self, source: int, size: int, target: int | None) -> str:
        """Read all data of `source`, digest it, and write it to `target` where there is one."""
        if self._image.algorithm == "none" and target is None:
            self._move(size)
            return ""
        hashing = _Hashing(self._image.algorithm)
        try:
            for first, end in _data(source, size):
                if first > self.done:
                    hashing.zeros(first - self.done)
                    self._move(first - self.done)
                while self.done < end:
                    view = hashing.buffer()
                    count = _fill(self._image, source, view[: min(len(view), end - self.done)], self.done)
                    if not count:
                        raise _shrank(self._image)
                    hashing.add(view, count)
                    if target is None:
                        self._move(count)
                    else:
                        self._put(target, view[:count], self.done)
            hashing.zeros(size - self.done)
            self._move(size - self.done)
        finally:
            digest = hashing.end()
        return digest

    def _put(self, target: int, data: memoryview, offset: int) -> None:
        for first, end in filled(data):
            done = first
            while done < end:
                done += os.pwrite(target, data[done:end], offset + done)
        self._move(len(data))

    def _move(self, count: int) -> None:
        self.done += count
        self._cancel.check(self._state)

    def _check(self, digest: str) -> None:
        image = self._image
        if image.algorithm != "none" and digest != image.digest.lower():
            raise ChecksumFailed(
                "image-changed", f"{image.path.name} is not what it should be: its {image.algorithm} is {digest}, "
                f"{image.vouched_by or 'its checksum'} says {image.digest}.", context=str(image.path),
                hint="Download it again.", expected=image.digest, got=digest,
            )  # fmt: skip

    def _failed(self, error: OSError) -> WizardError:
        words = f"The guest's key cannot be written: {error.strerror or error}."
        if error.errno in _FULL:
            hint = "Make room where guests lie."
            return WriteFailed("guest-disk-full", words, context=str(self._target), hint=hint)
        hint = "Is the disk where guests lie in order, and may you write there?"
        return WriteFailed("guest-key-unwritten", words, context=str(self._target), hint=hint)


def filled(data: memoryview) -> Iterator[tuple[int, int]]:
    """The ranges of `data` that are not all zeros, begun and ended at blocks of 4 KiB, gaps of less than 64 KiB kept."""
    first = -1
    size = len(data)
    for at in range(0, size, _PIECE):
        end = min(at + _PIECE, size)
        if not _empty(data, at, end):
            if first < 0:
                first = _trimmed(data, at, end)
        elif first >= 0:
            yield first, _trimmed_end(data, first, at)
            first = -1
    if first >= 0:
        yield first, _trimmed_end(data, first, size)


def _empty(data: memoryview, at: int, end: int) -> bool:
    # A short look first: most of what is not empty shows it there. Comparing bytes is 40 times as fast as comparing views.
    few = min(at + 64, end)
    return bytes(data[at:few]) == _ZEROS[: few - at] and bytes(data[few:end]) == _ZEROS[: end - few]


def _trimmed(data: memoryview, first: int, end: int) -> int:
    while first + _BLOCK < end and _empty(data, first, first + _BLOCK):
        first += _BLOCK
    return first


def _trimmed_end(data: memoryview, first: int, end: int) -> int:
    last = (end - 1) // _BLOCK * _BLOCK
    while last > first and _empty(data, last, end):
        end, last = last, last - _BLOCK
    return end


class _Hashing:
    """The digest of what is given to it, made in another thread, with the buffers that go to and fro."""

    def __init__(self, algorithm: str) -> None:
        self._hash = None if algorithm == "none" else hashlib.new(algorithm)
        self._free: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(aligned(SLOT))
        self._full: queue.SimpleQueue[tuple[memoryview | None, int] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="digest", daemon=True)
        self._thread.start()

    def buffer(self) -> memoryview:
        """A buffer that nobody uses; it waits for one."""
        return self._free.get()

    def add(self, view: memoryview, count: int) -> None:
        """The first `count` bytes of a buffer come next. It may be read until the next `buffer`, not changed."""
        self._full.put((view, count))

    def zeros(self, count: int) -> None:
        """So many zeros come next."""
        self._full.put((None, count))

    def end(self) -> str:
        """The digest of all, lower-case hex; empty where none was asked for."""
        self._full.put(None)
        self._thread.join()
        return self._hash.hexdigest() if self._hash else ""

    def _run(self) -> None:
        while (piece := self._full.get()) is not None:
            view, count = piece
            if self._hash is not None:
                for at in range(0, count, SLOT):
                    data = memoryview(_ZEROS) if view is None else view
                    self._hash.update(data[: min(SLOT, count - at)])
            if view is not None:
                self._free.put(view)


@contextlib.contextmanager
def _opened(image: VerifiedImage) -> Iterator[int]:
    try:
        fd = os.open(image.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(image, error.strerror or str(error)) from error
    try:
        yield fd
    finally:
        os.close(fd)


def _clone(source: int, target: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.ioctl(target, _FICLONE, source)
        return True
    return False


def _data(fd: int, size: int) -> Iterator[tuple[int, int]]:
    """The ranges of a file that are not holes; all of it where the system does not tell."""
    at = 0
    while at < size:
        try:
            first = os.lseek(fd, at, os.SEEK_DATA)
            end = os.lseek(fd, first, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:  # no data from here on
                return
            first, end = at, size
        yield first, min(end, size)
        at = end


def _fill(image: VerifiedImage, fd: int, view: memoryview, offset: int) -> int:
    """Read into all of `view` from `offset`; return how many bytes there were. Raises WriteFailed `image-unreadable`."""
    done = 0
    while done < len(view):
        try:
            count = os.preadv(fd, [view[done:]], offset + done)
        except OSError as error:
            raise _unreadable(image, error.strerror or str(error)) from error
        if not count:
            break
        done += count
    return done


def _unreadable(image: VerifiedImage, why: str) -> WriteFailed:
    return WriteFailed(
        "image-unreadable", f"The image cannot be read: {why}.", context=str(image.path),
        hint="Check the disk it lies on, or download it again.",
    )  # fmt: skip


def _shrank(image: VerifiedImage) -> WriteFailed:
    return _unreadable(image, "it became shorter while it was read")
