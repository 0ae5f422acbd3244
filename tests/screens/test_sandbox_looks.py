"""What the screens of the road to a guest look like, to the character."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core import journal
from smartos_wizard.core.events import (
    Advanced,
    Noted,
    PlanFinished,
    PlanStarted,
    StepFinished,
    StepHead,
    StepStarted,
)
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress, reduce
from smartos_wizard.guests.sizing import HostSize
from smartos_wizard.guests.store import GuestStore
from smartos_wizard.practice.hypervisor import PracticeHypervisor
from tests.screens.conftest import NOW, on, text_grid, until, wizard
from tests.screens.sandbox_parts import CONFLICT, MISSING, TOO_OLD, Found, to_where
from tests.screens.test_looks import settled


@pytest.fixture(autouse=True)
def _same_machine(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of one size, with guests in one place, and hypervisors of every kind."""
    drivers = (Found(CONFLICT), Found(MISSING), Found(TOO_OLD), PracticeHypervisor())
    monkeypatch.setattr(type(world), "hypervisors", lambda _self: drivers)
    monkeypatch.setattr(type(world), "host_size", lambda _self: HostSize(16384, 8, 200 << 30))
    monkeypatch.setattr(type(world), "guests", property(lambda self: GuestStore(self.paths, Path("/guests"))))
    monkeypatch.setattr(
        "smartos_wizard.screens.sandbox_desk.SandboxDesk.cards", lambda _self: ("eth0", "wlan0")
    )


def making(plan: Plan, *, ended: bool = False) -> Progress:
    """Making a guest as it stands while its key is copied, or at a good end that is not all as asked."""
    begin = NOW - 12
    heads = tuple(StepHead(s.id, s.title, s.effect.value) for s in plan.steps)
    events: list[Any] = [PlanStarted(begin, plan.kind, plan.title, heads)]
    for step in plan.steps:
        events.append(StepStarted(begin, step.id, step.title))
        if step.id == "key":
            for tick in range(24):
                events.append(Advanced(begin + tick / 2, "key", tick * 50_000_000, 1_940_000_256))
            if not ended:
                break
        events.append(StepFinished(begin, step.id))
    if ended:
        events.append(Noted(NOW, "check", "sound: asked off, it is on", level="warning", reference="drift"))
        result = {
            "drift": [["sound", "off", "on"]],
            "say": ["lab is made, but not all is as asked.", "Next: x"],
        }
        events.append(PlanFinished(NOW, 0, result))
    state = Progress()
    for event in events:
        state = reduce(state, event)
    return state


async def tour(app: Any, pilot: Any, world: Any) -> AsyncIterator[str]:
    """From the hypervisors to a guest that is made; the making is a picture of a job, not one that runs."""
    from smartos_wizard.screens.guest_work import GuestWork

    await to_where(app, pilot)
    await until(pilot, lambda: app.screen.query_one("#hypervisors").chosen == "practice")
    await pilot.press("up", "up", "up")
    yield "sandbox-where"
    await pilot.press("end", "enter")
    await until(pilot, on(app, "ChooseStart"))
    await until(pilot, lambda: app.screen.query_one("#releases").chosen and "sha256" in text_grid(app))
    yield "sandbox-start"
    await pilot.press("o")
    await until(pilot, on(app, "Box"))
    yield "sandbox-start-own"
    await pilot.press("escape")
    await until(pilot, on(app, "ChooseStart"))
    await pilot.press("enter")
    await until(pilot, on(app, "ChooseSize"))
    await until(pilot, lambda: app.screen._judged.spec is not None)
    app.screen.query_one("#count").focus()
    await pilot.press("right")
    yield "sandbox-size"
    app.screen.query_one("#memory").value = "64GiB"
    yield "sandbox-size-wrong"
    app.screen.query_one("#memory").value = ""
    await until(pilot, lambda: app.screen._judged.spec is not None and not app.screen._judged.said)
    await pilot.press("f2")
    await until(pilot, on(app, "ChooseNetwork"))
    yield "sandbox-network"
    await pilot.press("right")
    yield "sandbox-network-lan"
    await pilot.press("left")
    await until(pilot, lambda: app.screen._judged.spec is not None and not app.screen._judged.said)
    await pilot.press("f2")
    await until(pilot, on(app, "GuestOptions"))
    await until(pilot, lambda: app.focused is not None)
    yield "sandbox-options"
    await pilot.press("enter")
    await until(pilot, on(app, "GuestReview"))
    await until(pilot, lambda: app.screen._plan is not None)
    yield "sandbox-review"
    plan = app.screen._plan
    job = journal.Job(world.paths.jobs / "20260903T000000Z-abcdef")
    world.clock = lambda: NOW
    app.show(GuestWork(job, plan))
    await until(pilot, on(app, "GuestWork"))
    app.screen.moved(making(plan))
    yield "sandbox-work"
    app.screen.moved(making(plan, ended=True))
    yield "sandbox-made"


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_the_road_to_a_guest_looks_as_agreed(world: Any, golden: Any, size: tuple[int, int]) -> None:
    async with wizard(world, size) as (app, pilot):
        async for name in tour(app, pilot, world):
            await settled(app, pilot)
            golden(app, f"{name}-{size[0]}x{size[1]}")


async def test_the_road_to_a_guest_in_ascii(world: Any, golden: Any) -> None:
    async with wizard(world, ascii_only=True) as (app, pilot):
        async for name in tour(app, pilot, world):
            await settled(app, pilot)
            golden(app, f"{name}-ascii")
            assert text_grid(app).isascii()


async def test_small_windows_show_every_step(world: Any) -> None:
    async with wizard(world, (60, 20)) as (app, pilot):
        async for _name in tour(app, pilot, world):
            await settled(app, pilot)
            assert "of 9" in text_grid(app)


async def test_home_names_guests_only_where_there_are_some(
    world: Any, golden: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wizard(world) as (app, pilot):
        assert "Your guests" not in text_grid(app)
        monkeypatch.setattr(app.desk.sandbox, "guests", lambda: (object(),))
        app.go_home()
        await until(pilot, lambda: "Your guests" in text_grid(app), "guests")
        await until(pilot, lambda: "withheld" in text_grid(app) and "Newest" in text_grid(app))
        await settled(app, pilot)
        golden(app, "home-guests-80x24")
