"""What the room asks of a hypervisor. One protocol; VirtualBox, VMware, QEMU and a make-believe one answer it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from smartos_wizard.core.plan import Step
from smartos_wizard.guests.model import Actual, Detection, DiskSpec, Endpoint, Finding, Guest, GuestSpec

Tell = Callable[[str], None]
"""Gets a sentence on what is going on."""


class Hypervisor(Protocol):
    """A driver. Nothing here changes anything but `start`, `stop`, `snapshot_*` and what executes a step's commands.

    Steps that a driver gives are of the common actions: `command` (argv lists under `commands`, what takes them
    back under `undo_commands`) and `write` (a text file, `path` and `text`); so one executor runs and undoes
    them, and one writer turns them into a script.
    """

    id: str
    title: str

    def detect(self) -> Detection:
        """What is installed here, and what stands in its way. Never raises; may take a second."""
        ...

    def validate(self, spec: GuestSpec, detection: Detection) -> tuple[Finding, ...]:
        """All that speaks against a spec with this hypervisor, before anything is made."""
        ...

    def disk_step(self, guest: Guest, disk: DiskSpec) -> Step:
        """The step that makes the file of a data disk, empty."""
        ...

    def create_steps(self, guest: Guest) -> tuple[Step, ...]:
        """The steps that make the guest known to the hypervisor; folder, key and disks are there by then."""
        ...

    def delete_steps(self, guest: Guest) -> tuple[Step, ...]:
        """The steps that make the hypervisor forget it. Files in its folder are removed by somebody else."""
        ...

    def call(self, argv: tuple[str, ...]) -> str:
        """Run one command of a step; return what it said. Raises WizardError in words a person understands."""
        ...

    def inspect(self, guest: Guest) -> Actual:
        """The guest as it is. Raises WizardError where the hypervisor cannot be asked."""
        ...

    def start(self, guest: Guest, tell: Tell) -> None:
        """Start it without a window. Raises WizardError with the hypervisor's own words explained."""
        ...

    def stop(self, guest: Guest, tell: Tell, *, patience: float, force: bool = False) -> None:
        """Ask it to shut down, wait up to `patience` seconds, then switch it off. `force`: switch it off at once."""
        ...

    def ssh(self, guest: Guest) -> Endpoint | None:
        """Where its ssh answers, None where that is not known."""
        ...

    def snapshot(self, guest: Guest, act: str, name: str) -> tuple[str, ...]:
        """`take`, `restore`, `delete` a snapshot by name, or `list` them; return the names. Raises WizardError."""
        ...
