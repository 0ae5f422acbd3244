"""The platform of a release as the tarball `platform-*.tgz`: checked as a whole, then read file by file.

It unpacks to `platform-<stamp>/`, whose content becomes `/platform` on a key (smartos-live, tools/build_live;
smartos-docs, remotely-upgrading-a-usb-key-based-deployment).
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from smartos_wizard.core import text
from smartos_wizard.core.errors import ChecksumFailed, Refused, UsageProblem, WriteFailed
from smartos_wizard.media.model import VerifiedImage

_PIECE = 1 << 20
_MOST_FILES = 2000
_LARGEST = 4 << 30
_LONGEST = 255
_BAD = re.compile(
    r'[\x00-\x1f"*:<>?\\|\x7f-\x9f\ud800-\udfff]|[. ]\Z'
)  # FAT drops dots and blanks at the end
KERNEL = "i86pc/kernel/amd64/unix"
ARCHIVE = "i86pc/amd64/boot_archive"
HASH = f"{ARCHIVE}.hash"
VERSION = "etc/version/platform"


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the platform: path below `/platform`, size in bytes, SHA-256 in hex."""

    path: str
    size: int
    digest: str


@dataclass(slots=True)
class Platform:
    """What a tarball holds. `stamp` is what the platform says of itself, `hashed` whether its archive has a hash."""

    stamp: str
    members: tuple[Member, ...]
    hashed: bool
    small: dict[str, bytes] = field(default_factory=dict)

    def clusters(self, size: int) -> int:
        """How many clusters of `size` bytes its files and directories take, generously."""
        folders = {
            "/".join(m.path.split("/")[:n]) for m in self.members for n in range(m.path.count("/") + 1)
        }
        entries = sum(2 + len(m.path.rpartition("/")[2]) // 13 for m in self.members) + 4 * len(folders)
        return sum(-(-m.size // size) for m in self.members) + len(folders) + -(-entries * 32 // size) + 4


def check_platform(
    image: VerifiedImage,
    told: Callable[[int], None] = lambda _count: None,
    stop: Callable[[], None] = lambda: None,
) -> Platform:
    """Read the whole tarball once: its published digest, its files, and boot_archive against its own SHA-1.

    `told` gets compressed bytes read so far; `stop` may raise. Raises ChecksumFailed (`image-changed`,
    `boot-archive-damaged`), Refused `odd-platform`, UsageProblem `not-a-platform`, WriteFailed `image-unreadable`.
    """
    whole = hashlib.new(image.algorithm, usedforsecurity=False) if image.digest else None
    members: list[Member] = []
    small: dict[str, bytes] = {}
    sha1 = ""
    with _named(image.path), image.path.open("rb") as file:
        watched = _Watched(file, whole, told)
        for path, size, pieces in _files(cast(IO[bytes], watched), image.path):
            digest, own, kept = hashlib.sha256(), hashlib.sha1(usedforsecurity=False), b""
            for piece in pieces:
                stop()
                digest.update(piece)
                if path == ARCHIVE:
                    own.update(piece)
                elif size <= _PIECE:
                    kept += piece
            if path == ARCHIVE:
                sha1 = own.hexdigest()
            elif path in (HASH, VERSION):
                small[path] = kept
            members.append(Member(path, size, digest.hexdigest()))
        watched.drain()
    if whole is not None and whole.hexdigest() != image.digest.lower():
        raise ChecksumFailed(
            "image-changed",
            f"{image.path.name} is not what was published, or the disk it lies on reads badly. Nothing was changed.",
            context=str(image.path), hint="Download it again.", expected=image.digest, got=whole.hexdigest(),
        )  # fmt: skip
    return _judged(image, members, small, sha1)


def read_platform(image: VerifiedImage) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """(path below `/platform`, size, content in pieces) of every file, in the tarball's order. Raises as checking."""
    with _named(image.path), image.path.open("rb") as file:
        yield from _files(file, image.path)


def expected_size(path: Path) -> int | None:
    """The unpacked size as the gzip file's last four bytes tell it.

    None where it is no gzip file, not there, or those bytes tell no size of a tarball: then it is cut off.
    """
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            at = file.seek(-4, 2)
            size = int.from_bytes(file.read(4), "little")
            return size if size % tarfile.BLOCKSIZE == 0 and size > at // 2 else None
    return None


def _judged(image: VerifiedImage, members: list[Member], small: dict[str, bytes], sha1: str) -> Platform:
    paths = {member.path for member in members}
    missing = [path for path in (KERNEL, ARCHIVE, VERSION) if path not in paths]
    if missing:
        raise UsageProblem(
            "not-a-platform",
            f"{image.path.name} is no SmartOS platform: {missing[0]} is not in it. Nothing was changed.",
            hint="Its name begins with platform- and ends in .tgz.",
            context=str(image.path),
        )
    stamp = text.tame(small[VERSION].decode("ascii", "replace").strip())
    if image.stamp and stamp != image.stamp:
        raise Refused(
            "other-platform",
            f"{image.path.name} says it is {stamp}, not {image.stamp}. Nothing was changed.",
            context=str(image.path),
        )
    published = small.get(HASH, b"").decode("ascii", "replace").strip().lower()
    if published and published != sha1:
        raise ChecksumFailed(
            "boot-archive-damaged",
            f"The boot archive in {image.path.name} is not what its hash says: SmartOS would panic at boot. "
            "Nothing was changed.",
            context=str(image.path), hint="Choose another release.", expected=published, got=sha1,
        )  # fmt: skip
    return Platform(stamp, tuple(members), bool(published))


def _files(file: IO[bytes], where: Path) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    seen: set[str] = set()
    folders: set[str] = set()
    with _named(where), gzip.GzipFile(fileobj=file) as plain:  # tarfile's own reader looks at no checksum
        with tarfile.open(fileobj=plain, mode="r|", bufsize=_PIECE) as tar:
            for info in tar:
                if info.isdir():
                    continue
                path = _path(info, where)
                _new(path.lower(), seen, folders, where)
                content = tar.extractfile(info)
                assert content is not None
                yield path, info.size, _pieces(content, where)
        while plain.read(_PIECE):
            pass


@contextlib.contextmanager
def _named(where: Path) -> Iterator[None]:
    """Whatever is wrong with the bytes as UsageProblem, and a file that cannot be read as WriteFailed.

    Never OSError: where the file is copied to a key, that would be taken for a fault of the key.
    """
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise WriteFailed(
                "image-unreadable",
                f"{where.name} cannot be read: {error.strerror}. Nothing was changed.",
                context=str(where), hint="Check the disk it lies on, or download it again.",
            ) from error  # fmt: skip
        raise UsageProblem(
            "not-a-platform",
            f"{where.name} is no gzipped tarball, or it is cut off: {text.tame(str(error))}. Nothing was changed.",
            hint="Download it again.",
            context=str(where),
        ) from error


def _new(path: str, seen: set[str], folders: set[str], where: Path) -> None:
    """Note a path, or raise Refused where it is there already, or is a file and a directory at once."""
    if path in seen or len(seen) >= _MOST_FILES:
        raise _odd(where, f"{text.tame(path)} is in it twice, or there are too many files")
    above = {path[:at] for at, letter in enumerate(path) if letter == "/"}
    if path in folders or above & seen:
        raise _odd(where, f"{text.tame(path)} is a file and a directory at once, or below a file")
    seen.add(path)
    folders |= above


def _path(info: tarfile.TarInfo, where: Path) -> str:
    """The path below the one directory that everything is in. Raises Refused for what cannot be on a key."""
    parts = [part for part in info.name.split("/") if part not in ("", ".")]
    if not info.isreg() or len(parts) < 2 or any(_BAD.search(p) or len(p) > _LONGEST for p in parts):
        raise _odd(where, f"{text.tame(info.name)} cannot be on a key")
    if info.size >= _LARGEST:
        raise _odd(where, f"{text.tame(info.name)} is larger than FAT takes")
    return "/".join(parts[1:])


def _odd(where: Path, why: str) -> Refused:
    return Refused(
        "odd-platform",
        f"{where.name} is no ordinary platform: {why}. Nothing was changed.",
        context=str(where),
    )


def _pieces(content: IO[bytes], where: Path) -> Iterator[bytes]:
    with _named(where):
        while piece := content.read(_PIECE):
            yield piece


class _Watched:
    """A file that is hashed and counted while it is read."""

    def __init__(self, file: IO[bytes], digest: hashlib._Hash | None, told: Callable[[int], None]) -> None:
        self._file, self._digest, self._told = file, digest, told
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        """As a file reads."""
        data = self._file.read(size)
        self._count += len(data)
        if self._digest is not None:
            self._digest.update(data)
        self._told(self._count)
        return data

    def drain(self) -> None:
        """Read what is left behind the end of the archive."""
        while self.read(_PIECE):
            pass
