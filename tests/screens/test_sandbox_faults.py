"""Making a guest goes wrong: faults, cancelling, a killed process; said in truth, nothing left, taken up again."""

from __future__ import annotations

import shutil
from typing import Any

import psutil
import pytest

from tests.screens.conftest import on, text_grid, text_of, until, wizard
from tests.screens.sandbox_parts import to_guest_review, to_made


async def test_a_guest_that_cannot_be_made_leaves_nothing_and_can_be_tried_again(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_made(app, pilot, "broken lab")
        seen = text_grid(app)
        assert "It did not work" in seen
        assert "✗" in seen
        assert world.guests.list() == ()
        app.screen.query_one("#next").press()
        await until(pilot, on(app, "GuestReview"), "the plan once more")
        await until(pilot, lambda: app.screen._plan is not None, "the plan")
        assert app.flow.answers.guest.name == "broken lab"


async def test_what_failed_is_asked_once_more_from_home_with_every_answer(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_made(app, pilot, "broken lab")
        app.go_home()
        await until(pilot, lambda: on(app, "Home")() and "take it up again" in text_grid(app), "at Home")
        shutil.rmtree(world.paths.state / "vault")  # what it was to be told at boot is kept for a week only
        app.screen.query_one("#jobs").focus()
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "GuestOptions")() and app.focused is not None, "options", 30)
        guest = app.flow.answers.guest
        assert (guest.name, guest.hypervisor, guest.count, guest.each) == (
            "broken lab",
            "practice",
            "1",
            "40GiB",
        )
        await pilot.press("f2")
        await until(pilot, on(app, "GuestReview"))
        await until(pilot, lambda: app.screen._plan is not None, "the plan")


async def test_what_is_not_as_asked_is_said(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_made(app, pilot, "drifts")
        assert "not all is as asked" in text_of(app, "#said")
        assert "sound: asked off, the hypervisor says on" in text_of(app, "#said")


async def test_a_cancelled_creation_is_taken_away(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with wizard(world) as (app, pilot):
        await to_guest_review(app, pilot)
        real = app.desk.start

        def start(plan: Any, confirm: tuple[str, ...] = ()) -> Any:
            job = real(plan, confirm)
            job.request_cancel()
            return job

        monkeypatch.setattr(app.desk, "start", start)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "GuestWork")() and app.screen._ended, "the end", 60)
        assert "Stopped" in text_grid(app)
        assert world.guests.list() == ()
        assert not list(world.guests.root.glob("*"))


async def test_what_was_killed_half_way_is_shown_at_home_and_made_anew(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_guest_review(app, pilot)
        spec = app.screen._plan.params["spec"]
        await pilot.press("enter")
        await until(pilot, on(app, "GuestWork"))
        job = app.screen.job
        await until(pilot, world.guests.list, "begun")
        (worker,) = [p for p in psutil.process_iter(["cmdline"]) if job.id in (p.info["cmdline"] or [])]
        worker.kill()
        await until(pilot, lambda: app.screen._ended, "noticed", 30)
        (half,) = world.guests.list()
        assert not half.made
        app.go_home()
        await until(pilot, lambda: "makes it anew" in text_grid(app), "at Home")
        app.screen.query_one("#jobs").focus()
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "GuestWork")() and app.screen.job != job, "again")
        await until(pilot, lambda: app.screen._ended, "the end", 60)
        assert app.screen.good, text_grid(app)
        (guest,) = world.guests.list()
        assert guest.made
        assert guest.spec.uuid in spec
