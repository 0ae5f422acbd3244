"""What a mirror serves: directories and objects, as Manta lists them, over a plain folder.

`FolderTree` serves any folder as it is; the practice mirror adds releases that are built when asked for.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A directory, or an object with its bytes in `path` or `data`. `mtime` is seconds since the epoch.

    `md5` is hex, empty where it is not known; the etag of an object changes when its content does.
    """

    name: str
    mtime: float
    size: int = 0
    directory: bool = False
    path: Path | None = None
    data: bytes = b""
    md5: str = ""

    @property
    def etag(self) -> str:
        """A strong tag: of the content where its digest is known, of size and time otherwise."""
        known = (
            self.md5 or hashlib.md5(f"{self.size} {self.mtime}".encode(), usedforsecurity=False).hexdigest()
        )
        return "-".join((known[:8], known[8:12], known[12:16], known[16:20], known[20:]))

    @property
    def content_md5(self) -> str:
        """The digest as the header `Content-MD5` carries it; empty where it is not known."""
        return base64.b64encode(bytes.fromhex(self.md5)).decode() if self.md5 else ""


def text_entry(name: str, text: str, mtime: float) -> Entry:
    """A small object that lives in memory."""
    data = text.encode()
    return Entry(name, mtime, len(data), data=data, md5=hashlib.md5(data, usedforsecurity=False).hexdigest())


class FolderTree:
    """A folder of the disk as a mirror. Names with `..` and links that lead outside find nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def children(self, rel: str) -> list[Entry] | None:
        """What is in the directory `rel`, sorted by name; None where there is no such directory."""
        path = self._inside(rel)
        if path is None or not path.is_dir():
            return None
        return sorted((_entry_of(p) for p in path.iterdir()), key=lambda e: e.name)

    def find(self, rel: str) -> Entry | None:
        """The directory or object `rel`; None where there is none."""
        path = self._inside(rel)
        return _entry_of(path) if path is not None and path.exists() else None

    def _inside(self, rel: str) -> Path | None:
        path = (self.root / rel).resolve()
        return path if path.is_relative_to(self.root.resolve()) else None


def _entry_of(path: Path) -> Entry:
    info = path.stat()
    if path.is_dir():
        return Entry(path.name, info.st_mtime, directory=True)
    return Entry(path.name, info.st_mtime, info.st_size, path=path)
