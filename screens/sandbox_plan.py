"""What a plan about a guest says of the guest, for screens that show the work. No Textual here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused, WizardError

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.guests.model import GuestSpec
    from smartos_wizard.media.model import VerifiedImage


def image_of(plan: Plan) -> VerifiedImage:
    """The image a plan to make a guest copies or checks. Raises Refused."""
    from smartos_wizard.media.as_json import image_from_json

    for step in plan.steps:
        if step.params.get("image"):
            return image_from_json(step.params["image"])
    raise Refused("no-image", "This plan names no image.", hint="Begin anew from Home.")


def spec_of(plan: Plan) -> GuestSpec:
    """The guest a plan is about. Raises UsageProblem where it names none."""
    from smartos_wizard.guests.spec_toml import load

    return load(str(plan.params.get("spec", "")), "the plan")


def guest_name(plan: Plan) -> str:
    """Its name; empty where the plan names none."""
    try:
        return spec_of(plan).name
    except WizardError:
        return ""


def facts_of(plan: Plan) -> list[tuple[str, str]]:
    """The guest of a plan, as pairs of a name and a value."""
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
