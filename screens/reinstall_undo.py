"""Take back what an interrupted re-install began: what is undone, in words, and the plan that does it. It destroys nothing."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import folded
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.plan_words import plan_words
from smartos_wizard.screens.reinstall_review import MachineReview

_NAMED = 5


def what_is_undone(undo: Plan) -> tuple[str, ...]:
    """Each step that was begun, the last first, with what takes it back."""
    return undo.steps[0].details or ("nothing that would have to be taken back was done",)


def go_on_or_back(plan: Plan, undo: Plan) -> Asking:
    """The run was cut off before it destroyed anything: go on with it, or take it back? Answers `on`, `undo` or nothing."""
    rows = what_is_undone(undo)
    more = [f"and {len(rows) - _NAMED} more"] if len(rows) > _NAMED else []
    lines = [part for row in (*rows[:_NAMED], *more) for part in folded(f"- {row}", 66, indent="  ")]
    words = Content.assemble(
        f"{plan.title} was cut off. No pool was destroyed yet.\n\nTaking it back puts the machine as it was:\n\n",
        ("\n".join(lines), "bold"),
        "\n\nGoing on shows the plan again; it has to be confirmed again, and no step is done twice.",
    )
    return Asking("Go on with it, or take it back?", words, (("stay", "Neither now"), ("undo", "Take it back"), ("on", "Go on")), tall=True)  # fmt: skip


class UndoReview(MachineReview):
    """The plan that takes it back."""

    HEADING = "Take it back: what will happen"
    GO = "Take it back"
    HELP = """
### What is this?
A re-install was begun and cut off before anything was destroyed. What it changed on the machine is taken back, the last step
first: instances that it stopped are started, a mark for a factory reset is removed.

### What happens?
**Take it back** logs in and does that, and nothing else. What cannot be taken back is named, and can be tried again.

### What is not touched?
Every pool and all data. The plan of the re-install stays, and can be begun anew.
"""

    def __init__(self, undo: Plan, back: Callable[[], None] | None = None) -> None:
        """`back` is where Escape leads; home without it."""
        super().__init__()
        self._undo, self._back = undo, back
        self.title = "Take it back"

    @property
    def stage(self) -> Stage | None:
        """Off the road."""
        return None

    def make_plan(self) -> Plan:
        """It is made already."""
        return self._undo

    def _planned(self, plan: Plan) -> None:
        super()._planned(plan)
        self.query_one("#go").focus()

    def _draw(self) -> None:
        super()._draw()
        if self._plan is not None and self.query("#steps"):
            self.query_one("#steps", Static).update(plan_words(self._plan, width=self._width()))
            self.query_one(
                "#confirm"
            ).border_title = "Nothing is destroyed by this; no confirmation is needed."

    def words(self) -> str:
        """The same by command."""
        return "reinstall run PLAN --undo"

    def action_back(self) -> None:
        """Where it was asked for."""
        (self._back or self.wizard.go_home)()
