"""Serves the files of a tree over HTTP to many machines at once, and tells who has fetched how much of what.

On aiohttp: the kernel copies files to sockets (sendfile), one thread serves all, memory does not grow with files or
machines. Only GET and HEAD, only regular files below the tree, nothing whose name begins with a dot.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import stat
import struct
import sys
import termios
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartos_wizard.core.errors import Refused

if TYPE_CHECKING:
    from aiohttp import web

_PIECE = 16 << 20
"""Bytes that go between two looks at how far it is."""
_CLOSED = 7  # linux/tcp_states.h: TCP_CLOSE
_SILENT = 60_000
"""Milliseconds after which a machine that takes nothing any more is given up."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How far a request is: who, which path of the tree, bytes acknowledged of how many; `ended`: it is over, `status` how.

    `status` is HTTP's, and 0 where the machine went away in the middle.
    """

    address: str
    path: str
    done: int
    total: int
    status: int
    ended: bool = False


class _BrokeOff(Exception):
    """The machine went away; `done` is what it acknowledged of the file."""

    def __init__(self, done: int) -> None:
        super().__init__(done)
        self.done = done


class FileServer:
    """Serves `root` at one address until `close`. `told` is called in the server's own thread.

    Raises Refused `port-in-use`, `cannot-listen`.
    """

    def __init__(self, root: Path, address: str, port: int, told: Callable[[Fetched], None]) -> None:
        self.root = root.resolve()
        self._told = told
        self._socket = _listen(address, port)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failed: list[BaseException] = []
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._run, name="netboot-http", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failed:
            raise self._failed[0]

    def close(self) -> None:
        """Stop: open connections are cut."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._start())
        except BaseException as error:
            self._failed.append(error)
            self._ready.set()
            self._loop.close()
            self._socket.close()
            return
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._stop())
            self._loop.close()

    async def _start(self) -> None:
        from aiohttp import web

        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)  # HEAD too
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, backlog=512).start()

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        path, who = request.match_info["path"], request.remote or ""
        fd = self._open(path)
        if fd < 0:
            self._told(Fetched(who, path, 0, 0, 404, ended=True))
            raise web.HTTPNotFound(text="That is not in this tree.\n")
        with os.fdopen(fd, "rb", buffering=0) as file:
            info = os.fstat(fd)
            response, start, count = _response(request, info)
            return await self._send(
                request, response, file, Fetched(who, path, start, info.st_size, response.status), count
            )

    async def _send(
        self, request: web.Request, response: web.StreamResponse, file: Any, at: Fetched, count: int
    ) -> web.StreamResponse:  # fmt: skip
        try:
            await response.prepare(request)
            if request.method != "HEAD" and count:
                if request.transport is None:
                    raise ConnectionResetError(0)
                with contextlib.closing(_peer(request.transport)) as peer:
                    await self._copy(request.transport, peer, file, at, count)
            await response.write_eof()
        except _BrokeOff as end:
            self._told(replace(at, done=end.done, status=0, ended=True))
            if request.transport is not None:
                request.transport.abort()
        except (OSError, RuntimeError):  # asyncio's for a transport that is closing
            self._told(replace(at, status=0, ended=True))
        return response

    async def _copy(
        self, transport: asyncio.Transport, peer: socket.socket, file: Any, at: Fetched, count: int
    ) -> None:  # fmt: skip
        """Send `count` bytes from where `at` is. Raises _BrokeOff where the machine, or the file, ends before."""
        done, end = at.done, at.done + count
        before = _acknowledged(peer) + _on_the_way(peer)

        def there() -> int:
            return min(end, at.done + max(0, _acknowledged(peer) - before))

        try:
            while done < end:
                sent = await self._loop.sendfile(transport, file, done, min(_PIECE, end - done))
                if not sent:  # the file became shorter meanwhile: the machine must notice
                    raise ConnectionResetError(0)
                done += sent
                self._told(replace(at, done=there()))
            await _arrived(peer)
        except (OSError, RuntimeError) as error:
            raise _BrokeOff(there()) from error
        self._told(replace(at, done=end, ended=True))

    def _open(self, path: str) -> int:
        """A descriptor of the regular file at that path of the tree; -1 where there is none to be served."""
        parts = path.split("/")
        if any(not part or part.startswith(".") or "\0" in part for part in parts):
            return -1
        try:
            real = (self.root / path).resolve(strict=True)
            if not real.is_relative_to(self.root):
                return -1
            fd = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (OSError, ValueError, RuntimeError):
            return -1
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            return -1
        return fd


def _response(request: web.Request, info: os.stat_result) -> tuple[web.StreamResponse, int, int]:
    """The answer's head, where its bytes begin, and how many follow: the whole file, or the range that was asked for."""
    from aiohttp import web

    size, etag = info.st_size, f'"{info.st_mtime_ns:x}-{info.st_size:x}"'
    changed = formatdate(info.st_mtime, usegmt=True)
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": changed,
        "Content-Type": "application/octet-stream",
    }
    if request.headers.get("If-None-Match") == etag:
        return web.StreamResponse(status=304, headers=headers), 0, 0
    start, count, status = 0, size, 200
    if request.headers.get("If-Range", etag) in (etag, changed) and "Range" in request.headers:
        try:
            wanted = request.http_range
        except ValueError:  # several ranges, or none that makes sense: the whole file is a right answer
            wanted = slice(None)
        if wanted.start is not None or wanted.stop is not None:
            start, end, _ = wanted.indices(size)
            if start >= size or end <= start:
                headers["Content-Range"] = f"bytes */{size}"
                return web.StreamResponse(status=416, headers=headers), 0, 0
            count, status = end - start, 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = count
    return response, start, count


async def _arrived(peer: socket.socket) -> None:
    """Return when the machine acknowledged everything. Raises ConnectionResetError, with the bytes it did not."""
    pause = 0.0005  # on a fast network the last bytes are there in less than a millisecond
    while left := _on_the_way(peer):
        if peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _CLOSED:
            raise ConnectionResetError(left)
        await asyncio.sleep(pause)
        pause = min(0.01, pause * 2)


def _acknowledged(peer: socket.socket) -> int:
    """Bytes the machine acknowledged since the connection began (linux/tcp.h: tcpi_bytes_acked)."""
    return int(struct.unpack_from("Q", peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 128), 120)[0])


def _on_the_way(peer: socket.socket) -> int:
    """Bytes that the kernel took and the machine has not acknowledged (Linux tcp(7), SIOCOUTQ)."""
    return int.from_bytes(fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def _peer(transport: asyncio.BaseTransport) -> socket.socket:
    """The connection by a descriptor of our own, which can be asked after aiohttp let go of its; the caller closes it."""
    peer = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
    # Give a machine up that was switched off in the middle, instead of waiting a quarter of an hour for it.
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENT)
    return peer


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        busy = error.errno == 98
        raise Refused(
            "port-in-use" if busy else "cannot-listen",
            f"Port {port} of {address} is taken by another program."
            if busy else f"Port {port} of {address} cannot be opened: {error.strerror}.",
            hint="Say --port with another one." if busy else "Ports below 1024 take root's rights: say --port 8080.",
            context=f"{address}:{port}",
        ) from error  # fmt: skip
    listener.setblocking(False)
    return listener
