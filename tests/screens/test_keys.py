"""Looking after a key in the full-screen wizard: read, proven again, ejected."""

from __future__ import annotations

from typing import Any

from smartos_wizard.media.model import Target
from tests.screens.conftest import on, text_grid, text_of, until, wizard


async def to_key(app: Any, pilot: Any, path: str) -> None:
    """From Home to what is on the key at `path`."""
    app.look_after()
    await until(pilot, on(app, "LookAfter"))
    await until(pilot, lambda: app.screen.query_one("#disks").option_count > 3, "disks")
    for _ in range(10):
        await pilot.press("down")
        if app.screen.query_one("#disks").chosen == path:
            break
    await pilot.press("enter")
    await until(pilot, on(app, "OneKey"))
    await until(pilot, lambda: "Reading" not in text_of(app, "#contents"), "what is on it")


async def test_a_key_of_a_release_that_is_not_here_says_what_to_run(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_key(app, pilot, "/practice/sdi")
        await pilot.press("enter")
        await until(pilot, on(app, "Asking"), "the refusal")
        seen = " ".join(str(s.content) for s in app.screen.query("Static"))
        assert "not stored here yet" in seen
        assert "release download 2" in seen


async def test_after_ejecting_the_list_is_shown_without_that_key(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_key(app, pilot, "/practice/sdi")
        await pilot.press("e")
        await until(pilot, on(app, "LookAfter"), "the list again")
        await until(pilot, lambda: app.screen.query_one("#disks").option_count > 3, "disks")
        assert "/practice/sdi" not in [d.disk.path for d in app.desk.judged()]


async def test_a_written_key_is_proven_again_from_its_screen(world: Any) -> None:
    from smartos_wizard.screens.desk import Desk

    desk = Desk(world)
    image = desk.stored_image(desk.offer(details=False).rows[0].stamp)
    (target,) = [d for d in desk.judged() if isinstance(d, Target) and d.path == "/practice/sdb"]
    assert image is not None
    plan = desk.write_plan(image, (target,))
    *_, ended = world.run(plan)
    assert ended.exit_code == 0, ended
    async with wizard(world) as (app, pilot):
        await to_key(app, pilot, "/practice/sdb")
        assert image.stamp in text_of(app, "#contents")
        await pilot.press("enter")
        await until(pilot, on(app, "Work"), "the check")
        await until(pilot, lambda: app.watched.progress.ended is not None, "the proof", 60)
        assert app.watched.progress.ended.exit_code == 0
        await until(pilot, lambda: "PROVEN" in text_grid(app), "the words")
