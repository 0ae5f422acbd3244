"""A re-install is run: exactly the named pools go; cut off, killed, stopped or changed, nothing goes that was not confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Event, Noted, PlanCancelled, PlanFinished, StepFailed
from smartos_wizard.core.plan import Effect, Plan, require_confirmed
from smartos_wizard.practice.host_power import HostState
from smartos_wizard.practice.hosts import MACHINES
from smartos_wizard.reinstall.model import Way
from smartos_wizard.reinstall.run_plans import plan_of, reached, undoing, watching
from tests.unit.reinstall.parts_run import KEYS, RunWorld, quick  # noqa: F401 - a fixture

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.slow]

ROADS: dict[str, tuple[str, Callable[[RunWorld], Plan]]] = {
    "A": ("running-vms", lambda world: world.plan("running-vms", Way.RESET)),
    "B": ("second-pool", lambda world: world.plan("second-pool", Way.LOADER)),
    "B limited": (
        "second-pool",
        lambda world: world.plan("second-pool", Way.LOADER, limited=True, by_hand=True),
    ),
    "C": ("second-pool", lambda world: world.plan("second-pool", Way.RESCUE, by_hand=True)),
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunWorld:
    made = RunWorld(tmp_path)
    made.monkeypatch = monkeypatch
    return made


def named(plan: Plan, fate: str = "destroyed") -> set[str]:
    return {pool["guid"] for pool in plan.params["dying"] if pool["fate"] == fate}


def all_of(plan: Plan) -> set[str]:
    return {pool["guid"] for pool in plan.params["identity"]["pools"]}


def living(world: RunWorld, plan: Plan) -> set[str]:
    return world.guids(plan.params["host"])


@pytest.mark.parametrize("road", ROADS)
def test_exactly_the_named_pools_are_gone_and_a_receipt_says_so(world: RunWorld, road: str) -> None:
    name, planned = ROADS[road]
    plan = planned(world)
    world.agree(plan)
    last = world.done(plan)
    assert last.exit_code == 0, last
    assert living(world, plan) == all_of(plan) - named(plan)
    assert world.state(name).anew
    receipt = world.receipt(plan)
    assert {pool["guid"] for pool in receipt["destroyed"]} == named(plan)
    assert receipt["verified"]["new"]["guid"] == world.state(name).anew


@pytest.mark.parametrize("road", ROADS)
def test_killed_at_any_moment_the_same_command_brings_it_to_its_end_and_does_no_step_twice(
    tmp_path: Path, road: str
) -> None:
    _, planned = ROADS[road]
    whole = RunWorld(tmp_path / "whole")
    plan = planned(whole)
    whole.agree(plan)
    events = len(list(whole.run(plan)))
    for number in range(1, events + 1):
        world = RunWorld(tmp_path / str(number))
        plan = planned(world)
        world.agree(plan)
        run = world.run(plan)
        for _ in range(number):
            next(run)
        run.close()  # as kill -9: nothing is taken back
        last = world.done(plan)
        assert last.exit_code == 0, (number, last)
        assert living(world, plan) == all_of(plan) - named(plan)
        assert {pool["guid"] for pool in world.receipt(plan)["destroyed"]} == named(plan)
        assert last.result["receipt"].endswith("receipt.json"), number
        for word in ("vmadm stop", "zpool destroy", "zfs set smartdc:factoryreset", "zpool import -f -N"):
            assert world.told(word) <= max(1, whole.told(word)), (number, word)
        assert world.told("exec reboot") == whole.told("exec reboot"), number


@pytest.mark.parametrize("after", [False, True], ids=["before it arrives", "after it was done"])
@pytest.mark.parametrize("road", ROADS)
def test_a_connection_cut_at_any_command_is_opened_again_and_nothing_else_dies(
    tmp_path: Path, road: str, after: bool
) -> None:
    _, planned = ROADS[road]
    whole = RunWorld(tmp_path / "whole")
    plan = planned(whole)
    whole.agree(plan)
    whole.cut.commands.clear()
    assert whole.done(plan).exit_code == 0
    for number in range(1, len(whole.cut.commands) + 1):
        world = RunWorld(tmp_path / str(number))
        plan = planned(world)
        world.agree(plan)
        world.cut.number, world.cut.after = number, after
        last = world.done(plan)
        assert last.exit_code == 0, (number, whole.cut.commands[number - 1][:60], last)
        assert living(world, plan) == all_of(plan) - named(plan)


@pytest.mark.parametrize("road", ROADS)
def test_stopped_before_the_destroying_step_everything_is_taken_back(tmp_path: Path, road: str) -> None:
    name, planned = ROADS[road]
    number, before = 0, True
    while before:
        number += 1
        world = RunWorld(tmp_path / str(number))
        plan = planned(world)
        world.agree(plan)
        cancel = Cancel()
        events: list[Event] = []
        for event in world.run(plan, cancel):
            events.append(event)
            if len(events) == number:
                cancel.request()
        record, last = world.record(plan), events[-1]
        before = not record.destroying
        if not before:
            break
        assert isinstance(last, PlanCancelled), (number, last)
        assert last.state.startswith("Stopped; nothing")
        assert living(world, plan) == all_of(plan)
        state = world.state(name)
        assert not state.marked
        assert not state.rescue
        assert not state.held
        assert all(state.states.get(each.uuid, each.state) == each.state for each in MACHINES[name].instances)
        assert record.fresh
    assert number > 3
    assert isinstance(last, PlanCancelled | PlanFinished)
    if isinstance(last, PlanCancelled):
        assert "cannot be taken back" in last.state
    assert living(world, plan) == all_of(plan) - named(plan)


@pytest.mark.parametrize("road", ROADS)
def test_what_changed_since_the_plan_ends_the_run_before_anything_is_done(world: RunWorld, road: str) -> None:
    _, planned = ROADS[road]
    plan = planned(world)
    changes = {
        "hostid": {"hostid": "ffffffff"},
        "pools": {
            "pools": [*plan.params["identity"]["pools"], {"name": "new", "guid": "1", "imported": True}]
        },
        "instances": {"instances": []},
        "macs": {"macs": ["00:00:00:00:00:01"]},
    }
    for change in changes.values():
        other = replace(plan, params={**plan.params, "identity": {**plan.params["identity"], **change}})
        last = world.done(other)
        assert isinstance(last, PlanFinished)
        assert last.error is not None
        assert (last.error.reference, last.exit_code) == ("host-changed", 4)
    assert all(not world.told(word) for word in ("vmadm stop", "reboot", "zfs set", "destroy"))


def test_another_host_key_ends_the_run_before_anything_is_asked(world: RunWorld) -> None:
    plan = world.plan("plain", Way.RESET)
    where = {**plan.params["address"], "host_key": "SHA256:" + "x" * 43}
    last = world.done(replace(plan, params={**plan.params, "address": where}))
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert last.error.reference == "other-host-key"
    assert not world.cut.commands


def test_a_pool_that_comes_a_moment_before_the_reboot_is_seen_and_the_mark_taken_away(
    world: RunWorld,
) -> None:
    """Way A takes every pool that can be imported then: so what is there is compared once more after the mark."""
    plan = world.plan("attached-backup", Way.RESCUE)  # its backup pool is attached, not imported
    plan = world.plan("plain", Way.RESET)
    MACHINES["late"] = replace(MACHINES["plain"], pools=MACHINES["attached-backup"].pools)
    try:
        run = world.run(plan)
        for event in run:
            if isinstance(event, Noted) and "is marked" in event.text:
                MACHINES["plain"], kept = MACHINES["late"], MACHINES["plain"]
                world.cut.number = world.cut.seen + 1  # the next connection finds it so
                break
        last = list(run)[-1]
    finally:
        MACHINES["plain"] = kept
        del MACHINES["late"]
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert last.error.reference == "pools-changed"
    assert not world.state("plain").marked
    assert not world.told("exec reboot")
    assert living(world, plan) == all_of(plan)


def test_the_loaders_menu_missed_is_tried_again_and_destroys_nothing(world: RunWorld) -> None:
    plan = world.plan("missed-menu", Way.RESCUE, by_hand=True)
    world.agree(plan)
    events = list(world.run(plan))
    assert any(isinstance(event, Noted) and event.reference == "menu-missed" for event in events)
    assert events[-1].exit_code == 0  # type: ignore[union-attr]
    assert living(world, plan) == all_of(plan) - named(plan)


def test_with_way_b_a_missed_menu_is_told_as_nothing_destroyed_and_instances_run_again(
    world: RunWorld,
) -> None:
    plan = world.plan("missed-menu", Way.LOADER)
    world.agree(plan)
    last = world.done(plan)
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert last.error.reference == "nothing-destroyed"
    assert living(world, plan) == all_of(plan)
    assert not world.record(plan).destroying


def test_a_key_nobody_agreed_to_is_told_and_agreed_to_from_elsewhere(world: RunWorld) -> None:
    plan = world.plan("plain", Way.RESET)
    told = []
    for event in world.run(plan):
        if isinstance(event, Noted) and event.reference == "unknown-host-key":
            told.append(event.data["fingerprint"])
            world.agree(plan, (event.data["fingerprint"],))
        last = event
    assert told == [KEYS[1]]
    assert last.exit_code == 0  # type: ignore[union-attr]


def test_a_key_nobody_agrees_to_ends_the_wait_with_its_fingerprint(world: RunWorld) -> None:
    plan = world.plan("plain", Way.RESET)
    last = world.done(reached(plan, wait=0.002))
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert (last.error.reference, last.exit_code) == ("unknown-host-key", 4)
    assert last.error.details["fingerprint"] == KEYS[1]
    assert world.record(plan).destroying
    world.agree(plan)  # and later it is looked on
    watch = watching(plan, world.record(plan))
    assert watch.confirmation is None
    assert all(step.effect is not Effect.DESTROYS for step in watch.steps)
    assert world.done(watch).exit_code == 0
    assert world.receipt(plan)["way"] == "A"


def test_watching_before_anything_was_done_says_in_which_state_it_is(world: RunWorld) -> None:
    plan = world.plan("second-pool", Way.RESCUE, by_hand=True)
    last = world.done(watching(plan, world.record(plan)))
    assert last.exit_code == 0
    assert last.result["there"] == sorted(named(plan))
    assert not any(
        word in command for command in world.cut.commands for word in ("destroy ", "reboot", "zfs set")
    )


def test_what_was_begun_and_killed_is_taken_back_by_undo_and_never_after_the_destroying_step(
    world: RunWorld,
) -> None:
    plan = world.plan("running-vms", Way.RESET)
    world.agree(plan)
    with pytest.raises(Refused, match="Nothing of this plan"):
        undoing(plan, world.record(plan))
    run = world.run(plan)
    for event in run:
        if isinstance(event, Noted) and "is marked" in event.text:
            break
    run.close()
    assert world.state("running-vms").marked
    last = world.done(undoing(plan, world.record(plan)))
    assert last.exit_code == 0, last
    state = world.state("running-vms")
    assert not state.marked
    assert set(state.states.values()) == {"running"}
    assert world.record(plan).fresh
    assert world.done(plan).exit_code == 0  # and from the beginning once more
    with pytest.raises(Refused, match="cannot be taken back"):
        undoing(plan, world.record(plan))


def test_a_mark_that_cannot_be_taken_away_is_told_in_words_nobody_overlooks(world: RunWorld) -> None:
    plan = world.plan("plain", Way.RESET)
    cancel = Cancel()
    events = []
    for event in world.run(plan, cancel):
        events.append(event)
        if isinstance(event, Noted) and "is marked" in event.text:
            cancel.request()
            world.power.change("plain", lambda s: replace(s, away_until=9e12))  # it does not answer any more
            world.patience(0.05)
            world.cut.number = world.cut.seen + 1
    last = events[-1]
    assert isinstance(last, PlanCancelled)
    assert any("MAY STILL BE MARKED" in line for line in last.result["say"])
    assert not world.record(plan).fresh  # so that --undo can be given once it answers again
    world.power.change("plain", lambda s: replace(s, away_until=0.0))
    assert world.done(undoing(plan, world.record(plan))).exit_code == 0
    assert not world.state("plain").marked


def test_two_runs_of_one_plan_never_work_at_the_same_time(world: RunWorld) -> None:
    plan = world.plan("plain", Way.RESET)
    run = world.run(plan)
    for _ in range(3):
        next(run)
    last = world.done(plan)
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert last.error.reference == "run-at-work"
    run.close()


@pytest.mark.parametrize("road", ROADS)
def test_every_token_must_be_typed(world: RunWorld, road: str) -> None:
    plan = ROADS[road][1](world)
    assert plan.confirmation is not None
    for left_out in plan.confirmation.tokens:
        with pytest.raises(Refused):
            require_confirmed(plan, tuple(token for token in plan.confirmation.tokens if token != left_out))


def test_another_machine_at_the_address_afterwards_is_not_taken_for_it(world: RunWorld) -> None:
    plan = world.plan("plain", Way.RESET)
    world.agree(plan)
    other = replace(
        plan, params={**plan.params, "identity": {**plan.params["identity"], "macs": ["00:00:00:00:00:09"]}}
    )
    record = world.record(plan)
    record.begin("reboot", boot=1, destroys=True)
    other = replace(other, params={**other.params, "run": record.run})
    last = world.done(watching(other, record))
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert last.error.reference == "other-host"


def test_a_plan_in_a_file_is_the_same_plan_and_nothing_else_is_one(world: RunWorld) -> None:
    plan = world.plan("plain", Way.RESET)
    assert plan_of(json.dumps(plan.to_json()), "x").to_json() == json.loads(json.dumps(plan.to_json()))
    for text in (
        "",
        "{}",
        "[]",
        "null",
        "1",
        '{"plan": "key-write"}',
        json.dumps({**plan.to_json(), "plan": "x"}),
    ):
        with pytest.raises(Exception, match="no plan of a re-install") as caught:
            plan_of(text, "x")
        assert caught.value.exit_code == 2  # type: ignore[attr-defined]


def test_steps_that_fail_are_told_once(world: RunWorld) -> None:
    plan = world.plan("plain", Way.RESET)
    broken = replace(plan, params={**plan.params, "identity": {**plan.params["identity"], "hostid": "1"}})
    assert sum(isinstance(event, StepFailed) for event in world.run(broken)) == 1
    assert world.state("plain") == HostState()
