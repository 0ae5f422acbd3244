"""What a file is, by its content and never by its name: an image for a key, or something else.

Reads the first few megabytes. Imports no devices and no network.
Facts: smartos-live, tools/build_boot_image (image, ISO), tools/build_vmware, tools/build_live.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from smartos_wizard.core.errors import Refused, UsageProblem, WizardError
from smartos_wizard.media.decode import open_decoder
from smartos_wizard.media.model import WRITABLE, ImageKind
from smartos_wizard.media.partitions import read_table

_PEEK = 1 << 20
_ISO_MAGIC_AT = 32769
_STAMP = re.compile(r"\d{8}T\d{6}Z(?:_[A-Za-z0-9]+)?")


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a file is. `size` is of the file, `raw_size` of the image in it where its table tells; bytes.

    `looks_like` says in words what the file seems to be; `has_table` whether the image begins with a
    partition table; `problem` what was wrong on first sight (reading it whole will tell more).
    """

    kind: ImageKind
    size: int
    looks_like: str
    stamp: str = ""
    raw_size: int | None = None
    has_table: bool = False
    problem: str = ""
    notes: tuple[str, ...] = ()


def recognise(path: Path) -> ImageFacts:
    """What the file at `path` is. Raises UsageProblem `no-such-file` where it cannot be opened."""
    try:
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            head = file.read(_PEEK) or b""
    except OSError as error:
        raise UsageProblem(
            "no-such-file",
            f"{path} cannot be read: {error.strerror or error}.",
            hint="Check the path. A file, not a directory, is needed.",
        ) from error
    return _by_magic(path, head, size)


def _by_magic(path: Path, head: bytes, size: int) -> ImageFacts:
    if head.startswith(b"\x1f\x8b"):
        return _compressed(head, size, ImageKind.GZIP)
    if re.match(rb"BZh[1-9]", head):
        return _compressed(head, size, ImageKind.BZIP2)
    if head[_ISO_MAGIC_AT : _ISO_MAGIC_AT + 5] == b"CD001" and head[510:512] != b"\x55\xaa":
        return _iso(path, head, size)
    if head[257:262] == b"ustar":
        return _tar(head, size)
    other = _something_else(head)
    if other:
        return ImageFacts(ImageKind.UNKNOWN, size, other)
    return _raw(path, head, size)


