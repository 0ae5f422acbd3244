"""Checksum lists: what is odd is tolerated, what is wrong fails closed."""

from __future__ import annotations

import hashlib

import pytest

from smartos_wizard.core.errors import ChecksumFailed
from smartos_wizard.releases.download import plan_download
from smartos_wizard.releases.listing import read_release
from smartos_wizard.releases.model import ArtifactKind
from smartos_wizard.releases.store import Store
from smartos_wizard.releases.sums import parse_sums

NEW = "20260903T001557Z"
A, B = "a" * 32, "b" * 32


@pytest.mark.parametrize(
    "text",
    [
        f"{A} x.gz\n", f"{A}  x.gz\n", f"{A} *x.gz\n", f"{A} x.gz\r\n", f"{A}\tx.gz", f"{A.upper()} x.gz\n",
        f"\n\n{B} other\n{A} x.gz\n", f"# made by hand\n{A} x.gz\n", f"\ufeff{A} x.gz\n",
    ],
)  # fmt: skip
def test_every_usual_spelling_of_a_line_is_understood(text):
    assert parse_sums(text, "md5").digests["x.gz"] == A


def test_real_lines_are_understood():
    text = (
        "12f00ff447098e789dcf762df37d2d7a SINGLE_USER_ROOT_PASSWORD.txt\n"
        "64ec3efb00910a24817c5031055d4ce9 boot-release-20250724-20250724T001011Z.tgz\n"
    )
    assert len(parse_sums(text, "md5").digests) == 2


@pytest.mark.parametrize("name", ["x", "x.gz.old", "ax.gz", "X.gz", "dir/x.gz"])
def test_only_exactly_this_name_counts(name):
    assert "x.gz" not in parse_sums(f"{A} {name}\n", "md5").digests


def test_a_name_with_two_digests_is_spoiled():
    sums = parse_sums(f"{A} x.gz\n{B} x.gz\n{B} y\n", "md5")
    assert sums.spoils("x.gz")
    assert not sums.spoils("y")


def put(served, algorithm, text):
    served.site.put(f"{NEW}/{algorithm}sums.txt", text)


def plan(world):
    mirror = world.mirror()
    release = read_release(mirror, NEW, world.paths.cache)
    artifact = release.artifact(ArtifactKind.USB)
    return plan_download(release, artifact, None, Store(world.paths.store), mirror.base)


def refused(world) -> str:
    with pytest.raises(ChecksumFailed) as caught:
        plan(world)
    assert int(caught.value.exit_code) == 6
    return caught.value.reference


def test_missing_lists_fail_closed(world, served):
    del served.site.files[f"{NEW}/sha256sums.txt"]
    del served.site.files[f"{NEW}/md5sums.txt"]
    assert refused(world) == "no-checksums"


@pytest.mark.parametrize("text", [b"", b"<html>error</html>", b"zzzz smartos.gz\n", b"\0\xff\xfe"])
def test_a_malformed_better_list_is_not_replaced_by_a_weaker_one(world, served, text):
    put(served, "sha256", text)
    assert refused(world) == "malformed-checksums"


def test_a_list_of_the_wrong_algorithm_fails_closed(world, served):
    put(served, "sha256", served.site.files[f"{NEW}/md5sums.txt"])
    assert refused(world) == "malformed-checksums"


def test_a_list_with_other_names_fails_closed(world, served):
    for algorithm in ("sha256", "md5"):
        put(
            served,
            algorithm,
            served.site.files[f"{NEW}/{algorithm}sums.txt"].replace(b"-USB.img.gz", b"-usb.img.gz"),
        )
    assert refused(world) == "not-in-checksums"


def test_a_broken_line_for_the_file_fails_closed(world, served):
    name = served.site.usb(NEW).partition("/")[2]
    put(served, "sha256", f"{'c' * 63} {name}\n{'d' * 64} other\n".encode())
    assert refused(world) == "not-in-checksums"


def test_crlf_and_two_spaces_still_vouch(world, served):
    text = served.site.files[f"{NEW}/sha256sums.txt"].replace(b" ", b"  ").replace(b"\n", b"\r\n")
    put(served, "sha256", text)
    digest = hashlib.sha256(served.site.files[served.site.usb(NEW)]).hexdigest()
    assert plan(world).steps[0].params["checksums"]["sha256"] == digest


def test_trouble_of_the_server_is_no_reason_to_use_the_weaker_list(world, served):
    served.site.fault = lambda h, path, body: "sha256" in path and not h.answer(403, b"")
    with pytest.raises(Exception) as caught:
        plan(world)
    assert caught.value.reference == "not-allowed"
