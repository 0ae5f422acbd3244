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


def ask(argv: tuple[str, ...], pause: Callable[[float], None] = time.sleep) -> Said:
    """Run one command, up to five times while VirtualBox is busy. Raises WriteFailed `virtualbox-failed` where it does not run."""
    for seconds in (*_PAUSES, None):
        try:
            done = _run(
                argv, check=False, capture_output=True, text=True, encoding="utf-8", errors="replace",
                stdin=subprocess.DEVNULL, timeout=TIMEOUT, env=environment(),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise WriteFailed(
                "virtualbox-failed", f"VBoxManage does not run: {error}", context=argv[0]
            ) from error
        call = said(argv, done.stdout, done.stderr, done.returncode)
        if not call.busy or seconds is None:
            return call
        pause(seconds)
    raise AssertionError("unreachable")


def insist(argv: tuple[str, ...], pause: Callable[[float], None] = time.sleep) -> Said:
    """The same, and raise WizardError in plain words where it failed."""
    call = ask(argv, pause)
    if call.failed:
        raise explain(call)
    return call
