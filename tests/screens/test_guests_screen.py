"""The list of guests and what may be done with one, over the practice hypervisor and with real jobs."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from smartos_wizard.core import journal
from smartos_wizard.core.events import PlanStarted, StepHead
from smartos_wizard.guests.model import State
from smartos_wizard.guests.planning import plan_reinstall
from tests.screens.conftest import on, text_grid, text_of, until, wizard
from tests.screens.guest_parts import GIB, make


async def to_guests(app: Any, pilot: Any, name: str = "") -> None:
    """The list, with the pointer on one."""
    app.show_guests()
    await until(pilot, lambda: on(app, "Guests")() and app.screen._listed, "the list")
    await until(pilot, lambda: "asking" not in text_grid(app), "their states")
    choices = app.screen.query_one("#guests")
    for _ in range(20):
        if not name or choices.chosen == name:
            return
        await pilot.press("down")
    raise AssertionError(f"no guest {name}")


async def to_end(app: Any, pilot: Any) -> str:
    """Follow the work; what was said in the end."""
    await until(pilot, lambda: on(app, "GuestWork")() and app.screen._ended, "the end of the work", 60)
    return text_of(app, "#said")


def state(world: Any, name: str) -> State:
    found: State = world.hypervisors()[0].inspect(world.guests.find(name)).state
    return found


async def test_an_empty_list_says_how_to_make_one(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot)
        assert "There are no guests yet." in text_grid(app)
        assert "n makes one" in text_grid(app)
        for action in ("start", "stop", "console", "delete", "snapshots", "reinstall"):
            assert not app.screen.check_action(action, ())


async def test_each_guest_is_shown_as_its_hypervisor_says(world: Any) -> None:
    make(world, "lab", starts=True)
    make(world, "drifts")
    gone = make(world, "gone")
    (gone.folder / "machine.json").unlink()
    world.guests.begin(make(world, "half"))
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot, "lab")
        seen = text_grid(app)
        for words in ("● running", "ssh port 2222", "as asked", "1 not as asked", "✗ missing", "▲ half made"):
            assert words in seen
        words = " ".join(seen.replace("│", " ").split())
        assert "Its files are here still; delete removes them." in words
        assert "made anew, or delete it" in words
        screen = app.screen
        assert screen.check_action("stop", ())
        assert not screen.check_action("start", ())
        await pilot.press("up")
        assert screen.subject.name == "half"
        assert [a for a in ("start", "stop", "console", "reinstall") if screen.check_action(a, ())] == []
        assert screen.check_action("delete", ())


async def test_a_hypervisor_that_hangs_holds_up_nobody(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make(world, "lab")
    make(world, "slow-one")
    free = threading.Event()
    desk_type = type(world.hypervisors()[0])
    real = desk_type.inspect
    asked = 0

    def inspect(self: Any, guest: Any) -> Any:
        nonlocal asked
        if guest.name == "slow-one":
            asked += 1
            free.wait(20)
        return real(self, guest)

    monkeypatch.setattr(desk_type, "inspect", inspect)
    async with wizard(world) as (app, pilot):
        try:
            app.show_guests()
            await until(pilot, lambda: on(app, "Guests")() and "○ off" in text_grid(app), "the quick one")
            assert "asking" in text_grid(app)
            for _ in range(5):
                app.screen.refresh_now()
                await pilot.pause(0.05)
            assert asked == 1  # not once more before it answered
        finally:
            free.set()
        await until(pilot, lambda: text_grid(app).count("○ off") == 2, "the slow one")


async def test_one_guest_shows_the_sandbox_as_asked_and_as_it_is(world: Any) -> None:
    guest = make(world, "drifts", disks=(40 * GIB, 20 * GIB))
    async with wizard(world, (120, 50)) as (app, pilot):
        await to_guests(app, pilot, "drifts")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "OneGuest")() and "1 not as asked" in text_grid(app))
        seen = str(app.screen.query_one("#guest-facts").content)
        assert "on  ▲ not as asked" in next(line for line in seen.splitlines() if line.startswith("sound"))
        assert "zones-1.disk" in seen
        assert str(guest.folder) in seen
        assert "guest show drifts" in app.screen.command()
        await pilot.press("escape")
        await until(pilot, on(app, "Guests"))


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


async def test_many_guests_are_asked_a_few_at_a_time(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        make(world, f"lab {number}")
    kind = type(world.hypervisors()[0])
    real, lock = kind.inspect, threading.Lock()
    now = most = 0

    def inspect(self: Any, guest: Any) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.05)
        with lock:
            now -= 1
        return real(self, guest)

    monkeypatch.setattr(kind, "inspect", inspect)
    async with wizard(world, (80, 40)) as (app, pilot):
        await to_guests(app, pilot)
        assert text_grid(app).count("○ off") == 9
        assert 1 < most <= 4


async def test_a_console_of_nobody_says_so(world: Any) -> None:
    from smartos_wizard.screens.guest_console import GuestConsole

    async with wizard(world) as (app, pilot):
        app.show(GuestConsole("nobody"))
        await until(
            pilot, lambda: on(app, "Asking")() and "There is no guest called nobody" in text_grid(app)
        )
        await pilot.press("enter", "escape")
        await until(pilot, on(app, "Guests"))
