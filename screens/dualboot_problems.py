"""What speaks against SmartOS beside a Linux, and what has to be known, as lines of a screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from smartos_wizard.core.text import folded
from smartos_wizard.screens.dualboot_words import hint_of

if TYPE_CHECKING:
    from smartos_wizard.netboot.dualboot_model import Problem
    from smartos_wizard.screens.words import Marks


def problem_lines(problems: tuple[Problem, ...], marks: Marks, width: int) -> Iterator[Content]:
    """Each problem with its mark, and what to do about it."""
    for problem in problems:
        mark, style = {
            "stop": (marks.failed, "bold $error"),
            "warning": (marks.warn, "bold $warning"),
        }.get(problem.level, (" ", ""))
        gap = " " * (len(mark) + 1)
        for number, part in enumerate(folded(problem.text, width - len(gap))):
            yield Content.assemble(
                (f"{mark} " if not number else gap, style), (part, style if problem.level == "stop" else "")
            )
        for part in folded(hint_of(problem), width - len(gap)):
            yield Content.assemble(gap, (part, "$dim"))
