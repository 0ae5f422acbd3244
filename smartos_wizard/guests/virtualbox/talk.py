"""Calling VBoxManage: always quiet, always in English, tried again only where it was busy."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from smartos_wizard.core.errors import WriteFailed
from smartos_wizard.guests.virtualbox.find import environment
from smartos_wizard.guests.virtualbox.said import Said, explain, said

TIMEOUT = 300.0
"""Seconds for one command; the longest, deleting a snapshot, merges disks."""
_run = subprocess.run
_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between tries of a command that met a busy guest."""
Ask = Callable[[tuple[str, ...]], Said]
"""Runs one command and tells what was said."""


def ask(argv: tuple[str, ...]) -> Said:
    """Run one command as VBoxManage, again while VirtualBox is busy. Raises WriteFailed `virtualbox-failed` where it does not run."""
    return patient(_once, argv)


def patient(once: Ask, argv: tuple[str, ...], pause: Callable[[float], None] = time.sleep) -> Said:
    """Run one command, up to five times while VirtualBox is busy."""
    for seconds in (*_PAUSES, None):
        call = once(argv)
        if not call.busy or seconds is None:
            return call
        pause(seconds)
    raise AssertionError("unreachable")


def insist(argv: tuple[str, ...], asking: Ask = ask) -> Said:
    """Run one command. Raises WizardError in plain words where it failed."""
    call = asking(argv)
    if call.failed:
        raise explain(call)
    return call


def _once(argv: tuple[str, ...]) -> Said:
    try:
        done = _run(
            argv, check=False, capture_output=True, text=True, encoding="utf-8", errors="replace",
            stdin=subprocess.DEVNULL, timeout=TIMEOUT, env=environment(),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WriteFailed(
            "virtualbox-failed", f"VBoxManage does not run: {error}", context=argv[0]
        ) from error
    return said(argv, done.stdout, done.stderr, done.returncode)
