"""What setup will do with answers, all of it, for a box and for the side of a wide window."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from smartos_wizard.boot.answers_check import stops, trap_warnings
from smartos_wizard.screens.words import Marks


def what_happens(answers: Mapping[str, str], marks: Marks, *, console_set: bool) -> Content:
    """Where setup stops, where it may, and the traps."""
    found = stops(answers)
    certain = [stop.text for stop in found if not stop.maybe]
    perhaps = [stop.text for stop in found if stop.maybe]
    lines = [Content.assemble(("Setup will stop and" if certain else "Setup will not stop.", "bold"))]
    lines += [Content(f"- {words}") for words in certain]
    if perhaps:
        lines += [Content.assemble(("It may", "bold")), *(Content(f"- {words}") for words in perhaps)]
    known = trap_warnings(answers, console_set=console_set)
    if known:
        lines.append(Content.assemble(("\nKnow before", "bold")))
    for trap in known:
        mild = trap.level == "info"
        lines.append(
            Content.assemble((f"{'-' if mild else marks.warn} {trap.text}", "$dim" if mild else "$warning"))
        )
    return Content("\n").join(lines)
