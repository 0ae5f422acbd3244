"""One attempt at fetching (the rest of) a file: reading, writing and hashing overlap in threads.

Opening the connection happens in the thread too, so that whoever waits can be told to stop at any moment.
Imports core only.
"""

from __future__ import annotations

import os
import queue
import threading

from smartos_wizard.releases.mirror import Incoming, Mirror
from smartos_wizard.releases.part import Part, require_space

_CHUNK = 512 * 1024  # measured: larger ones cost page faults, smaller ones calls
_AHEAD = 8  # chunks that may wait for the hash
_SYNC_EVERY = 64 * 1024 * 1024  # bytes after which writing back begins, so that the end is not one long wait


class StartAgain(Exception):
    """What comes does not continue what is here; the argument says why."""


class Transfer(threading.Thread):
    """Fetches `rel` from `part.have` on. After `join`, `error` tells how it ended; None means end of file."""

    def __init__(self, mirror: Mirror, rel: str, part: Part) -> None:
        super().__init__(name="download", daemon=True)
        self._mirror = mirror
        self._rel = rel
        self._part = part
        self._incoming: Incoming | None = None
        self._halt = threading.Event()
        self._gate = threading.Lock()  # held while the part is touched: none touches it once stopped
        self.ended = threading.Event()
        self.error: Exception | None = None
        self.restarted = ""
        self.total: int | None = None

    def run(self) -> None:
        """The thread's work; never raises."""
        try:
            self._fetch()
        except Exception as error:
            self.error = error
        finally:
            self.ended.set()

    def stop(self) -> None:
        """End it; on return the part is not touched any more."""
        self._halt.set()
        incoming = self._incoming
        if incoming is not None:
            incoming.close()
        with self._gate:
            pass
        if incoming is not None:
            self.join(2.0)

    def _fetch(self) -> None:
        part = self._part
        validator = part.remote.validator
        if part.mirror != self._mirror.base and validator != part.remote.etag:
            validator = ""  # the same date on another mirror says little; the same strong ETag says enough
        start = part.have if validator else 0
        incoming = self._mirror.open(self._rel, start, validator if start else "")
        self._incoming = incoming
        try:
            with self._gate:
                if self._halt.is_set():
                    return
                self._accept(incoming, start)
                self._pump(incoming)
        finally:
            incoming.close()

    def _accept(self, incoming: Incoming, asked: int) -> None:
        """Make the part ready for what comes. Raises StartAgain rather than splice two files."""
        part, remote = self._part, incoming.remote
        if incoming.start:
            if remote.etag and part.remote.etag:
                if remote.etag != part.remote.etag:
                    raise StartAgain("the file on the mirror changed meanwhile")
            elif None not in (remote.size, part.remote.size) and remote.size != part.remote.size:
                raise StartAgain("the file on the mirror has another size now")
        elif part.have:
            self.restarted = (
                "the mirror sent the whole file again"
                if asked
                else "nothing tells whether the part is still current"
            )
            part.start_again()
        self.total = remote.size
        if remote.size is not None:
            require_space(part.path.parent, remote.size - part.have)
        kept = part.remote if incoming.start else remote  # a 206 need not repeat what the first answer told
        part.describe(kept, self._mirror.base, self._rel.rsplit("/", 1)[-1])

    def _pump(self, incoming: Incoming) -> None:
        """Read and write here, hash in a second thread; the digest has caught up on return."""
        part = self._part
        waiting: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
        syncing = _Syncer(part.fd)

        def hash_all() -> None:
            while (data := waiting.get()) is not None:
                part.digest.update(data)

        hasher = threading.Thread(target=hash_all, name="hash", daemon=True)
        hasher.start()
        try:
            while not self._halt.is_set():
                data = incoming.read(_CHUNK)
                if not data:
                    break
                _write_all(part.fd, data, part.have)
                waiting.put(data)
                part.have += len(data)
                syncing.wrote(len(data))
        finally:
            waiting.put(None)
            hasher.join()
            syncing.close()


class _Syncer:
    """Lets the system begin to write back early, in a thread of its own."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._since = 0
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def wrote(self, count: int) -> None:
        self._since += count
        if self._since >= _SYNC_EVERY and (self._thread is None or not self._thread.is_alive()):
            self._since = 0
            self._thread = threading.Thread(target=self._sync, name="sync", daemon=True)
            self._thread.start()

    def _sync(self) -> None:
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            self._error = error  # the system tells a failed write once only: the last fsync would succeed

    def close(self) -> None:
        """Wait for the writing back. Raises OSError where any of it failed."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error


def _write_all(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(fd, view, offset)
        view, offset = view[count:], offset + count
