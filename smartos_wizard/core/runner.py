"""Runs plans: one plain generator that yields events. Nothing here knows what a step is about."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Cancelled, ErrorReport, ExitCode, report_of
from smartos_wizard.core.events import (
    Event,
    Noted,
    PlanCancelled,
    PlanFinished,
    PlanStarted,
    StepFailed,
    StepFinished,
    StepHead,
    StepStarted,
)
from smartos_wizard.core.plan import Plan, Step

W = TypeVar("W")


@dataclass(slots=True)
class Run(Generic[W]):
    """One execution of a plan: what the actions share.

    `found` carries values from one step to the next (open devices, digests); `result` is what the last
    event reports; an action that works on several targets and saw some of them fail sets `error`, which
    makes the whole plan fail at the end without stopping the others. `state` says in words what stopping
    between two steps would leave; an action that changes something sets it.
    """

    plan: Plan
    world: W
    cancel: Cancel
    clock: Callable[[], float] = time.time
    found: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    error: ErrorReport | None = None
    on_end: list[Callable[[], None]] = field(default_factory=list)
    state: Callable[[], str] = lambda: "Stopped; nothing has changed."


Work = Generator[Event, None, dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Action(Generic[W]):
    """The code behind a step: a generator that yields events and returns the step's result.

    `undo` takes the step back after a later one failed; it is called in reverse order.
    """

    do: Callable[[Run[W], Step], Work]
    undo: Callable[[Run[W], Step], Work] | None = None


def execute(
    plan: Plan,
    actions: Mapping[str, Action[W]],
    world: W,
    cancel: Cancel | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[Event]:
    """Run `plan`, yielding what happens; the last event is PlanFinished or PlanCancelled.

    Errors become events, never exceptions. Steps done before a failure are undone in reverse where they
    say how. Whatever an action put into `run.on_end` is called at the very end, newest first.
    """
    run = Run(plan, world, cancel or Cancel(), clock)
    heads = tuple(StepHead(s.id, s.title, s.effect.value) for s in plan.steps)
    yield PlanStarted(clock(), plan.kind, plan.title, heads)
    done: list[Step] = []
    last: Event | None = None
    try:
        for step in plan.steps:
            run.cancel.check(run.state())
            yield StepStarted(clock(), step.id, step.title)
            done.append(step)
            result = yield from actions[step.action].do(run, step)
            yield StepFinished(clock(), step.id, result or {})
    except Cancelled as stop:
        yield from _undo(run, actions, done)
        at_step = done[-1].id if done else ""
        last = PlanCancelled(clock(), at_step, stop.message, int(ExitCode.CANCELLED), run.result)
    except Exception as error:
        report = report_of(error)
        yield StepFailed(clock(), done[-1].id if done else "", report)
        yield from _undo(run, actions, done)
        last = PlanFinished(clock(), report.exit_code, run.result, report)
    finally:
        for hook in reversed(run.on_end):
            hook()
    if last is None:
        code = 0 if run.error is None else run.error.exit_code
        last = PlanFinished(clock(), code, run.result, run.error)
    yield last


def _undo(run: Run[W], actions: Mapping[str, Action[W]], done: list[Step]) -> Iterator[Event]:
    for step in reversed(done):
        undo = actions[step.action].undo
        if undo is None:
            continue
        try:
            yield from undo(run, step)
        except Exception as error:
            text = f"Could not undo “{step.title}”: {report_of(error).message}"
            yield Noted(run.clock(), step.id, text, level="warning", reference="undo-failed")
