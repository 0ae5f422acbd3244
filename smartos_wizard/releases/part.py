"""A file on its way in: `NAME.part`, locked, with the mirror's word for which file it is beside it.

Imports core only. The kernel's lock on the part itself keeps two processes apart: no lock file is left over.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import NetworkFailed, Refused, WizardError
from smartos_wizard.core.files import replace_file, sync_directory
from smartos_wizard.core.text import size as in_words
from smartos_wizard.releases.mirror import RemoteFile

_CHUNK = 1024 * 1024
_MARGIN = 16 * 1024 * 1024  # what a disk should keep free for everybody else


class Part:
    """An open, locked part file. `have` counts its bytes, `digest` is over exactly those."""

    def __init__(self, fd: int, path: Path, algorithm: str) -> None:
        self.fd = fd
        self.path = path
        self.side = path.with_name(path.name + ".json")
        self.have = os.fstat(fd).st_size
        self.digest = hashlib.new(algorithm)
        self._algorithm = algorithm
        self.remote, self.mirror = self._read_side()

    def rehash(self) -> Iterator[int]:
        """Read what an earlier run left, so that the digest covers it; yields the bytes read so far."""
        self.digest = hashlib.new(self._algorithm)
        done = 0
        while done < self.have:
            data = os.pread(self.fd, min(_CHUNK, self.have - done), done)
            if not data:
                break
            self.digest.update(data)
            done += len(data)
            yield done
        self.have = done
        os.ftruncate(self.fd, done)

    def start_again(self) -> None:
        """Throw away what came."""
        os.ftruncate(self.fd, 0)
        self.have = 0
        self.digest = hashlib.new(self._algorithm)

    def describe(self, remote: RemoteFile, mirror: str, name: str) -> None:
        """Note which file on which mirror this is a part of, for the next run."""
        self.remote, self.mirror = remote, mirror
        data = {
            "name": name,
            "mirror": mirror,
            "etag": remote.etag,
            "last_modified": remote.last_modified,
            "size": remote.size,
            "pid": os.getpid(),
        }
        replace_file(self.side, json.dumps(data).encode())

    def finish(self, target: Path) -> None:
        """Make it permanent under its own name: synced, then renamed."""
        os.fsync(self.fd)
        self.path.replace(target)
        self.side.unlink(missing_ok=True)
        sync_directory(target.parent)

    def discard(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self.side.unlink(missing_ok=True)

    def _read_side(self) -> tuple[RemoteFile, str]:
        data = _side(self.side)
        size = data.get("size")
        remote = RemoteFile(
            size if isinstance(size, int) else None,
            str(data.get("etag", "")),
            str(data.get("last_modified", "")),
        )
        return remote, str(data.get("mirror", ""))


@contextlib.contextmanager
def claim(path: Path, algorithm: str) -> Iterator[Part]:
    """The part file at `path`, made where there is none, held until the end.

    Raises Refused `being-downloaded` where another process holds it, WizardError where it cannot be made.
    """
    fd = -1
    try:
        fd = _open_locked(path)
        yield Part(fd, path, algorithm)
    finally:
        if fd >= 0:
            os.close(fd)


def _open_locked(path: Path) -> int:
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise disk_trouble(error, path) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same(fd, path):  # otherwise it was finished and renamed between opening and locking
                return fd
        except BlockingIOError:
            os.close(fd)
            raise _busy(path) from None
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _same(fd: int, path: Path) -> bool:
    try:
        here = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(fd)
    return (here.st_dev, here.st_ino) == (mine.st_dev, mine.st_ino)


def _busy(path: Path) -> Refused:
    pid = _side(path.with_name(path.name + ".json")).get("pid")
    who = f"process {pid}" if isinstance(pid, int) else "another process"
    return Refused(
        "being-downloaded",
        f"This file is being downloaded by {who} just now. Two at once would spoil it.",
        context=str(path),
        hint="Wait for the other to finish, or stop it; what it fetched is kept.",
        pid=pid,
    )


def require_space(directory: Path, needed: int) -> None:
    """Raise Refused `no-space` where `needed` bytes more do not fit beside a margin."""
    here = directory
    while not here.exists() and here != here.parent:
        here = here.parent
    info = os.statvfs(here)
    free = info.f_bavail * info.f_frsize
    if needed + _MARGIN > free:
        raise Refused(
            "no-space",
            f"There is not enough room: {in_words(needed)} are still to come, {in_words(free)} are free.",
            context=str(directory),
            hint="Make room, choose another place with --to DIR, or see `smartos-wizard release prune --dry-run`.",
            needed=needed,
            free=free,
        )


def disk_trouble(error: OSError, path: Path) -> WizardError:
    """An error of this machine's disk while downloading, in words; exit code 5, as all download trouble."""
    return NetworkFailed(
        "cannot-save",
        f"The download could not be saved: {error.strerror or error}.",
        context=str(path),
        hint="Is the disk full or read-only? Choose another place with --to DIR. What came is kept.",
    )


def _side(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
