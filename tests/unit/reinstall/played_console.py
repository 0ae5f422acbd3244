"""Machines on a serial line for tests: a played loader and a real shell behind a login, and what a line can do to them."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from smartos_wizard.reinstall.console_port import SocketConsole
from tests.unit.reinstall.played_loader import PlayedLoader

LOGIN = Path(__file__).with_name("played_login.py")


@dataclass
class Wire:
    """What happens between the two ends. `typed` and `said` make something of what goes through; `cut` ends it."""

    typed: Callable[[bytes], bytes] = lambda data: data
    said: Callable[[bytes], bytes] = lambda data: data
    keys: bytearray = field(default_factory=bytearray)
    cut: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def shell_console(
    wire: Wire | None = None, shell: tuple[str, ...] = ("bash", "--norc", "--noprofile", "-i"), password: str = "root"
) -> Iterator[SocketConsole]:  # fmt: skip
    """The console of a machine that asks who logs in."""
    wire = wire or Wire()
    master, slave = pty.openpty()
    here, there = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, str(LOGIN), "kestrel", password, *shell], stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True, env={**os.environ, "TERM": "dumb", "HISTFILE": "/dev/null"},
    )  # fmt: skip
    os.close(slave)
    stop = threading.Event()
    bridge = threading.Thread(target=_bridge, args=(there, master, wire, stop))
    bridge.start()
    console = SocketConsole(here, "kestrel's console")
    try:
        yield console
    finally:
        console.close()
        stop.set()
        bridge.join()
        process.kill()
        process.wait()
        os.close(master)


def _bridge(line: socket.socket, master: int, wire: Wire, stop: threading.Event) -> None:
    with line:
        while not stop.is_set():
            if wire.cut.is_set():
                return
            ready, _, _ = select.select([line, master], [], [], 0.05)
            with contextlib.suppress(OSError):
                if line in ready:
                    data = line.recv(4096)
                    if not data:
                        return
                    wire.keys += data
                    os.write(master, wire.typed(data))
                if master in ready:
                    line.sendall(wire.said(os.read(master, 4096)))


@contextlib.contextmanager
def loader_console(*loaders: PlayedLoader, before: bytes = b"", after: bytes = b"", slow: float = 0.0) -> Iterator[tuple[SocketConsole, list[dict[str, str] | None]]]:  # fmt: skip
    """The console of a machine that shows one loader after the other, and the list of what each of them booted.

    `slow`: seconds between two letters of it.
    """
    here, there = socket.socketpair()
    booted: list[dict[str, str] | None] = []

    def receive(seconds: float) -> bytes | None:
        if not select.select([there], [], [], seconds)[0]:
            return b""
        try:
            return there.recv(4096) or None
        except OSError:
            return None

    def say(data: bytes) -> None:
        with contextlib.suppress(OSError):
            for piece in [data[at : at + 1] for at in range(len(data))] if slow else [data]:
                there.sendall(piece)
                time.sleep(slow)

    def play() -> None:
        say(before)
        for loader in loaders:
            booted.append(loader.play(receive, say))
        say(after)

    thread = threading.Thread(target=play)
    thread.start()
    console = SocketConsole(here, "kestrel's console")
    try:
        yield console, booted
    finally:
        console.close()
        thread.join(15)
        there.close()
