"""A question about work that goes on, and the work ends meanwhile: the question goes, whatever lies over it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from smartos_wizard.core import journal
from smartos_wizard.core.events import Event, PlanFinished, PlanStarted, StepHead, StepStarted
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Effect, Plan, Step
from tests.screens.conftest import on, text_grid, until, wizard

KINDS = {
    "release-download": "Work",
    "key-check": "Work",
    "guest-stop": "GuestWork",
    "guest-create": "GuestWork",
}


@contextmanager
def at_work(world: Any, kind: str, *, ends: bool = True) -> Iterator[tuple[Job, threading.Event]]:
    """A job that works until the event is set; then it ends well, or (`ends` false) nobody works on it any more."""
    plan = Plan(kind, "Some work", (Step("one", "one", "One step", Effect.READS, params={"kind": "usb"}),))
    job, gate = journal.create(world.paths.jobs, plan, practice=True), threading.Event()

    def events() -> Iterator[Event]:
        yield PlanStarted(1.0, kind, plan.title, (StepHead("one", "One step", "reads"),))
        yield StepStarted(2.0, "one", None)
        gate.wait(60)
        if ends:
            yield PlanFinished(3.0, 0, {"name": "it"})

    worker = threading.Thread(target=lambda: list(journal.recorded(job, events())), daemon=True)
    worker.start()
    try:
        yield job, gate
    finally:
        gate.set()
        worker.join(20)


async def watched(app: Any, pilot: Any, job: Job, screen: str) -> None:
    await until(pilot, job.running, "the worker")
    app.watch_job(job)
    await until(pilot, lambda: on(app, screen)() and app.screen.progress.current is not None, "the work")


@pytest.mark.parametrize("key", ["c", "f10"])
@pytest.mark.parametrize("ends", [True, False], ids=["ends", "lost"])
@pytest.mark.parametrize(("kind", "screen"), KINDS.items(), ids=KINDS)
async def test_the_question_closes_when_the_work_has_ended(
    world: Any, kind: str, screen: str, key: str, ends: bool
) -> None:
    with at_work(world, kind, ends=ends) as (job, gate):
        async with wizard(world) as (app, pilot):
            await watched(app, pilot, job, screen)
            await pilot.press(key)
            await until(pilot, on(app, "Asking"), "the question")
            gate.set()
            await until(pilot, lambda: on(app, screen)() and app.screen._ended, "the end of the work")
            assert app.screen.query_one("#end").display
            assert app.focused is not None
            assert app.focused.id in ("home", "next")
            assert not job.cancel_file.exists()
            assert app.is_running


async def test_two_of_them_one_over_the_other_close_both(world: Any) -> None:
    with at_work(world, "guest-stop") as (job, gate):
        async with wizard(world) as (app, pilot):
            await watched(app, pilot, job, "GuestWork")
            await pilot.press("c")
            await until(pilot, on(app, "Asking"), "the question")
            await pilot.press("ctrl+q")
            await until(pilot, lambda: app.screen.id == "quitting", "the other one")
            gate.set()
            await until(pilot, lambda: on(app, "GuestWork")() and app.screen._ended, "the end is shown")
            assert app.is_running


async def test_a_question_that_is_not_about_the_work_stays(world: Any) -> None:
    with at_work(world, "guest-stop") as (job, gate):
        async with wizard(world) as (app, pilot):
            await watched(app, pilot, job, "GuestWork")
            await pilot.press("l")
            await until(pilot, on(app, "Asking"), "the log")
            gate.set()
            await until(pilot, lambda: not app.busy, "the end of the work")
            await pilot.pause(0.2)
            assert on(app, "Asking")()
            assert "Nothing was noted" in text_grid(app)


async def test_while_the_work_goes_on_the_question_waits_and_counts(world: Any) -> None:
    with at_work(world, "guest-stop") as (job, _gate):
        async with wizard(world) as (app, pilot):
            await watched(app, pilot, job, "GuestWork")
            await pilot.press("c")
            await until(pilot, on(app, "Asking"), "the question")
            await pilot.pause(0.3)
            assert on(app, "Asking")()
            await pilot.press("right", "enter")
            await until(pilot, job.cancel_file.exists, "asked to stop")
