"""What the screens off the way to a new key look like, to the character."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.media.model import KeyContents
from smartos_wizard.screens.keys import OneKey
from smartos_wizard.screens.keys_desk import Told
from smartos_wizard.screens.keys_options import KeyOptions
from smartos_wizard.screens.keys_review import ConfigureReview, RollbackReview
from tests.screens.conftest import on, text_grid, until, wizard
from tests.screens.test_looks import SIZES, settled

A, B = "20260430T145637Z", "20260903T001557Z"
NOTE = (
    "Its boot files are of 20260430T145637Z, its platform of 20260903T001557Z: it was changed after writing."
)


async def tour(app: Any, pilot: Any) -> AsyncIterator[str]:
    """This machine, a pool, a key, what it says, what would change."""
    app.check_machine()
    await until(pilot, lambda: on(app, "Fit")() and "RAID card:" in text_grid(app), "the check")
    yield "fit"
    app.preview_pool()
    await until(pilot, lambda: on(app, "Pool")() and app.focused is not None)
    yield "pool-empty"
    await pilot.press(*"8x4TB", "space", *"400GB:ssd", "down", "down", *["right"] * 3)
    await until(pilot, lambda: "2 spares" in text_grid(app) or app.size.height < 24, "the pool")
    yield "pool"
    target = next(d for d in app.desk.judged() if d.disk.path == "/practice/sdi")
    found = KeyContents(
        "gpt", stamp=B, previous=A, console="ttya", extra_files=("local/motd",), notes=(NOTE,)
    )
    real, app.desk.contents = app.desk.contents, lambda _target: found
    app.show(OneKey(target))
    await until(pilot, lambda: on(app, "OneKey")() and app.screen._contents is not None)
    yield "key"
    app.desk.contents = real
    choices = BootChoices(
        console="ttya", hostname="lab1", answers={"hostname": "lab1", "root_password": "Secret123"}
    )
    app.show(KeyOptions(target, Told(choices)))
    await until(pilot, lambda: on(app, "KeyOptions")() and app.focused is not None)
    yield "key-options"
    app.show(ConfigureReview(target, Told(choices)))
    await until(
        pilot, lambda: on(app, "ConfigureReview")() and getattr(app.screen, "_plan", None) is not None
    )
    yield "key-configure"
    app.show(RollbackReview(target))
    await until(
        pilot,
        lambda: (
            (on(app, "RollbackReview")() and "nothing-kept" in text_grid(app))
            or "nothing to go back" in text_grid(app)
        ),
    )
    yield "key-nothing-kept"


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
async def test_screens_look_as_agreed(world: Any, golden: Any, size: tuple[int, int]) -> None:
    async with wizard(world, size) as (app, pilot):
        async for name in tour(app, pilot):
            await settled(app, pilot)
            golden(app, f"{name}-{size[0]}x{size[1]}")
            assert "Secret123" not in text_grid(app)


@pytest.mark.slow
async def test_ascii_screens_are_ascii(world: Any, golden: Any) -> None:
    async with wizard(world, ascii_only=True) as (app, pilot):
        async for name in tour(app, pilot):
            await settled(app, pilot)
            golden(app, f"{name}-ascii")
            assert text_grid(app).isascii()


@pytest.mark.slow
async def test_a_tiny_window_does_not_crash(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        async for _name in tour(app, pilot):
            for size in ((20, 5), (1, 1), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
