"""A release's root password is found in everything that carries it, and nothing else is taken for it."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pycdlib
import pytest

from smartos_wizard.core.errors import Refused, UsageProblem, WizardError
from smartos_wizard.media.disks.judge import file_target
from smartos_wizard.media.model import Target
from smartos_wizard.media.partitions import Pread
from smartos_wizard.media.ports import BlockDevice
from smartos_wizard.media.root_password import of_file, of_pread, root_password_of_key
from smartos_wizard.practice.image import (
    build_iso,
    build_platform_tarball,
    build_usb_image,
    build_vmware_bundle,
    compress_bzip2,
    compress_gzip,
)
from smartos_wizard.practice.release_files import release_password
from smartos_wizard.world import real_world

STAMP = "20260903T001557Z"
WORD = release_password(STAMP)
MEMBER = f"platform-{STAMP}/root.password"
Made = dict[str, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One file of every kind, each under a name that says something else."""
    place = tmp_path_factory.mktemp("media")
    raw = build_usb_image(place / "raw.iso", STAMP, boot_archive_size=200_000)
    legacy = build_usb_image(place / "legacy.tgz", STAMP, boot_archive_size=200_000, legacy=True)
    return {
        "raw": raw,
        "legacy": legacy,
        "gzip": compress_gzip(raw, place / "packed.iso"),
        "bzip2": compress_bzip2(legacy, place / "packed.img"),
        "iso": build_iso(place / "iso.img.gz", STAMP),
        "platform": build_platform_tarball(place / "platform.img", STAMP),
        "vmware": build_vmware_bundle(place / "bundle.iso", raw),
    }


