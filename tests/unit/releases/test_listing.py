"""What a mirror offers is read whole, by any of its shapes, and kept for use without it."""

from __future__ import annotations

import time

import pytest

from smartos_wizard.core.errors import NetworkFailed, UsageProblem
from smartos_wizard.releases.listing import (
    list_releases,
    read_changelog,
    read_release,
    read_releases,
    read_root_password,
)
from smartos_wizard.releases.mirror import entries, open_mirror
from smartos_wizard.releases.model import ArtifactKind, Release

NEW = "20260903T001557Z"
MD5 = "20250724T001011Z"
BZ2 = "20190328T002516Z"
ERAS = [NEW, MD5, BZ2]


@pytest.fixture(params=["manta", "manta pages of 2", "index pages", "directory", "file url"])
def any_mirror(request, served, tmp_path):
    if request.param == "manta pages of 2":
        served.site.page_limit = 2
    if request.param == "index pages":
        served.site.index_pages = True
    if request.param in ("directory", "file url"):
        root = served.site.copy_to(tmp_path / "a mirror")
        return open_mirror(str(root) if request.param == "directory" else root.as_uri())
    return served.mirror()


def test_every_shape_of_mirror_lists_the_same_newest_first(any_mirror, tmp_path):
    listing = list_releases(any_mirror, tmp_path, time.time())
    assert [r.stamp for r in listing.releases] == ERAS
    assert listing.latest == NEW
    assert listing.offline_since is None


def test_every_shape_of_mirror_tells_artifacts_of_all_eras(any_mirror, tmp_path):
    for stamp, usb, platform, algorithms in (
        (NEW, f"smartos-{NEW}-USB.img.gz", f"platform-release-20260903-{NEW}.tgz", ("sha256", "md5")),
        (MD5, f"smartos-{MD5}-USB.img.gz", f"platform-release-20250724-{MD5}.tgz", ("md5",)),
        (BZ2, f"smartos-{BZ2}-USB.img.bz2", f"platform-{BZ2}.tgz", ("md5",)),
    ):
        release = read_release(any_mirror, stamp, tmp_path)
        assert release.algorithms == algorithms
        assert release.artifact(ArtifactKind.USB).name == usb
        assert release.artifact(ArtifactKind.PLATFORM).name == platform
        assert release.artifact(ArtifactKind.ISO).name == f"smartos-{stamp}.iso"
        assert release.artifact(ArtifactKind.VMWARE).name.startswith(f"smartos-{stamp}.vmwarevm.tar.")
        assert release.artifact(ArtifactKind.USB).best.algorithm == algorithms[0]
        assert not any(a.name.startswith("boot-") for a in release.artifacts)  # listed, never uploaded
        assert read_root_password(any_mirror, stamp) == f"s3cret-{stamp}"
        assert "fixed things" in read_changelog(any_mirror, stamp)


def test_latest_is_read_from_the_text_object_not_guessed(served, tmp_path):
    served.site.put("latest", f"/Joyent_Dev/public/SmartOS/{MD5}\n".encode())
    assert read_release(served.mirror(), "latest", tmp_path).stamp == MD5


def test_latest_is_the_newest_where_the_mirror_does_not_say(served, tmp_path):
    del served.site.files["latest"]
    assert read_release(served.mirror(), "latest", tmp_path).stamp == NEW


def test_pages_are_followed_to_the_end_even_where_markers_are_ignored(served):
    for number in range(700):
        served.site.put(f"2016{number % 12 + 1:02d}01T{number:06d}Z/md5sums.txt", b"")
    served.site.page_limit = 256
    assert len(entries(served.mirror())) == 700 + len(ERAS) + 3
    served.site.index_pages = True
    assert len(entries(served.mirror())) == 700 + len(ERAS) + 3


