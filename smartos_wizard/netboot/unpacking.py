"""What is served of a release, out of a platform tarball or an ISO: read once, hashed, and put into a new directory.

An archive may be hostile: nothing of it decides where a file is put, and what is odd about it is refused before it
could fill a disk. Layout: smartos-live, tools/build_live (tarball) and tools/build_boot_image (ISO).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.core.errors import ChecksumFailed, Refused, UsageProblem, WriteFailed
from smartos_wizard.core.files import sync_directory
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.netboot.model import ARCHIVE, HASH, KERNEL, NEEDED, VERSION, File, Held
from smartos_wizard.releases.names import is_stamp

_SMALL = 4096
_LIMITS = {KERNEL: 256 << 20, ARCHIVE: (4 << 30) - 1, HASH: _SMALL, VERSION: _SMALL}
"""A kernel that is loaded below 4 GiB cannot be handed more."""
Entries = Iterator[tuple[str, int, Iterator[bytes]]]
"""Path below the root of the tree (`platform/…`), size in bytes, content in pieces."""


@dataclass(slots=True)
class Watch:
    """Where reading tells how far it is: `told` gets bytes of the source, `stop` may raise."""

    told: Callable[[int], None] = lambda _count: None
    stop: Callable[[], None] = lambda: None


@dataclass(slots=True)
class _Found:
    files: dict[str, File] = field(default_factory=dict)
    small: dict[str, bytes] = field(default_factory=dict)


def entries(image: VerifiedImage, watch: Watch) -> Entries:
    """Every file of the source that could be part of a platform. Raises as `unpack`."""
    if image.kind is ImageKind.ISO:
        from smartos_wizard.netboot.iso import iso_entries

        return iso_entries(image, watch)
    from smartos_wizard.netboot.tarball import tarball_entries

    return tarball_entries(image, watch)


def unpack(image: VerifiedImage, into: Path, stamp: str, watch: Watch) -> Held:
    """Put what is served of the release into the new directory `into`, synced; return what it is.

    A release without a hash of its archive gets one. Raises Refused `odd-archive` (paths, links, devices, bombs),
    `other-platform`; UsageProblem `not-a-platform`; ChecksumFailed `image-changed`, `boot-archive-damaged`;
    WriteFailed `image-unreadable`, `cannot-write`.
    """
    found = _Found()
    for path, size, pieces in entries(image, watch):
        if path not in NEEDED:
            for _ in pieces:
                watch.stop()
            continue
        if size > _LIMITS[path]:
            raise odd(image.path, f"{path} would have {text.size(size)}")
        _take(found, into / path, path, pieces, watch)
    _judge(found, image, stamp)
    if HASH not in found.files:
        own = f"{found.files[ARCHIVE].sha1}\n".encode()
        _take(found, into / HASH, HASH, iter([own]), watch)
    _sync(into)
    return Held(stamp, image.path.name, dict(sorted(found.files.items())))


def odd(where: Path, why: str) -> Refused:
    """The error for an archive nobody publishes."""
    return Refused(
        "odd-archive",
        f"{where.name} is no ordinary release: {why}. Nothing was changed.",
        context=str(where),
        hint="Download it again from a mirror you trust.",
    )


def _take(found: _Found, to: Path, path: str, pieces: Iterator[bytes], watch: Watch) -> None:
    digest, size, kept = hashlib.sha1(usedforsecurity=False), 0, b""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("xb") as file:
            for piece in pieces:
                watch.stop()
                digest.update(piece)
                size += len(piece)
                if size <= _SMALL:
                    kept += piece
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise WriteFailed(
            "cannot-write",
            f"{path} cannot be written: {error.strerror or error}.",
            context=str(to),
            hint="Make room, or choose another directory. What was there before is untouched.",
        ) from error
    found.files[path] = File(size, digest.hexdigest())
    if path in (HASH, VERSION):
        found.small[path] = kept


def _judge(found: _Found, image: VerifiedImage, stamp: str) -> None:
    missing = [path for path in (KERNEL, ARCHIVE, VERSION) if path not in found.files]
    if missing:
        raise UsageProblem(
            "not-a-platform",
            f"There is no SmartOS platform in {image.path.name}: {missing[0]} is not in it. Nothing was changed.",
            hint="Give a platform-*.tgz or a smartos-*.iso of a release.",
            context=str(image.path),
        )
    says = text.tame(found.small[VERSION].decode("ascii", "replace").strip())
    if says != stamp or not is_stamp(says):
        raise Refused(
            "other-platform",
            f"{image.path.name} says it is {says or 'nothing'}, not {stamp}. Nothing was changed.",
            context=str(image.path),
        )
    published = found.small.get(HASH, b"").decode("ascii", "replace").strip().lower()
    if published and published != found.files[ARCHIVE].sha1:
        raise ChecksumFailed(
            "boot-archive-damaged",
            f"The boot archive in {image.path.name} is not what its hash says: SmartOS would panic at boot. "
            "Nothing was changed.",
            context=str(image.path), hint="Choose another release, or download it again.",
            expected=published, got=found.files[ARCHIVE].sha1,
        )  # fmt: skip


def _sync(root: Path) -> None:
    for folder, _, _ in os.walk(root):
        sync_directory(Path(folder))
