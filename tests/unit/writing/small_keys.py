"""Keys of 35 MiB in memory, with true tables and a true file tree, for the promises about changing files on them."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import struct
import tarfile
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from smartos_wizard.media.fat import FatVolume
from smartos_wizard.media.fat_check import check_volume
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.fat_format import format_fat32
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.media.partitions import Pread, read_table
from smartos_wizard.media.volume import DeviceVolume
from smartos_wizard.practice import gpt
from smartos_wizard.practice.release_files import boot_files, grub_files, make_believe
from tests.unit.writing.parts import MIB, MemoryDevice
from tests.unit.writing.parts import OLD as OLD_BYTE

OLD, NEW, LATER = "20260806T000411Z", "20260903T001557Z", "20261001T002004Z"
GRUB = "20181206T011455Z"
SECTOR = 512
FIRST = 2048 * SECTOR
GRUB_FIRST = gpt.LEGACY_START * SECTOR
VOLUME = 34 * MIB
SIZE = FIRST + VOLUME + 33 * SECTOR
DEVICE = 36 * MIB
UNIX, ARCHIVE, HASH = "i86pc/kernel/amd64/unix", "i86pc/amd64/boot_archive", "i86pc/amd64/boot_archive.hash"
VERSION = "etc/version/platform"
Tree = dict[str, bytes | None]


@functools.cache
def _archive(stamp: str, size: int) -> bytes:
    return make_believe(f"boot_archive of {stamp}", size)


def platform(stamp: str, size: int = 150_000) -> dict[str, bytes]:
    """A platform whose archive has `size` bytes, paths below it."""
    archive = _archive(stamp, size)
    digest = hashlib.sha1(archive, usedforsecurity=False).hexdigest()
    return {
        VERSION: f"{stamp}\n".encode(),
        "root.password": f"practice{stamp[:8]}\n".encode(),
        UNIX: make_believe(f"unix of {stamp}", 90_000),
        ARCHIVE: archive,
        HASH: f"{digest}\n".encode(),
        "i86pc/amd64/boot_archive.manifest": make_believe("manifest"),
    }


def files_of(stamp: str, *, legacy: bool = False) -> dict[str, bytes]:
    """What a release brings on its key."""
    files = grub_files() if legacy else boot_files(stamp)
    files = {path: data[:20_000] for path, data in files.items()}
    return files | {f"platform/{path}": data for path, data in platform(stamp).items()}


@functools.cache
def small_image(stamp: str = OLD, legacy: bool = False, own: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    """The bytes of an image of `stamp`, with files of somebody's `own` on it."""
    data = bytearray(SIZE)
    first = GRUB_FIRST if legacy else FIRST
    for at, piece in _grub_table() if legacy else _gpt():
        data[at : at + len(piece)] = piece
    volume = format_fat32(
        VOLUME, "SMARTOSBOOT", 1, files=files_of(stamp, legacy=legacy) | dict(own),
        hidden_sectors=first // SECTOR, fresh=True,
    )  # fmt: skip
    for at, piece in volume:
        data[first + at : first + at + len(piece)] = piece
    return bytes(data)


