"""Trees, machines and jobs for the screens about booting over the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from smartos_wizard.core import journal
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import (
    Advanced,
    Event,
    Noted,
    PlanStarted,
    StepFinished,
    StepHead,
    StepStarted,
)
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress, reduce
from smartos_wizard.practice.stamps import NEWEST
from smartos_wizard.screens.netboot_model import BuildAnswers
from tests.screens.conftest import on, until

OLDER = "20260430T145637Z"
MIB = 1 << 20


def build_tree(world: Any, directory: Path, *stamps: str) -> str:
    """A tree of these releases; its directory."""
    from smartos_wizard.screens.desk import Desk

    plan = Desk(world).netboot.build_plan(BuildAnswers(str(directory), stamps or (NEWEST,)))
    *_, last = world.run(plan)
    assert last.exit_code == 0, last
    return str(directory)


def ran(world: Any, plan: Plan, stop: Callable[[Event], bool] = lambda _event: False) -> Progress:
    """The plan, carried out in this process until `stop` says so or it ends by itself."""
    cancel, state = Cancel(), Progress()
    for event in world.run(plan, cancel):
        state = reduce(state, event)
        if stop(event):
            cancel.request()
    return state


async def shown(app: Any, pilot: Any, plan: Plan, progress: Progress) -> Any:
    """The screen of a job as it stands."""
    from smartos_wizard.screens.netboot_work import netboot_work

    screen = netboot_work(journal.create(app.desk.world.paths.jobs, plan, practice=True), plan)
    app.show(screen)
    await until(pilot, lambda: app.screen is screen and screen.is_mounted)
    screen.moved(progress)
    await pilot.pause()
    return screen


def machine(at: float, name: str, state: str, **more: Any) -> Noted:
    """A note as the engine gives it."""
    data = {"mac": name, "state": state, **more}
    return Noted(at, "serve", f"{name} {state}", target=name, reference="machine", data=data)


def loaded(at: float, name: str, file: str, done: int, total: int) -> Advanced:
    """Progress of a machine as the engine gives it."""
    return Advanced(at, "serve", done, total, target=name, bottleneck=file)


def begun(plan: Plan, at_step: str, at: float = 1.0) -> Progress:
    """A job that came to that step."""
    heads = tuple(StepHead(s.id, s.title, s.effect.value) for s in plan.steps)
    state = reduce(Progress(), PlanStarted(at, plan.kind, plan.title, heads))
    for step in plan.steps:
        state = reduce(state, StepStarted(at, step.id, step.title))
        if step.id == at_step:
            break
        state = reduce(state, StepFinished(at, step.id))
    return state


def serving(plan: Plan, events: Iterable[Event], at: float = 1.0) -> Progress:
    """A serving job that came to its last step, and then these events."""
    state = begun(plan, "serve", at)
    for event in events:
        state = reduce(state, event)
    return state


async def to_wire(app: Any, pilot: Any, directory: str, *, config: bool = False) -> Any:
    """The form of serving, with that tree looked at and the interfaces shown."""
    from smartos_wizard.screens.netboot_model import ServeAnswers
    from smartos_wizard.screens.netboot_wire import ChooseWire

    app.show(ChooseWire(ServeAnswers(directory, config=config)))
    await until(pilot, lambda: on(app, "ChooseWire")() and app.screen.facts is not None and app.screen._cards)
    return app.screen


async def choose_card(app: Any, pilot: Any, name: str = "practice0") -> None:
    """The pointer on that interface."""
    app.screen.query_one("#cards").focus()
    for _ in range(6):
        if app.screen.said.interface == name:
            return
        await pilot.press("down")
        await pilot.pause()
    raise AssertionError(f"no interface {name}")
