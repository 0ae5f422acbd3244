"""No image without a digest that somebody vouches for; every doubt fails closed."""

import gzip
import hashlib

import pytest

from smartos_wizard.core.errors import Cancelled, ChecksumFailed, Refused, UsageProblem, WriteFailed
from smartos_wizard.media.model import ImageKind
from smartos_wizard.media.verified import expected_image, verify_image, verify_now
from smartos_wizard.practice import gpt
from smartos_wizard.practice.image import build_iso
from smartos_wizard.releases.model import Artifact, ArtifactKind, Checksum, StoredFile

STAMP = "20260903T001557Z"
NAME = f"smartos-{STAMP}-USB.img.gz"


@pytest.fixture
def image(tmp_path):
    tables = gpt.key_tables(3_789_063, 1, b"\xfa")
    front = bytearray(4096)
    for offset, data in tables[:3]:
        front[offset : offset + len(data)] = data[: 4096 - offset]
    path = tmp_path / NAME
    path.write_bytes(gzip.compress(bytes(front)))
    return path


def digest(path, algorithm="sha256"):
    return hashlib.new(algorithm, path.read_bytes()).hexdigest()


def sums(image, text):
    path = image.parent / "sums.txt"
    path.write_bytes(text.encode())
    return path


def reference(image, **how):
    with pytest.raises(ChecksumFailed) as caught:
        verify_image(image, **how)
    assert caught.value.exit_code == 6
    return caught.value.reference


def test_the_right_sha256_verifies(image):
    verified = verify_image(image, sha256=digest(image).upper())
    assert (verified.algorithm, verified.digest, verified.kind) == ("sha256", digest(image), ImageKind.GZIP)
    assert verified.raw_size == 1_940_000_256


def test_a_wrong_sha256_fails_with_both_digests(image):
    with pytest.raises(ChecksumFailed) as caught:
        verify_image(image, sha256="0" * 64)
    assert caught.value.reference == "checksum-mismatch"
    assert caught.value.details["actual"] == digest(image)
    assert caught.value.details["expected"] == "0" * 64


def test_without_a_digest_nothing_is_verified(image):
    assert reference(image) == "no-digest"


def test_a_sha256_that_is_none_is_a_usage_problem(image):
    with pytest.raises(UsageProblem, match="64 characters"):
        verify_image(image, sha256="abc")


@pytest.mark.parametrize("form", ["{d} {n}\n", "{d}  {n}\n", "{d} *{n}\n", "{d} {n}\r\n", "x\n{d} {n}"])
@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_list_in_any_usual_form_verifies(image, form, algorithm):
    listed = sums(image, "a" * 32 + " other.txt\n" + form.format(d=digest(image, algorithm), n=NAME))
    verified = verify_image(image, sums=listed)
    assert (verified.algorithm, verified.digest, verified.stamp) == (
        algorithm,
        digest(image, algorithm),
        STAMP,
    )
    assert "sums.txt" in verified.vouched_by


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "sums-malformed"),
        ("<html>404</html>\n", "sums-malformed"),
        (f"0123 {NAME}\n", "sums-malformed"),
        ("a" * 64 + " another-file.gz\n", "not-in-sums"),
        ("a" * 64 + f" {NAME}.old\n", "not-in-sums"),
        ("a" * 64 + f" old-{NAME}\n", "not-in-sums"),
        ("a" * 64 + f" {NAME}\n", "checksum-mismatch"),
    ],
)
def test_any_doubt_about_a_list_fails_closed_with_its_own_name(image, text, expected):
    assert reference(image, sums=sums(image, text)) == expected


def test_a_missing_list_fails_closed(image):
    assert reference(image, sums=image.parent / "none.txt") == "sums-missing"


def test_the_release_own_list_vouches_through_the_store(image):
    checksum = Checksum("md5", digest(image, "md5"))
    stored = StoredFile(image, Artifact(STAMP, ArtifactKind.USB, NAME), checksum, "https://mirror/")
    verified = verify_image(image, stored=stored)
    assert (verified.algorithm, verified.stamp, verified.source) == ("md5", STAMP, "https://mirror/")
    image.write_bytes(image.read_bytes() + b"\0")
    assert reference(image, stored=stored) == "checksum-mismatch"


def test_unverified_is_marked_and_its_digest_noted(image):
    verified = verify_image(image, unverified=True)
    assert (verified.algorithm, verified.digest) == ("none", "")
    assert digest(image) in verified.vouched_by


def test_a_digest_wins_over_unverified(image):
    assert reference(image, sha256="0" * 64, unverified=True) == "checksum-mismatch"


def test_bytes_without_a_partition_table_are_written_only_for_a_digest(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(bytes(5000)))
    with pytest.raises(Refused) as caught:
        verify_image(path, unverified=True)
    assert caught.value.reference == "not-an-image"
    assert verify_image(path, sha256=digest(path)).kind is ImageKind.GZIP


def test_an_iso_is_refused_even_with_the_right_digest(tmp_path):
    iso = build_iso(tmp_path / NAME, STAMP)
    with pytest.raises(Refused) as caught:
        expected_image(iso, sha256=digest(iso))
    assert caught.value.reference == "iso-is-no-key"


def test_expecting_reads_nothing_of_the_body_and_verifying_may_be_stopped(image):
    pending = expected_image(image, sha256="0" * 64)
    assert pending.digest == "0" * 64

    def stop(_done):
        raise Cancelled("cancelled", "Stopped.")

    with pytest.raises(Cancelled):
        verify_now(pending, stop)


def test_an_image_that_vanished_after_it_was_chosen_is_unreadable(image):
    pending = expected_image(image, sha256=digest(image))
    image.unlink()
    with pytest.raises(WriteFailed) as caught:
        verify_now(pending)
    assert caught.value.reference == "image-unreadable"
