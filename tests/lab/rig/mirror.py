"""A mirror on loopback that misbehaves on request: a real HTTP server with a release directory behind it.

`faults` say what goes wrong with the big file; everything else is served as Manta does (a listing as
newline-separated JSON, `latest` as text).
"""

from __future__ import annotations

import hashlib
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STAMP = "20260903T001557Z"
NAME = f"smartos-{STAMP}-USB.img.gz"
MIB = 1 << 20


@dataclass(slots=True)
class Faults:
    """What goes wrong. Offsets and counts are bytes of the big file."""

    cut_every: int = 0
    """Reset the connection after so many bytes of each answer."""
    cuts: int = 1_000_000
    """How often, at most."""
    stop_at: int = 0
    """End every answer politely at this byte of the file, whatever Content-Length said."""
    hang_at: int = 0
    """Send nothing beyond this byte for as long as it is set (20 s at most)."""
    declare: int = 0
    """Content-Length says so many bytes more than there are."""
    ignore_range: bool = False
    refuse_range: bool = False
    """416 to every range."""
    change_after: int = 0
    """After so many answers for the big file it is another file, with another ETag."""
    no_etag: bool = False


@dataclass(slots=True)
class Misbehaving:
    """The running server."""

    url: str
    files: dict[str, bytes]
    faults: Faults = field(default_factory=Faults)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range of each GET."""
    sent: int = 0
    """Bytes of the big file that left."""
    answers: int = 0

    def big(self) -> list[str]:
        """The ranges in which the big file was asked for."""
        return [ranges for path, ranges in self.asked if path.endswith(NAME)]


def release(size: int = 6 * MIB, seed: int = 3) -> dict[str, bytes]:
    """The files of a mirror with one release whose image is `size` bytes of noise."""
    image = random.Random(seed).randbytes(size)
    sums = f"{hashlib.sha256(image).hexdigest()}  {NAME}\n"
    return {
        "latest": f"/Joyent_Dev/public/SmartOS/{STAMP}\n".encode(),
        f"{STAMP}/{NAME}": image,
        f"{STAMP}/sha256sums.txt": sums.encode(),
        f"{STAMP}/md5sums.txt": f"{hashlib.md5(image).hexdigest()}  {NAME}\n".encode(),
    }


def _handler(state: Misbehaving) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = self.path.split("?")[0].lstrip("/")
            if body:
                state.asked.append((path, self.headers.get("Range", "")))
            if path.endswith(NAME):
                self.big(state.files[path], body)
            elif path in state.files:
                self.plain(state.files[path], body)
            elif path == "" or any(name.startswith(path.rstrip("/") + "/") for name in state.files):
                self.plain(self.listing(path.rstrip("/")), body)
            else:
                self.send_error(404)

        def listing(self, under: str) -> bytes:
            if "marker=" in self.path:
                return b""
            prefix = under + "/" if under else ""
            inside = [name[len(prefix) :] for name in state.files if name.startswith(prefix)]
            found = {
                name.split("/")[0]: {"name": name.split("/")[0], "type": "directory"}
                if "/" in name
                else {"name": name, "type": "object", "size": len(state.files[prefix + name])}
                for name in inside
            }
            return b"".join(json.dumps(found[name]).encode() + b"\n" for name in sorted(found))

        def plain(self, data: bytes, body: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data)

        def big(self, data: bytes, body: bool) -> None:
            faults = state.faults
            state.answers += body
            if faults.change_after and state.answers > faults.change_after:
                data = data[::-1]
            etag = f'"{hashlib.md5(data).hexdigest()}"'
            asked = self.headers.get("Range", "")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            if start and faults.refuse_range:
                self.send_error(416)
                return
            known = self.headers.get("If-Range", etag)
            if faults.ignore_range or known != etag:
                start = 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            if not faults.no_etag:
                self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(data) - start + faults.declare))
            self.end_headers()
            if body:
                self.body(data, start)

        def body(self, data: bytes, start: int) -> None:
            faults = state.faults
            end = min(len(data), faults.stop_at or len(data))
            cut = bool(faults.cut_every) and faults.cuts > 0 and start + faults.cut_every < end
            if cut:
                end = start + faults.cut_every
                faults.cuts -= 1
            with suppress(OSError):
                if start <= faults.hang_at < end and faults.hang_at:
                    self.wfile.write(data[start : faults.hang_at])
                    state.sent += faults.hang_at - start
                    start = faults.hang_at
                    for _ in range(200):
                        if faults.hang_at:
                            time.sleep(0.1)
                self.wfile.write(data[start:end])
                state.sent += end - start
            if cut or end < len(data) or faults.declare:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

    return Handler


@contextmanager
def misbehaving(files: dict[str, bytes], faults: Faults | None = None) -> Iterator[Misbehaving]:
    """The server, for as long as the block lasts."""
    state = Misbehaving("", dict(files), faults or Faults())
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
