"""`guest console` and `guest ssh`."""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.output import say, tell
from smartos_wizard.core.errors import Refused, WizardError

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

CONSOLE = """\b
Examples:
  smartos-wizard guest console lab
  smartos-wizard guest console lab --log
  smartos-wizard guest console lab --wait "login:" --timeout 600
\b
Ctrl-] leaves the console; the guest goes on.
Exit codes: 0 done, 1 the word did not come in time, 4 no such guest, or it does not run.
"""
SSH = """\b
Examples:
  smartos-wizard guest ssh lab
  smartos-wizard guest ssh lab zpool status
\b
Exit codes: those of ssh; 4 no such guest, or it does not run.
"""
_LEAVE = b"\x1d"


@click.command(name="console", epilog=CONSOLE)
@click.argument("name")
@click.option("--log", "only_log", is_flag=True, help="Print all that its console said so far, and stop.")
@click.option("--wait", default="", metavar="TEXT", help="Wait until this text appears, and stop.")
@click.option("--timeout", type=float, default=300.0, metavar="S", help="Seconds to wait for it.")
@click.pass_obj
def console_command(options: Options, name: str, only_log: bool, wait: str, timeout: float) -> int:
    """The serial console of the guest NAME. Without a terminal it prints what the guest says."""
    guest = options.world.guests.find(name)
    where = guest.console
    if where.log is not None and (only_log or wait):
        return _print(where.log) if only_log else _wait(where.log, wait, timeout)
    if where.socket is None or not where.socket.exists():
        raise Refused("guest-not-running", f"{name} does not run.", hint=f"smartos-wizard guest start {name}")
    return _talk(where.socket)


@click.command(name="ssh", epilog=SSH, context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def ssh_command(options: Options, name: str, command: tuple[str, ...]) -> int:
    """Log in to the guest NAME by ssh, or run COMMAND there."""
    from smartos_wizard.guests.ports import driver

    world = options.world
    guest = world.guests.find(name)
    where = driver(world, guest.spec.hypervisor).ssh(guest)
    if where is None:
        raise Refused("guest-not-running", f"{name} does not run, or its address is not known.",
                      hint=f"smartos-wizard guest start {name}")  # fmt: skip
    known = guest.folder / "known_hosts"
    words = ["ssh", "-p", str(where.port), "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=accept-new",
             f"{where.user}@{where.host}", *command]  # fmt: skip
    sys.stdout.flush()
    try:
        os.execvp("ssh", words)
    except OSError as error:
        raise WizardError(
            "no-ssh", f"ssh cannot be started: {error.strerror}.", hint="Install OpenSSH's client."
        ) from error


def _print(log: Path) -> int:
    if log.exists():
        sys.stdout.buffer.write(log.read_bytes())
    return 0


def _wait(log: Path, word: str, timeout: float) -> int:
    """Print what comes until the word is in it."""
    wanted, until, seen = word.encode(), time.monotonic() + timeout, b""
    at = 0
    out = sys.stdout.buffer
    while time.monotonic() < until:
        if log.exists():
            with log.open("rb") as file:
                file.seek(at)
                new = file.read()
            at += len(new)
            out.write(new)
            out.flush()
            seen = (seen + new)[-65536 - len(wanted) :]
            if wanted in seen:
                return 0
        time.sleep(0.2)
    tell(f"“{word}” did not appear in {timeout:g} s.")
    return 1


def _talk(place: Path) -> int:
    """Connect the terminal to the socket until Ctrl-], or print what comes where there is no terminal."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        try:
            line.connect(str(place))
        except OSError as error:
            raise Refused("console-busy", f"The console cannot be reached: {error.strerror}.",
                          hint="Somebody else may be using it; --log shows what it said.") from error  # fmt: skip
        if not sys.stdin.isatty():
            return _listen(line)
        say("Connected. Ctrl-] leaves; the guest goes on.")
        return _raw(line)


def _listen(line: socket.socket) -> int:
    out = sys.stdout.buffer
    while data := line.recv(4096):
        out.write(data)
        out.flush()
    return 0


def _raw(line: socket.socket) -> int:
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd)
        while True:
            ready, _, _ = select.select([fd, line], [], [])
            if line in ready:
                data = line.recv(4096)
                if not data:
                    return 0
                os.write(sys.stdout.fileno(), data)
            if fd in ready:
                typed = os.read(fd, 1024)
                head, leave, _ = typed.partition(_LEAVE)
                if head:
                    line.sendall(head)
                if leave or not typed:
                    return 0
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
        click.echo("", err=True)
