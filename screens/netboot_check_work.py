"""A check as it goes: findings in words, then file by file."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.progress import Meter
from smartos_wizard.core.text import folded
from smartos_wizard.screens.netboot_model import BuildAnswers, ServeAnswers
from smartos_wizard.screens.netboot_words import checked, counted
from smartos_wizard.screens.netboot_work import NetbootWork
from smartos_wizard.screens.options_fields import say
from smartos_wizard.screens.widgets.reading import Reading


class CheckWork(NetbootWork):
    """A tree that is checked: findings in words, then file by file."""

    HELP = """
### What is this?
Every script is read and followed to every file it can name. Findings come first, then every file with what it is.

### What happens?
**WHOLE** means that every file is there, lies where SmartOS insists on it, and that the archives that were read are what
their hashes say. A hash that does not hold means that SmartOS would panic at boot: build that release in anew.
`c` gives up; nothing is changed by that.

### What is not touched?
Everything: it only reads.
"""

    def below(self) -> ComposeResult:
        """What was found."""
        yield from super().below()
        with Reading(how="Tab, arrow keys", id="found-card", keeps=False) as card:
            card.border_title = "What was found"
            yield Static("", id="found-said", markup=False)

    @property
    def result(self) -> dict[str, Any]:
        """What the check tells at its end."""
        ended = self.progress.ended
        return ended.result if isinstance(ended, PlanFinished) else {}

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """Findings as they come, all of it at the end."""
        super().draw_below(meters, width)
        self.query_one("#noted").display = False
        card = self.query_one("#found-card")
        each, notes = list(self.result.get("each", ())), self.progress.notes
        card.display = bool(each or notes)
        if each:
            card.border_title = f"File by file: {counted(each)}"
            lines = list(checked(each, list(self.result.get("findings", ())), self.marks, width - 2))
        else:
            lines = [Content.assemble((f"{self.marks.warn} ", "bold $warning"), note.text) for note in notes]
        say(self.query_one("#found-said", Static), Content("\n").join(lines), grows=True)

    def leaves(self) -> bool:
        """Room for what was found."""
        if self.app.size.height < 32 and self.result.get("each"):
            self.query_one("#going").display = False
        if self.result.get("each"):
            self.job.seen_file.touch()  # a tree that is not right is an answer, not work left unfinished
        return super().leaves()

    def _end(self, *, lost: bool) -> None:
        super()._end(lost=lost)
        if self.result.get("each"):
            self.query_one("#end").border_title = "WHOLE" if self.good else "NOT RIGHT"
            if self._broken:
                self.query_one("#next", Button).label = "Build it anew"
            self.draw()

    def how_it_ended(self, *, lost: bool) -> Content:
        """In one or two lines: the rest stands below."""
        each = list(self.result.get("each", ()))
        ended = self.progress.ended
        if self.good or not each or not isinstance(ended, PlanFinished) or lost:
            return super().how_it_ended(lost=lost)
        error = ended.error
        wrong = sum(f.get("level") == "error" for f in self.result.get("findings", ()))
        count = f"{wrong} things are wrong." if wrong != 1 else "One thing is wrong."
        hint = error.hint if error is not None else ""
        if "://" in str(self.plan.params["where"]):
            hint = "Whoever runs that server can put it right."
        elif self._broken:
            hint = f"Build {', '.join(self._broken)} into the tree anew."
        said = f"{count} {hint}".strip()
        width = max(40, self.query_one("#body").content_region.width - 5)
        lines: list[Content] = [Content(part) for part in folded(said, width)]
        code = error.exit_code if error is not None else ended.exit_code
        return Content("\n").join([*lines, Content.assemble((f"(exit code {code})", "$faint"))])

    @property
    def _broken(self) -> tuple[str, ...]:
        """Releases of a tree of this computer that are not right, newest first."""
        if self.good or "://" in str(self.plan.params["where"]):
            return ()
        bad = [
            str(row["path"]).split("/") for row in self.result.get("each", ()) if row.get("state") == "bad"
        ]
        return tuple(sorted({parts[1] for parts in bad if parts[0] == "os" and len(parts) > 2}, reverse=True))

    def again(self) -> None:
        """Build anew what is not right; otherwise check once more."""
        if not self._broken:
            super().again()
            return
        from smartos_wizard.screens.netboot_build import BuildTree

        self.wizard.show(BuildTree(BuildAnswers(str(self.plan.params["where"]), self._broken, again=True)))

    def onward(self) -> str:
        """From a good tree of this computer to serving it."""
        return "" if "://" in str(self.plan.params["where"]) else "Serve it now"

    def go_on(self) -> None:
        """To the network."""
        from smartos_wizard.screens.netboot_wire import ChooseWire

        self.wizard.show(ChooseWire(ServeAnswers(str(self.plan.params["where"]))))
