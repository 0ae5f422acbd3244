"""A re-install to be typed at the console, for one surveyed machine and one way: what to type, what must be seen, what
to do otherwise.

A runbook is text and does nothing, so it needs no consents; it lists them to be agreed to. Where something speaks
against the way there is none. Where other pools have to live, the new pool is made by hand. Pure; the forms it takes
are in `runbook_text` and `runbook_html`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.choices import MANUAL, Choices
from smartos_wizard.reinstall.judging import judge
from smartos_wizard.reinstall.losing import losses
from smartos_wizard.reinstall.model import Survey
from smartos_wizard.reinstall.planning import refuse_stops
from smartos_wizard.reinstall.planning_steps import Scene
from smartos_wizard.reinstall.runbook_steps import Todo, todos_of
from smartos_wizard.reinstall.saying import host_name, pool_line
from smartos_wizard.reinstall.ways import outcome_of, way_title

PRACTICE = "PRACTICE: this machine is make-believe. Nothing here is about a real one."


@dataclass(frozen=True, slots=True)
class Runbook:
    """All of it. `facts` are pairs of a word and what stands behind it, `dies`, `lives`, `lost` and `agree` are lists
    of sentences; `agree` is ticked off before the first step.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    dies: tuple[str, ...]
    lives: tuple[str, ...]
    lost: tuple[str, ...]
    agree: tuple[str, ...]
    todos: tuple[Todo, ...]
    practice: str = ""


def runbook_of(survey: Survey, choices: Choices, now: float, *, practice: bool = False) -> Runbook:
    """The runbook. Raises Refused where something speaks against this way; an old survey does not, because the
    first step compares everything.
    """
    bare = outcome_of(survey, choices.way, limited=choices.limited)
    if bare.wants_by_hand and not choices.by_hand:
        choices = replace(choices, consents=(*choices.consents, MANUAL))
    outcome, after, stops = judge(survey, choices, now, attended=True)
    refuse_stops(survey, stops)
    scene = Scene(survey, choices, outcome, after, stops)
    lost = [
        line
        for loss in losses(survey, outcome)
        for line in (loss.line, *(f"- {item}" for item in loss.items))
    ]
    return Runbook(
        title=f"Re-install {host_name(survey)}",
        facts=_facts(survey, choices),
        dies=tuple(f"{pool_line(fate.pool)}. {_sentence(fate.why)}" for fate in outcome.dying),
        lives=tuple(f"{pool_line(fate.pool)}. {_sentence(fate.why)}" for fate in outcome.fates if not fate.dies),
        lost=tuple(lost),
        agree=tuple(f"{s.text} {s.hint}".strip() for s in stops if s.level == "consent"),
        todos=todos_of(scene),
        practice=PRACTICE if practice else "",
    )  # fmt: skip


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _facts(survey: Survey, choices: Choices) -> tuple[tuple[str, str], ...]:
    try:
        day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(survey.taken))
    except (OverflowError, OSError, ValueError):
        day = "not known"
    machine = " ".join(filter(None, (tame(survey.manufacturer), tame(survey.product), tame(survey.serial))))
    return (
        ("Machine", host_name(survey) + (f", {machine}" if machine else "")),
        ("Hostid", tame(survey.hostid)),
        ("Runs", tame(survey.stamp) or "release not known"),
        ("Surveyed", day),
        ("Way", way_title(choices.way, choices.limited)),
        ("Boots after", _medium(survey, choices)),
    )


def _medium(survey: Survey, choices: Choices) -> str:
    if choices.prepared is not None:
        return choices.prepared.medium
    if survey.medium:
        return f"the SmartOS medium in it ({tame(survey.medium)})"
    return "the network"
