"""Practice images have the true layout, cost little, and are the same every time."""

import bz2
import gzip
import hashlib
import os
import tarfile
import time
import zlib

import pytest

from smartos_wizard.media.contents import read_contents
from smartos_wizard.media.fat import FatVolume
from smartos_wizard.practice import gpt
from smartos_wizard.practice.image import (
    LEGACY_IMAGE_SIZE,
    USB_IMAGE_SIZE,
    build_platform_tarball,
    build_usb_image,
    build_vmware_bundle,
    compress_bzip2,
    compress_gzip,
)

STAMP = "20260903T001557Z"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return build_usb_image(tmp_path_factory.mktemp("key") / "key.img", STAMP, boot_archive_size=500_000)


def test_it_has_the_true_size_and_is_sparse(image, tmp_path):
    assert image.stat().st_size == USB_IMAGE_SIZE == 1_940_000_256
    assert image.stat().st_blocks * 512 < 20 << 20
    legacy = build_usb_image(tmp_path / "l", STAMP, boot_archive_size=1000, legacy=True)
    assert legacy.stat().st_size == LEGACY_IMAGE_SIZE == 2_000_000_000


def test_a_full_one_is_built_in_seconds(tmp_path):
    start = time.perf_counter()
    build_usb_image(tmp_path / "key.img", STAMP)
    assert time.perf_counter() - start < 5


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(image, tmp_path):
    def head(path):
        with path.open("rb") as file:
            file.seek(gpt.ROOT.offset)
            return hashlib.sha256(file.read(40 << 20)).hexdigest()

    again = build_usb_image(tmp_path / "a", STAMP, boot_archive_size=500_000)
    other = build_usb_image(tmp_path / "b", STAMP, boot_archive_size=500_000, seed=2)
    assert head(again) == head(image) != head(other)


def test_boot_code_boot_loader_and_extra_files_can_be_put_in(tmp_path):
    path = build_usb_image(
        tmp_path / "key",
        STAMP,
        boot_archive_size=1000,
        boot_code=b"\xeb\xfe" * 220,
        boot_stage=b"stage two",
        bootx64=b"MZ",
        extra={"private/answers.json": b"{}"},
    )
    with path.open("rb") as file:
        sector = file.read(512)
        assert sector[:0xFA] == (b"\xeb\xfe" * 220)[:0xFA]
        assert sector[0xFA:0xFE] == b"\x02\0\0\x08"
        file.seek(gpt.BOOT.offset)
        assert file.read(9) == b"stage two"

        def pread(at, length):
            return os.pread(file.fileno(), length, at)

        assert FatVolume(pread, gpt.LOADER.offset, gpt.LOADER.size).read("EFI/BOOT/BOOTX64.EFI") == b"MZ"
        assert read_contents(pread, USB_IMAGE_SIZE).extra_files == ("private/answers.json",)


def test_boot_code_that_would_run_into_the_table_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="440"):
        build_usb_image(tmp_path / "key", STAMP, boot_code=bytes(441))


@pytest.fixture
def holed(tmp_path):
    """A file of data, holes longer than the compressors' longest run of zeros, and written zeros."""
    path = tmp_path / "holed"
    with path.open("wb") as file:
        file.write(os.urandom(1_000_001))
        file.seek(70 << 20)
        file.write(b"end" + bytes(1 << 20))
        file.truncate(75 << 20)
    return path


def test_compressed_it_is_one_gzip_member_with_the_same_bytes(holed, tmp_path):
    packed = compress_gzip(holed, tmp_path / "x.gz").read_bytes()
    inflater = zlib.decompressobj(31)
    assert inflater.decompress(packed) == holed.read_bytes()
    assert inflater.eof
    assert inflater.unused_data == b""


def test_bzip2_of_data_and_holes_gives_the_same_bytes(holed, tmp_path):
    packed = compress_bzip2(holed, tmp_path / "x.bz2")
    assert bz2.decompress(packed.read_bytes()) == holed.read_bytes()


def test_an_empty_file_compresses_to_an_empty_gzip(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    assert gzip.decompress(compress_gzip(tmp_path / "x", tmp_path / "y").read_bytes()) == b""


def test_the_tarballs_are_read_by_tar(image, tmp_path):
    with tarfile.open(build_platform_tarball(tmp_path / "p.tgz", STAMP)) as tar:
        assert f"platform-{STAMP}/i86pc/amd64/boot_archive" in tar.getnames()
    small = tmp_path / "small.img"
    small.write_bytes(b"image" * 1000)
    with tarfile.open(build_vmware_bundle(tmp_path / "v.tgz", small)) as tar:
        member = tar.extractfile("SmartOS.vmwarevm/smartos.img")
        assert member is not None
        assert member.read() == b"image" * 1000
