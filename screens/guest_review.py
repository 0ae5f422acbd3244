"""The plans that erase something of a guest, armed by typing the guest's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.widgets import Input, Static

from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.screens.guests_words import by_command
from smartos_wizard.screens.plan_words import plan_words
from smartos_wizard.screens.review_named import NamedReview

if TYPE_CHECKING:
    from smartos_wizard.screens.guest_work import GuestWork


class GuestChange(NamedReview):
    """A plan about a guest. What must be typed is its name, all of it: names have no ends that tell them apart."""

    NO_PLAN = "It cannot be done."

    def __init__(self, name: str, then: Callable[[], None], back: Callable[[], None] | None = None) -> None:
        """`then` is where it goes on when the work is done, `back` where Escape leads (the same, without one)."""
        super().__init__()
        self.name_of_guest, self._then, self._back = name, then, back or then
        self.title = name

    def _draw(self) -> None:
        super()._draw()
        if self._plan is not None and self.query("#confirm") and self.tokens:
            words = f"To arm it, type the guest's name, {self.name_of_guest}:"
            if len(words) + 8 > self.app.size.width:
                words = "To arm it, type the guest's name:"
            self.query_one("#confirm").border_title = words
            self.query_one("#token", Input).placeholder = "_" * min(20, len(self.name_of_guest))

    @property
    def is_armed(self) -> bool:
        """Once the name is there as it is."""
        return self._plan is not None and (
            not self.tokens or self.query_one("#token", Input).value.strip() == self.name_of_guest
        )

    def not_armed(self) -> str:
        """What is wrong with what was typed."""
        return "what was typed is not the guest's name."

    def work(self, job: Job) -> GuestWork:
        """Goes on where this review says."""
        from smartos_wizard.screens.guest_work import GuestWork

        return GuestWork(job, self._plan, self._then)

    def by_command(self, words: str, after: str = "") -> str:
        """The command that does the same, confirmed."""
        practice = self.wizard.desk.world.practice
        confirmed = by_command("", self.name_of_guest, practice=practice).rpartition("guest ")[2].strip()
        return by_command(
            words, self.name_of_guest, practice=practice, after=f"{after} --confirm {confirmed}".strip()
        )

    def action_back(self) -> None:
        """Where it was asked for."""
        self._back()


class DeleteReview(GuestChange):
    """The plan to remove a guest: every file of it is named."""

    HEADING = "Delete it: what will happen"
    GO = "Delete"
    HELP = """
### What is this?
The plan to remove a guest. Every file that goes is named with its size.

### What happens?
Type the guest's name, then **Delete**. A guest that runs is switched off first. What is on its disks is gone for good.

### What is not touched?
The release that was downloaded, other guests, and every file outside the guest's folder.
"""

    def make_plan(self) -> Plan:
        """With every file."""
        return self.wizard.desk.guests.delete_plan(self.name_of_guest)

    def _draw(self) -> None:
        super()._draw()
        if self._plan is not None and self.query("#steps"):
            words = plan_words(_by_name(self._plan), width=self._width())
            self.query_one("#steps", Static).update(words)

    def command(self) -> str:
        """The same by command."""
        return self.by_command("delete")

    def _begun(self, job: Job) -> None:
        self._then = self.wizard.show_guests  # it has no page any more
        super()._begun(job)


class ReinstallReview(GuestChange):
    """The plan to empty disks of a guest."""

    HEADING = "Make it as new: what will happen"
    GO = "Erase"
    HELP = """
### What is this?
The plan to give the guest empty disks. Its name, UUID, addresses and ports stay, so SmartOS sets itself up anew.

### What happens?
Type the guest's name, then **Erase**. What is on the disks named here is gone for good.

### What is not touched?
Disks that are kept, the guest's own key with all it is told at boot, other guests.
"""

    def __init__(
        self, name: str, keep: tuple[str, ...], snapshot: bool, then: Callable[[], None], back: Callable[[], None]
    ) -> None:  # fmt: skip
        super().__init__(name, then, back)
        self.keep, self.snapshot = keep, snapshot

    def make_plan(self) -> Plan:
        """With every disk that is emptied."""
        return self.wizard.desk.guests.reinstall_plan(self.name_of_guest, self.keep, snapshot=self.snapshot)

    def command(self) -> str:
        """The same by command."""
        kept = " ".join(f"--keep {disk}" for disk in self.keep)
        return self.by_command("reinstall", f"{kept}{' --snapshot' if self.snapshot else ''}".strip())


class SnapshotReview(GuestChange):
    """The plan to go back to a snapshot, or to delete one."""

    HEADING = "This snapshot: what will happen"
    GO = "Do it"
    HELP = """
### What is this?
Going back to a snapshot puts its disks as they were then: everything since is gone. Deleting a snapshot leaves the
disks as they are now, and takes away the way back.

### What happens?
Type the guest's name, then the button.

### What is not touched?
Other guests and other snapshots.
"""

    def __init__(self, name: str, act: str, snapshot: str, then: Callable[[], None]) -> None:
        super().__init__(name, then)
        self.act, self.snapshot = act, snapshot

    def make_plan(self) -> Plan:
        """One step."""
        return self.wizard.desk.guests.snapshot_plan(self.name_of_guest, self.act, self.snapshot)

    def command(self) -> str:
        """The same by command."""
        import shlex

        return self.by_command("snapshot", f"{self.act} {shlex.quote(self.snapshot)}")


def _by_name(plan: Plan) -> Plan:
    """The same plan, with files named without the folder that the step itself names; the full plan has all of it."""
    steps = []
    for step in plan.steps:
        folder = step.title.rpartition(" in ")[2] + "/"
        steps.append(replace(step, details=tuple(detail.removeprefix(folder) for detail in step.details)))
    return replace(plan, steps=tuple(steps))


def review_again(plan: Plan, then: Callable[[], None]) -> GuestChange:
    """The plan of work that was cut short, to be made anew from the facts as they are and confirmed again."""
    from smartos_wizard.screens.sandbox_plan import spec_of

    spec = spec_of(plan)
    match plan.kind:
        case "guest-reinstall":
            steps = {step.id for step in plan.steps}
            keep = tuple(disk.name for disk in spec.disks if f"wipe-{disk.name}" not in steps)
            before = any(step.action == "snapshot" for step in plan.steps)
            return ReinstallReview(spec.name, keep, before, then, then)
        case "guest-snapshot":
            params = plan.steps[-1].params
            return SnapshotReview(spec.name, str(params["act"]), str(params["name"]), then)
        case _:
            return DeleteReview(spec.name, then)