def _something_else(head: bytes) -> str:
    """Words for what is certainly no image; empty where it may be one."""
    text = head[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "an empty file"
    for magic, words in (
        (b"\xfd7zXZ\0", "an xz archive"),
        (b"PK\x03\x04", "a zip archive"),
        (b"7z\xbc\xaf", "a 7-Zip archive"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"Rar!", "a RAR archive"),
        (b"%PDF", "a PDF document"),
        (b"\x7fELF", "a program"),
        (b"QFI\xfb", "a QEMU disk (qcow2)"),
        (b"KDMV", "a VMware disk"),
        (b"# Disk DescriptorFile", "the description of a VMware disk"),
    ):
        if head.startswith(magic):
            return words
    if text.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head")):
        return "a web page, saved instead of the file it links to"
    if re.match(rb"[0-9a-f]{32,64} [ *]?\S+\s", text):
        return "a list of checksums"
    if b"\0" not in head[:4096] and _is_text(head[:4096]):
        return "a text file"
    return ""


def _is_text(sample: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\r\n\f\x1b" for byte in sample) and sample.isascii()


def _raw(path: Path, head: bytes, size: int) -> ImageFacts:
    facts = _disk(head, ImageKind.RAW, size)
    if not facts.has_table:
        return replace(facts, raw_size=size)
    problem = ""
    if facts.raw_size is not None and size < facts.raw_size:
        problem = f"It is cut off: {size:,} of {facts.raw_size:,} bytes are there."
    return replace(facts, raw_size=size, stamp=_stamp_of_raw(path, size), problem=problem)


def _stamp_of_raw(path: Path, size: int) -> str:
    from smartos_wizard.media.contents import read_contents

    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return read_contents(lambda at, length: os.pread(fd, length, at), size).stamp
    except OSError:
        return ""
    finally:
        os.close(fd)


def _disk(head: bytes, kind: ImageKind, size: int) -> ImageFacts:
    """Facts of an image that begins with `head`."""
    table = read_table(lambda at, length: head[at : at + length], 1 << 62)
    if table.scheme == "gpt" and table.key_version:
        words = "a SmartOS USB image"
    elif table.key_version == "grub":
        words = "a SmartOS USB image from before 2019-04"
    elif table.scheme in ("gpt", "mbr"):
        words = "a disk image, but not one of SmartOS"
    else:
        words = "bytes without a partition table"
    known = table.image_size if table.scheme == "gpt" else None
    in_words = words if kind is ImageKind.RAW else f"{words}, compressed with {kind}"
    notes = () if table.key_version else ("It does not look like a SmartOS USB image.",)
    return ImageFacts(kind, size, in_words, "", known, table.scheme in ("gpt", "mbr"), "", notes)


def _compressed(head: bytes, size: int, kind: ImageKind) -> ImageFacts:
    left = memoryview(head)
    taken = 0

    def read(count: int) -> bytes:
        nonlocal taken
        chunk = bytes(left[taken : taken + count])
        taken += len(chunk)
        return chunk

    inside = bytearray(_PEEK)
    view = memoryview(inside)
    got, problem = 0, ""
    try:
        decoder = open_decoder(read, kind)
        while got < len(inside) and (count := decoder.readinto(view[got:])):
            got += count
    except WizardError as fault:
        # The file goes on behind what was peeked at, so being cut off means something only at its true end.
        problem = fault.message if size <= len(head) or fault.reference != "truncated-stream" else ""
    decoded = bytes(view[:got])
    if decoded[257:262] == b"ustar":
        return _tar(decoded, size)
    if decoded[_ISO_MAGIC_AT : _ISO_MAGIC_AT + 5] == b"CD001":
        return ImageFacts(ImageKind.ISO, size, "a compressed ISO image")
    return replace(_disk(decoded.ljust(1024, b"\0"), kind, size), problem=problem)


def _tar(head: bytes, size: int) -> ImageFacts:
    name = head[:100].split(b"\0")[0].decode("utf-8", "replace").lstrip("./")
    top = name.split("/")[0]
    stamp = _STAMP.search(top)
    if top.endswith(".vmwarevm"):
        return ImageFacts(ImageKind.VMWARE, size, "the VMware bundle")
    if top.startswith("platform-"):
        return ImageFacts(ImageKind.PLATFORM, size, "a platform tarball", stamp[0] if stamp else "")
    return ImageFacts(ImageKind.UNKNOWN, size, "a tar archive")


def _iso(path: Path, head: bytes, size: int) -> ImageFacts:
    hybrid = any(head[:32768])
    notes = () if hybrid else ("Its system area is empty: it is not a hybrid ISO.",)
    return ImageFacts(ImageKind.ISO, size, "an ISO image", _stamp_of_iso(path), notes=notes)


def _stamp_of_iso(path: Path) -> str:
    import io

    import pycdlib

    for inside in ("/platform/etc/version/platform", "/etc/version/boot"):
        iso = pycdlib.PyCdlib()
        try:
            iso.open(str(path))
            try:
                out = io.BytesIO()
                iso.get_file_from_iso_fp(out, rr_path=inside)
            finally:
                iso.close()
        except Exception:
            continue  # damaged, or without Rock Ridge: then its release stays unknown
        found = _STAMP.match(out.getvalue()[:64].decode("ascii", "replace"))
        if found:
            return found[0]
    return ""


def refuse_unwritable(facts: ImageFacts, path: Path) -> None:
    """Return where the file can become a key; raise Refused, with the right file named, where it cannot."""
    if facts.kind in WRITABLE:
        return
    stamp = facts.stamp or "<stamp>"
    right = f"smartos-{stamp}-USB.img.gz"
    get = f"Use {right}. To get it: smartos-wizard release download {facts.stamp or 'latest'}"
    match facts.kind:
        case ImageKind.ISO:
            raise Refused(
                "iso-is-no-key",
                f"{path.name} is an ISO: for CDs and virtual machines. It is not a hybrid ISO, its system area is "
                "empty, and a key written from it will not boot.",
                hint=get,
                right_file=right,
            )
        case ImageKind.VMWARE:
            raise Refused(
                "bundle-is-no-key",
                f"{path.name} is the VMware bundle: a virtual machine, not an image for a key.",
                hint=get,
                right_file=right,
            )
        case ImageKind.PLATFORM:
            raise Refused(
                "platform-is-no-key",
                f"{path.name} is a platform tarball: for booting over the network and for upgrades.",
                hint=get,
                right_file=right,
            )
        case _:
            raise Refused(
                "not-an-image",
                f"{path.name} is no image for a key: it looks like {facts.looks_like}.",
                hint=get,
                right_file=right,
            )
