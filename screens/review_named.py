"""What the reviews share that are no review of a key: off the road to one, armed by whole names, followed from where they began."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.widgets import Button, Input, Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.screens.review import Review

if TYPE_CHECKING:
    from smartos_wizard.screens.working import Working


class NamedReview(Review):
    """A plan about a guest or a machine. Names have no ends that tell them apart: they are typed whole."""

    STAGE = None  # type: ignore[assignment]
    NO_PLAN: ClassVar[str] = "There is no such plan."
    """What stands where the confirmation was, where there is nothing to confirm."""

    def not_armed(self) -> str:
        """What is wrong with what was typed."""
        return "what was typed is not what stands there."

    def work(self, job: Job) -> Working | None:
        """The screen that shows the work; None for the one that belongs to the kind of plan."""
        del job
        return None

    def on_input_submitted(self, event: Input.Submitted) -> None:  # type: ignore[override]
        """Enter in the field moves to the button it armed; it never begins by itself."""
        event.prevent_default()  # the words there are of disks
        if self.is_armed:
            self.query_one("#go").focus()
        else:
            self.notify(f"Not armed: {self.not_armed()}", severity="warning")

    def _begin(self) -> None:
        plan, desk = self._plan, self.wizard.desk
        assert plan is not None
        self._started = True
        self._judge()
        self.ask_rooms(lambda: desk.start(plan, self.tokens), self._begun, self._refused)

    def _begun(self, job: Job) -> None:
        """What it takes up again is no longer unfinished."""
        left, self.wizard.resumes = self.wizard.resumes, None
        if left is not None:
            left.seen_file.touch()
        self.wizard.watch_job(job, screen=self.work(job))

    def _failed(self, error: ErrorReport) -> None:
        super()._failed(error)
        if self._plan is None:
            for part in ("#open", "#token", "#close", "#go"):
                self.query_one(part).display = False
            self.query_one("#confirm").border_title = self.NO_PLAN
            self.query_one("#state", Static).update("")
            self.query_one("#back", Button).focus()
