"""The line above every screen of the way to a key: which steps are done, which is now, which are to come."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from smartos_wizard.screens.flow import TITLES, Stage
from smartos_wizard.screens.words import Marks


def rail(stage: Stage, marks: Marks, *, failed: bool = False, width: int = 80) -> Content:
    """The rail; the step at hand is bold, and marked `failed` where it went wrong."""
    stages = list(Stage)
    at = stages.index(stage)
    wide = len(marks.done) > 1  # ASCII marks take three cells: with eight steps no blank is left behind them
    blank = "" if wide and width < 100 else " "
    gap = " " if wide or width < 80 else " ──── " if width >= 108 else " ─ " if width >= 86 else "  "
    parts: list[Content | str | tuple[str, str]] = []
    for number, each in enumerate(stages):
        if parts:
            parts.append((gap, "$success" if number <= at else "$faint"))
        if width < 80 and number != at:
            mark = marks.done if number < at or stage is Stage.DONE else marks.todo
            parts.append((mark, "$success" if number < at else "$faint"))
            continue
        whole = stage is Stage.DONE
        if number < at or (whole and number == at):
            parts += [(marks.done, "$success"), (f"{blank}{TITLES[each]}", "$dim")]
        elif number == at:
            mark, style = (marks.failed, "$error") if failed else (marks.now, "$accent")
            parts += [(mark, style), (f"{blank}{TITLES[each]}", f"bold {style}")]
        else:
            parts += [(marks.todo, "$faint"), (f"{blank}{TITLES[each]}", "$faint")]
    if width < 80:
        parts.append((f"   step {at + 1} of {len(stages)}", "$dim"))
    return Content.assemble(*parts)


class Rail(Static):
    """Shows the rail of one stage; one row."""

    def __init__(self, stage: Stage, marks: Marks) -> None:
        super().__init__(rail(stage, marks), id="rail", markup=False)
        self._marks = marks
        self._stage, self._failed = stage, False

    def move(self, stage: Stage, *, failed: bool = False) -> None:
        """Show another stage."""
        self._stage, self._failed = stage, failed
        self.on_resize()

    def on_resize(self) -> None:
        """Give the steps more air where there is room."""
        self.update(rail(self._stage, self._marks, failed=self._failed, width=self.app.size.width))
