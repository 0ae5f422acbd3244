"""Writes and checks OVA archives: a ustar of the description, the manifest, then the disks, written once each.

The manifest stands before the disks whose digests it holds, so room is left for it and filled in at the end;
nothing is written twice and no disk lies twice.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from smartos_wizard.core.errors import ProofFailed
from smartos_wizard.guests.export.ovf import OvfDisk, ovf_of
from smartos_wizard.guests.export.vmdk import StreamVmdk, capacity_of
from smartos_wizard.guests.model import GuestSpec

DIGESTS = ("sha256", "sha1")
_BLOCK = 512
_SPARE = 24
"""Bytes that the description may grow by for each disk once sizes are known."""
_LINE = re.compile(r"(SHA1|SHA256)\((.+)\)= ([0-9a-f]+)\Z")
_CHUNK = 1 << 20


class OvaWriter:
    """One archive, written into `file` from its beginning. Call `disk` for each disk in order, then `close`."""

    def __init__(self, file: BinaryIO, stem: str, spec: GuestSpec, names: Sequence[str], notes: Sequence[str],
                 digest: str = "sha256") -> None:  # fmt: skip
        self._file, self._spec, self._notes, self._digest = file, spec, notes, digest
        self._names = names
        self._ovf, self._mf = f"{stem}.ovf", f"{stem}.mf"
        self._disks: list[OvfDisk] = []
        self._digests: list[str] = []
        empty = [OvfDisk(name, 1 << 62) for name in names]
        self._ovf_size = len(ovf_of(spec, empty, notes)) + _SPARE * len(names)
        self._mf_size = len(self._manifest(["0" * len(self._hash(b""))] * (len(names) + 1)))
        file.write(bytes(_member(self._ovf_size) + _member(self._mf_size)))

    def disk(self, size: int, pieces: Iterable[tuple[int, bytes]]) -> OvfDisk:
        """Add the next disk, `size` bytes large, from its pieces; return what was made of it."""
        name = self._names[len(self._disks)]
        start = self._file.tell()
        self._file.write(bytes(_BLOCK))
        seen = hashlib.new(self._digest)

        def write(data: bytes) -> None:
            seen.update(data)
            self._file.write(data)

        vmdk = StreamVmdk(write, size, name, int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]))
        for offset, data in pieces:
            vmdk.put(offset, data)
        length = vmdk.close()
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(_head(name, length))
        self._file.seek(end)
        self._digests.append(seen.hexdigest())
        self._disks.append(OvfDisk(name, capacity_of(size), length))
        return self._disks[-1]

    def close(self) -> None:
        """Write the end of the archive, then the description and the manifest into the room left for them."""
        self._file.write(bytes(2 * _BLOCK))
        self._file.truncate()
        words = ovf_of(self._spec, self._disks, self._notes).ljust(self._ovf_size, b"\n")
        manifest = self._manifest([self._hash(words), *self._digests])
        self._file.seek(0)
        for name, data in ((self._ovf, words), (self._mf, manifest)):
            self._file.write(_head(name, len(data)) + data + bytes(-len(data) % _BLOCK))
        self._file.flush()

    def _hash(self, data: bytes) -> str:
        return hashlib.new(self._digest, data).hexdigest()

    def _manifest(self, digests: Sequence[str]) -> bytes:
        pairs = zip((self._ovf, *self._names), digests, strict=True)
        return "".join(f"{self._digest.upper()}({name})= {digest}\n" for name, digest in pairs).encode()


def check_ova(path: Path, advance: Callable[[int], None] = lambda _done: None) -> dict[str, str]:
    """Read an archive and compare every file with its manifest; return the digests by name.

    `advance` gets the bytes read so far and may raise. Raises ProofFailed `export-damaged`.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            members = archive.getmembers()
            names = [member.name for member in members]
            if len(names) < 2 or not names[0].endswith(".ovf") or not names[1].endswith(".mf"):
                raise _damaged(path, "it does not begin with a description and a manifest")
            said = _read_manifest(_content(archive, members[1]), path)
            if list(said) != [names[0], *names[2:]]:
                raise _damaged(path, "its manifest names other files")
            for member in members:
                kind, digest = said.get(member.name, ("", ""))
                if kind and _digest_of(archive, member, kind, advance) != digest:
                    raise _damaged(path, f"{member.name} is not what its manifest says")
    except (tarfile.TarError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error
    return {name: digest for name, (_kind, digest) in said.items()}


def _read_manifest(data: bytes, path: Path) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for line in data.decode("utf-8").splitlines():
        match = _LINE.match(line)
        if match is None:
            raise _damaged(path, "its manifest cannot be read")
        found[match[2]] = (match[1].lower(), match[3])
    return found


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file is not None else b""


def _digest_of(
    archive: tarfile.TarFile, member: tarfile.TarInfo, kind: str, advance: Callable[[int], None]
) -> str:
    seen: Any = hashlib.new(kind)
    file = archive.extractfile(member)
    while file is not None and (data := file.read(_CHUNK)):
        seen.update(data)
        advance(member.offset_data + file.tell())
    digest: str = seen.hexdigest()
    return digest


def _head(name: str, size: int) -> bytes:
    about = tarfile.TarInfo(name)
    about.size, about.mode, about.mtime = size, 0o644, int(time.time())
    # ustar's field ends at 8 GiB; the way everybody writes larger sizes is that of GNU tar.
    return about.tobuf(tarfile.USTAR_FORMAT if size < 8 << 30 else tarfile.GNU_FORMAT)


def _member(size: int) -> int:
    return _BLOCK + -(-size // _BLOCK) * _BLOCK


def _damaged(path: Path, why: str) -> ProofFailed:
    return ProofFailed(
        "export-damaged", f"{path.name} is damaged: {why}.", hint="Export the guest again.", context=str(path)
    )
