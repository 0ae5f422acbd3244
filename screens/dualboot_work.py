"""SmartOS is put beside Linux, or taken away: the steps as they go, and how it ended."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Meter
from smartos_wizard.core.text import folded
from smartos_wizard.screens.step_list import step_list
from smartos_wizard.screens.told_work import ToldWork
from smartos_wizard.screens.work_words import how_it_ended

INSTALL = "dualboot-install"
_BESIDE = 16
"""Rows of the window that are not the list of steps."""


class DualbootWork(ToldWork):
    """One job about how this computer starts, as it goes."""

    SIDE_TITLE: ClassVar[str] = "The computer and what happened"
    HELP = """
### What is this?
The work, in a process of its own, step by step as the plan said.

### What happens?
If this window closes, the work goes on: start the wizard again and follow it from Home. `c` cancels at the next safe
moment. When a step of an installation fails, or it is cancelled, what was done before is taken back in reverse: this
computer then starts as before.

### What is not touched?
Boot sectors, GRUB itself, every other file, partition and pool, and what starts by itself.
"""

    def __init__(self, job: Job, plan: Plan | None = None, disk: str = "") -> None:
        """`disk` is the one that SmartOS' pool shall take, in words."""
        super().__init__(job, plan)
        self._disk = disk

    @property
    def root(self) -> str:
        """Which Linux it is about."""
        return str(self.plan.params.get("root", ""))

    def below(self) -> ComposeResult:
        """What was noted last."""
        yield Static("", id="noted", markup=False)

    def steps(self, width: int) -> Content:
        """One below the other."""
        return step_list(self.progress, self.plan, self.marks, width, self.app.size.height - _BESIDE)

    def facts(self) -> list[tuple[str, str]]:
        """The menu, where the files go, the release."""
        params = self.plan.params
        rows = (("Menu", "grub_cfg"), ("Files", "home"), ("Release", "stamp"))
        return [(name, str(params[key])) for name, key in rows if params.get(key)]

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """The last word, once there is one."""
        del meters
        self.last_word(width)

    # ------------------------------------------------------------------ the end

    def leaves(self) -> bool:
        """A good end has a screen of its own."""
        if not self.good:
            self.query_one("#noted").display = self.query_one("#meters").display = False
            if self.plan.kind == INSTALL:
                desk, root = self.wizard.desk.dualboot, self.root
                self.ask_rooms(lambda: desk.traces(root), self._left, lambda _error: None)
            return False
        from smartos_wizard.screens.dualboot_done import DualbootDone, DualbootGone

        warned = tuple(
            n.text for n in self.progress.notes if n.level == "warning" or self.plan.kind != INSTALL
        )
        if self.plan.kind == INSTALL:
            told = any("told-in-rescue" in path for path in self.plan.params.get("own", ()))
            self.wizard.show(DualbootDone(self.root, self._disk, told=told, notes=warned))
        else:
            self.wizard.show(DualbootGone(self.root, warned))
        return True

    def _left(self, traces: tuple[str, ...]) -> None:
        """It was looked whether anything is left of it, whatever the work said."""
        if traces:
            means, style = (
                f"{self.marks.warn} Something of it is left: {traces[0]} … “Try again” shows it, and takes it away.",
                "bold $warning",
            )
        else:
            means, style = (
                "It was looked again: nothing of it is left. This computer starts as before.",
                "bold",
            )
        width = max(40, self.query_one("#body").content_region.width - 5)
        said, end = (
            self.query_one("#said", Static),
            Content("\n").join(Content.assemble((p, style)) for p in folded(means, width)),
        )
        said.update(Content("\n").join([how_it_ended(self.progress, lost=self.progress.ended is None), end]))
