"""What is promised of every plan of a re-install, as a function that a test calls for each generated machine."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.plan import Effect, Plan, Step, require_confirmed
from smartos_wizard.reinstall.choices import MANUAL, Choices, Prepared
from smartos_wizard.reinstall.judging import judge
from smartos_wizard.reinstall.model import Pool, Survey, Way
from smartos_wizard.reinstall.planning import plan_reinstall
from smartos_wizard.reinstall.runbook import runbook_of
from smartos_wizard.reinstall.saying import token_of
from smartos_wizard.reinstall.ways import Fate, outcome_of
from tests.unit.reinstall.plan_machine import Machine, as_said, lost_at_worst, must_be_refused
from tests.unit.reinstall.surveys import NOW, any_survey

PREPARED = Prepared("key 123", "receipt of today")
Promise = Callable[[Survey, Choices, Plan | None], None]
Kind = tuple[Way, bool, bool]
KINDS = tuple(kind for kind in product(Way, (False, True), (False, True)) if kind[:2] != (Way.RESCUE, True))
"""Way, limited, by hand."""


def generated(number: int) -> settings:
    """So many machines, the same ones every time."""
    return settings(
        max_examples=number, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def on_machines(number: int, promise: Promise) -> Counter[Kind]:
    """Call `promise` for every way on so many machines, all consented to; how many plans of each kind there were."""
    made: Counter[Kind] = Counter()

    @generated(number)
    @given(st.integers(0, 2**64 - 1))
    def each(seed: int) -> None:
        chance = Random(seed)
        survey, prepared = any_survey(chance), chance.choice((PREPARED, None))
        for kind in KINDS:
            choices = agreed(survey, kind, prepared)
            plan = planned(survey, choices)
            promise(survey, choices, plan)
            made[kind] += plan is not None

    each()
    return made


def agreed(survey: Survey, kind: Kind, prepared: Prepared | None) -> Choices:
    """That kind of re-install, with every consent that it asks for and no other."""
    way, limited, by_hand = kind
    choices = Choices(way, limited, (MANUAL,) if by_hand else (), prepared=prepared)
    _, _, stops = judge(survey, choices, NOW)
    asked = [s.token for s in stops if s.level == "consent" and (by_hand or s.token != MANUAL)]
    return replace(choices, consents=tuple(dict.fromkeys([*choices.consents, *asked])))


def planned(survey: Survey, choices: Choices) -> Plan | None:
    """The plan; None where it is refused."""
    try:
        return plan_reinstall(survey, choices, NOW)
    except WizardError:
        return None


def destroying(plan: Plan) -> Step:
    """The one step after which nothing is as it was."""
    (found,) = [step for step in plan.steps if step.effect is Effect.DESTROYS]
    return found


def named_in(text: str) -> set[tuple[str, str]]:
    """Every pool that the text names, with its guid."""
    return {(name, guid) for name, guid in re.findall(r"(?<![\w.:-])([\w.:-]+) \(guid (\d+)\)", text)}


def whole(pool: Pool) -> tuple[str, str]:
    """Name and guid."""
    return pool.name, pool.guid


def names_what_it_destroys(survey: Survey, choices: Choices, plan: Plan | None) -> None:
    """Whatever course things take, no pool is lost that title, steps, prompt and tokens do not name with its guid."""
    if plan is None:
        return
    assert plan.confirmation is not None
    step = destroying(plan)
    lost = {whole(pool) for pool in lost_at_worst(survey, plan, by_hand=choices.by_hand)}
    sure = {whole(pool) for pool in as_said(survey, plan, by_hand=choices.by_hand).wiped}
    target = survey.pool(survey.system_pool)
    assert target is not None and whole(target) in sure
    for text in (plan.title, plan.confirmation.prompt, "\n".join(step.details)):
        assert lost <= named_in(text), text
    for params in (step.params["destroys"], plan.params["dying"]):
        assert lost <= {(each["name"], each["guid"]) for each in params}
    for name, _ in lost:
        assert token_of(survey, name) in plan.confirmation.tokens
    assert plan.confirmation.tokens[0] == token_of(survey, survey.system_pool)
    _says_what_is_left(plan, lost, sure)
    if choices.way is Way.RESCUE:
        assert lost == {whole(target)} == named_in(step.title)
        pools = {token_of(survey, pool.name) for pool in survey.pools}
        assert pools & set(plan.confirmation.tokens) == {token_of(survey, survey.system_pool)}
    assert all(each.undo for each in plan.steps[: plan.steps.index(step)])
    assert "None" not in json.dumps(plan.to_json())
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def _says_what_is_left(plan: Plan, lost: set[tuple[str, str]], sure: set[tuple[str, str]]) -> None:
    kept = {(each["name"], each["guid"]) for each in plan.params["kept"]}
    verify = next(step for step in plan.steps if step.action == "verify")
    assert not kept & lost
    assert kept == {(each["name"], each["guid"]) for each in verify.params["kept"]}
    assert {(each["name"], each["guid"]) for each in verify.params["gone"]} == sure
    assert kept <= named_in("\n".join(plan.untouched))


def foretells_setup_after_way_c(survey: Survey, choices: Choices, _plan: Plan | None) -> None:
    """Which pools would make setup stop, and which it would overwrite, is what happens to them."""
    named = [pool for pool in survey.pools if pool.name == survey.system_pool]
    if choices.way is not Way.RESCUE or choices.by_hand or len(named) != 1:
        return
    machine = Machine(survey, by_hand=True, comes=False, in_time=True, told=True)
    stopping, overwritten = machine.after_way_c(named[0])
    outcome = outcome_of(survey, Way.RESCUE)
    for pool in stopping:
        assert pool in outcome.of(Fate.BLOCKS), pool
    for pool in overwritten:
        assert pool in outcome.of(Fate.OVERWRITTEN), pool


def stops_where_something_speaks_against_it(survey: Survey, choices: Choices, plan: Plan | None) -> None:
    """No plan where a stop holds, as the code judges and as it is told anew here; none without each of its consents."""
    _, _, stops = judge(survey, choices, NOW)
    assert "None" not in " ".join(f"{s.text} {s.hint} {s.token}" for s in stops)
    if any(stop.level == "stop" for stop in stops):
        assert plan is None
    if must_be_refused(survey, choices.way.value, choices.prepared is not None, NOW):
        assert plan is None
    if plan is None:
        return
    asked = {stop.token for stop in stops if stop.level == "consent"}
    for token in asked:
        fewer = tuple(each for each in choices.consents if each != token)
        less = planned(survey, replace(choices, consents=fewer))
        assert less is None or token == MANUAL, f"planned without {token}"


def is_armed_by_all_its_tokens(survey: Survey, choices: Choices, plan: Plan | None) -> None:
    """Every token is needed, one by one, and none beside them will do."""
    if plan is None:
        return
    assert plan.confirmation is not None
    tokens = plan.confirmation.tokens
    assert set(choices.consents) <= set(tokens)
    require_confirmed(plan, tokens)
    wrong: Iterator[tuple[str, ...]] = (tuple(t for t in tokens if t != left) for left in tokens)
    for typed in (*wrong, (), (*tokens, "box:another"), tuple(t.upper() for t in tokens)):
        if typed != tokens:
            with pytest.raises(Refused):
                require_confirmed(plan, typed)


def has_a_runbook_of_the_same_pools(survey: Survey, choices: Choices, plan: Plan | None) -> None:
    """Plan and runbook of one scene name the same pools, and the runbook's commands reach no other."""
    if plan is None:
        return
    book = runbook_of(survey, choices, NOW)
    dying = {(each["name"], each["guid"]) for each in plan.params["dying"]}
    kept = {(each["name"], each["guid"]) for each in plan.params["kept"]}
    by_itself = outcome_of(survey, choices.way, limited=choices.limited).wants_by_hand and not choices.by_hand
    named = {pair for line in book.dies for pair in named_in(line.split(",", 1)[0])}
    lives = {pair for line in book.lives for pair in named_in(line.split(",", 1)[0])}
    assert named | lives == dying | kept == {whole(pool) for pool in survey.pools}
    assert (named, lives) == (dying, kept) or (
        by_itself and named < dying
    )  # a runbook spares by hand what it can
    (final,) = [todo for todo in book.todos if todo.final]
    assert named_in(final.title) and named_in(final.title) <= named
    typed = [line for todo in book.todos for line in todo.typed]
    target = survey.system_pool
    assert {line for line in typed if "destroy" in line and not line.startswith("show")} <= {
        {Way.RESCUE: f"zpool destroy {target}", Way.LOADER: "set destroy_zpools=true"}.get(choices.way, "")
    }
    marks = {line for line in typed if line.startswith("zfs set")}
    assert marks == (
        {f"zfs set smartdc:factoryreset=yes {target}/var"} if choices.way is Way.RESET else set()
    )
