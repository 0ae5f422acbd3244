"""The practice mirror answers as the official one does, to an ordinary HTTP client."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from isal import igzip

from smartos_wizard.core.paths import below
from smartos_wizard.practice.entries import Entry, FolderTree
from smartos_wizard.practice.place import PracticePlace
from smartos_wizard.practice.server import MirrorServer
from smartos_wizard.practice.stamps import MD5_ONLY, NEWEST, OLDEST, all_stamps

CONTENT = os.urandom(300_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "20260903T001557Z").mkdir(parents=True)
    (root / "big").write_bytes(CONTENT)
    (root / "latest").write_text("/Joyent_Dev/public/SmartOS/20260903T001557Z\n")
    (tmp_path / "secret").write_text("not yours")
    (root / "out").symlink_to(tmp_path / "secret")
    return root


class LongTree(FolderTree):
    """A folder whose release directory seems to hold 1500 files."""

    def children(self, rel: str) -> list[Entry] | None:
        if rel == "20260903T001557Z":
            return [Entry(f"f{number:04}", 0.0) for number in range(1500)]
        return super().children(rel)


@pytest.fixture
def server(folder: Path) -> Iterator[MirrorServer]:
    running = MirrorServer(LongTree(folder)).start()
    yield running
    running.close()


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticePlace]:
    os.environ["SMARTOS_WIZARD_PRACTICE_SPEED"] = "0"
    made = PracticePlace.prepare(below(tmp_path_factory.mktemp("home")))
    yield made
    made.close()
    del os.environ["SMARTOS_WIZARD_PRACTICE_SPEED"]


def lines(answer: requests.Response) -> list[dict[str, object]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_listing_without_a_limit_has_256_entries_and_tells_how_many_there_are(server, http):
    answer = http.get(server.url + "20260903T001557Z/")
    assert len(lines(answer)) == 256
    assert answer.headers["Result-Set-Size"] == "1500"
    assert answer.headers["Content-Type"] == "application/x-json-stream; type=directory"


def test_no_page_is_larger_than_1000(server, http):
    assert len(lines(http.get(server.url + "20260903T001557Z?limit=1024"))) == 1000


def test_paging_by_marker_shows_every_entry(server, http):
    seen: list[object] = []
    while True:
        marker = f"&marker={seen[-1]}" if seen else ""
        names = [e["name"] for e in lines(http.get(f"{server.url}20260903T001557Z?limit=400{marker}"))]
        if seen:
            assert names[0] == seen[-1]
            names = names[1:]
        if not names:
            break
        seen += names
    assert seen == [f"f{n:04}" for n in range(1500)]


def test_objects_and_directories_are_told_apart_in_a_listing(server, http):
    by_name = {e["name"]: e for e in lines(http.get(server.url))}
    assert by_name["20260903T001557Z"]["type"] == "directory"
    assert set(by_name["20260903T001557Z"]) == {"name", "type", "mtime"}
    assert by_name["big"]["type"] == "object"
    assert by_name["big"]["size"] == len(CONTENT)
    assert f'"{by_name["big"]["etag"]}"' == http.head(server.url + "big").headers["Etag"]


@pytest.mark.parametrize("limit", ["0", "-3", "many"])
def test_a_senseless_limit_is_refused(server, http, limit):
    assert http.get(server.url, params={"limit": limit}).status_code == 400


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=299999-", 299_999, 300_000),
        ("bytes=299000-999999", 299_000, 300_000),
        ("bytes=-5", 299_995, 300_000),
    ],
)
def test_a_range_gives_exactly_those_bytes(server, http, header, start, end):
    answer = http.get(server.url + "big", headers={"Range": header})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/300000"
    assert answer.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("header", ["bytes=300000-", "bytes=400000-500000", "bytes=-0"])
def test_a_range_beyond_the_end_is_answered_with_416_and_the_size(server, http, header):
    answer = http.get(server.url + "big", headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */300000"


@pytest.mark.parametrize("header", ["chunks=1-2", "bytes=-", "bytes=a-b"])
def test_a_range_nobody_understands_gives_the_whole_object(server, http, header):
    answer = http.get(server.url + "big", headers={"Range": header})
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_if_range_gives_the_rest_of_the_same_object_and_the_whole_of_a_changed_one(server, http, folder):
    first = http.head(server.url + "big").headers
    for condition in (first["Etag"], first["Last-Modified"]):
        kept = http.get(server.url + "big", headers={"Range": "bytes=10-", "If-Range": condition})
        assert (kept.status_code, kept.content) == (206, CONTENT[10:])
    (folder / "big").write_bytes(b"changed")
    os.utime(folder / "big", (1, 1))
    for condition in (first["Etag"], first["Last-Modified"]):
        whole = http.get(server.url + "big", headers={"Range": "bytes=3-", "If-Range": condition})
        assert (whole.status_code, whole.content) == (200, b"changed")


def test_head_says_what_get_would_and_sends_nothing(server, http):
    head = http.head(server.url + "big")
    assert head.headers["Content-Length"] == "300000"
    assert head.headers["Accept-Ranges"] == "bytes"
    assert head.content == b""
    assert http.get(server.url + "big").headers["Etag"] == head.headers["Etag"]


@pytest.mark.parametrize(
    "path", ["nothing", "out", "../secret", "%2e%2e/secret", "20260903T001557Z/../../secret"]
)
def test_nothing_outside_the_tree_is_served(server, path):
    with socket.create_connection(server.server_address, 5) as raw:
        raw.sendall(f"GET /Joyent_Dev/public/SmartOS/{path} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert b" 404 " in answer.split(b"\r\n", maxsplit=1)[0]
    assert b"not yours" not in answer


def test_the_server_listens_to_this_machine_only(server):
    assert server.server_address[0] == "127.0.0.1"


def test_latest_names_the_newest_release_by_its_path(place, http):
    assert http.get(place.mirror_url + "latest").text == f"/Joyent_Dev/public/SmartOS/{NEWEST}\n"


def test_the_listing_has_the_releases_and_everything_else_the_official_one_has(place, http):
    answer = http.get(place.mirror_url + "?limit=1000")
    names = {str(e["name"]): e for e in lines(answer)}
    assert int(answer.headers["Result-Set-Size"]) == len(names) > 256
    assert set(all_stamps()) < set(names)
    rolling = {"smartos-latest.iso", "smartos-latest-USB.img.gz", "smartos-latest.vmwarevm.tar.gz"}
    others = {"hotpatches", "build-cache", "latest", "latest.html", "smartos.html", "platform-latest.tgz"}
    assert set(names) - set(all_stamps()) == rolling | others
    assert names["smartos-latest.iso"]["size"] > 1_000_000


@pytest.mark.parametrize(
    ("stamp", "algorithms", "suffix", "platform"),
    [
        (NEWEST, ["sha256", "md5"], "gz", f"platform-release-20260903-{NEWEST}.tgz"),
        (MD5_ONLY, ["md5"], "gz", f"platform-release-20250724-{MD5_ONLY}.tgz"),
        (OLDEST, ["md5"], "bz2", f"platform-{OLDEST}.tgz"),
    ],
)
def test_every_published_digest_holds_for_what_is_served(place, http, stamp, algorithms, suffix, platform):
    base = place.mirror_url + stamp + "/"
    served = {str(e["name"]): e for e in lines(http.get(base))}
    assert {platform, f"smartos-{stamp}-USB.img.{suffix}", f"smartos-{stamp}.iso"} < set(served)
    assert {n for n in served if n.endswith("sums.txt")} == {f"{a}sums.txt" for a in algorithms}
    for algorithm in algorithms:
        text = http.get(base + f"{algorithm}sums.txt").text
        assert text.endswith("\n") and "  " not in text
        sums = {name: digest for digest, name in (line.split(" ") for line in text.splitlines())}
        assert set(sums) & set(served) == set(served) - {"index.html", "md5sums.txt", "sha256sums.txt"}
        for name in set(sums) & set(served):
            answer = http.get(base + name)
            assert hashlib.new(algorithm, answer.content).hexdigest() == sums[name], name
            assert len(answer.content) == served[name]["size"]
            md5 = hashlib.md5(answer.content, usedforsecurity=False).digest()
            assert base64.b64decode(answer.headers["Content-MD5"]) == md5


def test_the_image_laid_on_a_key_is_what_the_published_file_decodes_to(place, tmp_path):
    packed = next(e for e in place.tree.children(MD5_ONLY) if e.name.endswith("-USB.img.gz"))
    place.tree.lay_image(MD5_ONLY, tmp_path / "raw")
    with igzip.open(packed.path) as stream, (tmp_path / "raw").open("rb") as raw:
        while piece := stream.read(1 << 22):
            assert piece == raw.read(len(piece))
        assert raw.read(1) == b""


def test_a_changelog_says_that_it_is_practice(place, http):
    text = http.get(place.mirror_url + NEWEST + "/changelog.txt").text
    assert "practice" in text
    assert "illumos-joyent\n--------\n" in text


def test_a_release_that_only_fills_the_list_says_so_and_offers_no_image(place, http):
    stamp = next(s for s in all_stamps() if s.startswith("2022"))
    assert "USB.img" not in http.get(f"{place.mirror_url}{stamp}/md5sums.txt").text
    assert "cannot be downloaded" in http.get(f"{place.mirror_url}{stamp}/changelog.txt").text


def test_another_process_serves_the_same_objects_at_the_same_address(place, http):
    url = f"{place.mirror_url}{NEWEST}/smartos-{NEWEST}-USB.img.gz"
    before = http.head(url).headers["Etag"]
    program = (
        "import sys; from pathlib import Path; from smartos_wizard.core.paths import below;"
        "from smartos_wizard.practice.place import PracticePlace;"
        "p = PracticePlace.prepare(below(Path(sys.argv[1])));"
        "print(p.mirror_url, p.tree.find(sys.argv[2]).etag, flush=True); sys.stdin.read(); p.close()"
    )
    home = place.paths.config.parents[4]
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(home), f"{NEWEST}/smartos-{NEWEST}-USB.img.gz"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert other.stdout is not None
        there, etag = other.stdout.readline().split()
        assert there == place.mirror_url
        assert f'"{etag}"' == before
        for _ in range(12):  # the system spreads the calls over both
            with requests.Session() as fresh:
                fresh.trust_env = False
                assert fresh.head(url).headers["Etag"] == before
    finally:
        other.communicate("")
    assert other.returncode == 0
