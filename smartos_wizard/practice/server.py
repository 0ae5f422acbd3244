"""A real HTTP server on loopback with the shape of the official mirror.

Directories answer with Manta's paged listing, objects with ranges, tags and digests. It serves only what
its tree knows, only to this machine.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from smartos_wizard.practice.entries import Entry

BASE_PATH = "/Joyent_Dev/public/SmartOS/"
"""Where the releases are below the server, as on the official mirror; `latest` names paths below it."""

DEFAULT_PAGE = 256
MAX_PAGE = 1000
"""Entries of one page: without `limit`, and at most (Manta's directory listing)."""

_CHUNK = 1 << 20
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Tree(Protocol):
    """What can be served."""

    def children(self, rel: str) -> list[Entry] | None:
        """The entries of a directory, sorted by name; None where there is no such directory."""
        ...

    def find(self, rel: str) -> Entry | None:
        """A directory or an object; None where there is none."""
        ...


class MirrorServer(ThreadingHTTPServer):
    """Serves `tree` below `BASE_PATH` in threads of its own until `close`.

    `rate` bounds each answer in bytes per second, 0 leaves it unbounded; `page_cap` is the largest page.
    A `listener` that is bound and listening already is taken over.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, tree: Tree, listener: socket.socket | None = None, *, rate: float = 0, page_cap: int = MAX_PAGE
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        if listener is not None:
            self.socket.close()
            self.socket = listener
            self.server_address = listener.getsockname()
        else:
            self.server_bind()
            self.server_activate()
        self.tree = tree
        self.rate = rate
        self.page_cap = page_cap
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True, name="mirror")

    @property
    def url(self) -> str:
        """The base of the mirror, with a slash at its end."""
        return f"http://127.0.0.1:{self.server_address[1]}{BASE_PATH}"

    def start(self) -> MirrorServer:
        """Begin to serve; returns itself."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop serving and cut every connection."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        with self._guard:
            for connection in self._open:
                _cut(connection)

    def server_bind(self) -> None:
        """Bind without asking the network for this machine's name, which may take seconds."""
        self.socket.bind(("127.0.0.1", 0))
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `close` can cut it."""
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _Handler(BaseHTTPRequestHandler):
    server: MirrorServer
    protocol_version = "HTTP/1.1"
    server_version = "Manta-practice"
    sys_version = ""
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer with a listing or with an object."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._answer(body=False)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: stdout is data and the terminal may be a full screen."""

    def _answer(self, *, body: bool) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        found = None
        if (path + "/").startswith(BASE_PATH):
            found = self.server.tree.find(path.removeprefix(BASE_PATH.rstrip("/")).strip("/"))
        if found is None:
            self._error(HTTPStatus.NOT_FOUND, "ResourceNotFound", f"{path} was not found", body=body)
        elif found.directory:
            self._listing(path, parse_qs(parts.query), body=body)
        else:
            self._object(found, body=body)

    def _listing(self, path: str, query: dict[str, list[str]], *, body: bool) -> None:
        rel = path.removeprefix(BASE_PATH.rstrip("/")).strip("/")
        entries = self.server.tree.children(rel) or []
        try:
            limit = int(query.get("limit", [str(DEFAULT_PAGE)])[0])
        except ValueError:
            limit = 0
        if limit < 1:
            self._error(HTTPStatus.BAD_REQUEST, "InvalidParameterError", "limit is invalid", body=body)
            return
        marker = query.get("marker", [""])[0]
        # Manta begins a page with the marker itself; a client drops the entry it knows.
        page = [e for e in entries if e.name >= marker][: min(limit, self.server.page_cap)]
        data = "".join(json.dumps(_listed(e), separators=(",", ":")) + "\n" for e in page).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/x-json-stream; type=directory")
        self.send_header("Result-Set-Size", str(len(entries)))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _object(self, entry: Entry, *, body: bool) -> None:
        start, end, status = 0, entry.size, HTTPStatus.OK
        wanted = self.headers.get("Range", "")
        if wanted and self._still_same(entry):
            span = _span(wanted, entry.size)
            if span is not None and span[0] >= span[1]:
                self._unsatisfiable(entry, body=body)
                return
            if span is not None:
                (start, end), status = span, HTTPStatus.PARTIAL_CONTENT
        elif not wanted and self.headers.get("If-None-Match", "").strip('"') == entry.etag:
            self._head(entry, HTTPStatus.NOT_MODIFIED)
            self.end_headers()
            return
        self._head(entry, status)
        self.send_header("Content-Length", str(end - start))
        if status is HTTPStatus.PARTIAL_CONTENT:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{entry.size}")
        self.end_headers()
        if body:
            self._send(entry, start, end)

    def _head(self, entry: Entry, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Type", _media_type(entry.name))
        self.send_header("Etag", f'"{entry.etag}"')
        self.send_header("Last-Modified", formatdate(entry.mtime, usegmt=True))
        self.send_header("Accept-Ranges", "bytes")
        if entry.md5:
            self.send_header("Content-MD5", entry.content_md5)

    def _still_same(self, entry: Entry) -> bool:
        """Whether `If-Range`, where it is given, names the object as it is now."""
        condition = self.headers.get("If-Range", "").strip()
        if not condition:
            return True
        if condition.startswith('"') or "-" in condition.split(" ", maxsplit=1)[0]:
            return condition.strip('"') == entry.etag
        try:
            return parsedate_to_datetime(condition).timestamp() == int(entry.mtime)
        except ValueError:
            return False

    def _unsatisfiable(self, entry: Entry, *, body: bool) -> None:
        extra = {"Content-Range": f"bytes */{entry.size}"}
        status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        self._error(status, "RequestedRangeNotSatisfiableError", "out of range", body=body, extra=extra)

    def _error(
        self, status: HTTPStatus, code: str, message: str, *, body: bool, extra: dict[str, str] | None = None
    ) -> None:
        data = json.dumps({"code": code, "message": message}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _send(self, entry: Entry, start: int, end: int) -> None:
        if entry.path is None:
            self.wfile.write(entry.data[start:end])
            return
        with entry.path.open("rb") as file:
            if not self.server.rate:
                self.connection.sendfile(file, start, end - start)
                return
            file.seek(start)
            for piece in _paced(end - start, self.server.rate):
                self.wfile.write(file.read(piece))


def _paced(count: int, rate: float) -> Iterator[int]:
    """Pieces that make up `count`, each after the time it needs at `rate`."""
    begun, sent = time.monotonic(), 0
    while sent < count:
        piece = min(_CHUNK, count - sent)
        sent += piece
        time.sleep(max(0.0, begun + sent / rate - time.monotonic()))
        yield piece


def _span(header: str, size: int) -> tuple[int, int] | None:
    """First byte and end of the wanted range, equal where there is no such byte; None for another kind."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) else (size, size)
    if int(first) >= size:
        return size, size
    end = min(int(last) + 1, size) if last else size
    return (int(first), end) if end > int(first) else None


def _listed(entry: Entry) -> dict[str, Any]:
    """A line of Manta's listing."""
    when = (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(entry.mtime))
        + f".{int(entry.mtime * 1000) % 1000:03}Z"
    )
    if entry.directory:
        return {"name": entry.name, "type": "directory", "mtime": when}
    return {"name": entry.name, "etag": entry.etag, "size": entry.size, "type": "object", "mtime": when}


def _media_type(name: str) -> str:
    if name.endswith(".html"):
        return "text/html"
    if name.endswith(".txt") or name == "latest":
        return "text/plain"
    return "application/octet-stream"
