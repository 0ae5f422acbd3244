"""What screens look like, to the character, in every size and mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
from tests.screens.conftest import NOW, on, text_grid, to_options, until, wizard

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


async def tour(app: Any, pilot: Any, world: Any) -> AsyncIterator[str]:
    """From Home to the end, stopping at each screen; the writing is a picture of a job, not one that runs."""
    from smartos_wizard.core import journal
    from smartos_wizard.screens.done import Done
    from smartos_wizard.screens.work import Work

    yield "home"
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "ChooseRelease")() and "sha256" in text_grid(app), "checksums")
    yield "release"
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "ChooseTarget")() and app.screen.query_one("#disks").option_count > 3)
    await pilot.press("down")
    yield "target"
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "Options")() and app.focused is not None)
    yield "options"
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "Review")() and app.screen._plan is not None, "the plan")
    yield "review"
    job = journal.Job(world.paths.jobs / "20260903T000000Z-abcdef")
    app.show(Work(job, app.screen._plan))
    await until(pilot, on(app, "Work"))
    app.screen.moved(writing())
    yield "write"
    key = {"path": "/practice/sdb", "state": "proven", "bytes": 1_940_000_256, "written": 1, "write_seconds": 38, "proof_seconds": 21, "receipt": "x"}  # fmt: skip
    app.show(Done(PlanFinished(NOW, 0, {"keys": [key]}).result))
    await until(pilot, on(app, "Done"))
    yield "done"


async def settled(app: Any, pilot: Any) -> None:
    """Return when the screen looks the same five times: text is wrapped once its width is known."""
    seen: list[str] = []
    while len(seen) < 5 or len(set(seen[-5:])) > 1:
        await pilot.pause(0.1)
        seen.append(text_grid(app))
        assert len(seen) < 100, "the screen never comes to rest"


async def show_work(app: Any, pilot: Any, world: Any) -> None:
    async for name in tour(app, pilot, world):
        if name == "write":
            break
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
async def test_screens_look_as_agreed(world: Any, golden: Any, size: tuple[int, int]) -> None:
    async with wizard(world, size) as (app, pilot):
        async for name in tour(app, pilot, world):
            await settled(app, pilot)
            golden(app, f"{name}-{size[0]}x{size[1]}")
            assert ("please enlarge" in text_grid(app)) == (size == (60, 20))


async def option_tour(app: Any, pilot: Any) -> AsyncIterator[str]:
    """The step “Options” with something set, something wrong, a list, and the answers form."""
    await to_options(app, pilot)
    await pilot.press("down", "right", "right", "down", "right")
    app.screen.query_one("#delay").focus()
    await pilot.pause()
    await pilot.press(*"4000")
    yield "options-wrong"
    await pilot.press(*["backspace"] * 4)
    app.screen.query_one("#console").focus()
    await pilot.pause()
    await pilot.press("enter")
    await until(pilot, on(app, "Pick"))
    yield "options-list"
    await pilot.press("escape")
    await until(pilot, on(app, "Options"))
    app.screen.query_one("#answers").focus()
    await pilot.pause()
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "AnswersForm")() and app.focused is not None)
    yield "answers"
    await pilot.press("down", "right")
    app.screen.query_one("#admin_ip").focus()
    await pilot.pause()
    await pilot.press(*"10.0.0.999")
    yield "answers-wrong"


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_options_and_answers_look_as_agreed(world: Any, golden: Any, size: tuple[int, int]) -> None:
    async with wizard(world, size) as (app, pilot):
        async for name in option_tour(app, pilot):
            await settled(app, pilot)
            golden(app, f"{name}-{size[0]}x{size[1]}")


async def test_ascii_options_are_ascii(world: Any, golden: Any) -> None:
    async with wizard(world, ascii_only=True) as (app, pilot):
        async for name in option_tour(app, pilot):
            await settled(app, pilot)
            golden(app, f"{name}-ascii")
            assert text_grid(app).isascii()


async def test_ascii_screens_are_ascii(world: Any, golden: Any) -> None:
    async with wizard(world, ascii_only=True) as (app, pilot):
        async for name in tour(app, pilot, world):
            await settled(app, pilot)
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
        async for name in tour(app, pilot, world):
            if name == "target":
                break
        seen = text_grid(app)
        assert "○ Done" in seen
        assert "F10 Quit" in seen
