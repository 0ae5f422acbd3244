"""Reads the disks of guests where they hold something, whatever hypervisor made them, and copies no empty parts.

Raw files, qcow2, VDI and sparse VMDK as QEMU, VirtualBox and VMware make them for a new disk. What else these
formats can be (compressed, encrypted, on top of another file) is left to `qemu-img`, which is asked to convert it.
Formats: qemu docs/interop/qcow2.rst; QEMU block/vdi.c; VMware's Virtual Disk Format 5.0.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from smartos_wizard.core.errors import Refused, WizardError

BLOCK = 64 << 10
"""Spans begin at a multiple of it, and end at one or at the end of the disk."""
_CHUNK = 1 << 20
_LARGEST_TABLE = 1 << 28
_QCOW2_OFFSET = 0x00FF_FFFF_FFFF_FE00
_QCOW2, _VDI = b"QFI\xfb", b"\x7f\x10\xda\xbe"
_AT_END = 0xFFFF_FFFF_FFFF_FFFF

Span = tuple[int, int, int]
"""Where it lies on the disk, where in the file, how long; in bytes."""


class NotPlain(WizardError):
    """A disk that is more than this program reads by itself; `message` says in what way."""


@dataclass(frozen=True, slots=True)
class Source:
    """A disk to be read: its size in bytes, and a function that gives its spans in ascending order."""

    path: Path
    size: int
    format: str
    _spans: Callable[[BinaryIO], Iterator[Span]]

    def held(self) -> int:
        """Bytes that hold something, or may. Raises NotPlain, OSError."""
        with self.path.open("rb") as file:
            return sum(length for _start, _at, length in self._spans(file))

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Place and content of what is held, in pieces of up to 1 MiB. Raises NotPlain, OSError."""
        with self.path.open("rb") as file:
            for start, at, length in self._spans(file):
                for done in range(0, length, _CHUNK):
                    file.seek(at + done)
                    count = min(_CHUNK, length - done)
                    yield start + done, file.read(count).ljust(count, b"\0")


def open_source(path: Path) -> Source:
    """The disk in a file, by what it begins with and not by its name.

    Raises Refused `disk-missing`, NotPlain for what `qemu-img` must read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(1024).ljust(1024, b"\0")
            if head.startswith(_QCOW2):
                return _qcow2(path, head)
            if head[64:68] == _VDI:
                return _vdi(path, head)
            if head.startswith(b"KDMV"):
                return _vmdk(path, head, file)
            if head.startswith(b"# Disk DescriptorFile"):
                raise NotPlain("disk-not-plain", "it lies in several files")
            size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise Refused(
            "disk-missing", f"The disk {path} cannot be read: {error.strerror}.",
            hint="`smartos-wizard guest show` says what is left of the guest.", context=str(path),
        ) from error  # fmt: skip
    return Source(path, size, "raw", lambda file: _raw_spans(file, size))


def format_of(path: Path) -> str:
    """What kind of file a disk is, as QEMU and libvirt call it. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(128)
    if head[64:68] == _VDI:
        return "vdi"
    if head.startswith((b"KDMV", b"# Disk DescriptorFile")):
        return "vmdk"
    return "qcow2" if head.startswith(_QCOW2) else "raw"


def _raw_spans(file: BinaryIO, size: int) -> Iterator[Span]:
    fd, done = file.fileno(), 0
    while done < size:
        try:
            start = os.lseek(fd, done, os.SEEK_DATA)
        except OSError:  # nothing but a hole from here on
            return
        end = os.lseek(fd, start, os.SEEK_HOLE)
        start = max(done, start // BLOCK * BLOCK)
        done = min(size, -(-end // BLOCK) * BLOCK)
        yield start, start, done - start


def _qcow2(path: Path, head: bytes) -> Source:
    (version, backing, _, bits, size, crypt, l1_count, l1_at, _, _, _, _) = struct.unpack_from(
        ">IQIIQIIQQIIQ", head, 4
    )
    unknown = struct.unpack_from(">Q", head, 72)[0] if version >= 3 else 0
    if version not in (2, 3) or backing or crypt or unknown or bits < 16:
        raise NotPlain("disk-not-plain", "it is a qcow2 of an uncommon kind")
    cluster = 1 << bits

    def spans(file: BinaryIO) -> Iterator[Span]:
        for upper, entry in enumerate(_table(file, l1_at, l1_count, ">Q")):
            table = entry & _QCOW2_OFFSET
            if not table:
                continue
            for lower, each in _used(file, table, cluster // 8, ">Q"):
                if each >> 62 & 1:
                    raise NotPlain("disk-not-plain", "parts of it are compressed")
                start = (upper * (cluster // 8) + lower) * cluster
                if each & _QCOW2_OFFSET and not each & 1 and start < size:
                    yield start, each & _QCOW2_OFFSET, min(cluster, size - start)

    return Source(path, size, "qcow2", spans)


def _vdi(path: Path, head: bytes) -> Source:
    kind = struct.unpack_from("<I", head, 76)[0]
    table, data = struct.unpack_from("<II", head, 340)
    size, block, extra, count = struct.unpack_from("<QIII", head, 368)
    if kind not in (1, 2) or extra or not block or block % BLOCK:
        raise NotPlain("disk-not-plain", "it is a VDI on top of another one, as snapshots leave them")

    def spans(file: BinaryIO) -> Iterator[Span]:
        for number, entry in enumerate(_table(file, table, count, "<I")):
            start = number * block
            if entry < 0xFFFF_FFFE and start < size:  # the two highest: never written, and zeros
                yield start, data + entry * block, min(block, size - start)

    return Source(path, size, "vdi", spans)


def _vmdk(path: Path, head: bytes, file: BinaryIO) -> Source:
    flags, capacity, grain, text_at, text_size, per_table, _, directory = struct.unpack_from(
        "<IQQQQIQQ", head, 8
    )
    file.seek(text_at * 512)
    words = file.read(text_size * 512)
    plain = b'createType="monolithicSparse"' in words and b"parentcid=ffffffff" in words.lower()
    if not plain or flags & 1 << 16 or directory == _AT_END or not grain or grain * 512 % BLOCK:
        raise NotPlain("disk-not-plain", "it is a VMDK of an uncommon kind, or on top of another one")
    size, unit = capacity * 512, grain * 512

    def spans(file: BinaryIO) -> Iterator[Span]:
        tables = -(-capacity // (grain * per_table))
        for upper, table in enumerate(_table(file, directory * 512, tables, "<I")):
            if not table:
                continue
            for lower, sector in _used(file, table * 512, per_table, "<I"):
                start = (upper * per_table + lower) * unit
                if sector > 1 and start < size:  # 0: never written, 1: zeros
                    yield start, sector * 512, min(unit, size - start)

    return Source(path, size, "vmdk", spans)


def _table(file: BinaryIO, at: int, count: int, form: str) -> Iterator[int]:
    return (entry for (entry,) in struct.iter_unpack(form, _bytes(file, at, count * struct.calcsize(form))))


def _used(file: BinaryIO, at: int, count: int, form: str) -> Iterator[tuple[int, int]]:
    """Number and value of the entries that are not 0. Most tables of a new disk hold nothing at all."""
    data = _bytes(file, at, count * struct.calcsize(form))
    if data.strip(b"\0"):
        for number, (entry,) in enumerate(struct.iter_unpack(form, data)):
            if entry:
                yield number, entry


def _bytes(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    data = file.read(count) if count <= _LARGEST_TABLE else b""
    if len(data) < count:
        raise NotPlain("disk-not-plain", "its table of contents is cut off")
    return data
