"""The line above every screen of a road: which steps are done, which is now, which are to come."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from smartos_wizard.screens.flow import KEY_ROAD, TITLES, Road, Stage
from smartos_wizard.screens.words import Marks

_MARGIN = 4


def rail(
    stage: Stage, marks: Marks, *, failed: bool = False, width: int = 80, road: Road = KEY_ROAD
) -> Content:
    """The rail; the step at hand is bold, and marked `failed` where it went wrong.

    Where not all names fit, those of steps that are done go first, then those that are far ahead.
    """
    at = road.index(stage)
    whole = at == len(road) - 1 and stage is Stage.DONE
    wide = len(marks.done) > 1  # ASCII marks take three cells: with eight steps no blank is left behind them
    blank = "" if wide and width < 100 else " "
    gap, named = _fitting(road, at, width, len(marks.done) + len(blank), wide=wide)
    parts: list[Content | str | tuple[str, str]] = []
    for number, each in enumerate(road):
        if parts:
            parts.append((gap, "$success" if number <= at else "$faint"))
        title = f"{blank}{TITLES[each]}" if number in named else ""
        if number < at or (whole and number == at):
            parts += [(marks.done, "$success"), (title, "$dim")]
        elif number == at:
            mark, style = (marks.failed, "$error") if failed else (marks.now, "$accent")
            parts += [(mark, style), (title, f"bold {style}")]
        else:
            parts += [(marks.todo, "$faint"), (title, "$faint")]
    line = Content.assemble(*parts)
    if width < 80:
        counted = f"{at + 1} of {len(road)}"
        long = line.cell_length + len(counted) + 8 > width - _MARGIN
        line += Content.assemble((f"  {counted}" if long else f"   step {counted}", "$dim"))
    return line


def _fitting(road: Road, at: int, width: int, mark: int, *, wide: bool) -> tuple[str, set[int]]:
    """The gap between steps and the steps whose names are shown, so that the whole fits."""
    if width < 80:
        return " ", {at}
    named = set(range(len(road)))
    drop = [*range(at - 1), *range(len(road) - 1, at + 1, -1)]
    gaps = [g for g, least in ((" ──── ", 108), (" ─ ", 86), ("  ", 80), (" ", 80)) if width >= least]
    if wide:
        gaps = [" "]
    while True:
        room = width - _MARGIN - sum(mark + (len(TITLES[s]) if n in named else 0) for n, s in enumerate(road))
        for gap in gaps if len(named) == len(road) else gaps[-2:]:
            if len(gap) * (len(road) - 1) <= room:
                return gap, named
        if not drop:
            return gaps[-1], named
        named.discard(drop.pop(0))


class Rail(Static):
    """Shows the rail of one stage; one row."""

    def __init__(self, stage: Stage, marks: Marks, road: Road = KEY_ROAD) -> None:
        super().__init__(rail(stage, marks, road=road), id="rail", markup=False)
        self._marks, self._road = marks, road
        self._stage, self._failed = stage, False

    def move(self, stage: Stage, *, failed: bool = False) -> None:
        """Show another stage."""
        self._stage, self._failed = stage, failed
        self.on_resize()

    def on_resize(self) -> None:
        """Give the steps more air where there is room."""
        width = self.app.size.width
        self.update(rail(self._stage, self._marks, failed=self._failed, width=width, road=self._road))
