"""What holds for every plan of a re-install, on 5,000 generated machines: no pool dies that was not named."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.disk_classes import size_class
from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.plan import Effect, Plan
from smartos_wizard.reinstall.choices import MANUAL, Choices, Prepared
from smartos_wizard.reinstall.judging import judge, open_stops
from smartos_wizard.reinstall.model import Pool, Survey, Way
from smartos_wizard.reinstall.planning import plan_reinstall
from smartos_wizard.reinstall.recommend import advise
from smartos_wizard.reinstall.saying import token_of
from tests.unit.reinstall.surveys import NOW, any_survey, surveys

MANY = settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))
PREPARED = Prepared("key 123", "receipt of today")


def decided() -> st.SearchStrategy[tuple[Survey, Choices]]:
    """A machine, a way, and every consent that it asks for, with or without a pool made by hand."""
    return st.integers(0, 2**64 - 1).map(lambda seed: _agreed(Random(seed)))


def _agreed(chance: Random) -> tuple[Survey, Choices]:
    survey, way, limited = any_survey(chance), chance.choice(list(Way)), chance.random() < 0.5
    prepared = chance.choice((PREPARED, None))
    choices = Choices(way, limited, chance.choice(((MANUAL,), ())), prepared=prepared)
    for _ in range(3):  # a consent may bring another state of things, with other consents
        _, _, stops = judge(survey, choices, NOW)
        tokens = [MANUAL] if choices.by_hand else []
        tokens += [stop.token for stop in stops if stop.level == "consent"]
        if set(tokens) == set(choices.consents):
            break
        choices = replace(choices, consents=tuple(dict.fromkeys(tokens)))
    return survey, choices


def text_of(plan: Plan) -> str:
    said = [plan.title, *plan.untouched]
    said += [part for step in plan.steps for part in (step.title, *step.details, step.by_hand, step.undo)]
    return "\n".join(said + ([plan.confirmation.prompt] if plan.confirmation else []))


def made(survey: Survey, choices: Choices) -> Plan | None:
    try:
        return plan_reinstall(survey, choices, NOW)
    except WizardError:
        return None


def dies(survey: Survey, choices: Choices) -> list[Pool]:
    """Which pools really die, told anew from what SmartOS's scripts do (fs-joyent, promptpool, zpool create -f)."""
    wiped: list[Pool] = []
    for pool in survey.pools:
        named = pool.name == survey.system_pool
        if choices.way is Way.RESCUE:
            gone = named
        else:
            # for A the limit is typed at the loader, or is not: the worse counts
            # and what cannot be imported now may be by then
            gone = named or not choices.limited or choices.way is Way.RESET
        if gone:
            wiped.append(pool)
    if choices.by_hand:
        return wiped
    taken = {d.name for d in survey.disks if d.kind != "USB" and not d.removable and size_class(d.size)}
    limits = [v.split(",") for n, v in survey.boot_parameters if n in ("zpool", "zpools")]
    for pool in survey.pools:
        if pool in wiped or not taken & {member.name for member in pool.disks}:
            continue
        twins = sum(other.name == pool.name for other in survey.pools) > 1
        comes = pool.imported or pool.importable
        comes = comes and not twins and all(pool.name in limit for limit in limits)
        if choices.way is not Way.RESCUE or not comes:  # not imported while setup runs
            wiped.append(pool)
    return wiped


def test_no_plan_destroys_what_it_does_not_name() -> None:
    planned: Counter[Way] = Counter()

    @MANY
    @given(decided())
    def on_any_machine(drawn: tuple[Survey, Choices]) -> None:
        plan = made(*drawn)
        if plan is not None:
            planned[drawn[1].way] += 1
            _require_named(*drawn, plan)

    on_any_machine()
    assert all(planned[way] > 50 for way in Way)  # or the promise above would be empty


def _require_named(survey: Survey, choices: Choices, plan: Plan) -> None:
    assert plan.confirmation is not None
    lost = dies(survey, choices)
    assert any(pool.name == survey.system_pool for pool in lost)
    destroying = [step for step in plan.steps if step.effect is Effect.DESTROYS]
    assert len(destroying) == 1
    for pool in lost:
        for text in (plan.title, plan.confirmation.prompt, "\n".join(destroying[0].details)):
            assert re.search(rf"(?<![\w.:-]){re.escape(pool.name)} \(guid {pool.guid}\)", text)
        assert token_of(survey, pool.name) in plan.confirmation.tokens
        assert {"name": pool.name, "guid": pool.guid} in destroying[0].params["destroys"]
        assert {"name": pool.name, "guid": pool.guid} not in plan.params["kept"]
    assert plan.confirmation.tokens[0] == token_of(survey, survey.system_pool)
    if choices.way is Way.RESCUE:
        assert [pool.name for pool in lost] == [survey.system_pool]
        assert destroying[0].params["destroys"] == [{"name": lost[0].name, "guid": lost[0].guid}]
        named = {token_of(survey, pool.name) for pool in survey.pools} & set(plan.confirmation.tokens)
        assert named == {token_of(survey, survey.system_pool)}
    assert all(step.undo for step in plan.steps[: plan.steps.index(destroying[0])])
    assert "None" not in text_of(plan) and "None" not in str(plan.confirmation)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@settings(MANY, max_examples=800)
@given(decided())
def test_no_plan_where_there_is_a_stop_or_a_consent_is_missing(drawn: tuple[Survey, Choices]) -> None:
    survey, choices = drawn
    _, _, stops = judge(survey, choices, NOW)
    assert "None" not in " ".join(f"{s.text} {s.hint} {s.token}" for s in stops)
    plan = made(survey, choices)
    if any(stop.level == "stop" for stop in stops):
        assert plan is None
    if plan is None:
        return
    assert not open_stops(stops, choices)
    for left_out in choices.consents:
        fewer = tuple(token for token in choices.consents if token != left_out)
        less = Choices(choices.way, choices.limited, fewer, prepared=choices.prepared)
        _, _, now = judge(survey, less, NOW)
        if open_stops(now, less):
            try:
                plan_reinstall(survey, less, NOW)
            except WizardError as refused:
                assert refused.reference
            else:
                raise AssertionError(f"planned without {left_out}")


@settings(MANY, max_examples=500)
@given(surveys())
def test_nothing_refused_is_recommended(survey: Survey) -> None:
    advice = advise(survey, NOW)
    assert advice.summary and "None" not in advice.summary
    assert sum(opinion.recommended for opinion in advice.opinions) <= 1
    best = advice.recommended
    assert all(opinion.why and "None" not in opinion.why for opinion in advice.opinions)
    if best is None:
        return
    assert not best.refused
    assert [fate.pool.name for fate in best.outcome.dying] == [survey.system_pool]
    consents = tuple(dict.fromkeys([*best.choices.consents, *(stop.token for stop in best.consents)]))
    plan = plan_reinstall(survey, Choices(best.choices.way, best.choices.limited, consents), NOW)
    assert plan.destroys
