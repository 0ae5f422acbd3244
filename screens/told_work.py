"""What works on guests, machines, trees and entries share: the steps keep to the window, and beside them stand facts and events."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.events import PlanFinished
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.options_fields import say
from smartos_wizard.screens.widgets.gauges import clock_time
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.widgets.rail import Rail
from smartos_wizard.screens.working import Working


class ToldWork(Working):
    """One job with a side that tells whom it is about and what happened."""

    def facts(self) -> Sequence[tuple[str, str]]:
        """Whom it is about, as names and values."""
        return ()

    def side(self) -> ComposeResult:
        """Whom it is about, and what was noted."""
        yield Static("", id="facts", markup=False)
        yield Static("Events", classes="heading gap", markup=False)
        yield Static("", id="events", markup=False)

    def told(self) -> Sequence[str]:
        """What the end says, line by line: all of it, for the log."""
        ended = self.progress.ended
        return [str(line) for line in ended.result.get("say", ())] if isinstance(ended, PlanFinished) else ()

    def action_log(self) -> None:
        """What was noted, and all that the end says."""
        lines = [f"{clock_time(n.at)}  {n.text}" for n in self.progress.notes]
        words = "\n".join([*lines, *self.told()] or ["Nothing was noted yet."])
        all_of_it = f"{words}\n\nAll of it: {self.job.journal_file}"
        self.wizard.ask(Asking("Log", all_of_it, (("ok", "Close"),), tall=True))

    def draw_head(self, width: int) -> None:
        """The side and the rail."""
        del width
        if self.stage is not None and self.query(Rail):
            self.query_one(Rail).move(self.stage, failed=self.failed)
        if self.app.size.width < 110:
            return
        say(self.query_one("#facts", Static), pairs(list(self.facts()), width=34), grows=True)
        notes = [
            Content.assemble((f"{clock_time(n.at)}  ", "$dim"), n.text) for n in self.progress.notes[-10:]
        ]
        lines = Content("\n").join(notes or [Content("Nothing yet.")])
        say(self.query_one("#events", Static), lines, grows=True)

    def last_word(self, width: int, lead: str = "") -> None:
        """What was noted last in `#noted`, cut to a line, while the work goes on; gauges go when it has ended."""
        place = self.query_one("#noted", Static)
        note = self.progress.notes[-1] if self.progress.notes else None
        place.display = note is not None and not self._ended
        if note is not None:
            words = note.text if len(note.text) <= width else note.text[: width - 1] + "…"
            style = "bold $warning" if note.level == "warning" else "$dim"
            say(place, Content.assemble(lead, (words, style)), grows=True)
        self.query_one("#meters").display = not self._ended
