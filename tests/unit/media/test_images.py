"""Files are recognised by what is in them, whatever they are called."""

import bz2
import gzip
import io
import tarfile

import pytest

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.media.images import recognise, refuse_unwritable
from smartos_wizard.media.model import USB_IMAGE_SIZE, ImageKind
from smartos_wizard.practice.image import (
    build_iso,
    build_platform_tarball,
    build_usb_image,
    build_vmware_bundle,
    compress_bzip2,
    compress_gzip,
)

STAMP = "20260903T001557Z"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One file of every kind, each under a misleading name."""
    place = tmp_path_factory.mktemp("images")
    raw = build_usb_image(place / "raw.iso", STAMP, boot_archive_size=200_000)
    legacy = build_usb_image(place / "legacy.zip", STAMP, boot_archive_size=200_000, legacy=True)
    return {
        "raw": raw,
        "legacy": legacy,
        "gzip": compress_gzip(raw, place / "packed.tgz"),
        "bzip2": compress_bzip2(legacy, place / "packed.txt"),
        "iso": build_iso(place / "smartos-USB.img.gz", STAMP),
        "platform": build_platform_tarball(place / "smartos-USB.img", STAMP),
        "vmware": build_vmware_bundle(place / "image.gz", raw),
    }


@pytest.mark.parametrize(
    ("name", "kind", "stamp"),
    [
        ("raw", ImageKind.RAW, STAMP),
        ("legacy", ImageKind.RAW, STAMP),
        ("gzip", ImageKind.GZIP, ""),
        ("bzip2", ImageKind.BZIP2, ""),
        ("iso", ImageKind.ISO, STAMP),
        ("platform", ImageKind.PLATFORM, STAMP),
        ("vmware", ImageKind.VMWARE, ""),
    ],
)
def test_every_kind_is_recognised_under_a_wrong_name(made, name, kind, stamp):
    facts = recognise(made[name])
    assert (facts.kind, facts.stamp, facts.problem) == (kind, stamp, "")
    assert facts.size == made[name].stat().st_size


def test_the_size_of_the_image_is_known_before_it_is_decoded(made):
    assert recognise(made["gzip"]).raw_size == USB_IMAGE_SIZE
    assert recognise(made["raw"]).raw_size == USB_IMAGE_SIZE


def test_images_for_keys_pass(made):
    for name in ("raw", "legacy", "gzip", "bzip2"):
        facts = recognise(made[name])
        refuse_unwritable(facts, made[name])
        assert "SmartOS USB image" in facts.looks_like


def test_an_iso_is_refused_with_the_reason_and_the_right_file(made):
    with pytest.raises(Refused) as caught:
        refuse_unwritable(recognise(made["iso"]), made["iso"])
    error = caught.value
    assert (error.reference, error.exit_code) == ("iso-is-no-key", 4)
    assert "not a hybrid" in error.message
    assert f"smartos-{STAMP}-USB.img.gz" in error.hint
    assert f"smartos-wizard release download {STAMP}" in error.hint


@pytest.mark.parametrize(
    ("name", "reference"), [("vmware", "bundle-is-no-key"), ("platform", "platform-is-no-key")]
)
def test_the_other_artifacts_are_refused_by_their_own_name(made, name, reference):
    with pytest.raises(Refused) as caught:
        refuse_unwritable(recognise(made[name]), made[name])
    assert caught.value.reference == reference


def _tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("something/else"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n <!DOCTYPE html><html>not found", "web page"),
        (b"PK\x03\x04" + bytes(600), "zip"),
        (b"\xfd7zXZ\0" + bytes(600), "xz"),
        (b"0" * 64 + b" smartos-20260903T001557Z-USB.img.gz\n", "checksums"),
        (b"Dear diary\n" * 100, "text"),
        (_tar(), "tar archive"),
        (gzip.compress(_tar(), mtime=0), "tar archive"),
        (bz2.compress(_tar()), "tar archive"),
    ],
)
def test_what_is_no_image_is_refused_as_what_it_is(tmp_path, content, words):
    path = tmp_path / "smartos-USB.img"
    path.write_bytes(content)
    facts = recognise(path)
    assert facts.kind is ImageKind.UNKNOWN
    assert words in facts.looks_like
    with pytest.raises(Refused, match=words) as caught:
        refuse_unwritable(facts, path)
    assert caught.value.reference == "not-an-image"


def test_a_raw_image_cut_short_says_so(tmp_path, made):
    short = tmp_path / "short.img"
    with made["raw"].open("rb") as source:
        short.write_bytes(source.read(2 << 20))
    assert "cut off" in recognise(short).problem


def test_a_damaged_or_tiny_gzip_is_still_a_gzip_with_a_problem(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(bytes(1000))[:12])
    facts = recognise(path)
    assert facts.kind is ImageKind.GZIP
    assert "too early" in facts.problem


def test_a_missing_file_and_a_directory_are_no_riddle(tmp_path):
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(UsageProblem) as caught:
            recognise(path)
        assert caught.value.reference == "no-such-file"
