"""What the way back, taking back and an inventory look like, to the character."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.screens import reinstall_parts as road
from tests.screens import restore_parts as back
from tests.screens.conftest import on, text_grid, until, wizard
from tests.screens.test_looks import settled
from tests.screens.test_reinstall_inventory import inventory
from tests.screens.test_restore import cut_off

pytestmark = pytest.mark.slow


def as_of(desk: Any) -> Any:
    """The backup that was made, with a place and sizes that are the same everywhere."""
    from smartos_wizard.screens.restore_model import Backup

    made = desk.backups()[0]
    files = tuple(replace(kept, size=1000, sha256="ab" * 32) for kept in made.manifest.files)
    return Backup(road.DIRECTORY, replace(made.manifest, files=files))


async def tour(app: Any, pilot: Any, world: Any, tmp_path: Path) -> AsyncIterator[str]:
    """Every screen."""
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.screens.reinstall_desk import Call
    from smartos_wizard.screens.reinstall_undo import UndoReview
    from smartos_wizard.screens.restore_choose import ChooseBackup
    from smartos_wizard.screens.restore_model import Restoring
    from smartos_wizard.screens.restore_what import ChooseWhat

    desk, real, where = app.desk.restore, app.desk.restore.backups()[0], Address("wiped")
    shown, found = as_of(desk), desk.compare(real, where, Call())
    desk.backups = lambda: (shown,)
    app.show(ChooseBackup())
    await until(pilot, lambda: on(app, "ChooseBackup")() and app.screen._backups)
    yield "restore-backup"
    app.show(ChooseWhat(Restoring(shown, where, found)))
    await until(pilot, on(app, "ChooseWhat"))
    await pilot.press("down", "space", "down", "space")
    yield "restore-what"
    await pilot.press("f2")
    await until(pilot, lambda: on(app, "RestoreReview")() and app.screen._plan is not None)
    yield "restore-review"
    plan, _job = cut_off(world, "running-vms")
    undo = app.desk.reinstall.undo_plan(plan)
    app.show(UndoReview(undo))
    await until(pilot, lambda: on(app, "UndoReview")() and getattr(app.screen, "_plan", None) is not None)
    yield "reinstall-undo"
    file = inventory(world, tmp_path, "plain", "dropped-run")
    fleet = app.desk.reinstall.inventory(str(file))
    app.desk.reinstall.inventory = lambda _path: replace(fleet, path="/home/you/fleet.toml")
    from smartos_wizard.screens.reinstall_inventory import ShowInventory

    app.show(ShowInventory("/home/you/fleet.toml"))
    await until(pilot, lambda: on(app, "ShowInventory")() and app.screen._found is not None)
    yield "reinstall-inventory"


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_it_looks_as_agreed(world: Any, tmp_path: Path, golden: Any, size: tuple[int, int]) -> None:
    back.make_backup(world, tmp_path / "kept")
    async with wizard(world, size) as (app, pilot):
        async for name in tour(app, pilot, world, tmp_path):
            await settled(app, pilot)
            golden(app, f"{name}-{size[0]}x{size[1]}")


async def test_in_ascii_it_is_ascii_and_a_small_window_breaks_nothing(world: Any, tmp_path: Path) -> None:
    back.make_backup(world, tmp_path / "kept")
    async with wizard(world, ascii_only=True) as (app, pilot):
        async for _name in tour(app, pilot, world, tmp_path):
            await settled(app, pilot)
            assert text_grid(app).isascii()
            for size in ((60, 20), (40, 12), (1, 1), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()


async def test_without_colour_every_state_is_a_word_or_a_mark(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    back.make_backup(world, tmp_path / "kept")
    words = {
        "restore-what": ("[x]", "[ ]", "▸"), "restore-review": ("not armed", "creates"), "reinstall-undo": ("changes",),
        "reinstall-inventory": ("[ ]", "not begun", "destroys"), "restore-backup": ("▸", "every file was read back"),
    }  # fmt: skip
    async with wizard(world) as (app, pilot):
        async for name in tour(app, pilot, world, tmp_path):
            await settled(app, pilot)
            for word in words[name]:
                assert word in text_grid(app), (name, word)
