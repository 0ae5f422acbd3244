"""What screens look like, to the character, in every size and mode."""

from __future__ import annotations

from typing import Any

import pytest

from smartos_wizard.core.events import (
    Advanced,
    PlanFinished,
    PlanStarted,
    StepFinished,
    StepHead,
    StepStarted,
)  # fmt: skip
from smartos_wizard.core.progress import Progress, reduce
from tests.screens.conftest import NOW, on, text_grid, to_review, to_target, until, wizard

SIZES = [(80, 24), (60, 20), (120, 36)]
STEPS = (("source", "reads"), ("open", "reads"), ("write", "destroys"), ("boot-sectors", "creates"), ("prove", "reads"), ("receipt", "creates"))  # fmt: skip


def writing(path: str = "/practice/sdb", size: int = 1_940_000_256) -> Progress:
    """A job as it stands after 24 s of writing."""
    begin = NOW - 24
    events: list[Any] = [PlanStarted(begin, "key-write", "Write", tuple(StepHead(i, i, e) for i, e in STEPS))]
    for name in ("source", "open"):
        events += [StepStarted(begin, name, name), StepFinished(begin, name)]
    events.append(StepStarted(begin, "write", "write"))
    done = 0
    for tick in range(96):
        rate = 44e6 if tick > 20 else 12e6 + tick * 1.5e6
        done += int(rate / 4) if tick else 0
        events.append(
            Advanced(begin + tick / 4, "write", done, size, done // (64 << 20) * (64 << 20), path, "the key")
        )
    state = Progress()
    for event in events:
        state = reduce(state, event)
    return state


async def show_work(app: Any, pilot: Any, world: Any) -> None:
    from smartos_wizard.core import journal
    from smartos_wizard.screens.work import Work

    await to_review(app, pilot)
    plan = app.screen._plan
    job = journal.Job(world.paths.jobs / "20260903T000000Z-abcdef")
    app.show(Work(job, plan))
    await until(pilot, on(app, "Work"))
    app.screen.moved(writing())
    await pilot.pause()


async def show_done(app: Any, pilot: Any, _world: Any) -> None:
    from smartos_wizard.screens.done import Done

    await to_review(app, pilot)
    key = {"path": "/practice/sdb", "state": "proven", "bytes": 1_940_000_256, "written": 1, "write_seconds": 38, "proof_seconds": 21, "receipt": "x"}  # fmt: skip
    app.show(Done(PlanFinished(NOW, 0, {"keys": [key]}).result))
    await until(pilot, on(app, "Done"))


async def show_target(app: Any, pilot: Any, _world: Any) -> None:
    await to_target(app, pilot)
    await pilot.press("down")


async def show_release(app: Any, pilot: Any, _world: Any) -> None:
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "ChooseRelease")() and "sha256" in text_grid(app), "checksums")


async def show_review(app: Any, pilot: Any, _world: Any) -> None:
    await to_review(app, pilot)


async def show_home(_app: Any, _pilot: Any, _world: Any) -> None:
    pass


SCREENS = {
    "home": show_home, "release": show_release, "target": show_target,
    "review": show_review, "write": show_work, "done": show_done,
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("name", SCREENS)
async def test_screen_looks_as_agreed(world: Any, golden: Any, name: str, size: tuple[int, int]) -> None:
    async with wizard(world, size) as (app, pilot):
        await SCREENS[name](app, pilot, world)
        await pilot.pause()
        golden(app, f"{name}-{size[0]}x{size[1]}")
        if size == (60, 20):
            assert "please enlarge" in text_grid(app)


@pytest.mark.parametrize("name", ["target", "review", "write"])
async def test_ascii_screens_are_ascii(world: Any, golden: Any, name: str) -> None:
    async with wizard(world, ascii_only=True) as (app, pilot):
        await SCREENS[name](app, pilot, world)
        await pilot.pause()
        golden(app, f"{name}-ascii")
        assert text_grid(app).isascii()


async def test_without_colour_everything_is_still_said(
    world: Any, golden: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with wizard(world) as (app, pilot):
        await show_work(app, pilot, world)
        assert app.no_color
        golden(app, "write-80x24")  # the same characters as with colours


@pytest.mark.parametrize("size", [(59, 19), (20, 5), (1, 1)])
async def test_a_tiny_window_does_not_crash(world: Any, size: tuple[int, int]) -> None:
    async with wizard(world) as (app, pilot):
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await pilot.press("enter")
        await pilot.resize_terminal(80, 24)
        await until(pilot, on(app, "ChooseRelease"))


async def test_a_silent_device_is_named(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await show_work(app, pilot, world)
        world.clock = lambda: NOW + 7
        app.screen.draw()
        await pilot.pause()
        assert "the device is silent for 7 s" in text_grid(app)


async def test_nothing_is_wider_than_80_columns_needs(world: Any) -> None:
    """No step of the rail and no key of the footer is cut at 80 columns."""
    async with wizard(world) as (app, pilot):
        await show_target(app, pilot, world)
        seen = text_grid(app)
        assert "○ Done" in seen
        assert "F10 Quit" in seen
