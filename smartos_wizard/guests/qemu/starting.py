"""Starting a guest: a process in the background that goes on when this program ends."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from pathlib import Path

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.guests.conflicts import LET_GO, passing
from smartos_wizard.guests.hypervisor import Tell
from smartos_wizard.guests.iso import require_there
from smartos_wizard.guests.model import Guest
from smartos_wizard.guests.qemu import process, words
from smartos_wizard.guests.qemu.monitor import Monitor
from smartos_wizard.guests.store import make_sockets

HOW = "Install it: `apt install qemu-system-x86 qemu-utils` (Debian, Ubuntu), `brew install qemu` (macOS)."
START, SAID = "start.sh", "qemu.log"
_PATIENCE = 20.0
"""Seconds until a started QEMU must answer."""


def start(guest: Guest, tell: Tell) -> None:
    """Start it and wait until it answers. Raises Refused `iso-gone`, `disk-gone`, WizardError `guest-not-started`."""
    if process.process_of(guest, everywhere=True) is not None:
        tell(f"{guest.name} runs already.")
        return
    line = _line(guest)
    make_sockets(guest)
    process.clear(guest)
    said = guest.folder / SAID
    try:
        with said.open("wb") as log:
            began = subprocess.Popen(
                line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=guest.folder
            )  # fmt: skip
    except OSError as error:
        raise WizardError("guest-not-started", f"{guest.name} was not started: {error}", hint=HOW) from error
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and began.poll() is None:
        with contextlib.suppress(OSError), Monitor(guest) as monitor:
            tell(f"QEMU says: {monitor.status()}")
            # Whoever is still here when it ends takes its exit code, so that no zombie is left.
            threading.Thread(target=began.wait, daemon=True, name="guest-ended").start()
            return
        time.sleep(0.02)
    if began.poll() is None:
        began.kill()
    began.wait()
    process.clear(guest)
    raise _not_started(guest, said.read_text(encoding="utf-8", errors="replace"), began.returncode)


def _line(guest: Guest) -> list[str]:
    """The command that starts it, everything it needs being there."""
    require_there(guest)
    try:
        line = words.read_script((guest.folder / START).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(
            "guest-spoiled", f"{guest.folder / START}, the command that starts {guest.name}, cannot be read: {error}",
            hint="Remove the guest and make it anew; or put that file back.",
        ) from error  # fmt: skip
    gone = [place for place in words.disks_of(line) if not Path(place).is_file()]
    if gone:
        raise Refused(
            "disk-gone", f"{guest.name} has lost its disk {gone[0]}: perhaps emptying it broke off.",
            context=gone[0], hint=f"`smartos-wizard guest reinstall {guest.name}` makes it anew, empty.",
        )  # fmt: skip
    return line


def _not_started(guest: Guest, said: str, code: int) -> WizardError:
    lines = [line for line in said.strip().splitlines() if "warning" not in line]
    words_said = lines[-1] if lines else f"nothing, and ended with {code}"
    hint = "Is another guest using the same port or disk?" if "hostfwd" in said or "lock" in said else HOW
    if passing(said):
        hint = LET_GO
    return WizardError(
        "guest-not-started", f"{guest.name} was not started. QEMU says: {words_said}", hint=hint
    )
