"""Putting a backup back in the practice world: from the list of backups to what could not be set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core import journal
from tests.screens import reinstall_parts as road
from tests.screens import restore_parts as back
from tests.screens.conftest import on, text_grid, until, wizard
from tests.screens.test_reinstall_run import plan_of

pytestmark = pytest.mark.slow
WEB = "0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11"
DB = "5d1c9b1e-2f64-6a0e-8f5e-aa12cd34ef56"


def state(world: Any, name: str) -> dict[str, Any]:
    """What happened to that machine."""
    file = world.paths.state / "hosts.json"
    return dict(json.loads(file.read_text()).get(name, {})) if file.exists() else {}


async def test_a_known_backup_comes_back_whole_and_the_machine_remembers(world: Any, tmp_path: Path) -> None:
    back.make_backup(world, tmp_path / "kept")
    async with wizard(world) as (app, pilot):
        await back.to_backups(app, pilot)
        print(text_grid(app))
        await back.to_what(app, pilot)
        print(text_grid(app))
        await back.to_review(app, pilot)
        print(text_grid(app))
        assert app.screen.tokens == ("wiped",)
        await pilot.press("enter")
        assert on(app, "RestoreReview")()  # not armed yet
        await road.type_all(app, pilot)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: on(app, "RestoreWork")() and app.screen._ended, "the end", 60)
        print(text_grid(app))
        assert app.screen.good
        assert sorted(state(world, "wiped")["back"]) == [WEB, DB]


def cut_off(world: Any, name: str, before: str = "destroys") -> tuple[Any, Any]:
    """A run of that machine whose process died right before its destroying step; its plan and job."""
    plan = plan_of(world, name)
    job = journal.create(world.paths.jobs, plan, practice=True)
    last = next(step.id for step in plan.steps if step.effect.value == before)
    done = [step.id for step in plan.steps][: [step.id for step in plan.steps].index(last)]
    events = journal.recorded(job, world.run(plan))
    for event in events:
        if getattr(event, "step", "") == done[-1] and type(event).__name__ == "StepFinished":
            break
    return plan, job


async def test_a_run_that_was_cut_off_before_it_destroyed_can_be_taken_back(world: Any) -> None:
    plan, job = cut_off(world, "running-vms")
    assert "stopped" in state(world, "running-vms")["states"].values()
    async with wizard(world) as (app, pilot):
        await until(pilot, lambda: app.screen.query_one("#jobs").chosen, "the job on Home")
        await pilot.press("enter")
        await until(pilot, on(app, "Asking"), "go on or back")
        print(text_grid(app))
        await pilot.press("enter")  # the safe one: neither
        await until(pilot, on(app, "Home"))
        await until(pilot, lambda: app.screen.query_one("#jobs").chosen, "the job is still there")
        await pilot.press("enter")
        await until(pilot, on(app, "Asking"), "go on or back")
        await pilot.press("right", "enter")
        await until(pilot, lambda: on(app, "UndoReview")() and app.screen._plan is not None)
        print(text_grid(app))
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ReinstallWork")() and app.screen._ended, "the end", 60)
        print(text_grid(app))
        assert app.screen.good
        assert "stopped" not in state(world, "running-vms")["states"].values()
        assert job.seen_file.exists()
        assert app.desk.reinstall.undo_plan(plan) is None
