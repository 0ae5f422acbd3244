"""SmartOS's own bundle for VMware (`smartos-<stamp>.vmwarevm.tar.gz`) as the beginning of a guest.

Of it are taken the USB image and the .vmx file. Its description of the image is not: between 2020-05 and 2022-05
it counted more sectors than there were (smartos-live, OS-8386). Its empty disk is not either: the guest has its own.
Its .vmx file gives 1 GiB of memory, hardware of version 7, sound and no sandbox; what is put right is every key of
this program, and what it does not know stays as it is (smartos-live, tools/build_vmware, tools/SmartOS.vmwarevm).
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO

from smartos_wizard.core.errors import ChecksumFailed, Refused, WizardError, WriteFailed
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.guests.model import Guest
from smartos_wizard.guests.vmware.vmx import Vmx
from smartos_wizard.media.as_json import image_to_json
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.media.source import Source

ORIGINAL = "bundle.vmx"
"""The .vmx file of the bundle, in the guest's folder until the guest's own is made of it."""
_ENDINGS = (".vmwarevm.tar.gz", ".vmwarevm.tar.bz2", ".vmwarevm.tgz", ".vmwarevm.tbz2", ".vmwarevm.tar")
_LARGEST_IMAGE, _LARGEST_VMX = 64 << 30, 256 << 10
_CHUNK = 1 << 20
_ZEROS = bytes(64 << 10)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of a bundle: the bytes of the image, and the text of its .vmx file."""

    size: int
    vmx: str


def is_bundle(source: str) -> bool:
    """Whether a file is such a bundle, by its name."""
    return source.lower().endswith(_ENDINGS)


def unpack_step(guest: Guest, image: VerifiedImage) -> Step:
    """The step that gives a guest the key of a bundle. Raises Refused `bundle-needs-vmware` for other hypervisors."""
    if guest.spec.hypervisor != "vmware":
        raise Refused(
            "bundle-needs-vmware", f"{image.path.name} is a machine for VMware.",
            hint="Use the USB image of the same release: it is the same inside.",
        )  # fmt: skip
    words = f"{image.algorithm} {image.digest[:4]}…{image.digest[-4:]}" if image.digest else "no checksum"
    return Step(
        "key", "bundle", f"its own copy of the key in {image.path.name}", Effect.CREATES,
        (f"{words}: {image.vouched_by or 'nobody vouches for it'}", "Empty parts of the image take no room."),
        undo="removed with the folder", params={"image": image_to_json(image)},
    )  # fmt: skip


def unpack(image: VerifiedImage, key: Path, advanced: Callable[[int], None] = lambda _done: None) -> Unpacked:
    """Put the bundle's USB image at `key`, holes left holes, and check the digest of the whole file.

    `advanced` gets the bytes of the image that are there, and may raise to stop. Raises ChecksumFailed
    `image-changed`, Refused `bundle-damaged`, WriteFailed; then `key` is gone again.
    """
    try:
        return _unpack(image, key, advanced)
    except (tarfile.TarError, EOFError, ValueError) as error:
        key.unlink(missing_ok=True)
        raise _damaged(image.path, str(error)) from error
    except OSError as error:
        key.unlink(missing_ok=True)
        raise WriteFailed(
            "guest-disk-full", f"The guest's key cannot be written: {error.strerror}.", context=str(key),
            hint="Make room where guests lie.",
        ) from error  # fmt: skip
    except WizardError:
        key.unlink(missing_ok=True)
        raise


def _unpack(image: VerifiedImage, key: Path, advanced: Callable[[int], None]) -> Unpacked:
    size, text = 0, ""
    with Source(replace(image, kind=_packing(image.path))) as source:
        with tarfile.open(fileobj=_Stream(source), mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                kind = _kind(member)
                file = archive.extractfile(member) if kind else None
                if file is None:
                    continue
                if kind == "img":
                    if size:
                        raise ValueError("there are two images in it")
                    size = _copy(file, key, member.size, advanced)
                elif kind == "vmx":
                    text = Vmx.decode(file.read(_LARGEST_VMX)).text
        rest = memoryview(bytearray(_CHUNK))
        while source.fill(rest):
            pass
        digest = source.digest()
    if image.algorithm != "none" and digest != image.digest.lower():
        raise ChecksumFailed(
            "image-changed", f"{image.path.name} is not what was published.", context=str(image.path),
            hint="Download it again.", expected=image.digest, got=digest,
        )  # fmt: skip
    if not size or not text:
        raise ValueError("there is no image in it" if not size else "there is no .vmx file in it")
    if size % 512:
        raise ValueError("its image is no whole sectors")
    return Unpacked(size, text)


def _kind(member: tarfile.TarInfo) -> str:
    """`img` or `vmx` for the two files that are wanted, directly in the bundle's folder; empty for all else."""
    parts = [part for part in PurePosixPath(member.name).parts if part != "."]
    if not member.isreg() or len(parts) != 2 or not parts[0].lower().endswith(".vmwarevm"):
        return ""
    ending = parts[1].lower().rpartition(".")[2]
    largest = {"img": _LARGEST_IMAGE, "vmx": _LARGEST_VMX}.get(ending)
    if largest is None:
        return ""
    if member.size > largest:
        raise ValueError(f"{parts[1]} in it is too large")
    return ending


def _copy(file: IO[bytes], key: Path, size: int, advanced: Callable[[int], None]) -> int:
    done = 0
    with key.open("xb") as out:
        key.chmod(0o600)
        while data := file.read(_CHUNK):
            for at in range(0, len(data), len(_ZEROS)):
                piece = data[at : at + len(_ZEROS)]
                if piece != _ZEROS[: len(piece)]:
                    os.pwrite(out.fileno(), piece, done + at)
            done += len(data)
            advanced(done)
        if done != size:
            raise ValueError("its image is cut off")
        os.ftruncate(out.fileno(), done)
    return done


def _packing(path: Path) -> ImageKind:
    with path.open("rb") as file:
        head = file.read(3)
    return ImageKind.GZIP if head[:2] == b"\x1f\x8b" else ImageKind.BZIP2 if head == b"BZh" else ImageKind.RAW


class _Stream:
    """A source as tarfile wants to read it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        buffer = bytearray(size)
        return bytes(buffer[: self._source.fill(memoryview(buffer))])


def _damaged(path: Path, why: str) -> Refused:
    return Refused(
        "bundle-damaged", f"{path.name} cannot be used as SmartOS's bundle for VMware: {why}.", context=str(path),
        hint="Download it again, or use the USB image: it needs no bundle.",
    )  # fmt: skip
