"""Pairs of a name and a value, aligned."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content


def pairs(rows: Sequence[tuple[str, str]], *, indent: int = 0) -> Content:
    """One line per pair; the names are dimmed, the values start in one column."""
    wide = max((len(name) for name, _ in rows), default=0)
    lines = [
        Content.assemble(" " * indent, (name.ljust(wide + 2), "$text-muted"), value) for name, value in rows
    ]
    return Content("\n").join(lines)
