"""Work on trees as it goes: building one, writing configuration; what checking and serving share with that."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Meter
from smartos_wizard.core.text import folded
from smartos_wizard.screens.netboot_model import ServeAnswers, answers_of
from smartos_wizard.screens.netboot_words import here
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.step_list import step_list
from smartos_wizard.screens.told_work import ToldWork
from smartos_wizard.screens.work_words import how_it_ended

BUILD, CHECK, SERVE, CONFIG = "netboot-build", "netboot-check", "netboot-serve", "netboot-config"
_BESIDE = 16
"""Rows of the window that are not the list of steps."""


def netboot_work(job: Job, plan: Plan) -> ToldWork:
    """The screen of a job of that room."""
    if plan.kind == SERVE:
        from smartos_wizard.screens.netboot_serve_work import ServeWork

        return ServeWork(job, plan)
    if plan.kind == CHECK:
        from smartos_wizard.screens.netboot_check_work import CheckWork

        return CheckWork(job, plan)
    return NetbootWork(job, plan)


class NetbootWork(ToldWork):
    """A tree that is built, or configuration that is written."""

    SIDE_TITLE: ClassVar[str] = "The tree and what happened"
    HELP = """
### What is this?
The work, in a process of its own, step by step as the plan said.

### What happens?
If this window closes, the work goes on: start the wizard again and follow it from Home. `c` stops at the next safe moment;
the tree is then as it was, and what was downloaded is kept. At the end every file that a script names is read back.

### What is not touched?
Everything else in that directory, and every other one.
"""

    def below(self) -> ComposeResult:
        """What was noted last, where it is not at the side."""
        yield Static("", id="noted", markup=False)

    # ------------------------------------------------------------------ drawing

    def steps(self, width: int) -> Content:
        """As many as fit around the one at hand."""
        return step_list(self.progress, self.plan, self.marks, width, self.app.size.height - _BESIDE)

    def facts(self) -> list[tuple[str, str]]:
        """What it is about, as pairs."""
        params = self.plan.params
        rows = [("Tree", str(params.get("root") or params.get("where") or ""))]
        if params.get("after"):
            rows.append(("Releases", ", ".join(map(str, params["after"]))))
        if params.get("gone"):
            rows.append(("Leave it", ", ".join(map(str, params["gone"]))))
        return [(name, words) for name, words in rows if words]

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """The last word."""
        del meters
        self.last_word(width, "  ")

    # ------------------------------------------------------------------ the end

    def leaves(self) -> bool:
        """Room for the end."""
        for part in ("#noted", "#meters"):
            self.query_one(part).display = False
        if self.good and self.plan.kind == BUILD:
            self.wizard.desk.boot.forget(self.plan)
        return False

    def how_it_ended(self, *, lost: bool) -> Content:
        """The end in words, wrapped."""
        words = how_it_ended(self.progress, lost=lost)
        ended = self.progress.ended
        if self.progress.error is not None and not lost:
            return error_words(here(self.progress.error))
        if self.good and isinstance(ended, PlanFinished):
            width = max(40, self.query_one("#body").content_region.width - 5)
            said = [str(line) for line in ended.result.get("say", ())]
            shown = [line for line in said if not line.startswith("To serve it: ")]
            words = Content("\n".join(part for line in shown for part in folded(line, width)))
        return words

    def _end(self, *, lost: bool) -> None:
        super()._end(lost=lost)
        if self._wire and not self.good and self.query("#next"):
            self.query_one("#next", Button).label = "Change it"

    @property
    def _wire(self) -> bool:
        """Whether it is about a network, which was chosen."""
        return self.plan.kind in (SERVE, CONFIG)

    def again(self) -> None:
        """What was chosen of the network may be what was wrong; anything else is begun once more."""
        if not self._wire:
            super().again()
            return
        from smartos_wizard.screens.netboot_wire import ChooseWire

        self.job.seen_file.touch()
        self.wizard.show(ChooseWire(answers_of(self.plan)))

    def onward(self) -> str:
        """From a tree to serving it."""
        return "Serve it now" if self.plan.kind == BUILD else ""

    def go_on(self) -> None:
        """To the network."""
        from smartos_wizard.screens.netboot_wire import ChooseWire

        self.wizard.show(ChooseWire(ServeAnswers(str(self.plan.params["root"]))))
