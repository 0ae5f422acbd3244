"""Asking vmrun, with the product it belongs to. Its errors come on its ordinary output, with exit code 255."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.guests.model import Guest
from smartos_wizard.guests.vmware import find, said, words


class NotRunning(WizardError):
    """The guest was off already."""


class Control:
    """vmrun of the product on this machine."""

    def __init__(self, machine: find.Machine | None = None) -> None:
        self._machine = machine
        self.found: find.Found | None = None
        """What `look` found last."""

    @property
    def machine(self) -> find.Machine:
        """The machine it is looked for on."""
        return self._machine or find.Machine()

    def look(self) -> find.Found | None:
        """Look for a product anew."""
        self.found = find.find(self._machine)
        return self.found

    def product(self) -> find.Found:
        """The product, looked for once. Raises Refused `no-hypervisor` where there is none that works."""
        found = self.found or self.look()
        if found is None or not found.vmrun:
            raise Refused("no-hypervisor", "VMware is not here, or not its program vmrun.", hint=find.HOW)
        return found

    def require_started(self) -> find.Found:
        """The product, able to start guests. Raises Refused with what is in the way."""
        found = self.product()
        if not found.starts:
            found = self.look() or found  # it may have been put right meanwhile
        if not found.starts and found.problems:
            problem = found.problems[0]
            raise Refused(problem.reference, problem.text, hint=problem.hint)
        return found

    def runs(self, guest: Guest) -> bool:
        """Whether vmrun lists it as running. Raises WizardError where it cannot be asked."""
        found = self.product()
        code, output = run((found.vmrun, "-T", found.flavour, "list"), 30)
        error = said.error_in(output, code)
        if error is not None:
            raise said.failed("vmware-not-asked", "VMware does not tell what runs.", error)
        own = _same(guest.folder / words.VMX)
        return any(_same(Path(line.strip())) == own for line in output.splitlines()[1:] if line.strip())

    def do(self, guest: Guest, verb: str, *more: str, what: str, patience: float) -> str:
        """One command about a guest; return what vmrun said.

        Raises NotRunning, WizardError with `what`, VMware's words and what they mean.
        """
        found = self.product()
        argv = (found.vmrun, "-T", found.flavour, verb, str(guest.folder / words.VMX), *more)
        began = time.time()
        code, output = run(argv, patience)
        error = said.error_in(output, code)
        if error is None:
            return output
        if "not powered on" in error.lower():
            raise NotRunning("guest-not-running", f"{guest.name} does not run.")
        reference = "guest-not-started" if verb == "start" else "vmware-command-failed"
        raise said.failed(reference, what, error, guest, began)

    def snapshots(self, guest: Guest) -> tuple[str, ...]:
        """The names of its snapshots; none where the product has no snapshots. Raises WizardError."""
        found = self.product()
        if found.flavour == "player":
            return ()
        listed = self.do(guest, "listSnapshots", what="Its snapshots cannot be listed.", patience=60)
        return tuple(line.strip() for line in listed.splitlines()[1:] if line.strip())


def run(argv: tuple[str, ...], patience: float) -> tuple[int, str]:
    """Exit code and all that a program said. Raises WizardError `vmware-silent`, `vmware-not-asked`.

    What it says goes into a file: the process of a guest it starts may hold on to a pipe as long as the guest runs.
    """
    with tempfile.TemporaryFile() as heard:
        try:
            done = subprocess.run(
                argv, check=False, stdout=heard, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                timeout=max(1.0, patience), env={**os.environ, "LC_ALL": "C"}, start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise WizardError(
                "vmware-silent", f"{Path(argv[0]).name} did not answer in {patience:g} s."
            ) from error
        except OSError as error:
            raise WizardError(
                "vmware-not-asked", f"{argv[0]} cannot be started: {error.strerror}.", hint=find.HOW
            ) from error
        heard.seek(0)
        return done.returncode, heard.read().decode("utf-8", "replace").replace("\r\n", "\n")


def released(guest: Guest, seconds: float) -> bool:
    """Whether VMware let go of the disks in time. The lock of the .vmx itself stays while a window shows the guest."""
    until = time.monotonic() + seconds
    while any(not lock.name.endswith(".vmx.lck") for lock in guest.folder.glob("*.lck")):
        if time.monotonic() >= until:
            return False
        time.sleep(0.2)
    return True


def _same(path: Path) -> str:
    """A path in the form in which two of the same file are equal."""
    real = os.path.realpath(path)
    return real.casefold() if sys.platform in ("darwin", "win32") else real
