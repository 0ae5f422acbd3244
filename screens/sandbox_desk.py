"""What the screens about guests may ask of the engine. No Textual here. Each call may take seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartos_wizard.core import text

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.guests.model import Guest, GuestSpec
    from smartos_wizard.world import World


class SandboxDesk:
    """Hypervisors, and guests to be made in them."""

    def __init__(self, world: World) -> None:
        self.world = world

    def guests(self) -> tuple[Guest, ...]:
        """The guests made by this program, half-made ones too."""
        return self.world.guests.list()

    def start_plan(self, name: str) -> Plan:
        """The plan to start a guest. Raises Refused."""
        from smartos_wizard.guests.planning import plan_start

        return plan_start(self.world.guests.find(name))


def spec_of(plan: Plan) -> GuestSpec:
    """The guest a plan is about. Raises UsageProblem where it names none."""
    from smartos_wizard.guests.spec_toml import load

    return load(str(plan.params.get("spec", "")), "the plan")


def guest_name(plan: Plan) -> str:
    """Its name; empty where the plan names none."""
    from smartos_wizard.core.errors import WizardError

    try:
        return spec_of(plan).name
    except WizardError:
        return ""


def facts_of(plan: Plan) -> list[tuple[str, str]]:
    """The guest of a plan, as pairs of a name and a value."""
    from smartos_wizard.core.errors import WizardError

    try:
        spec = spec_of(plan)
    except WizardError:
        return [("Work", plan.title)]
    sizes = " + ".join(text.size(disk.size) for disk in spec.disks[:3])
    more = f" and {len(spec.disks) - 3} more" if len(spec.disks) > 3 else ""
    return [
        ("Guest", spec.name),
        ("In", spec.hypervisor),
        ("Starts", spec.boot.stamp or spec.boot.source),
        ("Memory", f"{spec.memory:,} MiB"),
        ("Processors", str(spec.cpus)),
        ("Disks", sizes + more),
        ("Sandbox", spec.sandbox.value),
        ("Console", spec.console),
    ]
