"""What is known of a guest: as it should be, as its hypervisor says it is, how the two differ, what room it takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.core.errors import WizardError
from smartos_wizard.guests.model import Actual, Drift, Guest, State
from smartos_wizard.guests.ports import GuestWorld, driver
from smartos_wizard.guests.sandbox import drift


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a guest. `actual` is None where its hypervisor could not be asked: `problem` says why."""

    guest: Guest
    actual: Actual | None = None
    problem: str = ""

    @property
    def state(self) -> State:
        """Its state; what broke off while it was made counts before what a hypervisor says."""
        if not self.guest.made:
            return State.HALF_MADE
        return self.actual.state if self.actual is not None else State.UNKNOWN

    @property
    def drift(self) -> tuple[Drift, ...]:
        """Everything that is not as asked; nothing where nobody can say, or there is nothing to say it of."""
        if self.actual is None or self.state in (State.HALF_MADE, State.MISSING):
            return ()
        return drift(self.guest.spec, self.actual)


def look(world: GuestWorld, guest: Guest) -> Look:
    """Ask the hypervisor of a guest; it may take seconds. Never raises what a hypervisor may raise."""
    try:
        return Look(guest, driver(world, guest.spec.hypervisor).inspect(guest))
    except WizardError as error:
        return Look(guest, None, error.message)


def room_of(world: GuestWorld, guest: Guest) -> tuple[tuple[Path, int], ...]:
    """Every file of a guest with the bytes it takes on this machine's disk."""
    return tuple((path, _taken(path)) for path in world.guests.files(guest))


def _taken(path: Path) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0
