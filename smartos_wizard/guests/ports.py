"""What the room needs from the world."""

from __future__ import annotations

from typing import Protocol

from smartos_wizard.core.paths import Paths
from smartos_wizard.guests.hypervisor import Hypervisor
from smartos_wizard.guests.sizing import HostSize
from smartos_wizard.guests.store import GuestStore


class GuestWorld(Protocol):
    """The part of the world this room works with."""

    practice: bool
    paths: Paths

    @property
    def guests(self) -> GuestStore:
        """Where guests lie."""
        ...

    def hypervisors(self) -> tuple[Hypervisor, ...]:
        """The drivers of this program, whether their hypervisors are here or not, the one to prefer first."""
        ...

    def host_size(self) -> HostSize:
        """How large this machine is."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


def typed(world: GuestWorld, *words: str) -> str:
    """What a person types to run this program with these words, in the world they are in."""
    import shlex

    return shlex.join(("smartos-wizard", *(("--practice",) if world.practice else ()), *words))


def driver(world: GuestWorld, name: str) -> Hypervisor:
    """The driver of that id. Raises UsageProblem `no-such-hypervisor`."""
    from smartos_wizard.core.errors import UsageProblem

    for each in world.hypervisors():
        if each.id == name:
            return each
    known = ", ".join(each.id for each in world.hypervisors())
    raise UsageProblem(
        "no-such-hypervisor", f"There is no hypervisor called {name}.", hint=f"One of: {known}."
    )