def refusal(path: Path) -> WizardError:
    """What is said about a file without a password: never a bare exception, never the content, never a change."""
    before = path.read_bytes() if path.stat().st_size < 20 << 20 else None
    with pytest.raises((Refused, UsageProblem)) as caught:
        of_file(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert before is None or path.read_bytes() == before
    return caught.value


@pytest.mark.parametrize("kind", ["raw", "legacy", "gzip", "bzip2", "iso", "platform", "vmware"])
def test_the_password_is_found_in_every_kind_of_file(made: Made, kind: str) -> None:
    found = of_file(made[kind])
    assert (found.word, found.stamp, found.medium) == (WORD, STAMP, str(made[kind]))
    assert found.member == (MEMBER if kind == "platform" else "platform/root.password")


def test_the_password_of_a_practice_release_is_as_a_build_makes_it() -> None:
    assert WORD.isalnum()
    assert len(WORD) == 16
    assert release_password("20250724T001011Z") != WORD


def test_the_password_is_in_no_repr(made: Made) -> None:
    found = of_file(made["iso"])
    assert WORD not in f"{found!r} {found}"


def test_an_iso_written_to_a_stick_is_read_too(made: Made) -> None:
    data = made["iso"].read_bytes() + bytes(1 << 20)
    assert of_pread(lambda at, n: data[at : at + n], len(data), "/dev/sdx").word == WORD


def test_a_key_is_opened_once_and_only_for_reading(made: Made) -> None:
    world = real_world()
    opened: list[bool] = []
    real = world.opener.open

    class Opener:
        def open(self, target: Target, *, write: bool, notify: Any) -> BlockDevice:
            opened.append(write)
            return real(target, write=write, notify=notify)

    target = file_target(made["raw"], made["raw"].stat().st_size)
    spied = replace(world, opener=cast("Any", Opener()))
    assert root_password_of_key(spied, target).word == WORD
    assert opened == [False]


# What is decoded and what is not.


def test_a_compressed_image_is_decoded_no_further_than_the_password(made: Made, tmp_path: Path) -> None:
    whole = made["gzip"].read_bytes()
    cut = tmp_path / "cut.img.gz"
    cut.write_bytes(whole[: len(whole) - len(whole) // 10])  # a tenth of the boot archive and all behind it
    assert of_file(cut).word == WORD
    cut.write_bytes(whole[: len(whole) // 50])
    assert refusal(cut).reference == "damaged-medium"


def test_files_of_a_key_that_lie_out_of_order_are_found(tmp_path: Path) -> None:
    """The FAT entry of the platform directory is pages behind, and its second cluster lies behind other files."""
    many = {f"platform/a file with a long name, number {n}": b"x" * 3000 for n in range(60)}
    raw = build_usb_image(
        tmp_path / "raw", STAMP, boot_archive_size=9 << 20,
        extra={"boot/large": bytes(12 << 20), **many, "platform/root.password": b"Elsewhere1234567\n"},
    )  # fmt: skip
    packed = compress_gzip(raw, tmp_path / "raw.gz")
    assert of_file(raw).word == of_file(packed).word == "Elsewhere1234567"


# Contents that are no password.

ODD = {
    "empty": (b"", "it is empty"),
    "only a line end": (b"\n", "it is empty"),
    "10 MB": (b"a" * 10_000_000, "10,000,000 bytes"),
    "two lines": (b"first12345678901\nsecond1234567890\n", "more than one word"),
    "two words": (b"not one\n", "more than one word"),
    "escapes": (b"\x1b[2Jsecret\n", "cannot be shown"),
    "a right-to-left mark": ("abc\u202edef\n".encode(), "cannot be shown"),
    "no text": (b"\xff\xfe\x00secret", "no text"),
    "a zero": (b"secret\0secret\n", "cannot be shown"),
    "blanks around": (b" secret\n", "more than one word"),
}


def tarball(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("case", ODD)
def test_what_is_no_password_is_refused_and_not_shown(tmp_path: Path, case: str) -> None:
    data, why = ODD[case]
    for path in (
        tarball(tmp_path / "p.tgz", {MEMBER: data}),
        iso(tmp_path / "x.iso", {"platform/root.password": data}),
    ):
        error = refusal(path)
        assert (error.reference, error.exit_code) == ("odd-root-password", 4)
        assert why in error.message
        assert "secret" not in f"{error.report()} {error.message}"


@pytest.mark.parametrize("data", [b"Abcdefgh12345678", b"Abcdefgh12345678\n", b"Abcdefgh12345678\r\n"])
def test_a_line_end_is_no_part_of_the_password(tmp_path: Path, data: bytes) -> None:
    assert of_file(tarball(tmp_path / "p.tgz", {MEMBER: data})).word == "Abcdefgh12345678"


@pytest.mark.parametrize("legacy", [False, True])
def test_an_odd_file_on_a_key_is_refused(tmp_path: Path, legacy: bool) -> None:
    raw = build_usb_image(
        tmp_path / "raw", STAMP, boot_archive_size=1000, legacy=legacy,
        extra={"platform/root.password": b"x" * 10_000_000},
    )  # fmt: skip
    assert refusal(raw).reference == "odd-root-password"


# Media without the file.


def test_media_without_the_file_say_so(tmp_path: Path) -> None:
    for path in (
        tarball(tmp_path / "p.tgz", {f"platform-{STAMP}/etc/version/platform": b"x\n"}),
        tarball(tmp_path / "d.tgz", {f"platform-{STAMP}/deep/root.password": b"Abcdefgh12345678\n"}),
        iso(tmp_path / "a.iso", {"platform/etc/version/platform": STAMP.encode()}),
        iso(tmp_path / "b.iso", {"readme": b"hello"}),
        iso(tmp_path / "c.iso", {"platform/root.password/x": b"a directory of that name"}),
        iso(tmp_path / "d.iso", {"readme": b"hello"}, names="plain"),
    ):
        error = refusal(path)
        assert (error.reference, error.exit_code) == ("no-root-password", 4)
        assert "SmartOS's build puts one" in error.hint


def test_a_link_of_that_name_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "p.tgz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(MEMBER)
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(info)
    assert refusal(path).reference == "no-root-password"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html>404</html>", "a web page"),
        (b"Abcdefgh12345678\n", "a text file"),
        (b"PK\x03\x04" + bytes(2000), "a zip archive"),
        (bytes(1 << 20), "has no partition of SmartOS"),
    ],
)
def test_other_files_are_told_for_what_they_are(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    error = refusal(path)
    assert (error.reference, error.exit_code) == ("not-a-medium", 2)
    assert words in error.message


def test_compressed_things_that_are_no_image_are_told(tmp_path: Path, made: Made) -> None:
    packed = tmp_path / "iso.gz"
    packed.write_bytes(gzip.compress(made["iso"].read_bytes(), 1))
    assert "a compressed ISO" in refusal(packed).message
    packed.write_bytes(bz2.compress(b"hello" * 100_000))
    assert refusal(packed).reference == "not-a-medium"
    packed.write_bytes(gzip.compress(b""))
    assert refusal(packed).reference == "not-a-medium"


# Damaged media.


def test_a_damaged_tarball_is_told(tmp_path: Path, made: Made) -> None:
    filler = {f"platform-{STAMP}/i86pc/{n}": bytes(range(256)) * 400 for n in range(20)}
    whole = tarball(tmp_path / "p.tgz", {**filler, MEMBER: b"Abcdefgh12345678\n"}).read_bytes()
    path = tmp_path / "damaged.tgz"
    half = len(whole) // 2
    for content in (whole[:half], whole[:half] + bytes(64) + whole[half + 64 :]):
        path.write_bytes(content)
        assert refusal(path).reference in ("damaged-medium", "no-root-password")
    path.write_bytes(whole[:half])
    error = refusal(path)
    assert (error.reference, error.exit_code) == ("damaged-medium", 2)
    assert "ends too early" in error.message


def test_a_plain_tarball_is_read_and_a_cut_one_is_told(tmp_path: Path) -> None:
    files = {f"platform-{STAMP}/first": bytes(5000), MEMBER: b"Abcdefgh12345678\n"}
    path = tarball(tmp_path / "p.tar", files, "w")
    assert of_file(path).word == "Abcdefgh12345678"
    path.write_bytes(path.read_bytes()[:3000])
    assert refusal(path).reference == "damaged-medium"


@pytest.mark.parametrize("at", [32768 + 2048, 33000, 40000, 60000])
def test_a_damaged_iso_never_ends_in_anything_but_words(tmp_path: Path, made: Made, at: int) -> None:
    data = bytearray(made["iso"].read_bytes())
    path = tmp_path / "x.iso"
    for junk in (bytes(2048), b"\xff" * 2048):
        path.write_bytes(bytes(data[:at]) + junk + bytes(data[at + 2048 :]))
        said(path)
    path.write_bytes(bytes(data[:at]))
    assert said(path) != WORD


def test_a_damaged_file_system_never_ends_in_anything_but_words(tmp_path: Path, made: Made) -> None:
    root = 528384 * 512
    with made["raw"].open("rb") as file:
        head = file.read(1 << 20)
        file.seek(root)
        front = bytearray(file.read(40 << 20))

    def reading(spoilt: bytearray) -> Pread:
        def pread(at: int, n: int) -> bytes:
            if at < len(head):
                return head[at : at + n]
            inside = at - root
            return bytes(spoilt[inside : inside + n]) if inside >= 0 else bytes(n)

        return pread

    size = made["raw"].stat().st_size
    assert of_pread(reading(front), size, "key").word == WORD
    for at in (0, 11, 13, 32, 44, 32 * 512, 32 * 512 + 8, 13 << 20):
        spoilt = bytearray(front)
        spoilt[at : at + 4] = b"\xff\xff\xff\x0f"
        try:
            assert of_pread(reading(spoilt), size, "key").word == WORD
        except WizardError as error:
            assert error.reference in ("damaged-medium", "no-root-password", "odd-root-password")


def said(path: Path) -> str:
    try:
        return of_file(path).word
    except (Refused, UsageProblem) as error:
        return error.reference


# ISOs that mkisofs did not make with -R.


def iso(path: Path, files: dict[str, bytes], names: str = "rock") -> Path:
    """An ISO with Rock Ridge, with Joliet, or with plain ISO 9660 names of level 1 (8.3) or 3."""
    made = pycdlib.PyCdlib()
    made.new(
        interchange_level=1 if names == "plain" else 3,
        rock_ridge="1.09" if names == "rock" else None,
        joliet=3 if names == "joliet" else None,
    )
    folders = {"": ""}
    for number, (name, data) in enumerate(files.items()):
        *parents, leaf = name.split("/")
        above = ""
        for part in parents:
            here = f"{above}/{part}".lstrip("/")
            if here not in folders:
                folders[here] = f"{folders[above]}/{short(part, names).replace('.', '_')}"
                extra: Any = {"rr_name": part} if names == "rock" else {}
                extra |= {"joliet_path": f"/{here}"} if names == "joliet" else {}
                made.add_directory(folders[here], **extra)
            above = here
        extra = {"rr_name": leaf} if names == "rock" else {}
        extra |= {"joliet_path": f"/{name}"} if names == "joliet" else {}
        plain = f"F{number}." if names in ("rock", "joliet") else short(leaf, names)
        plain += "" if "." in plain else "."
        made.add_fp(io.BytesIO(data), len(data), f"{folders[above]}/{plain};1", **extra)
    made.write(str(path))
    made.close()
    return path


def short(name: str, names: str) -> str:
    stem, _, extension = name.upper().partition(".")
    if names == "plain":
        return f"{stem[:8]}.{extension[:3]}" if extension else stem[:8]
    return f"{stem}.{extension}" if extension else stem


@pytest.mark.parametrize("names", ["rock", "joliet", "plain", "long"])
def test_an_iso_is_read_by_whatever_names_it_has(tmp_path: Path, names: str) -> None:
    files = {
        "platform/root.password": b"Abcdefgh12345678\n",
        "etc/version/boot": f"{STAMP}\n".encode(),
        "root.password": b"another\n",
    }
    found = of_file(iso(tmp_path / "x.iso", files, names))
    assert (found.word, found.stamp) == ("Abcdefgh12345678", STAMP)
