"""Several re-installs as one plan: in order, one at a time, stopped at the first that fails, taken up where it was cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Event, Noted, PlanCancelled, PlanFinished, StepFinished, StepStarted
from smartos_wizard.core.plan import Plan, require_confirmed
from smartos_wizard.core.runner import execute
from smartos_wizard.reinstall.inventory import read_inventory
from smartos_wizard.reinstall.inventory_plan import INVENTORY_ACTIONS, plan_inventory
from smartos_wizard.reinstall.model import Way
from tests.unit.reinstall.parts_run import RunWorld, quick  # noqa: F401 - a fixture

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.slow]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunWorld:
    made = RunWorld(tmp_path)
    made.monkeypatch = monkeypatch
    return made


def inventory(world: RunWorld, place: Path, *names: str) -> Plan:
    """The plan of an inventory of these machines, all of their keys agreed to."""
    text = "inventory = 1\n"
    for name in names:
        plan = world.plan(name, Way.RESET)
        world.agree(plan)
        (place / f"{name}.json").write_text(json.dumps(plan.to_json()))
        text += f'[[host]]\nplan = "{name}.json"\n'
    (place / "fleet.toml").write_text(text)
    made = plan_inventory(place / "fleet.toml", read_inventory(place / "fleet.toml"))
    return Plan.from_json(json.loads(json.dumps(made.to_json())))  # as a job reads it


def run(world: RunWorld, plan: Plan, cancel: Cancel | None = None) -> Iterator[Event]:
    return execute(plan, INVENTORY_ACTIONS, world, cancel, world.now)


def gone(world: RunWorld, name: str) -> bool:
    return bool(world.state(name).destroyed)


def test_it_names_every_machine_what_dies_there_and_what_is_left_alone(
    world: RunWorld, tmp_path: Path
) -> None:
    plan = inventory(world, tmp_path, "plain", "running-vms")
    assert plan.confirmation is not None
    assert set(plan.confirmation.tokens) >= {"plain:zones", "running-vms:zones", "no-backup"}
    with pytest.raises(Refused):
        require_confirmed(plan, ("plain:zones", "no-backup"))
    assert "10417391262571231811" in plan.steps[0].title
    assert "5536120087341290447" in plan.steps[1].title
    assert plan.untouched[0] == "every other machine"
    assert all(words.startswith(("on plain: ", "on running-vms: ")) for words in plan.untouched[1:])
    assert world.state("plain") == world.state("attic")  # nothing was done by planning


def test_they_are_done_in_order_one_at_a_time(world: RunWorld, tmp_path: Path) -> None:
    heard = list(run(world, inventory(world, tmp_path, "running-vms", "plain")))
    last = heard[-1]
    assert isinstance(last, PlanFinished)
    assert last.exit_code == 0
    steps = [each.step for each in heard if isinstance(each, StepStarted | StepFinished)]
    assert steps == ["1-running-vms", "1-running-vms", "2-plain", "2-plain"]
    assert [each["host"] for each in last.result["hosts"]] == ["running-vms", "plain"]
    assert any(line.startswith("plain: ") for line in last.result["say"])
    assert gone(world, "running-vms")
    assert gone(world, "plain")


def test_the_first_that_fails_ends_it_with_its_own_exit_code(world: RunWorld, tmp_path: Path) -> None:
    plan = inventory(world, tmp_path, "running-vms", "changed-pool", "dropped-run")
    *_, last = run(world, plan)
    assert isinstance(last, PlanFinished)
    assert last.exit_code == 4
    assert last.error is not None
    assert last.error.reference == "host-changed"
    assert last.error.message.startswith("changed-pool: ")
    assert "Done: running-vms. Failed: changed-pool. Not begun: dropped-run." in last.error.context
    assert gone(world, "running-vms")
    assert not gone(world, "changed-pool")
    assert not gone(world, "dropped-run")
    assert world.record(Plan.from_json(plan.steps[2].params["plan"])).fresh


def test_a_stop_takes_back_the_machine_at_work_and_begins_no_other(world: RunWorld, tmp_path: Path) -> None:
    cancel = Cancel()
    heard: list[Event] = []
    for event in run(world, inventory(world, tmp_path, "running-vms", "plain"), cancel):
        heard.append(event)
        if isinstance(event, Noted) and event.data.get("step") == "mark":
            cancel.request()
    last = heard[-1]
    assert isinstance(last, PlanCancelled)
    assert "Stopped in the middle: running-vms. Not begun: plain." in last.state
    assert not gone(world, "running-vms")
    assert not gone(world, "plain")
    assert "stopped" not in world.state("running-vms").states.values()
    assert not world.state("running-vms").marked


def test_killed_in_the_second_machine_the_first_is_not_touched_again(world: RunWorld, tmp_path: Path) -> None:
    plan = inventory(world, tmp_path, "running-vms", "plain")
    events = run(world, plan)
    for event in events:
        if isinstance(event, Noted) and event.step == "2-plain" and event.data.get("step") == "mark":
            break
    events.close()  # type: ignore[attr-defined]
    boots = world.told("exec reboot")
    *_, last = run(world, plan)
    assert isinstance(last, PlanFinished)
    assert last.exit_code == 0
    assert gone(world, "plain")
    assert world.told("exec reboot") == boots + 1
