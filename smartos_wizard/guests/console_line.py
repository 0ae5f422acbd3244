"""The serial console of a guest for a program that draws it: read in a thread, written to, never waited for.

What is shown comes from the console's log, so that nothing is lost or doubled between what was said earlier and what is
said now; the socket carries what is typed, and what is said where no log is kept. Without the socket it is read-only.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from dataclasses import dataclass
from enum import StrEnum

from smartos_wizard.guests.console_text import line_start, size_of
from smartos_wizard.guests.model import ConsoleEndpoint, Guest
from smartos_wizard.guests.ports import GuestWorld, driver

BOUND = 256 << 10
"""Bytes kept for who draws; what comes faster than it is drawn is left out, and said. The log has all of it."""
EARLIER = 48 << 10
"""Bytes of the log that are shown before what is said now."""
LOGIN, SETUP = "login:", "SmartOS Setup"
"""What is waited for: a machine that is set up asks who logs in; one that is not begins its questions so."""
# From the last two on it starts anew, and nothing was asked yet.
_MARKS = re.compile(rb"(?P<login>(?<!Last )login:)|(?P<setup>SmartOS Setup)|Loading unix|SunOS Release")
_TYPED = 64 << 10
_AGAIN, _BEHIND, _DEAF = (
    1.0,
    0.3,
    1.0,
)  # seconds: till the next try, a log may lag, a taken line may be silent


def console_of(world: GuestWorld, guest: Guest) -> ConsoleEndpoint:
    """Where the console of a guest is. A make-believe guest, which has no process of its own, answers from here on."""
    serve = getattr(driver(world, guest.spec.hypervisor), "serve_console", None)
    if serve is not None:
        serve(guest)
    return guest.console


class Way(StrEnum):
    """Whether what is typed reaches the guest."""

    TWO_WAY = "two-way"
    READ_ONLY = "read-only"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class LineState:
    """Whether one may type, and why not. `met` is the last of LOGIN and SETUP that was said since it started."""

    way: Way
    why: str = ""
    met: str = ""


class ConsoleLine:
    """One reader of a console. `take` and `send` never wait; `close` it in the end."""

    def __init__(self, where: ConsoleEndpoint, *, earlier: int = EARLIER) -> None:
        self._where, self._earlier = where, earlier
        self._lock = threading.Lock()
        self._came, self._typed = bytearray(), bytearray()
        self._line: socket.socket | None = None
        self._state = LineState(Way.READ_ONLY, "Not connected yet.")
        self._wake, self._woken = socket.socketpair()
        self._stop = False
        self._at = -1  # place in the log; -1 before the first look
        self._base, self._heard = 0, 0  # place in the log when it was joined, and bytes by the socket since
        self._joined_at, self._heard_at, self._grown_at = 0.0, 0.0, 0.0
        self._kept = bytearray()
        self._by_socket = False
        self._next_try = 0.0
        self._tail = b""
        self.left_out = 0
        self._thread = threading.Thread(target=self._run, daemon=True, name="console-line")

    @property
    def state(self) -> LineState:
        """How it is now."""
        return self._state

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Let go of the console; the guest goes on."""
        self._stop = True
        self._nudge()
        if self._thread.ident is not None:
            self._thread.join(2.0)
        else:
            self._let_go()
        self._wake.close()

    def take(self, most: int) -> bytes:
        """At most `most` bytes of what was said and not taken yet."""
        with self._lock:
            data = bytes(self._came[:most])
            del self._came[:most]
        return data

    def send(self, data: bytes) -> bool:
        """Type something; False where it cannot reach the guest, and then nothing of it does."""
        with self._lock:
            if self._state.way is not Way.TWO_WAY or len(self._typed) + len(data) > _TYPED:
                return False
            self._typed += data
        self._nudge()
        return True

    # ------------------------------------------------------------------ the thread

    def _nudge(self) -> None:
        with contextlib.suppress(OSError):
            self._wake.send(b".")

    def _run(self) -> None:
        try:
            while not self._stop:
                self._try_to_join()
                self._wait()
                self._read_log()
                self._judge()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self._hang_up("Closed.")
        self._woken.close()

    def _wait(self) -> None:
        line = self._line
        reading = [self._woken, line] if line is not None else [self._woken]
        writing = [line] if line is not None and self._typed else []
        patience = 0.01 if self._ahead > 0 else 0.05
        readable, writable, _ = select.select(reading, writing, [], patience)
        if self._woken in readable:
            self._woken.recv(4096)
        if line is not None and line in readable:
            self._hear(line)
        if line is not None and line in writable and self._line is line:
            self._speak(line)

    def _hear(self, line: socket.socket) -> None:
        try:
            data = line.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._hang_up("The guest ended the connection: it is off, or it starts anew.")
            return
        self._heard_at = time.monotonic()
        if self._state.way is not Way.TWO_WAY:
            self._set(Way.TWO_WAY)
        if self._by_socket:
            self._keep(data)
            return
        self._heard += len(data)
        self._kept += data
        del self._kept[:-BOUND]

    def _speak(self, line: socket.socket) -> None:
        with self._lock:
            data = bytes(self._typed[:4096])
        try:
            sent = line.send(data)
        except BlockingIOError:
            return
        except OSError as error:
            self._hang_up(f"The connection broke: {error.strerror}.")
            return
        with self._lock:
            del self._typed[:sent]

    def _try_to_join(self) -> None:
        if self._line is not None or time.monotonic() < self._next_try:
            return
        self._next_try = time.monotonic() + _AGAIN
        place = self._where.socket
        if place is None:
            self._set(Way.READ_ONLY, "Its hypervisor gives no console to type at.")
            return
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.setblocking(False)
        before = size_of(self._where.log)
        try:
            line.connect(str(place))
        except OSError as error:
            line.close()
            off = isinstance(error, FileNotFoundError | ConnectionRefusedError)
            why = "It is off." if off else f"Its console cannot be reached: {error.strerror or error}."
            self._set(Way.READ_ONLY, why)
            return
        self._line, self._by_socket = line, self._where.log is None
        self._base, self._heard, self._joined_at = before, 0, time.monotonic()
        self._heard_at = self._grown_at = self._joined_at
        self._kept.clear()
        self._set(Way.TWO_WAY)

    def _hang_up(self, why: str) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        with self._lock:
            self._typed.clear()
        if self._by_socket and self._where.log is not None:
            self._at = size_of(self._where.log)  # what it says from here on
            self._by_socket = False
        self._set(Way.READ_ONLY, why)

    def _set(self, way: Way, why: str = "") -> None:
        met = self._state.met
        if self._state != (new := LineState(way, why, met)):
            self._state = new

    # ------------------------------------------------------------------ what is said

    def _read_log(self) -> None:
        log = self._where.log
        if log is None or self._by_socket:
            return
        size = size_of(log)
        if self._at < 0:
            self._at = line_start(log, max(0, size - self._earlier))
        elif size < self._at:  # begun anew
            self._at = 0
        if size <= self._at:
            return
        grown = size - self._at
        if grown > BOUND:
            start = line_start(log, size - BOUND // 2)
            self._omit(start - self._at)
            self._at = start
        with self._lock:
            room = BOUND - len(self._came)
        if room < 4096:
            return  # whoever draws is behind; it stays in the log until then
        with contextlib.suppress(OSError), log.open("rb") as file:
            file.seek(self._at)
            data = file.read(min(room, 65536))
            self._at += len(data)
            self._grown_at = time.monotonic()
            self._keep(data)

    @property
    def _ahead(self) -> int:
        """Bytes that came by the socket and are not in the log yet; less than 0 where the log is ahead."""
        return self._heard - (self._at - self._base)

    def _judge(self) -> None:
        """Whether the log keeps up with the socket, and the socket with the log."""
        if self._line is None or self._by_socket or self._at < size_of(self._where.log):
            return
        now, ahead = time.monotonic(), self._ahead
        if ahead > 0 and now - self._heard_at > _BEHIND:
            self._by_socket = True  # no log, or no room to write it
            self._keep(bytes(self._kept[-ahead:]))
        elif ahead < 0 and now - max(self._heard_at, self._grown_at) > _DEAF:
            silent = self._heard_at < self._grown_at and self._grown_at > self._joined_at + _BEHIND
            self._base = self._at - self._heard  # what was said before it let us in does not count
            if silent and self._state.way is Way.TWO_WAY:
                with self._lock:
                    self._typed.clear()
                self._set(Way.TAKEN, "Somebody else is at this console. Leave it and come back to try again.")

    def _keep(self, data: bytes) -> None:
        window = self._tail + data
        self._tail = window[-64:]
        for found in _MARKS.finditer(window):
            met = LOGIN if found["login"] else SETUP if found["setup"] else ""
            self._state = LineState(self._state.way, self._state.why, met)
        with self._lock:
            self._came += data
            over = len(self._came) - 2 * BOUND
        if over > 0:  # only by the socket: the log waits
            with self._lock:
                del self._came[:over]
            self.left_out += over

    def _omit(self, count: int) -> None:
        with self._lock:
            count += len(self._came)
            self._came[:] = f"\x1b[0m\r\n[{count:,} bytes are left out here; the log has them]\r\n".encode()
        self.left_out += count