def test_the_last_good_listing_is_kept_and_shown_as_such(served, tmp_path):
    before = time.time()
    list_releases(served.mirror(), tmp_path, before)
    served.site.fault = lambda handler, path, body: False
    dead = open_mirror("http://localhost:9/")
    with pytest.raises(NetworkFailed):
        list_releases(dead, tmp_path, before)
    mirror = served.mirror()
    served.site.files.clear()
    mirror.base = served.url
    broken = open_mirror(served.url)
    broken.page = lambda *_args: (_ for _ in ()).throw(
        NetworkFailed("mirror-unreachable", "No.", passing=True)
    )
    listing = list_releases(broken, tmp_path, time.time())
    assert [r.stamp for r in listing.releases] == ERAS
    assert abs(listing.offline_since.timestamp() - before) < 1


def test_one_release_that_cannot_be_read_does_not_spoil_the_others(served, tmp_path):
    served.site.fault = lambda handler, path, body: path.startswith(MD5) and not handler.answer(403, b"")
    found = read_releases(served.mirror(), tuple(ERAS), tmp_path)
    assert isinstance(found[MD5], NetworkFailed)
    assert isinstance(found[NEW], Release)
    assert isinstance(found[BZ2], Release)


def test_a_release_that_does_not_exist_is_named(served, tmp_path):
    with pytest.raises(NetworkFailed) as caught:
        read_release(served.mirror(), "20200101T000000Z", tmp_path)
    assert caught.value.reference == "no-such-release"
    with pytest.raises(UsageProblem):
        read_release(served.mirror(), "../../etc", tmp_path)


def test_names_with_paths_in_a_listing_are_never_used(served, tmp_path):
    mirror = served.mirror()
    real = mirror.page
    mirror.page = lambda *a: (
        [*real(*a), {"name": "../../evil.iso", "type": "object", "size": 1}] if a[2] else real(*a)
    )
    assert all("/" not in a.name for a in read_release(mirror, NEW, tmp_path).artifacts)


@pytest.mark.parametrize("where", ["", "ftp://host/", "/no/such/directory", "https://", "file://host/srv"])
def test_what_is_no_mirror_is_a_usage_error(where):
    with pytest.raises(UsageProblem) as caught:
        open_mirror(where)
    assert caught.value.reference == "no-such-mirror"


def test_a_login_page_is_not_taken_for_an_empty_mirror(served, tmp_path):
    served.site.files.clear()
    served.site.put("", b"<html><a href='https://portal.example/login'>log in</a></html>")
    with pytest.raises(NetworkFailed) as caught:
        list_releases(served.mirror(), tmp_path, time.time())
    assert caught.value.reference == "no-releases"


def test_an_untrusted_certificate_is_refused_and_a_trusted_one_is_not(
    served_tls, certificate, tmp_path, monkeypatch
):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NetworkFailed) as caught:
        list_releases(served_tls.mirror(), tmp_path, time.time())
    assert caught.value.reference == "tls-failed"
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    assert list_releases(served_tls.mirror(), tmp_path, time.time()).latest == NEW


def test_a_redirect_that_drops_encryption_is_refused(served_tls, served, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    served_tls.site.fault = lambda h, path, body: not h.answer(302, b"", {"Location": served.url + path})
    with pytest.raises(NetworkFailed) as caught:
        served_tls.mirror().text("latest")
    assert caught.value.reference == "insecure-redirect"
    assert served.site.requests == []


def test_a_proxy_of_the_environment_is_used(served, monkeypatch):
    monkeypatch.setenv("http_proxy", served.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    served.site.put("smartos/latest", NEW.encode())
    assert open_mirror("http://mirror.invalid/smartos/").text("latest") == NEW


@pytest.mark.parametrize(
    ("url", "reference"),
    [("http://no-such-host.invalid/", "name-not-found"), ("http://localhost:9/", "mirror-unreachable")],
)
def test_network_trouble_is_named_with_a_hint(url, reference, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NetworkFailed) as caught:
        open_mirror(url).text("latest")
    assert caught.value.reference == reference
    assert "proxy" in caught.value.hint
    assert int(caught.value.exit_code) == 5


def test_a_passing_trouble_of_the_server_is_tried_again(served):
    seen: list[str] = []

    def first_fails(handler, path, body):
        seen.append(path)
        return len(seen) == 1 and not handler.answer(503, b"", {"Retry-After": "0"})

    served.site.fault = first_fails
    assert NEW in served.mirror().text("latest")
    assert len(seen) == 2
