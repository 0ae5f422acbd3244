"""The serial console of a machine: bytes to it, and what it said. By a socket of this machine or by a TCP port.

Imports no other room. Nothing is typed by opening it.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from pathlib import Path
from typing import Protocol

from smartos_wizard.core.errors import DeviceLost, NetworkFailed, UsageProblem
from smartos_wizard.core.text import tame

BOUND = 256 << 10
"""So many bytes are kept for who reads; of more the oldest go, and `left_out` counts them."""
RECENT = 8 << 10
"""So much of what was said last is remembered."""
CONNECT = 10.0
"""Seconds a console may take to be reached."""
_WRITE = 10.0
"""Seconds a machine may take to accept what is typed."""
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[\w.-]+)):(?P<port>\d{1,5})", re.ASCII)
_LOST = "Look at the machine: what was begun there may go on without its console."

Place = Path | tuple[str, int]
"""Where a console is: a Unix socket, or a host and its TCP port."""


class Console(Protocol):
    """A serial console that is open."""

    @property
    def name(self) -> str:
        """How the user called it."""
        ...

    @property
    def recent(self) -> bytes:
        """The end of all it said, read or not, RECENT bytes at most: where it is silent now, that is what it shows."""
        ...

    def send(self, data: bytes) -> None:
        """Type these bytes. Raises DeviceLost `console-lost`."""
        ...

    def read(self, seconds: float) -> bytes:
        """What it said and nobody read yet; as soon as there is anything, and nothing after so many seconds.

        Raises DeviceLost `console-lost` once all it said is read and the connection has ended.
        """
        ...

    def put_back(self, data: bytes) -> None:
        """Let these bytes, which were read, be read again, before all others."""
        ...

    def note(self, words: bytes) -> None:
        """Remember these words in `recent`, as if it had said them; they are not read."""
        ...

    def close(self) -> None:
        """Let go of it. Nothing is raised; the machine goes on."""
        ...


def place_of(where: str) -> Place:
    """A path (it has a slash) or `HOST:PORT`. Raises UsageProblem `bad-console`."""
    if "/" in where and "\0" not in where:
        return Path(where).expanduser()
    found = _ADDRESS.fullmatch(where.strip())
    port = int(found["port"]) if found is not None else 0
    if found is None or not 0 < port < 65536:
        raise UsageProblem(
            "bad-console", f"This is no serial console: {tame(where) or 'nothing'}",
            hint="Give guest:NAME, the path of a socket, or HOST:PORT.",
        )  # fmt: skip
    return found["six"] or found["host"], port


def open_console(where: str, name: str = "", earlier: bytes = b"") -> SocketConsole:
    """Connect. `earlier` is what it is known to have said before. Raises UsageProblem `bad-console`, NetworkFailed `console-unreachable`."""
    place, shown = place_of(where), tame(name or where, 80)
    try:
        if isinstance(place, Path):
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(CONNECT)
            try:
                line.connect(str(place))
            except BaseException:
                line.close()
                raise
        else:
            line = socket.create_connection(place, CONNECT)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error) or "no answer"
        raise NetworkFailed(
            "console-unreachable", f"The serial console {shown} cannot be reached: {tame(str(why), 120)}.",
            hint="Is the machine on? A console that somebody else has joined may let nobody else in.",
            context="nothing was changed there",
        ) from error  # fmt: skip
    return SocketConsole(line, shown, earlier)


class SocketConsole:
    """A console at the other end of a connected stream socket, which it owns. Satisfies `Console`.

    A thread reads all the time, so that a machine whose console nobody looks at is never held up.
    """

    def __init__(self, line: socket.socket, name: str, earlier: bytes = b"") -> None:
        self._line, self._name = line, name
        line.settimeout(None)
        self._came, self._recent = bytearray(), bytearray(earlier[-RECENT:])
        self._news = threading.Condition()
        self._ended = ""
        self._closed = False
        self.left_out = 0
        self._thread = threading.Thread(target=self._listen, daemon=True, name="serial-console")
        self._thread.start()

    @property
    def name(self) -> str:
        """How the user called it."""
        return self._name

    @property
    def recent(self) -> bytes:
        """As `Console.recent`."""
        with self._news:
            return bytes(self._recent)

    @property
    def alive(self) -> bool:
        """Whether it is still connected."""
        return not self._ended

    def send(self, data: bytes) -> None:
        """As `Console.send`."""
        until = time.monotonic() + _WRITE
        while data:
            try:
                data = data[self._line.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                if time.monotonic() > until:
                    raise self._lost("it does not take what is typed") from None
                time.sleep(0.02)
            except OSError as error:
                raise self._lost(error.strerror or "") from error

    def read(self, seconds: float) -> bytes:
        """As `Console.read`."""
        with self._news:
            self._news.wait_for(lambda: self._came or self._ended, max(0.0, seconds))
            said = bytes(self._came)
            self._came.clear()
            ended = self._ended
        if not said and ended:
            raise self._lost(ended)
        return said

    def put_back(self, data: bytes) -> None:
        """As `Console.put_back`."""
        with self._news:
            self._came[:0] = data
            self._bound()
            self._news.notify_all()

    def note(self, words: bytes) -> None:
        """As `Console.note`."""
        with self._news:
            self._recent += words
            del self._recent[:-RECENT]

    def close(self) -> None:
        """As `Console.close`."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(2.0)
        self._line.close()

    def _listen(self) -> None:
        why = "the other end hung up"
        try:
            while said := self._line.recv(1 << 16):
                with self._news:
                    self._came += said
                    self._recent += said
                    del self._recent[:-RECENT]
                    self._bound()
                    self._news.notify_all()
        except OSError as error:
            why = error.strerror or why
        with self._news:
            self._ended = why
            self._news.notify_all()

    def _bound(self) -> None:
        over = len(self._came) - BOUND
        if over > 0:
            del self._came[:over]
            self.left_out += over

    def _lost(self, why: str) -> DeviceLost:
        words = "it was closed here" if self._closed else tame(why, 120) or "the connection broke"
        return DeviceLost("console-lost", f"The serial console {self._name} was lost: {words}.", hint=_LOST)
