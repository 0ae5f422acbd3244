"""The other artifacts of a make-believe release: ISO, platform tarball, VMware bundle."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from smartos_wizard.practice.release_files import boot_files, make_believe, platform_files
from smartos_wizard.practice.squeeze import GzipWriter, pieces

_SMALL_ARCHIVE = 1 << 20
_BUNDLE = "SmartOS.vmwarevm"
_LOADER = "boot/cdboot"
# cli; hlt; jmp back: a practice ISO started by a BIOS stops there, doing nothing.
_HALT = b"\xfa\xf4\xeb\xfc"


def build_iso(
    path: Path,
    stamp: str,
    *,
    boot_archive_size: int = _SMALL_ARCHIVE,
    seed: int = 1,
    boot_code: bytes = _HALT,
) -> Path:
    """Write an ISO as `mkisofs -R` makes it: Rock Ridge, El Torito, empty system area, not hybrid. Returns the path.

    A BIOS starts `boot_code`, 2048 bytes at most.
    """
    import pycdlib

    platform = platform_files(stamp, boot_archive_size, seed)
    files = boot_files(stamp) | {f"platform/{name}": data for name, data in platform.items()}
    files[_LOADER] = boot_code.ljust(2048, b"\0")
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, rock_ridge="1.09")
    folders: dict[str, str] = {"": ""}
    for number, (name, data) in enumerate(files.items()):
        *parents, leaf = name.split("/")
        above = ""
        for part in parents:
            here = f"{above}/{part}".lstrip("/")
            if here not in folders:
                folders[here] = f"{folders[above]}/D{len(folders):05}"
                iso.add_directory(folders[here], rr_name=part)
            above = here
        place = f"{folders[above]}/F{number:05}.;1"
        iso.add_fp(io.BytesIO(data), len(data), place, rr_name=leaf)
        if name == _LOADER:
            iso.add_eltorito(place, "/BOOT.CAT;1", rr_bootcatname="boot.catalog", boot_load_size=4)
    iso.write(str(path))
    iso.close()
    return path


def build_platform_tarball(
    path: Path, stamp: str, *, boot_archive_size: int = _SMALL_ARCHIVE, seed: int = 1
) -> Path:
    """Write `platform-...tgz`, which unpacks to `platform-<stamp>/`. Returns the path."""
    with path.open("wb") as out:
        writer = GzipWriter(out)
        for name, data in platform_files(stamp, boot_archive_size, seed).items():
            _member(writer, f"platform-{stamp}/{name}", data)
        writer.zeros(1024)
        writer.finish()
    return path


def build_vmware_bundle(path: Path, image: Path) -> Path:
    """Write a `.vmwarevm.tar.gz` around the raw USB image at `image`. Returns the path."""
    size = image.stat().st_size
    with path.open("wb") as out, image.open("rb") as source:
        writer = GzipWriter(out)
        _member(writer, f"{_BUNDLE}/SmartOS.vmx", b'.encoding = "UTF-8"\nconfig.version = "8"\n')
        _member(writer, f"{_BUNDLE}/SmartOS.vmdk", _descriptor(size // 512))
        _member(writer, f"{_BUNDLE}/Virtual Disk.vmdk", make_believe("sparse disk", 4096))
        writer.data(_header(f"{_BUNDLE}/smartos.img", size))
        for piece in pieces(source, size):
            if isinstance(piece, int):
                writer.zeros(piece)
            else:
                writer.data(piece)
        writer.zeros(-size % 512 + 1024)
        writer.finish()
    return path


def _member(writer: GzipWriter, name: str, data: bytes) -> None:
    writer.data(_header(name, len(data)) + data + bytes(-len(data) % 512))


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def _descriptor(sectors: int) -> bytes:
    return f'# Disk DescriptorFile\ncreateType="monolithicFlat"\nRW {sectors} FLAT "smartos.img" 0\n'.encode()
