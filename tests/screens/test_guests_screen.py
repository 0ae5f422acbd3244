"""The list of guests and one of them, over the practice hypervisor."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from smartos_wizard.guests.model import State
from tests.screens.conftest import on, text_grid, until, wizard
from tests.screens.guest_parts import GIB, make, state, to_guests


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


async def test_snapshots_of_one_that_runs_want_it_stopped_first(world: Any) -> None:
    make(world, "lab", starts=True)
    async with wizard(world) as (app, pilot):
        await to_guests(app, pilot, "lab")
        await pilot.press("p")
        await until(pilot, lambda: on(app, "GuestSnapshots")() and "offers to stop" in text_grid(app))
        await pilot.press("t")
        await until(pilot, on(app, "Asking"), "the offer")
        assert "Stop lab first?" in text_grid(app)
        await pilot.press("escape")
        await until(pilot, on(app, "GuestSnapshots"))
        assert state(world, "lab") is State.RUNNING


async def test_why_no_snapshot_can_come_first_is_said(world: Any) -> None:
    make(world, "lab")
    async with wizard(world) as (app, pilot):
        why = "A snapshot in VirtualBox needs the very disks that are emptied here."
        app.desk.guests.why_no_snapshot = lambda _guest: why
        await to_guests(app, pilot, "lab")
        await pilot.press("r")
        await until(pilot, lambda: on(app, "GuestReinstall")() and "not possible" in text_grid(app))
        assert why in " ".join(text_grid(app).replace("│", " ").split())
        await pilot.press("end", "space")
        assert not app.screen._snapshot


async def test_many_guests_are_asked_a_few_at_a_time(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        make(world, f"many {number}")
    kind = type(world.hypervisors()[0])
    real, lock = kind.inspect, threading.Lock()
    now = most = 0

    def inspect(self: Any, guest: Any) -> Any:
        nonlocal now, most
        if not guest.name.startswith("many"):  # a thread of a test before may still ask
            return real(self, guest)
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
