"""Configuration of a backup beside that of a machine: what is missing there, what is the same, what differs."""

from __future__ import annotations

import difflib
import hashlib
import io
import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

from smartos_wizard.core.errors import ProofFailed
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.streams import CHUNK

CONFIG = "usbkey/config"
"""The network configuration: never put back unless it is named."""
PLACES = ("usbkey", "opt/custom", "root/.ssh/authorized_keys", "var/fw")
"""What is put back as files. /etc/zones and images go with their instances."""
_SECRET = re.compile(r"shadow|passw|secret|token|key", re.IGNORECASE)
_TEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """A file or link. `text` only of the network configuration."""

    path: str
    digest: str
    size: int
    text: str = ""


class _Reader(io.RawIOBase):
    """Chunks as something to read from."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: object) -> int:
        view = cast(memoryview, into)
        while not self._rest:
            piece = next(self._chunks, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(view), len(self._rest))
        view[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def items(chunks: Iterable[bytes], places: tuple[str, ...] = PLACES) -> dict[str, Item]:
    """The files and links of a tar stream below those places, by path without the first slash. Raises ProofFailed `odd-tar`."""
    found: dict[str, Item] = {}
    for tar, member in _members(chunks):
        if not _wanted(member, places):
            continue
        if member.issym() or member.islnk():
            found[member.name] = Item(member.name, f"link {member.linkname}", 0)
        elif member.isreg():
            digest, text = hashlib.sha256(), b""
            file = tar.extractfile(member)
            while file is not None and (piece := file.read(CHUNK)):
                digest.update(piece)
                if member.name == CONFIG and len(text) < _TEXT:
                    text += piece
            found[member.name] = Item(member.name, digest.hexdigest(), member.size, text.decode("utf-8", "replace"))  # fmt: skip
    return found


def text_of(chunks: Iterable[bytes], path: str) -> bytes | None:
    """What one small file of a tar stream holds; None where it is not in it."""
    for tar, member in _members(chunks):
        if member.name == path and member.isreg() and member.size <= _TEXT:
            file = tar.extractfile(member)
            return file.read() if file is not None else None
    return None


def only(chunks: Iterable[bytes], paths: set[str]) -> Iterator[bytes]:
    """A tar stream of those files alone, with the directories they lie in."""
    above = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    with tempfile.SpooledTemporaryFile(max_size=16 << 20) as spool:
        with tarfile.open(fileobj=spool, mode="w", format=tarfile.GNU_FORMAT) as out:
            for tar, member in _members(chunks):
                if member.name in paths or (member.isdir() and member.name in above):
                    out.addfile(member, tar.extractfile(member) if member.isreg() else None)
        spool.seek(0)
        while piece := spool.read(CHUNK):
            yield piece


def _members(chunks: Iterable[bytes]) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Reader(chunks), CHUNK), mode="r|") as tar:
            for member in tar:
                member.name = member.name.removeprefix("./").rstrip("/")
                if not member.name.startswith("/") and ".." not in member.name.split("/"):
                    yield tar, member
    except tarfile.TarError as error:
        raise ProofFailed("odd-tar", f"The configuration cannot be read: {tame(str(error), 120)}") from error


def _wanted(member: tarfile.TarInfo, places: tuple[str, ...]) -> bool:
    return any(member.name == place or member.name.startswith(place + "/") for place in places)


@dataclass(frozen=True, slots=True)
class Compared:
    """Paths, sorted."""

    missing: tuple[str, ...]
    same: tuple[str, ...]
    different: tuple[str, ...]
    difference: tuple[str, ...] = ()
    """Of the network configuration, line by line, secrets left out."""


def compare(kept: dict[str, Item], there: dict[str, Item]) -> Compared:
    """What of the backup is missing on the machine, is the same, or differs."""
    missing = tuple(sorted(set(kept) - set(there)))
    both = sorted(set(kept) & set(there))
    different = tuple(path for path in both if kept[path].digest != there[path].digest)
    lines: tuple[str, ...] = ()
    if CONFIG in different:
        before, after = (_shown(side[CONFIG].text) for side in (there, kept))
        lines = tuple(
            difflib.unified_diff(before, after, "on the machine", "in the backup", lineterm="", n=0)
        )
    return Compared(missing, tuple(p for p in both if p not in different), different, lines)


def _shown(text: str) -> list[str]:
    shown = []
    for line in text.splitlines():
        name, equals, _ = line.partition("=")
        secret = equals and _SECRET.search(name)
        shown.append(f"{tame(name)}=(not shown)" if secret else tame(line, 120))
    return shown
