"""The name of the program, drawn large: the one ornament there is. It gives way where rows are few."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from textual.color import Color
from textual.content import Content
from textual.widgets import Static

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
_KEY = ("╭──────────┬───╮", "│ ● on USB │ ▪ │", "╰──────────┴───╯")
_ASCII_KEY = ("+----------+---+", "| * on USB | = |", "+----------+---+")


@cache
def _drawing(name: str) -> tuple[str, ...]:
    return tuple((_ASSETS / name).read_text(encoding="utf-8").splitlines())


def wordmark(first: str, last: str, *, ascii_only: bool = False) -> Content:
    """Three rows: the name in a run of colours from `first` to `last`, and a key beside it."""
    rows = _drawing("wordmark-ascii.txt" if ascii_only else "wordmark.txt")
    width = max((len(r) for r in rows), default=0)
    begin, end = Color.parse(first), Color.parse(last)
    lines = []
    for row, key in zip(rows, _ASCII_KEY if ascii_only else _KEY, strict=False):
        parts: list[str | tuple[str, str]] = []
        for column, glyph in enumerate(row.ljust(width)):
            colour = begin.blend(end, column / max(1, width - 1)).hex
            parts.append((glyph, f"bold {colour}"))
        tick = "on USB" in key
        parts.append("     ")
        if tick:
            parts += [(key[:2], "$dim"), (key[2:10], "bold $success"), (key[10:], "$dim")]
        else:
            parts.append((key, "$dim"))
        lines.append(Content.assemble(*parts))
    return Content("\n").join(lines)


class Wordmark(Static):
    """Follows the theme."""

    def __init__(self, *, ascii_only: bool, id: str = "wordmark") -> None:
        super().__init__("", id=id, markup=False)
        self._ascii = ascii_only

    def on_mount(self) -> None:
        """Draw, and again for each theme."""
        self._draw()
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._draw())

    def _draw(self) -> None:
        theme = self.app.current_theme
        self.update(wordmark(theme.primary, theme.accent or theme.primary, ascii_only=self._ascii))
