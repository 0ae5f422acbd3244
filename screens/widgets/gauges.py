"""Bars, graphs and phases as text: pure functions over the reduced progress, in Unicode or ASCII."""

from __future__ import annotations

import time

from textual.content import Content

from smartos_wizard.core import text
from smartos_wizard.core.progress import Meter, Progress
from smartos_wizard.screens.words import Marks

PHASES = {
    "source": "image found", "unmount": "unmounted", "open": "opened, identity proven", "write": "writing",
    "boot-sectors": "boot sectors", "prove": "proving", "receipt": "receipt", "fetch": "download and check",
    "keep": "keep", "stored": "here already", "compare": "comparing", "format": "formatting", "boot": "starting it",
}  # fmt: skip
"""The short word of a step; others show their own name."""


def bar(fraction: float | None, width: int, marks: Marks) -> Content:
    """A bar of `width` cells."""
    exact = min(1.0, max(0.0, fraction or 0.0)) * width
    full = int(exact)
    end = marks.ends[int((exact - full) * len(marks.ends))].strip() if full < width else ""
    return Content.assemble(
        (marks.full * full + end, "$primary"), (marks.empty * (width - full - len(end)), "$border")
    )


def amount(meter: Meter) -> str:
    """How much of what, in true bytes, and the share of it."""
    if not meter.total:
        return text.size(meter.done)
    share = int((meter.fraction or 0.0) * 100)
    return f"{text.size(meter.done)} of {text.size(meter.total)}  {share} %"


def clock_time(at: float) -> str:
    """A time of day as the wall clock shows it."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def remaining(meter: Meter, now: float) -> str:
    """The time left and when that is; empty while it cannot be told."""
    left = meter.remaining()
    if left is None:
        return ""
    return f"{text.duration(left)} left, done at {clock_time(now + left)}"


def phases(progress: Progress, marks: Marks) -> list[Content]:
    """One piece per step: its mark and word."""
    found = []
    styles = {"done": "$success", "now": "bold $accent", "failed": "bold $error", "cancelled": "$warning"}
    for step in progress.steps:
        state = step.state
        mark = {"done": marks.done, "now": marks.now, "failed": marks.failed, "cancelled": marks.failed}.get(
            state, marks.todo
        )
        word = PHASES.get(step.head.id, step.head.id.replace("-", " "))
        note = {"failed": " failed", "cancelled": " stopped"}.get(state, "")
        style = styles.get(state, "$faint")
        found.append(Content.assemble((mark, style), (f" {word}{note}", style if state == "now" else "$dim")))
    return found


def wrapped(pieces: list[Content], width: int, gap: str = "  ") -> Content:
    """Pieces side by side, in as many rows as `width` takes; no piece is broken."""
    rows: list[list[Content]] = [[]]
    used = 0
    for piece in pieces:
        need = piece.cell_length + (len(gap) if rows[-1] else 0)
        if rows[-1] and used + need > width:
            rows.append([])
            used, need = 0, piece.cell_length
        rows[-1].append(piece)
        used += need
    return Content("\n").join(Content(gap).join(row) for row in rows)


def _nice(value: float) -> float:
    """The next number a person would put on an axis."""
    step = 1.0
    while step * 10 < value:
        step *= 10
    return next((step * m for m in (1, 2, 3, 4, 5, 6, 8, 10) if step * m >= value), step * 10)


def columns(history: tuple[tuple[float, float], ...], width: int) -> list[float]:
    """Rates resampled to at most `width` columns, oldest first; gaps keep the last rate."""
    if not history:
        return []
    start, end = history[0][0], history[-1][0]
    span = max(end - start, 8.0)
    sums, counts = [0.0] * width, [0] * width
    for at, rate in history:
        place = min(width - 1, int((at - start) / span * (width - 1)))
        sums[place] += rate
        counts[place] += 1
    last = min(width - 1, int((end - start) / span * (width - 1)))
    values: list[float] = []
    for total, count in list(zip(sums, counts, strict=True))[: last + 1]:
        values.append(total / count if count else values[-1] if values else 0.0)
    return values


def graph(history: tuple[tuple[float, float], ...], width: int, height: int, marks: Marks) -> Content:
    """The speed over time in MB/s, numbers at its left; `height` rows (even: half the top is named) and the axis."""
    top = _nice(max((rate for _, rate in history), default=0.0) / 1e6 or 1.0)
    wide = len(f"{top:g}") if top >= 10 else 2
    room = max(8, width - wide - 2)
    values = columns(history, room)
    rows: list[Content] = []
    steps = len(marks.levels)
    for row in range(height):
        low = top * (height - row - 1) / height
        cells = ""
        for value in values:
            part = (value / 1e6 - low) / (top / height)
            level = int(min(1.0, max(0.0, part)) * steps)
            cells += marks.levels[level - 1] if level else " "
        label = f"{top:g}" if row == 0 else f"{top / 2:g}" if row * 2 == height else ""
        tick = marks.tick if label else marks.wall
        style = "$accent" if row == 0 else "$primary"
        rows.append(Content.assemble((f"{label:>{wide}} {tick}", "$dim"), (cells, style)))
    rows.append(Content.assemble((f"{0:>{wide}} {marks.corner}{marks.axis * room}", "$dim")))
    return Content("\n").join(rows)


def shown_span(history: tuple[tuple[float, float], ...]) -> str:
    """How much time the graph shows, in words."""
    span = history[-1][0] - history[0][0] if len(history) > 1 else 0.0
    return f"the last {text.duration(span)}" if span >= 1 else ""
