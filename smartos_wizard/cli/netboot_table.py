"""The table of machines on a terminal, drawn over itself; where there is no terminal, a line when something changes."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

import click

from smartos_wizard.cli.output import PlainPrinter
from smartos_wizard.core import text
from smartos_wizard.core.events import Advanced, Event, Noted, PlanCancelled, PlanFinished

_EVERY = 0.25
_HEAD = ("MACHINE", "STATE", "HOW FAR", "SPEED", "FILE", "FIRMWARE", "ADDRESS")
"""What matters most stands left: a narrow terminal cuts the rest off."""


class TablePrinter:
    """The usual lines until machines come; from then on a table below them."""

    def __init__(self) -> None:
        self._lines = PlainPrinter()
        self._tty = sys.stderr.isatty()
        self._rows: dict[str, dict[str, Any]] = {}
        self._height, self._drawn = 0, 0.0

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Noted(reference="machine"):
                self._rows[event.target] = {**self._rows.get(event.target, {}), **event.data}
                if not self._tty:
                    self._lines.show(event)
                self._draw()
            case Advanced() if event.target:
                row = self._rows.setdefault(event.target, {"mac": event.target})
                row |= {"file": event.bottleneck, "done": event.done, "total": event.total}
                self._draw(soon=event.done != event.total)
            case PlanFinished() | PlanCancelled():
                self._draw()
                self._height = 0  # what stands there stays
                self._lines.show(event)
            case _:
                self._clear()
                self._lines.show(event)
                self._draw()

    def _draw(self, *, soon: bool = False) -> None:
        if not self._tty or not self._rows or (soon and time.monotonic() - self._drawn < _EVERY):
            return
        self._drawn = time.monotonic()
        self._clear()
        size = shutil.get_terminal_size()
        for line in table_lines(list(self._rows.values()), size.columns, size.lines - 2):
            click.echo(line, err=True)
            self._height += 1

    def _clear(self) -> None:
        if self._tty and self._height:
            click.echo(f"\x1b[{self._height}F\x1b[J", err=True, nl=False)
            self._height = 0


def table_lines(rows: list[dict[str, Any]], width: int, height: int) -> list[str]:
    """The table in at most `width` columns and `height` lines; machines that came last are left out first."""
    cells = [_HEAD, *(_cells(row) for row in rows[: max(1, height - 2)])]
    widths = [max(len(line[i]) for line in cells) for i in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()[: width - 1]
        for line in cells
    ]
    left = len(rows) - (len(cells) - 1)
    return [*lines, f"and {left} more"] if left else lines


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    done, total = int(row.get("done") or 0), int(row.get("total") or 0)
    far = f"{done * 100 // total} % of {text.size(total)}" if total else ""
    rate = float(row.get("rate") or 0)
    return (
        str(row.get("mac") or "?"), str(row.get("state") or ""), far, text.rate(rate) if rate else "",
        str(row.get("file") or "").rsplit("/", 1)[-1], str(row.get("firmware") or ""), str(row.get("address") or ""),
    )  # fmt: skip
