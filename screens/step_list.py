"""The steps of work that goes on, one below the other, as many as fit around the one at hand. Pure."""

from __future__ import annotations

from textual.content import Content

from smartos_wizard.core.events import StepHead
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress, StepState
from smartos_wizard.screens.plan_words import effect_word
from smartos_wizard.screens.words import Marks

_LEAST = 3


def step_list(progress: Progress, plan: Plan, marks: Marks, width: int, room: int) -> Content:
    """Each step with its mark and effect, in at most `room` lines; those before and after are counted."""
    states = list(progress.steps) or [_waiting(plan, n) for n in range(len(plan.steps))]
    room = max(_LEAST, room)
    at = next((n for n, s in enumerate(states) if s.state != "done"), len(states) - 1)
    first = max(0, min(at - room // 2, len(states) - room))
    lines = [_step(state, marks, width) for state in states[first : first + room]]
    last = len(states) - first - room
    if first > 0:
        lines[0] = Content.assemble((f"  {first + 1} done before", "$dim"))
    if last > 0:
        lines[-1] = Content.assemble((f"  {last + 1} more to come", "$dim"))
    return Content("\n").join(lines)


def _step(state: StepState, marks: Marks, width: int) -> Content:
    mark, style = {
        "done": (marks.done, "$success"),
        "now": (marks.now, "bold $accent"),
        "failed": (marks.failed, "bold $error"),
        "cancelled": (marks.failed, "$warning"),
    }.get(state.state, (marks.todo, "$faint"))
    end = {"failed": " failed", "cancelled": " stopped"}.get(state.state, "")
    word, colour = effect_word(state.head.effect)
    room = width - len(mark) - 11 - len(end)
    title = state.head.title if len(state.head.title) <= room else state.head.title[: room - 1] + "…"
    bold = "bold" if state.state == "now" else "" if state.state == "done" else "$dim"
    return Content.assemble(
        (mark, style), (f" {word:<9}", colour), (title, bold), (end, "bold $error" if end else "")
    )


def _waiting(plan: Plan, number: int) -> StepState:
    step = plan.steps[number]
    return StepState(StepHead(step.id, step.title, step.effect.value))
