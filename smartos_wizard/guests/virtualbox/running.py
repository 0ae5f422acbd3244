"""Starting and stopping a guest of VirtualBox, and the console while it runs."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from pathlib import Path

from smartos_wizard.core.errors import WizardError
from smartos_wizard.guests import console_tee
from smartos_wizard.guests.hypervisor import Tell
from smartos_wizard.guests.iso import require_there
from smartos_wizard.guests.model import Guest, State
from smartos_wizard.guests.store import make_sockets
from smartos_wizard.guests.virtualbox import argv, info
from smartos_wizard.guests.virtualbox.argv import Manage
from smartos_wizard.guests.virtualbox.said import Said, codes_in, explain
from smartos_wizard.guests.virtualbox.switches import ssh_port
from smartos_wizard.guests.virtualbox.talk import insist

_OFF = (State.STOPPED, State.CRASHED, State.SAVED, State.MISSING)
_SOON = 15.0
"""Seconds until a guest that was switched off is gone for VirtualBox too."""


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a port on 127.0.0.1 can be listened at."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def facts(vbox: Manage, guest: Guest) -> info.Info | None:
    """What VirtualBox says of the guest, None where it does not know it. Raises WizardError."""
    call = vbox.ask("showvminfo", guest.spec.uuid, "--machinereadable")
    if call.not_found:
        return None
    if call.failed:
        raise explain(call)
    return info.machine_readable(call.out)


def start(vbox: Manage, guest: Guest, tell: Tell) -> None:
    """Start it without a window. Its ssh port moves where somebody else took it meanwhile."""
    found = facts(vbox, guest)
    if found is None:
        raise WizardError(
            "guest-not-there", f"VirtualBox does not know {guest.name} any more.",
            hint="Was it removed in VirtualBox itself? `guest delete` and `guest create` make it anew.",
        )  # fmt: skip
    if info.state_of(found) in (State.RUNNING, State.STARTING):
        tell(f"{guest.name} runs already.")
        return
    require_there(guest)
    port = ssh_port(found)
    if port is not None and not is_free(port):
        new = free_port()
        for each in argv.move_rule(vbox, guest, new):
            insist(tuple(each), vbox.asking)
        tell(f"Port {port} is taken by another program, so ssh is at {new} now.")
    for each in argv.shut_loopback(vbox, guest):
        insist(tuple(each), vbox.asking)
    make_sockets(guest)
    tee = _tee(guest)
    call = vbox.ask("startvm", guest.spec.uuid, "--type", "headless")
    # It may say that it failed and have started all the same, so what counts is the state.
    found = facts(vbox, guest) or {}
    if call.failed and info.state_of(found) not in (State.RUNNING, State.STARTING, State.PAUSED):
        tee.terminate()
        tee.wait()
        raise _not_started(guest, call, found)
    threading.Thread(target=tee.wait, daemon=True, name="console-ended").start()
    tell(f"VirtualBox says: {found.get('VMState', 'started')}")


def stop(vbox: Manage, guest: Guest, tell: Tell, patience: float, force: bool) -> None:
    """Press its power button, wait, and pull the plug in the end; wait until VirtualBox has let go of it."""
    found = facts(vbox, guest)
    if found is None or (info.state_of(found) in _OFF and not info.in_session(found)):
        return
    if not force and info.state_of(found) is State.RUNNING:
        vbox.insist("controlvm", guest.spec.uuid, "acpipowerbutton")
        tell(f"Asked it to shut down; waiting up to {patience:g} s.")
        if _gone(vbox, guest, patience):
            return
        tell("It did not switch itself off; switching it off.")
    call = vbox.ask("controlvm", guest.spec.uuid, "poweroff")
    if not _gone(vbox, guest, _SOON):
        if call.failed:
            raise explain(call)
        raise WizardError(
            "guest-not-stopped", f"VirtualBox was told to switch {guest.name} off, and it still runs.",
            hint="Look at it in VirtualBox itself.",
        )  # fmt: skip


def _gone(vbox: Manage, guest: Guest, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        found = facts(vbox, guest)
        if found is None or (info.state_of(found) in _OFF and not info.in_session(found)):
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.3)


def _tee(guest: Guest) -> subprocess.Popen[bytes]:
    place, log = guest.console.socket, guest.console.log
    assert place is not None and log is not None
    argv.pipe(guest).unlink(missing_ok=True)
    return console_tee.start(argv.pipe(guest), place, log)


def _not_started(guest: Guest, call: Said, found: info.Info) -> WizardError:
    log = ""
    with contextlib.suppress(OSError):
        log = codes_in(
            (Path(found["LogFldr"]) / "VBox.log").read_text(encoding="utf-8", errors="replace")[-65536:]
        )
    with contextlib.suppress(KeyError):
        if (
            call.warning
        ):  # the wrapper told that the module is missing, and VBoxManage itself only that it ended
            log += " VERR_VM_DRIVER_NOT_INSTALLED"
    error = explain(call, log)
    return WizardError(
        error.reference,
        f"{guest.name} was not started. {error.message}",
        hint=error.hint,
        context=error.context,
    )
