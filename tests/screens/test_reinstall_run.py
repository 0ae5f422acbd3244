"""A backup and a run followed by the wizard: keys to press, a machine's new key, cancelling, leaving and coming back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from smartos_wizard.core import journal
from smartos_wizard.core.events import (
    Event,
    Noted,
    PlanFinished,
    PlanStarted,
    StepFinished,
    StepHead,
    StepStarted,
)
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress, reduce
from tests.screens import reinstall_parts as road
from tests.screens.conftest import on, text_grid, text_of, until, wizard

pytestmark = pytest.mark.slow


def plan_of(world: Any, name: str = "second-pool") -> Plan:
    """The recommended plan for that machine, with everything agreed to."""
    from smartos_wizard.reinstall.choices import NO_BACKUP
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.screens.reinstall_desk import Call, ReinstallDesk
    from smartos_wizard.screens.reinstall_model import MachineAnswers

    desk = ReinstallDesk(world)
    said = MachineAnswers(
        Address(name), survey=desk.survey(Address(name), Call()), consents=frozenset({NO_BACKUP})
    )
    best = desk.advice(said).recommended
    from dataclasses import replace

    said = replace(said, way=best.choices.way, limited=best.choices.limited)
    return desk.plan(replace(said, consents=desk.asked(said).tokens))


def picture(plan: Plan, step: str, *notes: Noted) -> Progress:
    """A run in the middle of that step, with these notes."""
    heads = tuple(StepHead(s.id, s.title, s.effect.value) for s in plan.steps)
    state = reduce(Progress(), PlanStarted(1.0, plan.kind, plan.title, heads))
    for each in plan.steps:
        state = reduce(state, StepStarted(2.0, each.id, each.title))
        if each.id == step:
            break
        state = reduce(state, StepFinished(3.0, each.id))
    for note in notes:
        state = reduce(state, note)
    return state


HANDS = Noted(10.0, "rescue", "Somebody is needed. Press o. Press r.", "warning", reference="hands-needed", data={"into": "rescue", "lines": ["Press o.", "Press r."]})  # fmt: skip
KEY = Noted(12.0, "rescue", "It is back with another key.", "warning", reference="unknown-host-key",
            data={"host": "second-pool", "port": 22, "fingerprint": "SHA256:" + "a" * 43})  # fmt: skip


def state(at: float, word: str) -> Noted:
    return Noted(at, "rescue", f"It is {word}.", reference="host-state", data={"state": word})


async def shown(app: Any, pilot: Any, plan: Plan, progress: Progress) -> Any:
    """The screen of work with that picture."""
    from smartos_wizard.screens.reinstall_work import ReinstallWork

    job = journal.create(app.desk.world.paths.jobs, plan, practice=True)
    app.show(ReinstallWork(job, plan))
    await until(pilot, on(app, "ReinstallWork"))
    screen = app.screen
    screen.moved(progress)
    await pilot.pause()
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_keys_to_press_are_large_until_the_machine_is_seen(world: Any, size: tuple[int, int]) -> None:
    plan = plan_of(world)
    async with wizard(world, size) as (app, pilot):
        screen = await shown(app, pilot, plan, picture(plan, "rescue", HANDS))
        grid = text_grid(app)
        assert "Press these keys at the machine's console, now" in grid
        assert " 1  Press o." in grid
        assert " 2  Press r." in grid
        assert "Nothing has been destroyed yet." in " ".join(grid.split())
        screen.moved(picture(plan, "rescue", HANDS, state(11.0, "down")))
        await pilot.pause()
        assert screen.query_one("#hands").display
        screen.moved(picture(plan, "rescue", HANDS, state(11.0, "rescue")))
        await pilot.pause()
        assert not screen.query_one("#hands").display
        assert "It is rescue." in text_of(app, "#seen")


async def test_a_new_key_is_asked_about_once_and_again_by_its_key(world: Any) -> None:
    plan = plan_of(world)
    async with wizard(world) as (app, pilot):
        screen = await shown(app, pilot, plan, picture(plan, "rescue", HANDS, KEY))
        await until(pilot, on(app, "Asking"))
        assert "a" * 43 in str(app.screen._words)
        await pilot.press("escape")
        await until(pilot, on(app, "ReinstallWork"))
        screen.moved(picture(plan, "rescue", HANDS, KEY))
        await pilot.pause(0.1)
        assert on(app, "ReinstallWork")()  # not once more by itself
        assert "k Its key" in text_grid(app)
        await pilot.press("k")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.desk.reinstall.accepted(plan) == ("SHA256:" + "a" * 43,), "agreed")
        screen.moved(picture(plan, "rescue", HANDS, KEY, state(13.0, "rescue")))
        await until(pilot, lambda: "k Its key" not in text_grid(app))


async def test_what_stopping_means_changes_with_the_step_that_destroys(world: Any) -> None:
    plan = plan_of(world)
    async with wizard(world) as (app, pilot):
        screen = await shown(app, pilot, plan, picture(plan, "import"))
        await pilot.press("c")
        await until(pilot, on(app, "Asking"))
        assert "taken back" in str(app.screen._words)
        await pilot.press("escape")
        await until(pilot, on(app, "ReinstallWork"))
        screen.moved(picture(plan, "destroy"))
        await pilot.press("c")
        await until(pilot, on(app, "Asking"))
        assert "cannot be taken back" in str(app.screen._words)
        assert not screen.job.cancel_file.exists()
        await pilot.press("right", "enter")
        await until(pilot, screen.job.cancel_file.exists, "asked to stop")


async def test_a_run_goes_to_its_end_and_only_the_named_pool_is_gone(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_run(app, pilot, "second-pool")
        keys = [await road.its_key(app, pilot), await road.its_key(app, pilot)]
        assert len(set(keys)) == 2
        await until(pilot, lambda: app.screen._ended, "the end", 60)
        said = " ".join(text_of(app, "#said").split())
        assert "zones (guid 10417391262571231811) destroyed" in said
        assert "tank (guid 2216402551220348012) untouched" in said
        assert app.screen.good
        state = json.loads((world.paths.state / "hosts.json").read_text())["second-pool"]
        assert state["destroyed"] == ["10417391262571231811"]
        await pilot.press("enter")
        await until(pilot, on(app, "Home"))


async def test_a_run_that_is_cancelled_before_it_destroys_leaves_the_machine_as_it_was(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_run(app, pilot, "second-pool")
        await until(pilot, on(app, "Asking"), "its key in Rescue Mode", 60)
        await pilot.press("escape")
        await until(pilot, on(app, "ReinstallWork"))
        await pilot.press("c")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "enter")
        await until(pilot, lambda: on(app, "ReinstallWork")() and app.screen._ended, "the end", 60)
        assert not app.screen.good
        state = json.loads((world.paths.state / "hosts.json").read_text())["second-pool"]
        assert state["destroyed"] == []


async def test_leaving_and_coming_back_finds_the_run_and_its_question(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_run(app, pilot, "second-pool")
        await until(pilot, on(app, "Asking"), "its key", 60)
        app.exit(0)
    async with wizard(world) as (app, pilot):
        await until(pilot, lambda: app.screen.query_one("#jobs").chosen, "the job on Home")
        assert "Re-install second-pool" in text_grid(app)
        await pilot.press("enter")
        await road.its_key(app, pilot)
        await road.its_key(app, pilot)
        await until(pilot, lambda: app.screen._ended, "the end", 60)
        assert app.screen.good


async def test_a_run_that_was_killed_is_taken_up_with_the_same_plan(world: Any) -> None:
    plan = plan_of(world, "plain")
    job = journal.create(world.paths.jobs, plan, practice=True)

    def events() -> Iterator[Event]:
        yield PlanStarted(
            1.0, plan.kind, plan.title, tuple(StepHead(s.id, s.title, s.effect.value) for s in plan.steps)
        )
        yield StepStarted(2.0, plan.steps[0].id)

    list(journal.recorded(job, events()))
    async with wizard(world) as (app, pilot):
        await until(pilot, lambda: app.screen.query_one("#jobs").chosen, "the job on Home")
        assert "no step is done twice" in text_grid(app)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "RunAgain")() and app.screen._plan is not None)
        assert app.screen._plan.to_json() == plan.to_json()
        await pilot.press("enter")
        assert on(app, "RunAgain")()
        await road.type_all(app, pilot)
        await pilot.press("enter", "enter")
        await until(pilot, on(app, "ReinstallWork"))
        assert job.seen_file.exists()
        await road.its_key(app, pilot)
        await until(pilot, lambda: app.screen._ended, "the end", 60)
        assert app.screen.good


async def test_a_backup_is_made_and_stands_in_the_plan(world: Any, tmp_path: Any) -> None:
    async with wizard(world) as (app, pilot):
        app.desk.reinstall.directory_for = lambda _name: str(tmp_path / "kept")
        await road.to_keep(app, pilot, "running-vms")
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "BackupReview")() and app.screen._plan is not None)
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "Keep")() and app.screen._rows)
        await pilot.press("f2")
        await until(
            pilot, lambda: on(app, "BackupReview")() and app.focused is not None and app.focused.id == "go"
        )
        await pilot.press("enter")
        await until(
            pilot, lambda: on(app, "ReinstallWork")() and app.screen._ended, "the end of the backup", 60
        )
        assert app.screen.good
        assert (tmp_path / "kept" / "manifest.json").exists()
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ChooseWay")() and app.screen._advice is not None, "the way")
        machine = app.flow.answers.machine
        assert machine.backup.startswith(str(tmp_path / "kept"))
        assert machine.consents == frozenset()
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Agree")() and app.screen._asked is not None)
        assert {stop.token for stop in app.screen._asked.consents} == {"stop-instances"}
        await road.agree(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None)
        assert app.screen._plan.params["backup"] == machine.backup
        assert set(app.screen.tokens) == {"running-vms:zones", "stop-instances"}


async def test_a_machine_that_changed_meanwhile_is_left_alone(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_run(app, pilot, "changed-pool")
        await until(pilot, lambda: on(app, "ReinstallWork")() and app.screen._ended, "the end", 60)
        assert not app.screen.good
        assert "nothing was changed there" in text_of(app, "#said").lower() or "Nothing was done" in text_of(
            app, "#said"
        )
        assert isinstance(app.screen.progress.ended, PlanFinished)
        assert app.screen.progress.ended.exit_code == 4


async def test_a_password_waits_in_the_vault_and_stands_in_no_plan(world: Any) -> None:
    from dataclasses import replace

    async with wizard(world) as (app, pilot):
        await road.to_way(app, pilot)
        said = app.screen.said
        app.screen.decide(address=replace(said.address, password="open sesame"))
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Agree")() and app.screen._asked is not None)
        await road.agree(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None)
        plan = app.screen._plan
        assert "open sesame" not in json.dumps(plan.to_json())
        from smartos_wizard.core.vault import Vault

        assert Vault(world.paths).get(plan.params["secret"]) == b"open sesame"
        await pilot.press("escape")
        await until(pilot, on(app, "Agree"))
        assert Vault(world.paths).waiting() == ()  # a plan that is not begun leaves no secret behind
