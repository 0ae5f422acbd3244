"""What the screens about guests look like, to the character."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.paths import below
from smartos_wizard.screens.guests_desk import Room
from tests.screens.conftest import on, text_grid, until, wizard
from tests.screens.guest_parts import GIB, make, to_guests
from tests.screens.test_looks import settled

PLACE = Path("/tmp") / f"looks-{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"  # as long on every machine


@pytest.fixture
def guests(world: Any) -> Iterator[Any]:
    """A world with four guests, each otherwise, in a place whose name is as long everywhere."""
    shutil.rmtree(PLACE, ignore_errors=True)
    kept = world.paths
    world.paths = replace(kept, state=below(PLACE).state)
    make(world, "drifts", disks=(40 * GIB, 20 * GIB))
    (make(world, "gone").folder / "machine.json").unlink()
    world.guests.begin(make(world, "half"))
    make(world, "lab", starts=True)
    world.hypervisors()[0].snapshot(world.guests.find("drifts"), "take", "clean")
    yield world
    world.paths = kept
    shutil.rmtree(PLACE, ignore_errors=True)
    consoles = [each for each in threading.enumerate() if each.name == "practice-console"]
    for each in consoles:  # the next test's guests have the same UUIDs
        each.join(10)


async def tour(app: Any, pilot: Any) -> AsyncIterator[str]:
    """Every screen about guests that are there."""
    app.desk.guests.room = lambda guest: Room(
        tuple((path, 4096) for path in app.desk.world.guests.files(guest))
    )
    await to_guests(app, pilot, "drifts")
    yield "guests"
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "OneGuest")() and app.screen._found is not None)
    yield "guest"
    await pilot.press("end")
    yield "guest-end"
    await pilot.press("r")
    await until(pilot, lambda: on(app, "GuestReinstall")() and app.screen._found is not None)
    await pilot.press("down", "space")
    yield "guest-reinstall"
    await pilot.press("f2")
    await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None)
    yield "guest-reinstall-review"
    await pilot.press("escape", "escape")
    await until(pilot, lambda: on(app, "OneGuest")() and app.screen._found is not None)
    await pilot.press("p")
    await until(pilot, lambda: on(app, "GuestSnapshots")() and app.screen._names)
    yield "guest-snapshots"
    await pilot.press("escape")
    await until(pilot, lambda: on(app, "OneGuest")() and app.screen._found is not None)
    await pilot.press("d")
    await until(pilot, lambda: on(app, "DeleteReview")() and app.screen._plan is not None)
    yield "guest-delete"
    await to_guests(app, pilot, "lab")
    await pilot.press("c")
    await until(pilot, lambda: on(app, "GuestConsole")() and "in another terminal: " in text_grid(app))
    yield "guest-console"
    await pilot.press(*"root", "enter", *"help", "enter")
    await until(pilot, lambda: "poweroff" in text_grid(app))
    await pilot.press("f3")
    await until(pilot, lambda: on(app, "ConsoleLog")() and "poweroff" in text_grid(app))
    yield "guest-log"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_guests_look_as_agreed(guests: Any, golden: Any, size: tuple[int, int]) -> None:
    async with wizard(guests, size) as (app, pilot):
        async for name in tour(app, pilot):
            await settled(app, pilot)
            golden(app, f"{name}-{size[0]}x{size[1]}")


@pytest.mark.slow
async def test_guests_in_ascii_are_ascii(guests: Any, golden: Any) -> None:
    async with wizard(guests, ascii_only=True) as (app, pilot):
        async for name in tour(app, pilot):
            await settled(app, pilot)
            assert text_grid(app).isascii()
            if name in ("guests", "guest"):
                golden(app, f"{name}-ascii")


@pytest.mark.slow
async def test_a_small_window_breaks_nothing(guests: Any) -> None:
    async with wizard(guests) as (app, pilot):
        async for _name in tour(app, pilot):
            for size in ((60, 20), (40, 12), (1, 1), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