def _grub_table() -> list[tuple[int, bytes]]:
    sector = bytearray(gpt.legacy_mbr(b"\xfa\xf4"))
    struct.pack_into("<I", sector, 446 + 12, VOLUME // SECTOR)
    return [(0, bytes(sector))]


def _gpt() -> list[tuple[int, bytes]]:
    last = SIZE // SECTOR - 1
    array = bytearray(32 * SECTOR)
    struct.pack_into(
        "<16s16sQQQ72s", array, 128 * 2, uuid.UUID(gpt.ROOT.type_guid).bytes_le, bytes(range(16)),
        FIRST // SECTOR, (FIRST + VOLUME) // SECTOR - 1, 0, "root".encode("utf-16-le"),
    )  # fmt: skip
    crc = zlib.crc32(array[: 9 * 128])

    def header(mine: int, other: int, at: int) -> bytes:
        def packed(own: int) -> bytes:
            start = struct.pack("<8sIIIIQQQQ", b"EFI PART", 0x10000, 92, own, 0, mine, other, 34, last - 33)
            return start + bytes(16) + struct.pack("<QIII", at, 9, 128, crc)

        return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")

    mbr = bytearray(b"\xfa\xf4".ljust(510, b"\0") + b"\x55\xaa")
    mbr[446:462] = struct.pack("<B3sB3sII", 0, b"\0\x02\0", 0xEE, b"\xff\xff\xff", 1, last)
    return [
        (0, bytes(mbr)), (SECTOR, header(1, last, 2)), (2 * SECTOR, bytes(array)),
        ((last - 32) * SECTOR, bytes(array)), (last * SECTOR, header(last, 1, last - 32)),
    ]  # fmt: skip


D = TypeVar("D", bound=MemoryDevice)


def key(image: bytes | None = None, name: str = "/dev/key1") -> MemoryDevice:
    """A device that holds the image, and old bytes behind it."""
    return key_of(MemoryDevice, image, name)


def key_of(kind: type[D], image: bytes | None = None, name: str = "/dev/key1") -> D:
    """The same as a device of some kind."""
    device = kind(0, name)
    device.size, device.data = DEVICE, bytearray(_on_device(small_image() if image is None else image))
    return device


@functools.lru_cache(maxsize=4)
def _on_device(image: bytes) -> bytes:
    return image.ljust(DEVICE, bytes([OLD_BYTE]))


def pread_of(device: MemoryDevice) -> Pread:
    return lambda offset, length: bytes(device.data[offset : offset + length])


def volume_of(device: MemoryDevice) -> tuple[FatVolume, int, int]:
    """The volume with SmartOS on it; its first byte and size."""
    root = read_table(pread_of(device), device.size).root
    assert root is not None
    return FatVolume(pread_of(device), root.first, root.size), root.first, root.size


def tree(device: MemoryDevice) -> Tree:
    """What a reader finds: path to content, None for a directory."""
    volume, _, _ = volume_of(device)
    return {f.path: None if f.directory else b"".join(volume.chunks(f)) for f in volume.files()}


def sound(device: MemoryDevice) -> bool:
    """Whether the judge of file systems finds nothing wrong."""
    _, first, size = volume_of(device)
    return not check_volume(pread_of(device), first, size)


def below(files: Mapping[str, bytes | None], place: str) -> Tree:
    """What lies below a directory, by its path there."""
    return {p.removeprefix(f"{place}/"): data for p, data in files.items() if p.startswith(f"{place}/")}


def beside(files: Mapping[str, bytes | None], *places: str) -> Tree:
    """What does not lie at or below any of these."""
    return {p: d for p, d in files.items() if not any(p == at or p.startswith(f"{at}/") for at in places)}


def files(found: Tree) -> Tree:
    """Without directories."""
    return {path: data for path, data in found.items() if data is not None}


def full(room: int, *more: tuple[str, bytes]) -> bytes:
    """A key with `room` bytes free."""
    volume = DeviceVolume(key(small_image(own=more)), FIRST, VOLUME)
    editor = FatEditor(volume)
    mine = editor.free - 2 * editor.geometry.cluster_size - room  # a directory of its own, and its dots
    return small_image(own=(("local/mine.bin", bytes(mine)), *more))


def as_file(path: Path, data: bytes, stamp: str = OLD) -> VerifiedImage:
    """The image as a file, vouched for. Holes stay holes."""
    with path.open("wb") as file:
        file.truncate(len(data))
        for at in range(0, len(data), MIB):
            piece = data[at : at + MIB]
            if any(piece):
                file.seek(at)
                file.write(piece)
    digest = hashlib.sha256(data).hexdigest()
    return VerifiedImage(path, ImageKind.RAW, "sha256", digest, "the test", stamp=stamp, raw_size=len(data))


def tarball(
    path: Path,
    stamp: str = NEW,
    files: Mapping[str, bytes] | None = None,
    more: Iterable[tarfile.TarInfo] = (),
    edit: Callable[[bytes], bytes] = lambda data: data,
) -> VerifiedImage:
    """A platform tarball as builds make them; `more` members without content, `edit` damages the compressed bytes."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in (platform(stamp) if files is None else files).items():
            info = tarfile.TarInfo(f"platform-{stamp}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in more:
            tar.addfile(info)
    path.write_bytes(edit(gzip.compress(whole.getvalue(), 1, mtime=0)))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return VerifiedImage(path, ImageKind.PLATFORM, "sha256", digest, "the test", stamp=stamp)
