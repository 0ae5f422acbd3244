"""A release's root password in the files that are no images of keys: ISO, platform tarball, VMware bundle.

ISO: mkisofs with Rock Ridge (smartos-live: tools/build_boot_image -I); tarball: tools/build_live; bundle:
tools/build_vmware. Other ISOs are read too, by Joliet or by the short names of plain ISO 9660.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from typing import IO, Any

from smartos_wizard.boot.passwords import MEMBER
from smartos_wizard.core.errors import WizardError
from smartos_wizard.media.decode import Decoder, open_decoder
from smartos_wizard.media.forward import Fill
from smartos_wizard.media.model import ImageKind
from smartos_wizard.media.partitions import Pread
from smartos_wizard.media.password_file import (
    LONGEST,
    RootPassword,
    check_size,
    damaged,
    missing,
    no_medium,
    password_in,
)

_IN_PLATFORM = re.compile(r"(?:\./)?platform-[^/]+/root\.password")
_IN_BUNDLE = re.compile(r"(?:\./)?[^/]+\.vmwarevm/smartos\.img")
_STAMP = re.compile(r"\d{8}T\d{6}Z(?:_[A-Za-z0-9]+)?")
_PIECE = 1 << 20


def is_compressed(file: IO[bytes]) -> bool:
    """Whether the file begins as gzip or bzip2. Leaves the file where it was."""
    return _kind(file) is not ImageKind.RAW


def decoding(file: IO[bytes]) -> Fill:
    """The content of a gzip, bzip2 or plain file from its beginning. What it returns raises WriteFailed."""
    decoder = _decoder(file)
    return decoder.readinto


def of_platform(file: IO[bytes], medium: str) -> RootPassword:
    """The password in a platform tarball. Raises Refused, UsageProblem, WriteFailed of decoding."""
    for tar, info in _members(file, medium):
        if info.isfile() and _IN_PLATFORM.fullmatch(info.name):
            check_size(info.size, medium, info.name)
            word = password_in(_content(tar, info, medium), medium, info.name)
            stamp = _STAMP.search(info.name)
            return RootPassword(word, medium, info.name, stamp[0] if stamp else "")
    raise missing(medium)


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo, medium: str) -> bytes:
    try:
        inside = tar.extractfile(info)
        return inside.read() if inside else b""
    except (tarfile.TarError, EOFError) as error:
        raise damaged(medium, f"the tar archive in it is damaged ({error}).") from error


def disk_of_bundle(file: IO[bytes], medium: str) -> Fill:
    """The USB image in a VMware bundle, from its beginning. Raises UsageProblem where there is none."""
    for tar, info in _members(file, medium):
        if info.isfile() and _IN_BUNDLE.fullmatch(info.name):
            inside: Any = tar.extractfile(info)

            def fill(into: memoryview, inside: Any = inside) -> int:
                try:
                    return int(inside.readinto(into))
                except (tarfile.TarError, EOFError) as error:
                    raise damaged(medium, f"{error}.") from error

            return fill
    raise no_medium(medium, "is a VMware bundle without smartos.img")


def of_iso(pread: Pread, size: int, medium: str) -> RootPassword:
    """The password in an ISO. Raises Refused, UsageProblem and OSError of `pread`."""
    import pycdlib

    iso = pycdlib.PyCdlib()
    try:
        iso.open_fp(io.BufferedReader(_Plain(pread, size), _PIECE // 4))
    except OSError:
        raise
    except Exception as error:
        raise damaged(medium, f"it is no ISO that can be read ({error}).") from error
    try:
        data = _iso_file(iso, MEMBER, medium)
        if data is None:
            raise missing(medium)
        stamp = _STAMP.match((_iso_file(iso, "etc/version/boot", medium) or b"").decode("ascii", "replace"))
        return RootPassword(password_in(data, medium), medium, MEMBER, stamp[0] if stamp else "")
    except (OSError, WizardError):
        raise
    except Exception as error:
        raise damaged(medium, f"the ISO is damaged ({error}).") from error
    finally:
        iso.close()


def _iso_file(iso: Any, path: str, medium: str) -> bytes | None:
    """A small file of an ISO by the names it has, None where it is not there. Raises what pycdlib raises."""
    import pycdlib

    kind = "rr_path" if iso.has_rock_ridge() else "joliet_path" if iso.has_joliet() else "iso_path"
    name: str | None = f"/{path}" if kind != "iso_path" else _short(iso, path)
    if name is None:
        return None
    try:
        record = iso.get_record(**{kind: name})
    except pycdlib.pycdlibexception.PyCdlibInvalidInput:
        return None
    if not record.is_file():
        return None
    if path == MEMBER:
        check_size(record.get_data_length(), medium)
    with iso.open_file_from_iso(**{kind: name}) as inside:
        return bytes(inside.read(LONGEST + 1))


def _short(iso: Any, path: str) -> str | None:
    """The plain ISO 9660 path of `path`: upper case, eight and three characters, with a version behind it."""
    here = ""
    for part in path.split("/"):
        for child in iso.list_children(iso_path=here or "/"):
            name = child.file_identifier().decode("ascii", "replace")
            if name.split(";")[0].rstrip(".") in _shortened(part):
                here = f"{here}/{name}"
                break
        else:
            return None
    return here


def _shortened(part: str) -> tuple[str, ...]:
    """What mkisofs makes of a name without Rock Ridge, at interchange levels 1 to 3."""
    stem, _dot, extension = part.upper().partition(".")
    short = f"{stem[:8]}.{extension[:3]}" if extension else stem[:8]
    return short, part.upper(), part.upper().replace(".", "_")


def _members(file: IO[bytes], medium: str) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """The members of a tar in order, read as a stream. Raises UsageProblem `damaged-medium`."""
    try:
        whole: Any = _Whole(_decoder(file))
        tar = tarfile.open(fileobj=whole, mode="r|", bufsize=_PIECE)  # noqa: SIM115
        for info in tar:
            yield tar, info
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise damaged(medium, f"the tar archive in it is damaged ({error}).") from error


def _decoder(file: IO[bytes]) -> Decoder:
    kind = _kind(file)
    file.seek(0)
    return open_decoder(file, kind)


def _kind(file: IO[bytes]) -> ImageKind:
    file.seek(0)
    magic = file.read(3)
    file.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return ImageKind.GZIP
    return ImageKind.BZIP2 if magic == b"BZh" else ImageKind.RAW


class _Whole:
    """A decoder as a file for tarfile: as many bytes as asked for, fewer only at the end."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        view = memoryview(buffer)
        got = 0
        while got < size and (count := self._decoder.readinto(view[got:])):
            got += count
        return bytes(view[:got])


class _Plain(io.RawIOBase):
    """A reading function as a file, for pycdlib."""

    mode = "rb"

    def __init__(self, pread: Pread, size: int) -> None:
        self._pread = pread
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = (0, self._at, self._size)[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, into: Any) -> int:
        data = self._pread(self._at, max(0, min(len(into), self._size - self._at)))
        into[: len(data)] = data
        self._at += len(data)
        return len(data)
