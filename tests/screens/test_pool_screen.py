"""What would the pool look like: typed disks, this machine's, and what is wrong, by keyboard."""

from __future__ import annotations

import time
from typing import Any

import pytest

from smartos_wizard.core.errors import WizardError
from tests.screens.conftest import choose, on, text_grid, text_of, until, wizard


async def to_pool(app: Any, pilot: Any) -> None:
    """From Home, by its own entry."""
    await choose(app, pilot, "pool")
    await until(pilot, lambda: on(app, "Pool")() and app.focused is not None, "the pool")


async def typed(app: Any, pilot: Any, words: str) -> None:
    """Type into the field that has the focus."""
    for letter in words:
        await pilot.press("space" if letter == " " else letter)
    await until(pilot, lambda: app.screen._asked.line.endswith(words[-3:]) or app.screen._asked.ram)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_pool_is_drawn_while_disks_are_typed(world: Any, size: tuple[int, int]) -> None:
    async with wizard(world, size) as (app, pilot):
        await to_pool(app, pilot)
        assert "drawn as you type" in text_grid(app)
        await typed(app, pilot, "8x4TB 400GB:ss")
        await until(pilot, lambda: "'400GB:ss' is no disk" in text_grid(app), "what is wrong")
        assert "Shown once the disks make sense" in text_grid(app)
        await pilot.press("d")
        await until(pilot, lambda: "raidz2  8 disks" in text_grid(app), "the picture")
        seen = text_grid(app)
        assert "21.8 TiB usable, any 2 disks may fail" in seen
        assert "9 disks, 1 of them SSD" in seen
        assert "takes 1 raidz2" in seen
        await pilot.press("down", "right")  # mirror
        await until(pilot, lambda: "mirror  2 disks" in text_grid(app), "mirrors")
        await pilot.press("down", "right", "right")  # one spare
        await until(pilot, lambda: "✗" in text_grid(app), "what is wrong")
        assert "ZFS refuses a mirror of one disk" in " ".join(text_of(app, "#drawn").split())
        await pilot.press("right")  # two
        await until(pilot, lambda: "2 spares" in text_grid(app), "two spares")
        assert "--layout mirror -s 2" in app.screen.command()
        await pilot.press("down")
        await typed(app, pilot, "x")
        await until(pilot, lambda: "“x” is no size" in text_grid(app), "what is wrong")
        assert "2 spares" in text_grid(app)
        await pilot.press("up", *["right"] * 5)  # seven: one disk is left
        await until(pilot, lambda: "✗ too many for these disks" in text_grid(app), "what is wrong")
        assert "There is no such pool" in text_grid(app)
        await pilot.press("escape")
        await until(pilot, on(app, "Home"))


async def test_the_disks_of_this_machine(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_pool(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "this machine's: " in text_of(app, "#disks-said"), "the disks")
        assert "--this-host" in app.screen.command()
        assert app.screen._asked.host.ram
        await pilot.press("pagedown")
        await until(pilot, lambda: app.screen.query_one("#pool").scroll_y > 0 or "Left out" in text_grid(app))
        await typed(app, pilot, "2x4TB")
        await until(pilot, lambda: "disk0" in text_grid(app), "what was typed instead")
        assert "--this-host" not in app.screen.command()


async def test_enter_shows_all_values_and_takes_one(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_pool(app, pilot)
        await typed(app, pilot, "4x4TB")
        await pilot.press("enter")  # to the next row
        assert app.focused.id == "layout"
        await pilot.press("enter")
        await until(pilot, on(app, "Pick"))
        await pilot.press("down")
        await until(pilot, lambda: "Pairs; half of the space" in text_grid(app), "what it leads to")
        await pilot.press("escape")
        await until(pilot, on(app, "Pool"))
        assert app.screen._asked.layout == ""
        await pilot.press("enter")
        await until(pilot, on(app, "Pick"))
        await pilot.press("down", "enter")
        await until(
            pilot, lambda: on(app, "Pool")() and app.screen._asked.layout == "mirror", "what was picked"
        )
        await until(pilot, lambda: "mirror  2 disks" in text_grid(app), "mirrors")
        assert "mirror" in str(app.screen.query_one("#layout").content)


async def test_a_machine_that_cannot_be_looked_at(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_pool(app, pilot)
        app.desk.machine.host = lambda: (_ for _ in ()).throw(
            WizardError("no-disks", "They cannot be listed.")
        )
        await pilot.press("f2")
        await until(pilot, on(app, "Asking"), "why")
        assert "They cannot be listed." in text_grid(app)
        await pilot.press("escape")
        assert on(app, "Pool")()
        assert "looking" not in text_of(app, "#disks-said")


async def test_the_newest_words_count_however_late_older_answers_come(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_pool(app, pilot)
        app.screen.query_one("#disks").value = "900x4TB"
        app.screen.query_one("#disks").value = "2x4TB"
        await until(pilot, lambda: "disk0" in text_grid(app), "the picture")
        await pilot.pause(0.3)
        assert "2 disks, 8 TB together" in text_of(app, "#disks-said")


async def test_a_thousand_disks_do_not_hold_up_the_keys(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_pool(app, pilot)
        await typed(app, pilot, "998x4TB")
        await until(pilot, lambda: "998 disks" in text_grid(app), "the picture")
        app.screen.query_one("#layout").focus()
        begin = time.perf_counter()
        app.screen.query_one("#layout").action_turn(1)
        assert time.perf_counter() - begin < 0.1
        await until(
            pilot, lambda: app.screen._asked.layout == "mirror" and "mirror" in text_grid(app), "mirrors"
        )


async def test_ascii_only_is_ascii(world: Any) -> None:
    async with wizard(world, ascii_only=True) as (app, pilot):
        await to_pool(app, pilot)
        await typed(app, pilot, "8x4TB")
        await until(pilot, lambda: "raidz2" in text_grid(app), "the picture")
        assert text_grid(app).isascii()
        assert "|- raidz2" in text_grid(app) or "`- raidz2" in text_grid(app)
