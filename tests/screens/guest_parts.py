"""Practice guests for the tests of screens: made by the very plan, from an ISO that nobody reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from smartos_wizard.core.events import PlanFinished
from smartos_wizard.guests.building import Wish, build
from smartos_wizard.guests.model import BootKind, BootMedium, Guest, State
from smartos_wizard.guests.planning import plan_create, plan_start
from smartos_wizard.media.model import ImageKind, VerifiedImage
from tests.screens.conftest import on, text_grid, text_of, until

GIB = 1 << 30
_ISO = BootMedium(BootKind.ISO, "/nowhere/smartos.iso", "20260903T001557Z")
_IMAGE = VerifiedImage(Path(_ISO.source), ImageKind.ISO, "none", "", "the test")


def make(world: Any, name: str, *, disks: tuple[int, ...] = (40 * GIB,), starts: bool = False) -> Guest:
    """A guest with a UUID and addresses that are the same each time."""
    wish = Wish(name, _ISO, memory=2048, cpus=1, disks=disks)
    spec = build(wish, world.hypervisors()[0], world)
    number = sum(name.encode()) % 256
    nics = tuple(replace(nic, mac=f"52:54:00:00:00:{number:02x}") for nic in spec.nics)
    spec = replace(spec, uuid=f"{number:08x}-0000-4000-8000-000000000001", nics=nics)
    run(world, plan_create(spec, _IMAGE, None, world))
    guest: Guest = world.guests.find(name)
    if starts:
        run(world, plan_start(guest))
    return guest


def run(world: Any, plan: Any) -> None:
    """To the end, which is a good one."""
    *_, last = world.run(plan)
    assert isinstance(last, PlanFinished), last
    assert last.exit_code == 0, last


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
