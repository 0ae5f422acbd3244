"""Walking the road to a clean machine in the practice world."""

from __future__ import annotations

from typing import Any

from tests.screens.conftest import on, until

DIRECTORY = "/home/you/kestrel-backup"


def chosen(app: Any) -> str:
    """The machine under the pointer; empty where the list is not there."""
    found = app.screen.query("#machines")
    return found.first().chosen if found else ""


async def to_machine(app: Any, pilot: Any, name: str = "plain") -> None:
    """The list of machines, with the pointer on one."""
    app.start_reinstall()
    await until(pilot, lambda: chosen(app), "the machines")
    for _ in range(30):
        if chosen(app) == name:
            return
        await pilot.press("down")
    raise AssertionError(f"no machine {name}")


async def to_survey(app: Any, pilot: Any, name: str = "plain") -> None:
    """The survey of that machine."""
    await to_machine(app, pilot, name)
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "ShowSurvey")() and hasattr(app.screen, "_notes"), "the survey")
    await until(pilot, lambda: app.screen.query_one("#tree").cursor_line >= 0, "the tree")


async def to_keep(app: Any, pilot: Any, name: str = "plain") -> None:
    """What is to be kept."""
    await to_survey(app, pilot, name)
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "Keep")() and app.screen._rows, "what would be lost")


async def to_way(app: Any, pilot: Any, name: str = "plain") -> None:
    """The ways, without a backup."""
    await to_keep(app, pilot, name)
    await pilot.press("f3")
    await until(pilot, on(app, "Asking"), "the question")
    await pilot.press("right", "enter")
    await until(pilot, lambda: on(app, "ChooseWay")() and app.screen._advice is not None, "the ways")


async def to_agree(app: Any, pilot: Any, name: str = "plain") -> None:
    """What must be agreed to, with the recommended way."""
    await to_way(app, pilot, name)
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "Agree")() and app.screen._asked is not None, "what is agreed to")


async def agree(app: Any, pilot: Any) -> None:
    """To all of it."""
    await pilot.press("home")
    for stop in app.screen._asked.consents:
        if stop.token not in app.screen.said.consents:
            await pilot.press("space")
        await pilot.press("down")
    assert app.screen._asked.tokens <= app.screen.said.consents


async def to_plan(app: Any, pilot: Any, name: str = "plain") -> None:
    """The review, with everything agreed to."""
    await to_agree(app, pilot, name)
    await agree(app, pilot)
    await pilot.press("f2")
    await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None, "the plan")


async def type_all(app: Any, pilot: Any) -> None:
    """Every token of the plan."""
    app.screen.query_one("#token").value = " ".join(app.screen.tokens)
    await pilot.pause()
    assert app.screen.is_armed


async def to_run(app: Any, pilot: Any, name: str = "plain") -> None:
    """A run that was begun."""
    await to_plan(app, pilot, name)
    await type_all(app, pilot)
    await pilot.press("enter", "enter")
    await until(pilot, on(app, "ReinstallWork"), "the run")


async def its_key(app: Any, pilot: Any, seconds: float = 60) -> str:
    """Wait for the question about a key, and say yes; the fingerprint."""
    await until(pilot, on(app, "Asking"), "the question about its key", seconds)
    words = str(app.screen._words)
    await pilot.press("right", "enter")
    await until(pilot, on(app, "ReinstallWork"))
    return next(word for word in words.split() if word.startswith("SHA256:"))
