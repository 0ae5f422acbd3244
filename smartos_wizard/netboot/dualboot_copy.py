"""Copies an ISO beside Linux, and reads copies back from the disk. Sums are SHA-1, as SmartOS' own of its archive."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.core.errors import ChecksumFailed, Refused, UsageProblem, WriteFailed
from smartos_wizard.core.files import sync_directory
from smartos_wizard.media.images import recognise
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.netboot.dualboot_draft import iso_name
from smartos_wizard.netboot.dualboot_model import Way
from smartos_wizard.netboot.model import ARCHIVE, HASH, KERNEL, NEEDED, VERSION
from smartos_wizard.netboot.unpacking import Watch, entries

_PIECE = 1 << 20


def stamp_of(image: VerifiedImage) -> str:
    """The release of an image. Raises UsageProblem `no-stamp` where neither its list nor its content tells."""
    stamp = image.stamp or (recognise(image.path).stamp if image.path.is_file() else "")
    if not stamp:
        raise UsageProblem(
            "no-stamp", f"{image.path.name} does not tell which release it is.", context=str(image.path),
            hint="Give a platform-*.tgz or a smartos-*.iso as published.",
        )  # fmt: skip
    return stamp


def sizes_of(image: VerifiedImage, way: Way, stamp: str) -> dict[str, int]:
    """What will be copied, by path inside the release's directory, in bytes.

    Looks into the file and compares no digest; that comes with the copying. An archive without a hash of its boot
    archive gets one. A file that is not there yet has sizes of 0. Raises as `unpacking.unpack`.
    """
    if way is Way.ISO:
        return {iso_name(stamp): image.path.stat().st_size if image.path.is_file() else 0}
    if not image.path.is_file():
        return dict.fromkeys(NEEDED, 0)
    found = {}
    for path, size, _ in entries(replace(image, algorithm="none", digest=""), Watch()):
        if path in NEEDED:
            found[path] = size
    return {path: found.get(path, 41) for path in NEEDED}


def copy_iso(image: VerifiedImage, to: Path, stamp: str, watch: Watch) -> str:
    """Copy the ISO to `to`, synced, while its published digest is compared; return its SHA-1.

    Raises ChecksumFailed `image-changed` and what `_require_platform` says, WriteFailed.
    """
    whole = hashlib.new(image.algorithm, usedforsecurity=False) if image.digest else None
    sha1, done = hashlib.sha1(usedforsecurity=False), 0
    try:
        to.parent.mkdir(parents=True)
        with image.path.open("rb") as source, to.open("xb") as copy:
            while piece := source.read(_PIECE):
                watch.stop()
                copy.write(piece)
                sha1.update(piece)
                if whole is not None:
                    whole.update(piece)
                done += len(piece)
                watch.told(done)
            copy.flush()
            os.fsync(copy.fileno())
        sync_directory(to.parent)
        sync_directory(to.parent.parent)
    except OSError as error:
        raise WriteFailed(
            "cannot-write", f"{image.path.name} cannot be copied to {to.parent}: {error.strerror or error}.", context=str(to),
            hint="Is there room? What was copied is taken away again.",
        ) from error  # fmt: skip
    if whole is not None and whole.hexdigest() != image.digest.lower():
        raise ChecksumFailed(
            "image-changed", f"{image.path.name} is not what was published, or the disk it lies on reads badly.",
            context=str(image.path), hint="Download it again.", expected=image.digest, actual=whole.hexdigest(),
        )  # fmt: skip
    _require_platform(replace(image, path=to, kind=ImageKind.ISO, algorithm="none", digest=""), stamp, watch)
    return sha1.hexdigest()


def _require_platform(image: VerifiedImage, stamp: str, watch: Watch) -> None:
    """GRUB finds its files in the ISO by name, and the kernel checks the archive: both are looked at here already."""
    sums: dict[str, str] = {}
    small: dict[str, bytes] = {}
    for path, size, pieces in entries(image, Watch(stop=watch.stop)):
        digest, kept = hashlib.sha1(usedforsecurity=False), b""
        for piece in pieces:
            digest.update(piece)
            kept += piece if size < _PIECE else b""
        sums[path], small[path] = digest.hexdigest(), kept
    missing = [path for path in (KERNEL, ARCHIVE, HASH) if path not in sums]
    if missing:
        raise UsageProblem(
            "not-a-platform",
            f"{image.path.name} is no ISO of SmartOS: {missing[0]} is not in it.",
            context=str(image.path),
        )
    says = text.tame(small.get(VERSION, b"").decode("ascii", "replace").strip())
    if says and says != stamp:
        raise Refused(
            "other-platform", f"{image.path.name} says it is {says}, not {stamp}.", context=str(image.path)
        )
    if small[HASH].decode("ascii", "replace").strip().lower() != sums[ARCHIVE]:
        raise ChecksumFailed(
            "boot-archive-damaged", f"The boot archive in {image.path.name} is not what its hash says: SmartOS would panic at boot.",
            context=str(image.path), hint="Choose another release.",
        )  # fmt: skip


def sums_from_disk(paths: Mapping[str, Path], watch: Watch) -> dict[str, str]:
    """SHA-1 of each file as the disk has it: what the page cache holds of it is dropped first."""
    found, done = {}, 0
    for name, path in paths.items():
        digest = hashlib.sha1(usedforsecurity=False)
        with path.open("rb", buffering=0) as file:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while piece := file.read(_PIECE):
                watch.stop()
                digest.update(piece)
                done += len(piece)
                watch.told(done)
        found[name] = digest.hexdigest()
    return found
