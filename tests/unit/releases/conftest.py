"""A real mirror on loopback with faults on request, and the same as a directory."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from smartos_wizard.core.paths import Paths, below
from smartos_wizard.releases.mirror import Mirror, open_mirror

MIB = 1024 * 1024
NEW = "20260903T001557Z"
MD5 = "20250724T001011Z"
BZ2 = "20190328T002516Z"


def content(seed: str, size: int) -> bytes:
    """Bytes that differ everywhere, so that a wrong splice cannot go unseen."""
    return hashlib.shake_128(seed.encode()).digest(size)


@dataclass
class Site:
    """What the server serves and how it misbehaves; `sent` counts body bytes of files by path."""

    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    page_limit: int = 1000
    index_pages: bool = False
    sent: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    fault: Callable[[Handler, str, bytes], bool] | None = None
    """Called before a file is served with (handler, path, body); True when it answered itself."""

    def put(self, path: str, body: bytes) -> None:
        self.files[path] = body
        self.etags[path] = '"' + hashlib.sha1(body).hexdigest()[:16] + '"'

    def release(self, stamp: str, files: dict[str, bytes], algorithms: tuple[str, ...]) -> None:
        for name, body in files.items():
            self.put(f"{stamp}/{name}", body)
        for algorithm in algorithms:
            lines = [f"{hashlib.new(algorithm, body).hexdigest()} {name}" for name, body in files.items()]
            gone = hashlib.new(algorithm, b"never uploaded").hexdigest()
            self.put(
                f"{stamp}/{algorithm}sums.txt", "\n".join([*lines, f"{gone} boot-{stamp}.tgz", ""]).encode()
            )

    def children(self, under: str) -> list[dict[str, object]]:
        found: dict[str, dict[str, object]] = {}
        prefix = under.rstrip("/") + "/" if under else ""
        for path, body in self.files.items():
            if path.startswith(prefix):
                name, _, rest = path[len(prefix) :].partition("/")
                time_ = "2026-09-03T02:11:22.123Z"
                found[name] = (
                    {"name": name, "type": "directory", "mtime": time_}
                    if rest
                    else {"name": name, "type": "object", "mtime": time_, "size": len(body), "etag": "x"}
                )
        return [found[name] for name in sorted(found)]

    def usb(self, stamp: str) -> str:
        return next(p for p in self.files if p.startswith(stamp + "/") and "-USB.img" in p)

    def copy_to(self, root: Path) -> Path:
        for path, body in self.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(body)
        return root


class Handler(BaseHTTPRequestHandler):
    """Manta's listing, ranges with If-Range, and the site's faults."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args: object) -> None: ...

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        site = self.server.site
        parts = urlsplit(self.path)
        path = unquote(parts.path).lstrip("/")
        site.requests.append((self.command, path, dict(self.headers)))
        body = site.files.get(path)
        if body is None:
            children = site.children(path.rstrip("/"))
            if not children:
                self.answer(404, b'{"code":"ResourceNotFound"}')
            elif site.index_pages:
                links = "".join(
                    f'<a href="{c["name"]}{"/" * (c["type"] == "directory")}">x</a><br>' for c in children
                )
                self.answer(
                    200, f"<!DOCTYPE html><a href='../'>up</a>{links}".encode(), {"Content-Type": "text/html"}
                )
            else:
                self.listing(children, parse_qs(parts.query))
            return
        if site.fault is not None and site.fault(self, path, body):
            return
        self.file(path, body)

    def listing(self, children: list[dict[str, object]], query: dict[str, list[str]]) -> None:
        limit = min(int(query.get("limit", ["256"])[0]), self.server.site.page_limit)
        marker = query.get("marker", [""])[0]
        page = [c for c in children if str(c["name"]) > marker][:limit]
        body = "".join(json.dumps(c) + "\n" for c in page).encode()
        kind = {
            "Content-Type": "application/x-json-stream; type=directory",
            "Result-Set-Size": str(len(children)),
        }
        self.answer(200, body, kind)

    def asked_start(self, path: str) -> int:
        asked = self.headers.get("Range", "")
        same = self.headers.get("If-Range") in (None, self.server.site.etags[path])
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked and same else 0

    def file(self, path: str, body: bytes) -> None:
        start = self.asked_start(path)
        etag = {"ETag": self.server.site.etags[path], "Last-Modified": "Thu, 03 Sep 2026 02:11:22 GMT"}
        if start >= len(body) > 0:
            self.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        elif start:
            span = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self.answer(206, body[start:], {**etag, "Content-Range": span}, count=path)
        else:
            self.answer(200, body, etag, count=path)

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, count: str = ""
    ) -> None:
        self.send_response(status)
        headers = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.body(body, count)

    def body(self, body: bytes, count: str = "") -> None:
        try:
            for at in range(0, len(body), 65536):
                self.wfile.write(body[at : at + 65536])
                if count:
                    self.server.site.sent[count] = self.server.site.sent.get(count, 0) + len(
                        body[at : at + 65536]
                    )
        except OSError:
            self.close_connection = True

    def reset(self) -> None:
        """Break the connection the hard way."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    site: Site

    def handle_error(self, request: object, client_address: object) -> None: ...


def standard_site(size: int = 3 * MIB + 12345) -> Site:
    """Three eras: sha256 and md5, md5 only, bz2 with the old platform name."""
    site = Site()
    for stamp, extension, platform, algorithms in (
        (NEW, "gz", f"platform-release-20260903-{NEW}.tgz", ("md5", "sha256")),
        (MD5, "gz", f"platform-release-20250724-{MD5}.tgz", ("md5",)),
        (BZ2, "bz2", f"platform-{BZ2}.tgz", ("md5",)),
    ):
        password = (
            f"SINGLE_USER_ROOT_PASSWORD.{stamp}.txt" if stamp == BZ2 else "SINGLE_USER_ROOT_PASSWORD.txt"
        )
        files = {
            f"smartos-{stamp}-USB.img.{extension}": content(stamp + "usb", size),
            f"smartos-{stamp}.iso": content(stamp + "iso", 70000),
            f"smartos-{stamp}.vmwarevm.tar.{extension}": content(stamp + "vm", 50000),
            platform: content(stamp + "pi", 40000),
            password: b"s3cret-" + stamp.encode() + b"\n",
            "changelog.txt": b"smartos-live\n--------\nfixed things\n",
        }
        site.release(stamp, files, algorithms)
    site.put("latest", f"/Joyent_Dev/public/SmartOS/{NEW}\n".encode())
    site.put("hotpatches/readme", b"x")
    site.put("smartos-latest.iso", content(NEW + "iso", 70000))
    return site


@dataclass
class Served:
    """A running mirror."""

    site: Site
    url: str

    def mirror(self) -> Mirror:
        return open_mirror(self.url)


def serve(site: Site, context: ssl.SSLContext | None = None) -> Iterator[Served]:
    server = Server(("127.0.0.1", 0), Handler)
    server.site = site
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        scheme = "https" if context else "http"
        yield Served(site, f"{scheme}://localhost:{server.server_address[1]}/")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def served() -> Iterator[Served]:
    yield from serve(standard_site())


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate nobody vouches for, and its key."""
    root = tmp_path_factory.mktemp("tls")
    cert, key = root / "cert.pem", root / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.fixture
def served_tls(certificate: tuple[Path, Path]) -> Iterator[Served]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    yield from serve(standard_site(), context)


@dataclass
class ReleaseWorldForTests:
    """A world with real files, a real clock and a mirror of the test's choice."""

    paths: Paths
    default: str

    def now(self) -> float:
        return time.time()

    def mirror(self, where: str = "") -> Mirror:
        return open_mirror(where or self.default)


@pytest.fixture
def world(tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch) -> ReleaseWorldForTests:
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name)
    return ReleaseWorldForTests(below(tmp_path / "home"), served.url)
