"""What holds for every plan of a re-install, on 500 generated machines; `make lab` takes 5,000."""

from __future__ import annotations

from collections import Counter

from hypothesis import given

from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.model import Survey
from smartos_wizard.reinstall.planning import plan_reinstall
from smartos_wizard.reinstall.recommend import advise
from tests.unit.reinstall import plan_promises as promised
from tests.unit.reinstall.surveys import NOW, surveys

MACHINES = 500


def enough(made: Counter[promised.Kind], machines: int) -> None:
    """There were plans of every kind, or the promises would be empty."""
    assert {kind: made[kind] for kind in promised.KINDS if made[kind] < machines // 20} == {}


def test_no_plan_destroys_what_it_does_not_name() -> None:
    enough(promised.on_machines(MACHINES, promised.names_what_it_destroys), MACHINES)


def test_what_setup_does_to_the_other_pools_after_way_c_is_foretold() -> None:
    enough(promised.on_machines(MACHINES, promised.foretells_setup_after_way_c), MACHINES)


def test_no_plan_where_there_is_a_stop_or_a_consent_is_missing() -> None:
    enough(promised.on_machines(MACHINES, promised.stops_where_something_speaks_against_it), MACHINES)


def test_every_token_is_needed() -> None:
    enough(promised.on_machines(MACHINES, promised.is_armed_by_all_its_tokens), MACHINES)


def test_the_runbook_names_the_same_pools() -> None:
    enough(promised.on_machines(MACHINES, promised.has_a_runbook_of_the_same_pools), MACHINES)


def test_the_same_machines_every_time() -> None:
    seen: list[list[Survey]] = [[], []]
    for each in seen:
        promised.on_machines(20, lambda survey, _choices, _plan, each=each: each.append(survey))
    assert seen[0] == seen[1] and len(seen[0]) >= 20


@promised.generated(MACHINES)
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
