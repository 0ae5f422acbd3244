"""The password that is built into a release, read from a key, an image, an ISO or a platform tarball.

Nothing is mounted, unpacked or written; a compressed file is decoded only as far as needed.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from smartos_wizard.boot.passwords import MEMBER
from smartos_wizard.core.errors import WriteFailed
from smartos_wizard.core.text import tame
from smartos_wizard.media import password_packed as packed
from smartos_wizard.media.fat import FatProblem, FatVolume
from smartos_wizard.media.forward import Forward
from smartos_wizard.media.images import ImageFacts, recognise
from smartos_wizard.media.model import ImageKind, Target
from smartos_wizard.media.partitions import Pread, Table, read_table
from smartos_wizard.media.password_file import (
    LONGEST,
    RootPassword,
    check_size,
    damaged,
    missing,
    no_medium,
    password_in,
)
from smartos_wizard.media.ports import MediaWorld

_TABLE = 1 << 20
_FAT = 32 << 20
_UNBOUNDED = 1 << 62


def root_password_of_key(world: MediaWorld, target: Target) -> RootPassword:
    """The password on a key. Raises what opening raises, DeviceLost, WriteFailed, and as `of_pread`."""
    from smartos_wizard.media.showing import read_key

    return read_key(world, target, lambda pread, size: of_pread(pread, size, target.path))


def of_pread(pread: Pread, size: int, medium: str) -> RootPassword:
    """The password on a key or raw image of `size` bytes. Raises OSError of `pread`.

    Raises Refused `no-root-password` or `odd-root-password`, UsageProblem `not-a-medium` or `damaged-medium`.
    """
    table = read_table(pread, size)
    if table.scheme == "iso":
        return packed.of_iso(pread, size, medium)
    return _of_table(pread, size, table, medium)


def of_file(path: Path, facts: ImageFacts | None = None) -> RootPassword:
    """The password in an image (raw, gzip, bzip2), ISO, platform tarball or VMware bundle, told by content.

    `facts` are what `recognise` said, if it was asked already. Raises UsageProblem `no-such-file`,
    `too-scattered`, and as `of_pread`; never WriteFailed.
    """
    facts = facts or recognise(path)
    medium = str(path)
    try:
        with ExitStack() as stack:
            return _of_file(path, facts, stack)
    except WriteFailed as fault:  # a stream that is damaged
        raise damaged(medium, fault.message) from fault
    except OSError as error:
        raise damaged(medium, f"{error.strerror or error}.") from error


def _of_file(path: Path, facts: ImageFacts, stack: ExitStack) -> RootPassword:
    medium = str(path)
    file = stack.enter_context(path.open("rb", buffering=0))
    if facts.kind is ImageKind.RAW:
        fd = file.fileno()
        return of_pread(lambda at, length: os.pread(fd, length, at), facts.size, medium)
    if facts.kind in (ImageKind.GZIP, ImageKind.BZIP2):
        return _of_stream(Forward(lambda: packed.decoding(file)), medium)
    if facts.kind is ImageKind.PLATFORM:
        return packed.of_platform(file, medium)
    if facts.kind is ImageKind.VMWARE:
        return _of_stream(Forward(lambda: packed.disk_of_bundle(file, medium)), medium)
    if facts.kind is ImageKind.ISO and not packed.is_compressed(file):
        fd = file.fileno()
        return packed.of_iso(lambda at, length: os.pread(fd, length, at), facts.size, medium)
    raise no_medium(medium, f"is {facts.looks_like}")


def _of_stream(forward: Forward, medium: str) -> RootPassword:
    # The backup table at the end is not looked at: everything would have to be decoded for it.
    table = read_table(lambda at, n: forward.pread(at, n) if at < _TABLE else b"", _UNBOUNDED)
    if table.root is not None:
        forward.keep(table.root.first, _FAT)  # gone back to for every directory and file
    return _of_table(forward.pread, _UNBOUNDED, table, medium)


def _of_table(pread: Pread, size: int, table: Table, medium: str) -> RootPassword:
    root = table.root
    if root is None:
        raise no_medium(medium, "has no partition of SmartOS")
    try:
        volume = FatVolume(pread, root.first, min(root.size, max(0, size - root.first)))
        file = volume.lookup(MEMBER)
        if file is None or file.directory:
            raise missing(medium)
        check_size(file.size, medium)
        word = password_in(b"".join(volume.chunks(file)), medium)
        return RootPassword(word, medium, MEMBER, _stamp(volume))
    except FatProblem as problem:
        raise damaged(medium, f"its SmartOS partition is damaged. {problem}") from problem


def _stamp(volume: FatVolume) -> str:
    """The release of the platform; empty where the key does not tell it."""
    try:
        file = volume.lookup("platform/etc/version/platform")
        if file is None or file.directory or not 0 < file.size <= LONGEST:
            return ""
        words = b"".join(volume.chunks(file)).decode("utf-8", "replace").split()
    except FatProblem:
        return ""
    return tame(words[0]) if words else ""
