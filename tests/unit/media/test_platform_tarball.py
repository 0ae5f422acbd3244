"""Platform tarballs: what is taken, and what is refused by name before a key is touched."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import random
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.core.errors import Cancelled, ChecksumFailed, Refused, UsageProblem, WizardError
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.platform_tarball import check_platform, expected_size, read_platform
from tests.unit.writing.small_keys import ARCHIVE, HASH, NEW, UNIX, VERSION, platform, tarball


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return tmp_path / f"platform-{NEW}.tgz"


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, "elsewhere" if kind != tarfile.REGTYPE else ""
    return info


def said(image: VerifiedImage) -> WizardError:
    with pytest.raises(WizardError) as caught:
        check_platform(image)
    assert "Nothing was changed." in caught.value.message
    assert caught.value.context == str(image.path)
    return caught.value


def test_a_good_one_is_read_once_as_a_whole_and_then_file_by_file(at: Path) -> None:
    image = tarball(at)
    counts: list[int] = []
    found = check_platform(image, counts.append)
    assert counts[-1] == at.stat().st_size, "also what is behind the archive was hashed"
    assert counts == sorted(counts)
    assert (found.stamp, found.hashed) == (NEW, True)
    wanted = platform(NEW)
    assert {m.path: m.digest for m in found.members} == {
        path: hashlib.sha256(data).hexdigest() for path, data in wanted.items()
    }
    assert {path: b"".join(pieces) for path, _, pieces in read_platform(image)} == wanted


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_the_published_digest_must_hold_to_the_last_byte(at: Path, algorithm: str) -> None:
    image = tarball(at)
    right = hashlib.new(algorithm, at.read_bytes()).hexdigest()
    assert check_platform(replace(image, algorithm=algorithm, digest=right.upper())).stamp == NEW
    with at.open("ab") as file:
        file.write(b"\0")
    error = said(replace(image, algorithm=algorithm, digest=right))
    assert isinstance(error, ChecksumFailed)
    assert error.reference == "image-changed"
    assert error.details["expected"] == right


@pytest.mark.parametrize("part", [0.0, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_one_that_is_cut_off_says_so(at: Path, part: float) -> None:
    error = said(tarball(at, edit=lambda data: data[: int(len(data) * part)]))
    assert isinstance(error, UsageProblem)
    assert error.reference == "not-a-platform"


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f", b"\x1f\x8b", b"hello\n" * 100, gzip.compress(b"hello\n" * 1000), bytes(4096)],
    ids=["empty", "one byte", "magic", "text", "gzipped text", "zeros"],  # a gzip header holds the time
)
def test_what_is_no_gzipped_tarball_says_so(at: Path, content: bytes) -> None:
    error = said(tarball(at, edit=lambda _data: content))
    assert (error.reference, int(error.exit_code)) == ("not-a-platform", 2)


@pytest.mark.parametrize("missing", [UNIX, ARCHIVE, VERSION])
def test_without_kernel_archive_or_version_it_is_no_platform(at: Path, missing: str) -> None:
    files = platform(NEW)
    del files[missing]
    error = said(tarball(at, files=files))
    assert error.reference == "not-a-platform"
    assert missing in error.message


def test_another_release_than_its_name_says_is_refused(at: Path) -> None:
    error = said(tarball(at, files=platform("20260101T000000Z")))
    assert isinstance(error, Refused)
    assert error.reference == "other-platform"
    assert "20260101T000000Z" in error.message
    assert NEW in error.message
    unnamed = replace(tarball(at, files=platform("20260101T000000Z")), stamp="")
    assert check_platform(unnamed).stamp == "20260101T000000Z"


def test_a_boot_archive_that_is_not_its_hash_is_refused(at: Path) -> None:
    files = platform(NEW)
    files[ARCHIVE] = files[ARCHIVE][:-1] + b"!"
    error = said(tarball(at, files=files))
    assert isinstance(error, ChecksumFailed)
    assert error.reference == "boot-archive-damaged"
    assert "panic" in error.message
    assert error.details["got"] == hashlib.sha1(files[ARCHIVE], usedforsecurity=False).hexdigest()


def test_one_that_brings_no_hash_is_taken_and_told(at: Path) -> None:
    files = platform(NEW)
    del files[HASH]
    assert check_platform(tarball(at, files=files)).hashed is False


TOP = f"platform-{NEW}"


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (member(f"{TOP}/link", tarfile.SYMTYPE), "cannot be on a key"),
        (member(f"{TOP}/hard", tarfile.LNKTYPE), "cannot be on a key"),
        (member(f"{TOP}/null", tarfile.CHRTYPE), "cannot be on a key"),
        (member(f"{TOP}/pipe", tarfile.FIFOTYPE), "cannot be on a key"),
        (member("loose"), "cannot be on a key"),
        (member("../../etc/passwd"), "cannot be on a key"),
        (member(f"{TOP}/../../boot/loader.conf"), "cannot be on a key"),
        (member(f"{TOP}/a:b"), "cannot be on a key"),
        (member(f"{TOP}/a\nb"), "cannot be on a key"),
        (member(f"{TOP}/a\\..\\b"), "cannot be on a key"),
        (member(f"{TOP}/i86pc./unix"), "cannot be on a key"),
        (member(f"{TOP}/unix "), "cannot be on a key"),
        (member(f"{TOP}/\udcff"), "cannot be on a key"),
        (member(f"{TOP}/{'n' * 256}"), "cannot be on a key"),
        (member(f"{TOP}/{UNIX}"), "twice"),
        (member(f"{TOP}/{UNIX.upper()}"), "twice"),
        (member(f"{TOP}/{UNIX}/below"), "below a file"),
        (member(f"{TOP}/i86pc/kernel"), "below a file"),
        (member(f"{TOP}/huge", size=4 << 30), "larger than FAT takes"),
    ],
)
def test_what_cannot_be_on_a_key_is_refused(at: Path, info: tarfile.TarInfo, why: str) -> None:
    error = said(tarball(at, more=[info]))
    assert isinstance(error, Refused)
    assert error.reference == "odd-platform"
    assert why in error.message
    assert error.message.isprintable()


def test_directories_in_it_are_no_files(at: Path) -> None:
    image = tarball(at, more=[member(f"{TOP}/i86pc/", tarfile.DIRTYPE), member(TOP, tarfile.DIRTYPE)])
    assert len(check_platform(image).members) == len(platform(NEW))


def test_too_many_files_are_refused_before_they_are_counted_to_the_end(at: Path) -> None:
    error = said(tarball(at, more=[member(f"{TOP}/f{n}") for n in range(2100)]))
    assert error.reference == "odd-platform"
    assert "too many" in error.message


def test_stopping_is_seen_in_the_middle(at: Path) -> None:
    def stop() -> None:
        raise Cancelled("cancelled", "stopped")

    with pytest.raises(Cancelled):
        check_platform(tarball(at), stop=stop)


def test_a_file_that_went_away_is_no_fault_of_a_key(at: Path) -> None:
    image = tarball(at)
    at.unlink()
    error = said(image)
    assert (error.reference, int(error.exit_code)) == ("image-unreadable", 7)
    with pytest.raises(WizardError):
        list(read_platform(image))


@pytest.mark.parametrize("packed", [False, True], ids=["tar", "gzip"])
def test_whatever_bytes_are_in_it_the_error_has_a_name(at: Path, packed: bool) -> None:
    good = tarball(at).path.read_bytes()
    plain = gzip.decompress(good)
    rand = random.Random(7)

    def damaged(data: bytes) -> bytes:
        out = bytearray(data)
        for _ in range(rand.randrange(1, 8)):
            head = rand.random() < 0.7
            out[rand.randrange(min(1024, len(out)) if head else len(out))] = rand.randrange(256)
        return bytes(out)

    for _ in range(60):
        edit: Callable[[bytes], bytes] = damaged if packed else lambda _: gzip.compress(damaged(plain), 1)
        with contextlib.suppress(WizardError):
            check_platform(tarball(at, edit=edit))


def test_the_size_it_will_have_is_told_only_where_the_file_can_know_it(at: Path, tmp_path: Path) -> None:
    image = tarball(at)
    assert expected_size(image.path) == len(gzip.decompress(at.read_bytes()))
    assert expected_size(tmp_path / "none") is None
    for edit in (lambda d: d[:-5], lambda d: d[:2], lambda _d: b"no gzip at all"):
        assert expected_size(tarball(at, edit=edit).path) is None
