"""What the screens about machines may ask of the engine: is this one fit, which disks has it. No Textual here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartos_wizard.boot.hardware_verdict import Level

if TYPE_CHECKING:
    from smartos_wizard.boot.hardware_verdict import Verdict
    from smartos_wizard.media.host_disks import Host
    from smartos_wizard.world import World

LEVELS = {Level.OK: "ok", Level.WARNING: "warning", Level.NO: "NO", Level.UNKNOWN: "unknown"}
"""The levels in words."""
GRAVITY = (Level.NO, Level.WARNING, Level.UNKNOWN, Level.OK)
"""The levels, the gravest first."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A machine by name, every verdict, and the whole in a sentence."""

    name: str
    verdicts: tuple[Verdict, ...]
    sentence: str


class MachineDesk:
    """Looks at this machine. Each call may take seconds."""

    def __init__(self, world: World) -> None:
        self.world = world

    def check(self) -> Checked:
        """Whether this machine is fit for SmartOS, as `doctor --target` says it. Reads only."""
        from smartos_wizard.boot.hardware_judge import judge_hardware
        from smartos_wizard.boot.hardware_verdict import sentence

        facts = self.world.hardware()
        verdicts = judge_hardware(facts)
        name = " ".join(filter(None, [facts.maker, facts.product])) or "machine of unknown make"
        return Checked(name, verdicts, sentence(verdicts))

    def host(self) -> Host:
        """The disks of this machine as SmartOS's set-up would see them; none is opened. Raises WizardError."""
        from smartos_wizard.media.host_disks import from_host

        return from_host(self.world)
