"""Make-believe images: true size, true partition table, true file tree, contents that boot nothing.

Sparse files made in well under a second, so that tests and the practice world use the real layout.
Facts: smartos-live, tools/build_boot_image and tools/format_image.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from smartos_wizard.media.fat_format import Extent, format_fat32
from smartos_wizard.media.model import USB_IMAGE_SIZE
from smartos_wizard.practice import gpt
from smartos_wizard.practice.others import build_iso, build_platform_tarball, build_vmware_bundle
from smartos_wizard.practice.release_files import key_files, make_believe
from smartos_wizard.practice.squeeze import compress_bzip2, compress_gzip

__all__ = [
    "LEGACY_IMAGE_SIZE",
    "USB_IMAGE_SIZE",
    "build_iso",
    "build_platform_tarball",
    "build_usb_image",
    "build_vmware_bundle",
    "compress_bzip2",
    "compress_gzip",
]

LEGACY_IMAGE_SIZE = 2_000_000_000
"""Size of the raw USB image before 2019-04 (smartos-live: tools/build_iso)."""
ARCHIVE_SIZE = 24 << 20

# cli; hlt; jmp back: a practice key started by a BIOS stops there, doing nothing.
_HALT = b"\xfa\xf4\xeb\xfc"


def build_usb_image(
    path: Path,
    stamp: str,
    *,
    boot_archive_size: int = ARCHIVE_SIZE,
    legacy: bool = False,
    seed: int = 1,
    boot_code: bytes = _HALT,
    boot_stage: bytes | None = None,
    bootx64: bytes | None = None,
    extra: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a raw USB image to `path`, sparse, and return the path.

    `boot_code` (440 bytes at most) goes into sector 0, `boot_stage` into the boot partition, `bootx64`
    becomes /efi/boot/bootx64.efi, `extra` adds files to the root or replaces them. `boot_archive_size`
    is in bytes. Raises ValueError where something does not fit, OSError as the system does.
    """
    files = key_files(stamp, boot_archive_size, seed, legacy=legacy) | dict(extra or {})
    size = LEGACY_IMAGE_SIZE if legacy else USB_IMAGE_SIZE
    if legacy:
        extents = _legacy_extents(files, boot_code, seed)
    else:
        efi = bootx64 or make_believe("bootx64.efi", 500 << 10)
        extents = _key_extents(
            files, efi, boot_stage or make_believe("gptzfsboot", 180 << 10), boot_code, seed
        )
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.truncate(fd, size)
        for offset, data in extents:
            _write(fd, data, offset)
    finally:
        os.close(fd)
    return path


def _key_extents(
    files: Mapping[str, bytes], efi: bytes, boot_stage: bytes, boot_code: bytes, seed: int
) -> Iterator[Extent]:
    yield from gpt.key_tables(USB_IMAGE_SIZE // gpt.SECTOR, seed, boot_code)
    if len(boot_stage) > gpt.BOOT.size:
        raise ValueError("the boot stage does not fit its partition")
    yield gpt.BOOT.offset, boot_stage
    yield from _volume(gpt.LOADER, "SYSTEM", {"efi/boot/bootx64.efi": efi}, seed)
    yield from _volume(gpt.ROOT, "SMARTOSBOOT", files, seed)


def _legacy_extents(files: Mapping[str, bytes], boot_code: bytes, seed: int) -> Iterator[Extent]:
    yield 0, gpt.legacy_mbr(boot_code)
    part = gpt.Slice(0, "", "", gpt.LEGACY_START, gpt.LEGACY_SECTORS)
    yield from _volume(part, "SMARTOSBOOT", files, seed)


def _volume(part: gpt.Slice, label: str, files: Mapping[str, bytes], seed: int) -> Iterator[Extent]:
    serial = gpt.guid(seed, label).time_low
    volume = format_fat32(
        part.size, label, 1, files=files, serial=serial, hidden_sectors=part.first, fresh=True
    )
    for offset, data in volume:
        yield part.offset + offset, data


def _write(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, offset)
        view, offset = view[done:], offset + done
