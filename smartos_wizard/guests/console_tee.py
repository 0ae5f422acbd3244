"""A small process between a guest's serial port and those who want to read it: it keeps a log and lets others in.

VirtualBox gives a serial port as a socket for one listener, or as a file, never both. So this process
is the one listener: everything the guest says goes into the log and to all who are connected to a socket of
its own; what they type goes to the guest. It begins with the guest, outlives the program that started it, and ends
with the guest. Standard library only. Started by `start`; run as `python -m smartos_wizard.guests.console_tee`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60.0
"""Seconds the guest's end may take to appear."""
_SLOW = 1 << 20
"""Bytes a listener may be behind before it is let go, so that nobody holds up the guest."""


def start(upstream: Path, place: Path, log: Path, patience: float = PATIENCE) -> subprocess.Popen[bytes]:
    """Start the process in the background. `upstream` is the guest's end, `place` the socket it opens for others."""
    words = [sys.executable, "-m", "smartos_wizard.guests.console_tee", str(upstream), str(place), str(log), str(patience)]  # fmt: skip
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
    began = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        start_new_session=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    # Whoever is still here when it ends takes its exit code, so that no zombie is left.
    threading.Thread(target=began.wait, daemon=True, name="console-tee-ended").start()
    return began


class Tee:
    """The loop: one end at the guest, a log, and any number of listeners."""

    def __init__(self, guest: socket.socket, door: socket.socket, log: int) -> None:
        self._guest, self._door, self._log = guest, door, log
        self._others: dict[socket.socket, bytearray] = {}
        self._typed = bytearray()
        self._ready = selectors.DefaultSelector()
        guest.setblocking(False)
        door.setblocking(False)
        self._ready.register(guest, selectors.EVENT_READ)
        self._ready.register(door, selectors.EVENT_READ)

    def run(self) -> None:
        """Pass bytes on until the guest's end is closed."""
        while True:
            for key, events in self._ready.select():
                if key.fileobj is self._door:
                    self._welcome()
                elif key.fileobj is self._guest:
                    if not self._from_or_to_guest(events):
                        return
                elif isinstance(key.fileobj, socket.socket):
                    self._with_other(key.fileobj, events)

    def _welcome(self) -> None:
        with contextlib.suppress(OSError):
            other, _ = self._door.accept()
            other.setblocking(False)
            self._others[other] = bytearray()
            self._ready.register(other, selectors.EVENT_READ)

    def _from_or_to_guest(self, events: int) -> bool:
        if events & selectors.EVENT_READ:
            try:
                data = self._guest.recv(65536)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            os.write(self._log, data)
            for other in list(self._others):
                self._others[other].extend(data)
                if len(self._others[other]) > _SLOW:
                    self._goodbye(other)
                else:
                    self._flush(other)
        if events & selectors.EVENT_WRITE:
            self._to_guest()
        return True

    def _with_other(self, other: socket.socket, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(other)
        if events & selectors.EVENT_READ and other in self._others:
            try:
                data = other.recv(4096)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._goodbye(other)
                return
            if len(self._typed) < _SLOW:
                self._typed += data
            self._to_guest()

    def _to_guest(self) -> None:
        with contextlib.suppress(OSError):
            del self._typed[: self._guest.send(self._typed) if self._typed else 0]
        self._watch(self._guest, bool(self._typed))

    def _flush(self, other: socket.socket) -> None:
        waiting = self._others.get(other)
        if waiting is None:
            return
        try:
            if waiting:
                del waiting[: other.send(waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._goodbye(other)
            return
        self._watch(other, bool(waiting))

    def _watch(self, who: socket.socket, write: bool) -> None:
        self._ready.modify(who, selectors.EVENT_READ | (selectors.EVENT_WRITE if write else 0))

    def _goodbye(self, other: socket.socket) -> None:
        if self._others.pop(other, None) is not None:
            self._ready.unregister(other)
            other.close()


def main(upstream: str, place: str, log: str, patience: float = PATIENCE) -> int:
    """Run until the guest is off; 1 where its end does not appear in time."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.umask(0o077)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        with contextlib.suppress(FileNotFoundError):
            Path(place).unlink()
        door.bind(place)
        own = Path(place).stat().st_ino
        try:
            door.listen(8)
            guest = _connected(upstream, patience, lambda: _is(place, own))
            if guest is None:
                return 1
            with guest:
                Tee(guest, door, out).run()
            return 0
        finally:
            if _is(place, own):  # unless a later one has taken its place
                Path(place).unlink(missing_ok=True)
            os.close(out)


def _connected(upstream: str, patience: float, wanted: Callable[[], bool]) -> socket.socket | None:
    """The guest's end; None where it did not come in time, or somebody took the own socket away meanwhile."""
    until = time.monotonic() + patience
    while time.monotonic() < until and wanted():
        guest = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            guest.connect(upstream)
            return guest
        except OSError:
            guest.close()
            time.sleep(0.02)
    return None


def _is(place: str, inode: int) -> bool:
    try:
        return Path(place).stat().st_ino == inode
    except OSError:
        return False


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that its socket is taken away
    sys.exit(
        main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]) if len(sys.argv) > 4 else PATIENCE)
    )
