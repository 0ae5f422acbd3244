"""A block device, or a regular file, behind an open descriptor.

Direct I/O where the system gives it, so that neither the bar nor the proof ever speaks of the page cache.
Whoever opens the descriptor (the opener, or `open_file` for regular files) decides about rights; nothing
here opens a disk. Imports core and the nouns of this room only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import struct
from pathlib import Path

from smartos_wizard.core.errors import PrivilegeFailed, Refused
from smartos_wizard.media.model import Fingerprint

# Numbers of <linux/fs.h>; stable since they exist.
BLKRRPART = 0x125F
BLKGETSIZE64 = 0x80081272
BLKFLSBUF = 0x1261
BLKSSZGET = 0x1268
BLKGETDISKSEQ = 0x80081280

_DIRECT = getattr(os, "O_DIRECT", 0)


class FdDevice:
    """`BlockDevice` over a descriptor it owns. Sizes and offsets are bytes.

    `size` overrides what the descriptor tells (a file that is about to grow). Requests that direct I/O
    cannot take (an odd tail, the rest of a short write) go through the page cache and are synced at `sync`.
    """

    def __init__(
        self, fd: int, name: str, *, size: int | None = None, known: Fingerprint | None = None
    ) -> None:
        self._fd = fd
        self.name = name
        self._known = known
        mode = os.fstat(fd).st_mode
        self.regular = stat.S_ISREG(mode)
        self.sector = 512 if self.regular else _ioctl_int(fd, BLKSSZGET, "i", 512)
        self.size = self._measure() if size is None else size
        self._align = 4096 if self.regular else self.sector
        self.direct = self._set_direct(True)

    @property
    def fd(self) -> int:
        """The descriptor; it stays owned by this object."""
        return self._fd

    def pwrite(self, data: memoryview, offset: int) -> int:
        """Write at `offset`; return how many bytes were taken. Raises OSError."""
        if not self._fits(offset, len(data)):
            return self._buffered(lambda: os.pwrite(self._fd, data, offset))
        return os.pwrite(self._fd, data, offset)

    def pread(self, into: memoryview, offset: int) -> int:
        """Read at `offset`; return how many bytes came, 0 at the end. Raises OSError."""
        if not self._fits(offset, len(into)):
            return self._buffered(lambda: os.preadv(self._fd, [into], offset))
        return os.preadv(self._fd, [into], offset)

    def sync(self) -> None:
        """Return when everything written is on the medium. Raises OSError."""
        os.fdatasync(self._fd)

    def drop_cache(self) -> None:
        """Make the next read come from the medium.

        Without the right to flush (BLKFLSBUF wants CAP_SYS_ADMIN) direct reads still bypass the cache;
        the opener's device asks the opener to flush.
        """
        with contextlib.suppress(OSError):
            os.fdatasync(self._fd)
        with contextlib.suppress(OSError, AttributeError):
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)
        if not self.regular:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._fd, BLKFLSBUF, 0)

    def reread_partitions(self) -> None:
        """Tell the system that the partition table changed. Never raises."""
        if not self.regular:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._fd, BLKRRPART, 0)

    def fingerprint(self) -> Fingerprint:
        """Who this is, read again from the descriptor. Raises OSError when it is gone."""
        info = os.fstat(self._fd)
        if self.regular:
            return Fingerprint(self.name, self._measure())
        rdev = (os.major(info.st_rdev), os.minor(info.st_rdev))
        serial, wwn, model = _names(rdev)
        return Fingerprint(
            path=self.name,
            size=self._measure(),
            sector=_ioctl_int(self._fd, BLKSSZGET, "i", 512),
            serial=serial or (self._known.serial if self._known else ""),
            wwn=wwn or (self._known.wwn if self._known else ""),
            model=model or (self._known.model if self._known else ""),
            diskseq=_ioctl_int(self._fd, BLKGETDISKSEQ, "Q", 0) or None,
            rdev=rdev,
        )

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _measure(self) -> int:
        if self.regular:
            return os.fstat(self._fd).st_size
        size = bytearray(8)
        fcntl.ioctl(self._fd, BLKGETSIZE64, size)
        return int(struct.unpack("Q", size)[0])

    def _fits(self, offset: int, length: int) -> bool:
        return not self.direct or (offset % self._align == 0 and length % self._align == 0)

    def _buffered(self, act: object) -> int:
        assert callable(act)
        self._set_direct(False)
        try:
            return int(act())
        finally:
            # A cached copy must not answer a later direct read on systems that keep the two apart.
            with contextlib.suppress(OSError):
                os.fdatasync(self._fd)
                os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)
            self._set_direct(True)

    def _set_direct(self, on: bool) -> bool:
        """Switch direct I/O; return whether it is on. File systems without it (tmpfs of old) refuse."""
        if not _DIRECT:
            return False
        flags = fcntl.fcntl(self._fd, fcntl.F_GETFL)
        try:
            fcntl.fcntl(self._fd, fcntl.F_SETFL, flags | _DIRECT if on else flags & ~_DIRECT)
        except OSError:
            return False
        return on


def open_file(path: str, size: int | None, *, write: bool) -> FdDevice:
    """A regular file as a device. With `write` it is made, or cut and grown to exactly `size` bytes.

    Raises Refused `not-a-file` for anything that is not a regular file, PrivilegeFailed without rights.
    """
    flags = os.O_CLOEXEC | (os.O_RDWR | os.O_CREAT if write else os.O_RDONLY)
    try:
        # Looked at first: opening a fifo or a device node for writing may itself do something.
        if Path(path).exists() and not Path(path).is_file():
            raise Refused(
                "not-a-file", f"{path} is not a regular file.", hint="Leave --file away to write a disk."
            )
        fd = os.open(path, flags, 0o644)
    except PermissionError as error:
        raise PrivilegeFailed(
            "file-not-writable" if write else "file-not-readable",
            f"{path}: {error.strerror}.",
            hint="Choose a directory of your own.",
        ) from error
    except OSError as error:
        raise Refused("file-not-opened", f"{path}: {error.strerror}.", hint="Check the path.") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Refused(
                "not-a-file", f"{path} is not a regular file.", hint="Leave --file away to write a disk."
            )
        if write and size is not None:
            os.ftruncate(fd, size)
        return FdDevice(fd, path)
    except BaseException:
        os.close(fd)
        raise


def _ioctl_int(fd: int, request: int, form: str, default: int) -> int:
    """What an ioctl that fills one integer says; `default` where this kernel does not know it."""
    answer = bytearray(8)
    try:
        fcntl.ioctl(fd, request, answer)
    except OSError:
        return default
    return int(struct.unpack_from(form, answer)[0])


def _names(rdev: tuple[int, int]) -> tuple[str, str, str]:
    """Serial, WWN and model of a block device as sysfs tells them now; empty where it does not."""
    base = Path(f"/sys/dev/block/{rdev[0]}:{rdev[1]}")

    def read(*names: str) -> str:
        for name in names:
            with contextlib.suppress(OSError, ValueError):
                text = (base / name).read_text(encoding="utf-8", errors="replace").strip()
                if text:
                    return text
        return ""

    return read("device/serial", "serial"), read("device/wwid", "wwid"), read("device/model")
