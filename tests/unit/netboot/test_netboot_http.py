"""The web server: right ranges, nothing but the tree, and the truth about how far a machine is. On loopback."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.errors import Refused
from smartos_wizard.netboot.http_server import Fetched, FileServer

DATA = os.urandom(3_000_001)


@pytest.fixture
def told() -> list[Fetched]:
    return []


@pytest.fixture
def server(tmp_path: Path, told: list[Fetched]) -> Iterator[FileServer]:
    root = tmp_path / "tree"
    (root / "os/.hidden").mkdir(parents=True)
    (root / "os/file").write_bytes(DATA)
    (root / "os/.hidden/file").write_bytes(b"secret")
    (root / ".secret").write_bytes(b"secret")
    (root / "empty").touch()
    (root / "inside").symlink_to("os/file")
    (tmp_path / "outside").write_bytes(b"secret")
    (root / "out").symlink_to("../outside")
    os.mkfifo(root / "pipe")
    running = FileServer(root, "127.0.0.1", 0, told.append)
    yield running
    running.close()


def get(
    server: FileServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_a_file_comes_whole_with_its_length_and_again_by_its_tag(server: FileServer):
    status, headers, data = get(server, "/os/file")
    assert (status, data, headers["content-length"]) == (200, DATA, str(len(DATA)))
    assert get(server, "/os/file", If_None_Match=headers["etag"])[0] == 304
    assert get(server, "/inside")[2] == DATA
    assert get(server, "/empty")[::2] == (200, b"")


def test_head_tells_the_size_and_sends_nothing(server: FileServer):
    status, headers, data = get(server, "/os/file", "HEAD")
    assert (status, headers["content-length"], data) == (200, str(len(DATA)), b"")


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10), ("bytes=5-", 206, 5, None), ("bytes=-7", 206, len(DATA) - 7, None),
        (f"bytes=10-{len(DATA) * 2}", 206, 10, None), ("bytes=0-0", 206, 0, 1),
        ("bytes=1-2,5-6", 200, 0, None), ("lines=1-2", 200, 0, None), ("bytes=x", 200, 0, None),
    ],
)  # fmt: skip
def test_a_range_is_the_range_that_was_asked_for(
    server: FileServer, wanted: str, status: int, start: int, end: int | None
):
    got, headers, data = get(server, "/os/file", Range=wanted)
    assert (got, data) == (status, DATA[start:end])
    if status == 206:
        assert headers["content-range"] == f"bytes {start}-{start + len(data) - 1}/{len(DATA)}"


def test_a_range_beyond_the_end_is_said_to_be_none(server: FileServer):
    status, headers, data = get(server, "/os/file", Range=f"bytes={len(DATA)}-")
    assert (status, headers["content-range"], data) == (416, f"bytes */{len(DATA)}", b"")


def test_a_range_of_a_file_that_changed_is_the_whole_file(server: FileServer):
    assert get(server, "/os/file", Range="bytes=5-", If_Range='"another"')[0] == 200
    tag = get(server, "/os/file", "HEAD")[1]["etag"]
    assert get(server, "/os/file", Range="bytes=5-", If_Range=tag)[2] == DATA[5:]


@pytest.mark.parametrize(
    "path",
    ["/", "/os", "/os/", "/none", "/.secret", "/os/.hidden/file", "/../outside", "/%2e%2e/outside", "/os/../../outside",
     "/out", "/pipe", "//os/file", "/os//file", "/os/file%00", "/os%2f..%2f..%2foutside", "/os/file/x", "/" + "a" * 5000],
)  # fmt: skip
def test_nothing_but_files_of_the_tree_is_served(server: FileServer, path: str):
    status, _, data = get(server, path)
    assert status == 404 and b"secret" not in data


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(server: FileServer, method: str):
    assert get(server, "/os/file", method)[0] == 405


def test_it_is_told_what_was_fetched_and_that_it_arrived(server: FileServer, told: list[Fetched]):
    get(server, "/os/file")
    get(server, "/none")
    _until(lambda: len([t for t in told if t.ended]) == 2)
    none, whole = sorted((t for t in told if t.ended), key=lambda t: t.path)
    assert (whole.path, whole.done, whole.total, whole.status, whole.address) == (
        "os/file",
        len(DATA),
        len(DATA),
        200,
        "127.0.0.1",
    )
    assert (none.path, none.status) == ("none", 404)


def test_a_machine_that_goes_away_in_the_middle_is_told_as_that(
    server: FileServer, told: list[Fetched], tmp_path: Path
):
    big = tmp_path / "tree/big"
    with big.open("wb") as file:
        file.truncate(64 << 20)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(4096)
        time.sleep(0.2)
    _until(lambda: any(t.ended for t in told))
    (end,) = [t for t in told if t.ended]
    assert end.status == 0 and end.done < end.total


def test_a_file_that_becomes_shorter_while_it_is_sent_breaks_off_instead_of_ending_well(
    server: FileServer, tmp_path: Path
):
    big = tmp_path / "tree/big"
    with big.open("wb") as file:
        file.truncate(64 << 20)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(10)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(4096)
        with big.open("r+b") as file:
            file.truncate(1 << 20)
        got = 0
        try:
            while piece := client.recv(1 << 20):
                got += len(piece)
        except ConnectionError:
            pass
    assert got < 64 << 20


def test_many_clients_at_once_each_get_every_byte(server: FileServer):
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(get(server, "/os/file")[2])) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [DATA] * 32


def test_a_port_that_is_taken_is_named(server: FileServer, tmp_path: Path):
    with pytest.raises(Refused) as told:
        FileServer(tmp_path, "127.0.0.1", server.port, lambda _: None)
    assert told.value.reference == "port-in-use"
    assert str(server.port) in told.value.message


def test_closing_cuts_who_is_still_fetching_and_frees_the_port(tmp_path: Path):
    (tmp_path / "big").write_bytes(bytes(32 << 20))
    server = FileServer(tmp_path, "127.0.0.1", 0, lambda _: None)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(4096)
        begun = time.monotonic()
        server.close()
        assert time.monotonic() - begun < 5
    FileServer(tmp_path, "127.0.0.1", server.port, lambda _: None).close()


def _until(true, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
