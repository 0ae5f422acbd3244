"""A plan as a person reads it: numbered steps, what each does, and what will be gone."""

from __future__ import annotations

from textual.content import Content

from smartos_wizard.core.plan import Effect, Plan
from smartos_wizard.core.text import folded

_EFFECTS = {
    Effect.READS: ("reads", "$dim"),
    Effect.CREATES: ("creates", "$primary"),
    Effect.CHANGES: ("changes", "$warning"),
    Effect.DESTROYS: ("DESTROYS", "bold $error"),
}


def effect_word(effect: str) -> tuple[str, str]:
    """The word of an effect and how it is drawn."""
    return _EFFECTS[Effect(effect)]


def plan_words(plan: Plan, *, short: bool = False, by_hand: bool = False, width: int = 76) -> Content:
    """The plan, one numbered step after the other; `short` keeps fewer details."""
    lines: list[Content] = []
    for number, step in enumerate(plan.steps, 1):
        word, style = _EFFECTS[step.effect]
        bold = "bold" if step.effect is Effect.DESTROYS else ""
        head, *rest = folded(step.title, width - 12) or [""]
        lines.append(Content.assemble((f"{number:>2} ", "$dim"), (f"{word:<9}", style), (head, bold)))
        lines += [Content.assemble(" " * 12, (part, bold)) for part in rest]
        details = (
            step.details
            if by_hand or "files" not in step.params
            else step.details[: len(step.params["files"])]
        )
        if short and step.effect is not Effect.DESTROYS:
            details = details if "files" in step.params else details[:1] if number == 1 else ()
        if step.by_hand and by_hand:
            details = (*details, f"by hand: {step.by_hand}")
        for detail in details:
            parts = folded(detail, width - 14, indent="  ")
            lines += [Content.assemble(" " * 12, (part, "$dim")) for part in parts]
    return Content("\n").join(lines)
