"""Reads small system files below a root that tests may replace. Knows nothing of disks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

_MOST = 1 << 20  # no file read here is honest beyond a mebibyte


class Reader(Protocol):
    """The part of a file system this room looks at.

    Absent is None; what is there and cannot be read raises OSError, because the two mean different things:
    no holder, and no idea who holds it.
    """

    def text(self, path: str) -> str | None:
        """The file's text without the white space around it; None where there is no such file."""
        ...

    def names(self, path: str) -> tuple[str, ...] | None:
        """The names in a directory, sorted; None where there is no such directory."""
        ...

    def resolve(self, path: str) -> str:
        """The path with all links followed."""
        ...

    def device_of(self, path: str) -> tuple[int, int] | None:
        """(major, minor) of the device the file lies on; None where it cannot be told."""
        ...


class FileReader:
    """A Reader over real files below `root`."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = os.path.realpath(root)

    def text(self, path: str) -> str | None:
        """See Reader. Bytes that are no UTF-8 survive as surrogates, which `core.text.tame` drops."""
        try:
            with open(self._at(path), "rb") as file:  # noqa: PTH123 - hundreds of small reads; Path costs more
                return file.read(_MOST).decode("utf-8", "surrogateescape").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self, path: str) -> tuple[str, ...] | None:
        """See Reader."""
        try:
            return tuple(sorted(os.listdir(self._at(path))))  # noqa: PTH208 - as above
        except (FileNotFoundError, NotADirectoryError):
            return None

    def resolve(self, path: str) -> str:
        """See Reader."""
        real = os.path.realpath(self._at(path))
        if self._root == "/":
            return real
        return real.removeprefix(self._root) or "/"

    def device_of(self, path: str) -> tuple[int, int] | None:
        """See Reader. A recorded tree lies on today's disk, which says nothing of the recorded machine."""
        if self._root != "/":
            return None
        try:
            number = os.stat(self._at(path)).st_dev  # noqa: PTH116 - as above
        except OSError:
            return None
        return os.major(number), os.minor(number)

    def _at(self, path: str) -> str:
        return path if self._root == "/" else f"{self._root}/{path.lstrip('/')}"


def number(reader: Reader, path: str) -> int | None:
    """The number in a file; None where there is none, or it cannot be read."""
    try:
        return int(reader.text(path) or "")
    except (OSError, ValueError):
        return None


def words(reader: Reader, path: str) -> str:
    """The text of a file that only describes; empty where it cannot be read."""
    try:
        return reader.text(path) or ""
    except OSError:
        return ""
