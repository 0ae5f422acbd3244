"""Pairs of a name and a value, aligned."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from textual.content import Content


def pairs(rows: Sequence[tuple[str, str]], *, width: int = 0) -> Content:
    """One line per pair; the names are dimmed, the values start in one column and, given a `width`, stay in it."""
    wide = max((len(name) for name, _ in rows), default=0)
    lines = []
    for name, value in rows:
        room = max(12, width - wide - 2) if width else len(value) or 1
        for number, part in enumerate(textwrap.wrap(value, room) or [""]):
            lines.append(Content.assemble(((name if not number else "").ljust(wide + 2), "$dim"), part))
    return Content("\n").join(lines)
