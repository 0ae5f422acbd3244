"""The plan to make a guest, step by step, what it takes, what is left alone; then it is made."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.plan import Plan
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.review import Review
from smartos_wizard.screens.sandbox_desk import Foreseen


class GuestReview(Review):
    """Nothing is lost by making a guest, so nothing is to be typed."""

    STAGE = Stage.REVIEW
    GO = "Create"
    HELP = """
### What is this?
The whole plan. Nothing is done that is not in it.

### What happens?
**Create** makes the guest; it is not started yet. If something fails, or you cancel, what was begun is taken
away again. At the end the hypervisor is asked what it made of it, switch by switch.

### What is not touched?
This machine's disks and boot set-up, its network settings, and guests of other programs.
"""

    def ready(self) -> None:
        """The plan is made in a thread."""
        self._foreseen: Foreseen | None = None
        self.query_one("#go").remove_class("-danger")
        super().ready()

    def make_plan(self) -> Plan:
        """As `guest create` makes it. Raises WizardError."""
        foreseen = self.wizard.desk.sandbox.foresee(self.wizard.flow.answers)
        self._foreseen = foreseen
        return foreseen.plan

    def _planned(self, plan: Plan) -> None:
        super()._planned(plan)
        self.query_one("#go").focus()

    @property
    def choices(self) -> BootChoices:
        """What it is told at boot: on an ISO nothing."""
        return BootChoices() if self.wizard.flow.answers.guest.boot == "iso" else super().choices

    def _told(self) -> list[Content]:
        lines = super()._told()
        foreseen = self._foreseen
        if foreseen is not None:
            lines += [Content.assemble(("Room: ", "bold"), foreseen.room)]
            lines += [
                Content.assemble((f"{self.marks.warn} {words}", "$warning"))
                for words in foreseen.warnings[:3]
            ]
        return lines

    def _judge(self) -> None:
        super()._judge()
        words = "" if self._plan is None or self._started else "  Nothing is lost by this."
        self.query_one("#state", Static).update(Content.assemble((words, "$dim")))

    def _failed(self, error: ErrorReport) -> None:
        super()._failed(error)
        if self._plan is None:
            for part in ("#open", "#token", "#close", "#go"):
                self.query_one(part).display = False
            self.query_one("#confirm").border_title = "It cannot be made so"

    def _draw(self) -> None:
        super()._draw()
        if self._plan is not None and self.query("#confirm"):
            self.query_one("#confirm").border_title = "Make it?"
