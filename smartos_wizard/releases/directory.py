"""A mirror that is a local directory: one directory per release, for machines without a network."""

from __future__ import annotations

import datetime as dt
import heapq
from email.utils import formatdate
from pathlib import Path
from typing import Any, BinaryIO

from smartos_wizard.core.errors import NetworkFailed
from smartos_wizard.releases.mirror import Incoming, RemoteFile


class DirectoryMirror:
    """Reads what `Mirror` promises from a directory; symbolic links in it are followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.base = root.as_uri() + "/"

    def page(self, marker: str, limit: int, under: str = "") -> list[dict[str, Any]]:
        """Entries after `marker`, by name, in the keys of a Manta listing."""
        try:
            names = (p.name for p in self._at(under).iterdir() if p.name > marker)
            return [self._entry(self._at(under) / name) for name in heapq.nsmallest(limit, names)]
        except OSError as error:
            raise _failed(error, under) from error

    def text(self, rel: str) -> str:
        """A small text file."""
        try:
            return self._at(rel).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise _failed(error, rel) from error

    def head(self, rel: str) -> RemoteFile:
        """Size and time; the ETag is made of both."""
        try:
            info = self._at(rel).stat()
        except OSError as error:
            raise _failed(error, rel) from error
        etag = f'"{info.st_mtime_ns:x}-{info.st_size:x}"'
        return RemoteFile(info.st_size, etag, formatdate(info.st_mtime, usegmt=True))

    def open(self, rel: str, start: int = 0, if_range: str = "") -> Incoming:
        """The file, from `start` where it is still the one `if_range` names."""
        remote = self.head(rel)
        fresh = bool(if_range) and if_range not in (remote.etag, remote.last_modified)
        start = 0 if fresh or start > (remote.size or 0) else start
        try:
            file = self._at(rel).open("rb", buffering=0)
        except OSError as error:
            raise _failed(error, rel) from error
        file.seek(start)
        return _LocalIncoming(file, start, remote, rel)

    def _at(self, rel: str) -> Path:
        return self._root / rel if rel else self._root

    @staticmethod
    def _entry(path: Path) -> dict[str, Any]:
        try:
            info = path.stat()
        except OSError:
            return {"name": path.name, "type": "broken"}
        time = dt.datetime.fromtimestamp(info.st_mtime, dt.UTC).isoformat(timespec="milliseconds")
        if path.is_dir():
            return {"name": path.name, "type": "directory", "mtime": time}
        return {"name": path.name, "type": "object", "mtime": time, "size": info.st_size}


class _LocalIncoming:
    def __init__(self, file: BinaryIO, start: int, remote: RemoteFile, rel: str) -> None:
        self._file = file
        self._rel = rel
        self.start = start
        self.remote = remote

    def read(self, limit: int) -> bytes:
        try:
            return self._file.read(limit)
        except (OSError, ValueError) as error:
            raise _failed(error, self._rel) from error

    def close(self) -> None:
        self._file.close()


def _failed(error: Exception, rel: str) -> NetworkFailed:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NetworkFailed(
            "not-on-mirror", f"The mirror has no {rel or 'such directory'}.", context=str(error)
        )
    return NetworkFailed(
        "mirror-unreadable",
        f"The mirror's directory could not be read: {error}",
        context=rel,
        hint="Is the medium still attached, and may this user read it?",
    )
