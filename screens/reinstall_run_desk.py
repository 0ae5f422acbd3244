"""What may be asked of the engine while a re-install runs, and once it was cut off. No Textual here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import Refused, UsageProblem, WizardError

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.inventory import Entry
    from smartos_wizard.world import World


@dataclass(frozen=True, slots=True)
class Inventory:
    """Several machines, in the order of their file. `states` say of each whether it was begun; `problems` what is in the way."""

    path: str
    entries: tuple[Entry, ...]
    states: tuple[str, ...]
    problems: tuple[str, ...] = ()


class RunDesk:
    """Asks the room of re-installs about its runs."""

    def __init__(self, world: World) -> None:
        self.world = world

    def accept(self, plan: Plan, fingerprint: str, run: str = "") -> None:
        """Agree to the key that the machine shows now; its run goes on by itself then. Raises UsageProblem.

        `run` is the run's own name, where the plan is one of several machines.
        """
        from smartos_wizard.reinstall.run_record import accept, plan_id

        accept(self.world.paths, run or plan_id(plan), fingerprint)

    def accepted(self, plan: Plan) -> tuple[str, ...]:
        """The keys that were agreed to for that run."""
        from smartos_wizard.reinstall.run_record import Record, plan_id

        return Record(self.world.paths, plan_id(plan)).accepted

    def undo_plan(self, plan: Plan) -> Plan | None:
        """The plan that takes back what the run began; None where nothing was begun, or the step that destroys was."""
        from smartos_wizard.reinstall.run_plans import undoing
        from smartos_wizard.reinstall.run_record import Record, plan_id

        if plan.kind != "reinstall-run":
            return None
        try:
            return undoing(plan, Record(self.world.paths, plan_id(plan)))
        except Refused:
            return None

    # ------------------------------------------------------------------ several machines

    def inventory(self, path: str) -> Inventory:
        """The machines of that file, and what is wrong with them but for what is not typed yet. Raises UsageProblem."""
        from smartos_wizard.reinstall.inventory import read_inventory, require_runnable

        if not path.strip():
            raise UsageProblem("no-name", "The file has no name.")
        place = Path(path.strip()).expanduser().absolute()
        entries = read_inventory(place)
        problems: tuple[str, ...] = ()
        try:
            typed = [token for entry in entries for token in entry.tokens]
            require_runnable(place, entries, self.world.now(), typed, self._begun)
        except WizardError as error:
            found = error.details.get("problems", ())
            problems = tuple(f"{each['where']}: {each['text']}".removeprefix(": ") for each in found)
        return Inventory(str(place), entries, tuple(self._state(entry.plan) for entry in entries), problems)

    def inventory_plan(self, inventory: Inventory, typed: tuple[str, ...]) -> Plan:
        """All of it as one plan, one machine after the other. Raises UsageProblem, Refused, as `reinstall run --inventory`."""
        from smartos_wizard.reinstall.inventory import require_runnable
        from smartos_wizard.reinstall.inventory_plan import plan_inventory

        place = Path(inventory.path)
        require_runnable(place, inventory.entries, self.world.now(), typed, self._begun)
        return plan_inventory(place, inventory.entries)

    def _begun(self, plan: Plan) -> bool:
        from smartos_wizard.reinstall.run_record import Record, plan_id

        return not Record(self.world.paths, plan_id(plan)).fresh

    def _state(self, plan: Plan) -> str:
        """`not begun`, `done`, or `cut off` in the middle."""
        from smartos_wizard.reinstall.run_record import Record, plan_id

        record = Record(self.world.paths, plan_id(plan))
        if record.fresh:
            return "not begun"
        return "done" if record.finished(plan.steps[-1].id) else "cut off"
