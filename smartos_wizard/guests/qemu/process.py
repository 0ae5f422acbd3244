"""The process of a guest: found by what it says of itself, ended in steps, and never anybody else's."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from smartos_wizard.core.errors import WizardError
from smartos_wizard.guests.hypervisor import Tell
from smartos_wizard.guests.model import Guest
from smartos_wizard.guests.qemu.monitor import Monitor

_QUIT, _TERM, _AGAIN = 10.0, 5.0, 10.0
"""Seconds QEMU may take to end when told so, when its process is told so, and until a guest is asked once more."""
FILES = ("qmp", "pid", "console")
"""What a process leaves among the guest's sockets when it is killed."""


def process_of(guest: Guest, *, everywhere: bool = False) -> Any | None:
    """The living QEMU of the guest (a `psutil.Process`), None where there is none.

    The number in its file proves nothing, it may be somebody else's by now: the process must name the guest's UUID.
    `everywhere` looks at all processes where there is no such file, as after a logout that cleared it away.
    """
    import psutil

    with contextlib.suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int((guest.sockets / "pid").read_text(encoding="ascii")))
        if _is_of(process, guest):
            return process
    if everywhere:
        return next((each for each in psutil.process_iter() if _is_of(each, guest)), None)
    return None


def line_of(process: Any) -> list[str]:
    """The command a process was started with; empty where the system does not tell."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        return list(process.cmdline())
    return []


def _is_of(process: Any, guest: Guest) -> bool:
    line = line_of(process)
    at = line.index("-uuid") + 1 if "-uuid" in line else len(line)
    return line[at : at + 1] == [guest.spec.uuid] and alive(process)


def alive(process: Any) -> bool:
    """Whether it still runs; one that ended and was not yet fetched by its parent does not."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def end(guest: Guest, tell: Tell, *, patience: float, force: bool) -> None:
    """Ask the guest, then tell QEMU, then end its process: the next one where the last did not help.

    Raises WizardError `guest-not-stopped` where even that does not help.
    """
    process = process_of(guest, everywhere=True)
    if process is None:
        clear(guest)
        return
    for seconds in _tries(guest, process, tell, patience=patience, force=force):
        if _gone(process, seconds):
            clear(guest)
            return
    raise WizardError(
        "guest-not-stopped", f"{guest.name} does not end, not even when its process is killed.",
        hint=f"Its process is {process.pid}. Something of this machine that it waits for does not answer.",
    )  # fmt: skip


def _tries(guest: Guest, process: Any, tell: Tell, *, patience: float, force: bool) -> Iterator[float]:
    """Each try, and how many seconds it may take."""
    if not force:
        if _said(guest, "system_powerdown"):
            tell(f"Asked it to shut down; waiting up to {patience:g} s.")
            until = time.monotonic() + patience
            while (left := until - time.monotonic()) > _AGAIN:
                yield _AGAIN
                _said(guest, "system_powerdown")  # one that was still starting has not heard it
            yield max(0.0, left)
        tell("It did not switch itself off; switching it off.")
    if _said(guest, "quit"):
        yield _QUIT
    import psutil

    tell("QEMU does not answer; ending its process.")
    for act in (process.terminate, process.kill):
        with contextlib.suppress(psutil.Error):
            act()
        yield _TERM


def _said(guest: Guest, command: str) -> bool:
    """Whether QEMU took the command, or went away meanwhile."""
    try:
        with Monitor(guest) as monitor:
            monitor.ask(command)
    except ConnectionResetError:
        return True
    except (OSError, WizardError):
        return False
    return True


def _gone(process: Any, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while alive(process):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def clear(guest: Guest) -> None:
    """Remove what a process that was killed left among the sockets."""
    for name in FILES:
        with contextlib.suppress(OSError):
            (guest.sockets / name).unlink(missing_ok=True)
