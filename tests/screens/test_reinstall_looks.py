"""What the road to a clean machine looks like, to the character."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.screens import reinstall_parts as road
from tests.screens.conftest import on, text_grid, until, wizard
from tests.screens.test_looks import settled
from tests.screens.test_reinstall_run import HANDS, KEY, picture, plan_of, shown, state


async def tour(app: Any, pilot: Any, world: Any) -> AsyncIterator[str]:
    """Every screen of the road, with a machine whose second pool must live."""
    app.desk.reinstall.directory_for = lambda _name: road.DIRECTORY
    app.desk.reinstall.machines = lambda: MACHINES
    await road.to_machine(app, pilot, "second-pool")
    yield "reinstall-machine"
    await road.to_survey(app, pilot, "second-pool")
    yield "reinstall-survey"
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "Keep")() and app.screen._rows)
    yield "reinstall-keep"
    await pilot.press("f2")
    await until(pilot, lambda: on(app, "BackupReview")() and app.screen._plan is not None)
    yield "reinstall-backup"
    await road.to_way(app, pilot, "second-pool")
    yield "reinstall-way"
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "Agree")() and app.screen._asked is not None)
    yield "reinstall-agree"
    await road.agree(app, pilot)
    await pilot.press("f2")
    await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None)
    yield "reinstall-review"
    plan = app.screen._plan
    await shown(app, pilot, plan, picture(plan, "rescue", HANDS, state(11.0, "down")))
    yield "reinstall-hands"
    app.screen.moved(picture(plan, "rescue", HANDS, KEY, state(12.0, "unknown-key")))
    await until(pilot, on(app, "Asking"))
    yield "reinstall-key"
    await pilot.press("escape")
    await road.to_way(app, pilot, "bootable")
    yield "reinstall-refused"
    await road.to_way(app, pilot, "second-pool")
    await pilot.press("u")
    await until(pilot, on(app, "WalkRunbook"))
    await pilot.press("space")
    await until(pilot, lambda: app.screen.kept.done == {0})
    yield "reinstall-runbook"
    del world


MACHINES = (
    ("plain", "two instances, nothing odd"), ("second-pool", "a data pool that must live"),
    ("bootable", "boots from its own pool, no key in it"),
)  # fmt: skip
"""Few of them, so that the pictures stay as they are when there are more."""


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_the_road_looks_as_agreed(world: Any, golden: Any, size: tuple[int, int]) -> None:
    async with wizard(world, size) as (app, pilot):
        async for name in tour(app, pilot, world):
            await settled(app, pilot)
            golden(app, f"{name}-{size[0]}x{size[1]}")


@pytest.mark.slow
async def test_the_road_in_ascii_is_ascii(world: Any, golden: Any) -> None:
    async with wizard(world, ascii_only=True) as (app, pilot):
        async for name in tour(app, pilot, world):
            await settled(app, pilot)
            assert text_grid(app).isascii()
            if name in ("reinstall-survey", "reinstall-way", "reinstall-review"):
                golden(app, f"{name}-ascii")


@pytest.mark.slow
async def test_a_small_window_breaks_nothing_on_the_road(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        async for _name in tour(app, pilot, world):
            for size in ((60, 20), (40, 12), (1, 1), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()


@pytest.mark.slow
async def test_without_colour_every_state_is_a_word_or_a_mark(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with wizard(world) as (app, pilot):
        await road.to_way(app, pilot, "second-pool")
        grid = text_grid(app)
        for words in ("DIES", "lives", "recommended", "▸"):
            assert words in grid
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Agree")() and app.screen._asked is not None)
        assert "[ ]" in text_grid(app)
        assert "[x]" in text_grid(app)
        plan = plan_of(world)
        await shown(app, pilot, plan, picture(plan, "destroy"))
        assert "DESTROYS" in text_grid(app)
