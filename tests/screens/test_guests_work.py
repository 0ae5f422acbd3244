"""What may be done with a guest, from its keys to the end of a real job."""

from __future__ import annotations

from typing import Any

import pytest

from smartos_wizard.core import journal
from smartos_wizard.core.events import PlanStarted, StepHead
from smartos_wizard.guests.model import State
from smartos_wizard.guests.planning import plan_reinstall
from tests.screens.conftest import on, text_grid, text_of, until, wizard
from tests.screens.guest_parts import GIB, make, state, to_end, to_guests


@pytest.mark.slow
async def test_it_is_started_shown_and_stopped(world: Any) -> None:
    make(world, "another")
    make(world, "lab")
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot, "lab")
        await pilot.press("s")
        assert "lab runs." in await to_end(app, pilot)
        await pilot.press("enter")
        await until(
            pilot, lambda: on(app, "GuestConsole")() and "log in here" in text_grid(app), "the console"
        )
        await pilot.press("ctrl+right_square_bracket")
        await until(pilot, lambda: on(app, "Guests")() and app.screen.subject is not None)
        assert app.screen.subject.name == "lab"
        await to_guests(app, pilot, "lab")
        await pilot.press("s")
        await until(pilot, on(app, "Asking"), "the question")
        assert app.focused.id == "no"
        await pilot.press("enter")
        assert state(world, "lab") is State.RUNNING
        await pilot.press("s")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "enter")
        await to_end(app, pilot)
        assert state(world, "lab") is State.STOPPED
        await pilot.press("enter")
        await until(pilot, on(app, "Guests"), "back at the list")


@pytest.mark.slow
async def test_deleting_names_every_file_and_wants_the_name(world: Any) -> None:
    guest = make(world, "my lab")
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot, "my lab")
        await pilot.press("d")
        await until(pilot, lambda: on(app, "DeleteReview")() and app.screen._plan is not None)
        words = str(app.screen.query_one("#steps").content)
        for name in ("guest.toml", "machine.json", "zones-0.disk"):
            assert f"{name}  " in words
        assert app.focused.id == "back"
        await pilot.press(*"lab", "enter")
        assert app.screen.query_one("#go").disabled
        field = app.screen.query_one("#token")
        field.value = "my lab"
        await pilot.press("enter")
        assert app.focused.id == "go"
        assert "--confirm 'my lab'" in app.screen.command()
        await pilot.press("enter")
        assert "are gone" in await to_end(app, pilot)
        assert not guest.folder.exists()
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Guests")() and "There are no guests" in text_grid(app))


@pytest.mark.slow
async def test_as_new_again_empties_what_was_chosen_and_nothing_else(world: Any) -> None:
    guest = make(world, "lab", disks=(40 * GIB, 20 * GIB))
    for name in ("zones-0.disk", "zones-1.disk"):
        (guest.folder / name).write_text("something of value")
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot, "lab")
        await pilot.press("r")
        await until(pilot, lambda: on(app, "GuestReinstall")() and "zones-1" in text_grid(app))
        assert "2 of 2 disks will be emptied" in text_grid(app)
        await pilot.press("space", "down", "space", "f2")
        assert on(app, "GuestReinstall")()  # nothing to do where all is kept
        await pilot.press("space", "down", "space", "f2")
        await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None)
        words = str(app.screen.query_one("#steps").content)
        assert "zones-1.disk" in words
        assert "zones-0.disk" not in words
        assert "before-reinstall" in words
        assert "reinstall lab --keep zones-0 --snapshot --confirm lab" in app.screen.command()
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "GuestReinstall")() and "keep" in text_grid(app))
        assert "1 of 2 disks will be emptied" in text_grid(app)  # as it was left
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None)
        await pilot.press(*"lab", "enter", "enter")
        await to_end(app, pilot)
    assert (guest.folder / "zones-0.disk").read_text() == "something of value"
    assert (guest.folder / "zones-1.disk").read_text() != "something of value"
    assert world.hypervisors()[0].snapshot(guest, "list", "") == ("before-reinstall",)


@pytest.mark.slow
async def test_snapshots_are_taken_gone_back_to_and_deleted(world: Any) -> None:
    guest = make(world, "lab")
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot, "lab")
        await pilot.press("p")
        await until(pilot, lambda: on(app, "GuestSnapshots")() and "none yet" in text_grid(app))
        await pilot.press("t")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#name").value = "-c"
        await pilot.press("enter")
        assert "does not begin with a dash" in text_of(app, "#wrong")
        app.screen.query_one("#name").value = "clean"
        await pilot.press("enter")
        await to_end(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "GuestSnapshots")() and app.screen._names == ("clean",))
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "SnapshotReview")() and app.screen._plan is not None)
        assert "everything on its disks since the snapshot clean" in text_grid(app)
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "GuestSnapshots")() and app.screen._names == ("clean",))
        await pilot.press("x")
        await until(pilot, lambda: on(app, "SnapshotReview")() and app.screen._plan is not None)
        await pilot.press(*"lab", "enter", "enter")
        await to_end(app, pilot)
    assert world.hypervisors()[0].snapshot(guest, "list", "") == ()


@pytest.mark.slow
async def test_what_was_cut_short_is_taken_up_from_home_with_its_plan_made_anew(world: Any) -> None:
    guest = make(world, "lab", disks=(40 * GIB, 20 * GIB))
    plan = plan_reinstall(guest, world, ("zones-0",), snapshot=True)
    job = journal.create(world.paths.jobs, plan, practice=True)
    heads = tuple(StepHead(step.id, step.title, step.effect.value) for step in plan.steps)
    for _ in journal.recorded(job, iter([PlanStarted(1.0, plan.kind, plan.title, heads)])):
        pass
    async with wizard(world) as (app, pilot):
        await until(pilot, lambda: "take it up again" in text_grid(app), "unfinished at Home")
        assert app.focused.id == "jobs"
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None)
        assert app.screen.keep == ("zones-0",)
        assert app.screen.snapshot
        await pilot.press(*"lab", "enter", "enter")
        await to_end(app, pilot)
        app.go_home()
        await until(pilot, lambda: on(app, "Home")() and app.screen.is_mounted, "Home")
        assert [row.title for row in app.desk.jobs()] == []
