"""Work on a guest: its steps one below the other, a bar where bytes are copied, what is not as asked, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Meter
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import SANDBOX_ROAD, Stage
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.step_list import step_list
from smartos_wizard.screens.told_work import ToldWork
from smartos_wizard.screens.work_words import how_it_ended

_BESIDE = 16
"""Rows of the window that are not the list of steps."""
_STAGES = {"guest-create": Stage.CREATE, "guest-start": Stage.CONSOLE}
_ONWARD = {"guest-create": "Start it", "guest-start": "Open its console"}


class GuestWork(ToldWork):
    """One job about a guest, as it goes."""

    SIDE_TITLE: ClassVar[str] = "The guest and what happened"
    HELP = """
### What is this?
The work, in a process of its own, step by step as the plan said.

### What happens?
If this window closes, the work goes on: start the wizard again and follow it from Home.
`c` cancels at the next safe moment; what was begun of a new guest is then taken away again.
At the end the hypervisor is asked what it made of it, and **every difference** is said.

### What is not touched?
This machine's disks and boot set-up, its network settings, and guests of other programs.
"""

    def __init__(
        self,
        job: Job,
        plan: Plan | None = None,
        then: Callable[[], None] | None = None,
        *,
        words: str = "Go on",
    ) -> None:
        """`then` is where it goes on at the end, and with Escape; its button says `words`.

        Without it a guest that was made can be started, and one that was started shows its console.
        """
        super().__init__(job, plan)
        self._then, self._words = then, words

    @property
    def guest(self) -> str:
        """The name of the guest this is about."""
        from smartos_wizard.screens.sandbox_plan import guest_name

        return guest_name(self.plan)

    @property
    def stage(self) -> Stage | None:
        """Where it stands on the way to a guest; None elsewhere."""
        flow = self.wizard.flow
        mine = flow.road == SANDBOX_ROAD and flow.answers.guest.name == self.guest
        return _STAGES.get(self.plan.kind) if mine and self._then is None else None

    @property
    def road(self) -> tuple[Stage, ...]:
        """The way to a guest."""
        return SANDBOX_ROAD

    def below(self) -> ComposeResult:
        """What was noted last, where it is not at the side."""
        yield Static("", id="noted", markup=False)

    # ------------------------------------------------------------------ drawing

    def steps(self, width: int) -> Content:
        """As many as fit around the one at hand, each with mark and effect."""
        return step_list(self.progress, self.plan, self.marks, width, self.app.size.height - _BESIDE)

    def facts(self) -> Sequence[tuple[str, str]]:
        """The guest."""
        from smartos_wizard.screens.sandbox_plan import facts_of

        return facts_of(self.plan)

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """The last word, once there is one."""
        del meters
        self.last_word(width)

    # ------------------------------------------------------------------ the end

    def how_it_ended(self, *, lost: bool) -> Content:
        """The end in words, with everything that is not as asked."""
        words = how_it_ended(self.progress, lost=lost)
        ended = self.progress.ended
        if not self.good or not isinstance(ended, PlanFinished):
            return words
        told = [line for line in ended.result.get("say", []) if not str(line).startswith("Next: ")]
        lines = [Content(str(line)) for line in told or ["Done."]]
        if self.plan.kind == "guest-create":
            lines.append(Content.assemble(("It is off. Once it is started, its console is shown.", "$dim")))
        for what, asked, actual in ended.result.get("drift", []):
            line = f"{self.marks.warn} {what}: asked {asked}, the hypervisor says {actual}"
            lines.append(Content.assemble((line, "bold $warning")))
        return Content("\n").join(lines)

    def leaves(self) -> bool:
        """Room for the end."""
        self.query_one("#noted").display = self.query_one("#meters").display = False
        return False

    def onward(self) -> str:
        """What the button says."""
        if self._then is not None:
            return self._words
        return _ONWARD.get(self.plan.kind, "Your guests")

    def go_on(self) -> None:
        """Where it goes on; by itself from creating to starting to the console."""
        name = self.guest
        if self._then is not None:
            self._then()
        elif self.plan.kind == "guest-create":
            desk = self.wizard.desk
            self.query_one("#next").disabled = True
            self.ask_rooms(
                lambda: desk.start(desk.sandbox.start_plan(name)), self._started, self._not_started
            )
        elif self.plan.kind == "guest-start":
            from smartos_wizard.screens.guest_console import GuestConsole

            self.wizard.show(GuestConsole(name))
        else:
            self.wizard.show_guests()

    def again(self) -> None:
        """To the review with every answer as it was, while they are still known; else as from Home."""
        if self.stage is not Stage.CREATE or self.wizard.flow.answers.image is None:
            super().again()
            return
        self.job.seen_file.touch()
        self.wizard.desk.boot.forget(self.plan)
        self.wizard.go(self.wizard.flow)

    def _started(self, job: Job) -> None:
        self.wizard.watch_job(job)

    def _not_started(self, error: ErrorReport) -> None:
        self.query_one("#next").disabled = False
        self.wizard.ask(Asking("It cannot be started now", error_words(error), (("ok", "Close"),)))

    def action_back(self) -> None:
        """Where it came from; the work goes on."""
        if self._then is None:
            super().action_back()
            return
        if not self._ended:
            self.notify("The work goes on. Home shows it.")
        self._then()
