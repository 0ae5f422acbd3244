"""Reaching a running guest: its console by its socket, and ssh. What is said goes to a binary stream."""

from __future__ import annotations

import os
import select
import socket
from pathlib import Path
from typing import BinaryIO, NoReturn

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.guests.model import Endpoint, Guest

LEAVE = b"\x1d"
"""Ctrl-], which leaves a console."""


def listen(place: Path, out: BinaryIO) -> None:
    """Copy what the console says to `out` until it ends. Raises Refused `console-busy`."""
    with _connected(place) as line:
        while data := line.recv(4096):
            out.write(data)
            out.flush()


def talk(place: Path, terminal: int, out: int) -> None:
    """Join a terminal to the console until Ctrl-] or its end; the terminal is as before afterwards.

    `terminal` and `out` are descriptors. Raises Refused `console-busy`.
    """
    import termios
    import tty

    with _connected(place) as line:
        before = termios.tcgetattr(terminal)
        try:
            tty.setraw(terminal)
            _joined(line, terminal, out)
        finally:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def ssh(guest: Guest, where: Endpoint, command: tuple[str, ...]) -> NoReturn:
    """Become the user's own ssh to the guest, whose key is remembered in its folder. Raises WizardError `no-ssh`."""
    known = guest.folder / "known_hosts"
    words = [
        "ssh", "-p", str(where.port), "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=accept-new",
        f"{where.user}@{where.host}", *command,
    ]  # fmt: skip
    try:
        os.execvp("ssh", words)
    except OSError as error:
        raise WizardError(
            "no-ssh", f"ssh cannot be started: {error.strerror}.", hint="Install OpenSSH's client."
        ) from error


def _connected(place: Path) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.connect(str(place))
    except OSError as error:
        line.close()
        raise Refused(
            "console-busy", f"The console cannot be reached: {error.strerror}.",
            hint="Somebody else may be using it; --log shows what it said.",
        ) from error  # fmt: skip
    return line


def _joined(line: socket.socket, terminal: int, out: int) -> None:
    while True:
        ready, _, _ = select.select([terminal, line.fileno()], [], [])
        if line.fileno() in ready:
            data = line.recv(4096)
            if not data:
                return
            os.write(out, data)
        if terminal in ready:
            typed = os.read(terminal, 1024)
            head, leave, _ = typed.partition(LEAVE)
            if head:
                line.sendall(head)
            if leave or not typed:
                return
