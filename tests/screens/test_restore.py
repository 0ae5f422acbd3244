"""Putting a backup back in the practice world: from the list of backups to what could not be set."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core import journal
from tests.screens import reinstall_parts as road
from tests.screens import restore_parts as back
from tests.screens.conftest import on, text_grid, text_of, until, wizard
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
        await back.to_what(app, pilot)
        await back.to_review(app, pilot)
        assert app.screen.tokens == ("wiped",)
        await pilot.press("enter")
        assert on(app, "RestoreReview")()  # not armed yet
        await road.type_all(app, pilot)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: on(app, "RestoreWork")() and app.screen._ended, "the end", 60)
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
        await pilot.press("enter")  # the safe one: neither
        await until(pilot, on(app, "Home"))
        await until(pilot, lambda: app.screen.query_one("#jobs").chosen, "the job is still there")
        await pilot.press("enter")
        await until(pilot, on(app, "Asking"), "go on or back")
        await pilot.press("right", "enter")
        await until(pilot, lambda: on(app, "UndoReview")() and app.screen._plan is not None)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ReinstallWork")() and app.screen._ended, "the end", 60)
        assert app.screen.good
        assert "stopped" not in state(world, "running-vms")["states"].values()
        assert job.seen_file.exists()
        assert app.desk.reinstall.undo_plan(plan) is None


async def test_a_run_that_began_nothing_is_shown_with_its_plan_at_once(world: Any) -> None:
    plan = plan_of(world, "plain")
    job = journal.create(world.paths.jobs, plan, practice=True)
    list(journal.recorded(job, iter(())))
    async with wizard(world) as (app, pilot):
        await until(pilot, lambda: app.screen.query_one("#jobs").chosen, "the job on Home")
        await pilot.press("enter")
        await until(pilot, on(app, "RunAgain"), "nothing to take back: the plan itself")


async def test_what_a_screen_of_work_says_of_a_run_that_was_lost(world: Any) -> None:
    plan, job = cut_off(world, "running-vms")
    async with wizard(world) as (app, pilot):
        app.watch_job(job)
        await until(pilot, lambda: on(app, "ReinstallWork")() and app.screen._ended, "the end", 60)
        await until(pilot, lambda: "No pool was destroyed" in text_grid(app), "that it can be taken back")
        assert "t Take it back" in text_grid(app)
        await pilot.press("t")
        await until(pilot, lambda: on(app, "UndoReview")() and app.screen._plan is not None)
        words = " ".join(text_grid(app).split())
        assert "those that were stopped are started again" in words
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "ReinstallWork")() and app.screen._ended)
        assert state(world, "running-vms")["marked"]  # nothing was done yet
        assert app.desk.reinstall.undo_plan(plan) is not None


async def test_nothing_that_differs_or_is_there_is_taken_unasked(world: Any, tmp_path: Path) -> None:
    back.make_backup(world, tmp_path / "kept")
    async with wizard(world) as (app, pilot):
        await back.to_what(app, pilot)
        screen = app.screen
        assert screen.ticks.overwrite == frozenset()
        assert screen.ticks.places == {"usbkey", "opt/custom"}
        assert screen.ticks.groups == {WEB, DB}
        words = screen.command()
        assert "--overwrite" not in words
        assert "--place" not in words
        await pilot.press("space")
        assert screen.ticks.places == {"opt/custom"}
        assert "--place /opt/custom" in screen.command()
        await pilot.press("f3")
        await until(pilot, on(app, "Asking"))
        assert "/usbkey/ssh/ssh_host_rsa_key" in text_grid(app)
        await pilot.press("escape", "down", "space", "down", "space")
        await until(pilot, on(app, "ChooseWhat"))
        assert screen.ticks.places == frozenset()
        assert screen.ticks.overwrite == {"usbkey/config"}
        assert "--config --place none --overwrite /usbkey/config" in screen.command()
        assert "another address" in " ".join(text_grid(app).split())
        await pilot.press("f3")
        await until(pilot, on(app, "Asking"))
        assert "+hostname=plain" in text_grid(app)
        await pilot.press("escape", "a")
        await until(pilot, on(app, "ChooseWhat"))
        assert screen.ticks.groups == {WEB, DB}
        assert screen.ticks.overwrite == frozenset()
        await pilot.press("a", "f2")
        await pilot.pause()
        assert on(app, "ChooseWhat")()
        assert "Nothing is ticked" in text_grid(app)


async def test_one_instance_and_one_file_come_back_and_nothing_else(world: Any, tmp_path: Path) -> None:
    back.make_backup(world, tmp_path / "kept")
    async with wizard(world) as (app, pilot):
        await back.to_what(app, pilot)
        await pilot.press("a", "a", "a")
        for _ in range(3):
            await pilot.press("down")
        await pilot.press("space")
        assert app.screen.ticks.groups == {WEB}
        await pilot.press("up", "up", "space", "f2")
        await until(pilot, lambda: on(app, "RestoreReview")() and app.screen._plan is not None)
        assert app.screen.words().endswith(f"--config --place /opt/custom --instance {WEB} --dry-run")
        await pilot.press("escape")
        await until(pilot, on(app, "ChooseWhat"))
        assert app.screen.ticks.groups == {WEB}
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "RestoreReview")() and app.screen._plan is not None)
        await road.type_all(app, pilot)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: on(app, "RestoreWork")() and app.screen._ended, "the end", 60)
        assert app.screen.good
        now = state(world, "wiped")
        assert now["back"] == [WEB]
        assert list(now["files"]) == ["opt/custom/smf/backup.xml"]
        assert "It is not started" in " ".join(text_of(app, "#said").split())


async def test_what_is_on_the_machine_cannot_be_chosen(world: Any, tmp_path: Path) -> None:
    back.make_backup(world, tmp_path / "kept")
    async with wizard(world) as (app, pilot):
        await back.to_what(app, pilot, "plain")
        words = " ".join(text_grid(app).split())
        assert words.count("is there already") >= 2
        assert not app.screen.ticks.any
        await pilot.press("space", "enter", "f2")
        await pilot.pause()
        assert on(app, "ChooseWhat")()
        assert not app.screen.ticks.any
        await pilot.press("escape")
        await until(pilot, on(app, "RestoreTo"))
        await pilot.press("escape")
        await until(pilot, on(app, "ChooseBackup"))
        await pilot.press("escape")
        await until(pilot, on(app, "ChooseMachine"))


@pytest.mark.parametrize(
    ("name", "words"),
    [("zone", "is a zone"), ("not-smartos", "is no SmartOS machine"), ("dropped-connection", "was lost")],
)
async def test_a_machine_that_cannot_be_compared_is_told_with_the_reason(
    world: Any, tmp_path: Path, name: str, words: str
) -> None:
    back.make_backup(world, tmp_path / "kept")
    async with wizard(world) as (app, pilot):
        await back.to_backups(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "RestoreTo")() and road.chosen(app))
        while road.chosen(app) != name:
            await pilot.press("down")
        await pilot.press("enter")
        await until(pilot, lambda: words in " ".join(text_grid(app).split()), words)
        assert on(app, "RestoreTo")()
        assert not on(app, "ChooseWhat")()


async def test_a_backup_in_a_directory_is_taken_and_nonsense_is_told(world: Any, tmp_path: Path) -> None:
    back.make_backup(world, tmp_path / "kept")
    for job in journal.list_jobs(world.paths.jobs):
        job.plan_file.unlink()
    async with wizard(world) as (app, pilot):
        await road.to_machine(app, pilot)
        await pilot.press("f5")
        await until(pilot, lambda: "No backup is known here" in text_grid(app))
        assert "F4" not in text_grid(app)
        for directory, words in (("/nowhere", "no finished backup"), (str(tmp_path / "kept"), "every file was read back")):  # fmt: skip
            await pilot.press("f3")
            await until(pilot, on(app, "Box"))
            app.screen.query_one("#directory").value = directory
            await pilot.press("enter")
            await until(pilot, lambda w=words: w in " ".join(text_grid(app).split()), words)
            if on(app, "Asking")():
                await pilot.press("enter")
                await until(pilot, on(app, "ChooseBackup"))
        await pilot.press("f4")
        await until(pilot, on(app, "Asking"))
        assert "sha256" in text_grid(app)


async def test_an_interrupted_restore_is_taken_up_with_what_was_ticked(world: Any, tmp_path: Path) -> None:
    back.make_backup(world, tmp_path / "kept")
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.screens.reinstall_desk import Call
    from smartos_wizard.screens.restore_desk import RestoreDesk
    from smartos_wizard.screens.restore_model import Restoring, Ticks

    desk = RestoreDesk(world)
    backup, where = desk.backups()[0], Address("wiped")
    ticks = Ticks(frozenset({"opt/custom"}), frozenset({"usbkey/config"}), frozenset({WEB}))
    plan = desk.plan(Restoring(backup, where, desk.compare(backup, where, Call()), ticks))
    job = journal.create(world.paths.jobs, plan, practice=True)
    for event in journal.recorded(job, world.run(plan)):
        if type(event).__name__ == "StepFinished" and event.step == "configuration":
            break
    async with wizard(world) as (app, pilot):
        await until(pilot, lambda: app.screen.query_one("#jobs").chosen, "the job on Home")
        assert "compares the machine anew" in text_grid(app)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "RestoreTo")() and road.chosen(app) == "wiped", "its machine")
        await pilot.press("enter")
        await until(pilot, on(app, "ChooseWhat"))
        assert app.screen.ticks == Ticks(groups=frozenset({WEB}))  # the rest is there by now
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "RestoreReview")() and app.screen._plan is not None)
        await road.type_all(app, pilot)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: on(app, "RestoreWork")() and app.screen._ended, "the end", 60)
        assert app.screen.good
        assert job.seen_file.exists()


async def test_after_a_re_install_what_was_kept_is_put_back(world: Any, tmp_path: Path) -> None:
    world.clock = time.time  # as the process that re-installs it: the machine is away for a moment
    async with wizard(world) as (app, pilot):
        app.desk.reinstall.directory_for = lambda _name: str(tmp_path / "kept, here")
        await road.to_keep(app, pilot, "plain")
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "BackupReview")() and getattr(app.focused, "id", "") == "go")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ReinstallWork")() and app.screen._ended, "the backup", 60)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ChooseWay")() and app.screen._advice is not None, "the way")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Agree")() and app.screen._asked is not None)
        await road.agree(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None)
        await road.type_all(app, pilot)
        await pilot.press("enter", "enter")
        await until(pilot, on(app, "ReinstallWork"), "the run")
        await road.its_key(app, pilot)
        await until(pilot, lambda: app.screen._ended, "the end", 60)
        assert "Put back what was kept" in text_grid(app)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "RestoreTo")() and road.chosen(app) == "plain", "the same machine")
        await pilot.press("enter")
        await until(pilot, on(app, "ChooseWhat"))  # its new key was agreed to while it ran
        assert app.screen.ticks.groups == {WEB, DB}
        assert app.screen.restoring.other_machine == ""
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "RestoreReview")() and app.screen._plan is not None)
        await road.type_all(app, pilot)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: on(app, "RestoreWork")() and app.screen._ended, "the end", 60)
        assert app.screen.good
        assert sorted(state(world, "plain")["back"]) == [WEB, DB]
