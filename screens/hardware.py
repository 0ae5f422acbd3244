"""Is this machine fit for SmartOS? One verdict for each thing that was looked at, and what to do about it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.boot.hardware_verdict import Level, Verdict
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.machine_desk import GRAVITY, LEVELS, Checked
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.widgets.reading import Reading
from smartos_wizard.screens.words import Marks, begin

_STYLES = {
    Level.OK: "$success",
    Level.WARNING: "bold $warning",
    Level.NO: "bold $error",
    Level.UNKNOWN: "$accent",
}
_LEVEL = 10  # cells for the word of a level, with air around it


class Fit(Page):
    """The verdicts, the gravest first."""

    SIDE_TITLE = "About this check"
    HELP = """
### What is this?
What SmartOS would say to this machine: processor, memory, network, disks, virtual machines, firmware, USB.
**NO** keeps SmartOS from running, a **warning** is worth knowing, **unknown** could not be seen from here.

### Another machine?
`smartos-wizard doctor --collect` there writes a file (so does a plain shell script, for systems without this
program), and `smartos-wizard doctor --target FILE` judges it anywhere.

### What is not touched?
Everything: it is only looked at. No disk is opened.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "r", "look", "Look again", id="fit.look", tooltip="After a change in the firmware, or a new card"
        ),
    ]

    _checked: Checked | None = None

    def frame(self) -> Widget:
        """The verdicts scroll, the sentence stays."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The sentence, then the verdicts."""
        with Vertical(classes="card", id="whole") as whole:
            whole.border_title = "Is this machine fit for SmartOS?"
            yield Static("Looking at this machine …", id="sentence", markup=False)
        with Reading(how="arrow keys", id="verdicts") as card:
            card.border_title = "What was looked at"
            yield Static("", id="lines", markup=False)

    def command(self) -> str:
        """The same by command."""
        start = begin(practice=self.wizard.desk.world.practice)
        return f"{start} doctor --target"

    def ready(self) -> None:
        """Look, in a thread."""
        self.query_one("#verdicts").focus()
        self.action_look()

    def action_look(self) -> None:
        """Once more."""
        self.query_one("#sentence", Static).update(Content("Looking at this machine …"))
        self.ask_rooms(self.wizard.desk.machine.check, self._found, self._failed)

    def _found(self, checked: Checked) -> None:
        self._checked = checked
        self.query_one("#verdicts").scroll_home(animate=False)
        self._draw()

    def _failed(self, error: ErrorReport) -> None:
        self._checked = None
        self.query_one("#sentence", Static).update(error_words(error))
        self.query_one("#lines", Static).update(Content(""))

    def _draw(self) -> None:
        if self._checked is None or not self.query("#lines"):
            return
        card = self.query_one("#verdicts")
        width = (card.content_region.width or self.app.size.width - 8) - 1
        worst = next(level for level in GRAVITY if level in {v.level for v in self._checked.verdicts})
        self.query_one("#whole").border_title = f"Is this machine fit for SmartOS?   {self._checked.name}"
        self.query_one("#sentence", Static).update(
            Content.assemble(
                (f"{sign(worst, self.marks)} ", _STYLES[worst]), (self._checked.sentence, "bold")
            )
        )
        lines = [
            line for v in graver_first(self._checked.verdicts) for line in verdict_lines(v, self.marks, width)
        ]
        self.query_one("#lines", Static).update(Content("\n").join(lines))

    def on_reading_widened(self) -> None:
        """Wrapped to the new width."""
        self._draw()

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()


def sign(level: Level, marks: Marks) -> str:
    """The sign of a level."""
    return {Level.OK: marks.good, Level.WARNING: marks.warn, Level.NO: marks.failed, Level.UNKNOWN: "?"}[
        level
    ]


def graver_first(verdicts: tuple[Verdict, ...]) -> list[Verdict]:
    """What keeps SmartOS from running first, what is well last; otherwise as judged."""
    return sorted(verdicts, key=lambda v: GRAVITY.index(v.level))


def verdict_lines(verdict: Verdict, marks: Marks, width: int) -> Iterator[Content]:
    """A verdict in lines of at most `width` cells: sign and level, what was found, why that matters, what to do."""
    signs = max(len(marks.good), len(marks.warn), len(marks.failed))
    column = signs + _LEVEL
    room = max(20, width - column)
    head = f"{sign(verdict.level, marks):<{signs}} {LEVELS[verdict.level]:<{_LEVEL - 1}}"
    parts = textwrap.wrap(f"{verdict.name}: {verdict.found}", room) or [verdict.name]
    name = len(verdict.name) + 1
    yield Content.assemble((head, _STYLES[verdict.level]), (parts[0][:name], "bold"), parts[0][name:])
    gap = " " * column
    yield from (Content.assemble(gap, part) for part in parts[1:])
    yield from (Content.assemble(gap, (part, "$dim")) for part in textwrap.wrap(verdict.why, room))
    if verdict.todo:
        first, *rest = textwrap.wrap(f"What to do: {verdict.todo}", room)
        yield Content.assemble(gap, (first[:11], "bold"), first[11:])
        yield from (Content.assemble(gap, part) for part in rest)
