"""One pure reducer from events to what a progress display shows. Shared by the interface and the command.

No clock is read here: time comes from the events, and from the caller where silence is to be measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.events import (
    Advanced,
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

_HALF_LIFE = 4.0  # seconds after which an old rate counts half
_SAMPLES = 240  # points of the speed graph kept


@dataclass(frozen=True, slots=True)
class Meter:
    """Progress of one step on one target. Bytes, bytes per second, seconds since the epoch."""

    done: int = 0
    total: int | None = None
    durable: int | None = None
    started: float = 0.0
    at: float = 0.0
    first: int = 0
    rate: float = 0.0
    bottleneck: str = ""
    history: tuple[tuple[float, float], ...] = ()

    @property
    def fraction(self) -> float | None:
        """Between 0 and 1, never more; None where the total is not known."""
        if not self.total:
            return None
        return min(1.0, self.done / self.total)

    @property
    def mean(self) -> float:
        """Bytes per second since the step began, not counting what was already there."""
        spent = self.at - self.started
        return (self.done - self.first) / spent if spent > 0 else 0.0

    def remaining(self) -> float | None:
        """Seconds left, from the smoothed rate; None while that cannot be told."""
        if self.total is None or self.rate <= 0 or self.at - self.started < 1.0:
            return None
        return max(0.0, (self.total - self.done) / self.rate)

    def silent(self, now: float) -> float:
        """Seconds since the last sign of progress."""
        return max(0.0, now - self.at)


@dataclass(frozen=True, slots=True)
class StepState:
    """A step as a watcher sees it: `waiting`, `now`, `done`, `failed` or `cancelled`."""

    head: StepHead
    state: str = "waiting"
    meters: dict[str, Meter] = field(default_factory=dict)
    result: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """A whole plan as a watcher sees it."""

    title: str = ""
    kind: str = ""
    steps: tuple[StepState, ...] = ()
    notes: tuple[Noted, ...] = ()
    newest: dict[tuple[str, str], Noted] = field(default_factory=dict)
    """The last note of each reference about each target; `notes` keeps only so many."""
    failures: tuple[StepFailed, ...] = ()
    ended: PlanFinished | PlanCancelled | None = None

    @property
    def current(self) -> StepState | None:
        """The step being worked on."""
        return next((s for s in self.steps if s.state == "now"), None)

    def step(self, step_id: str) -> StepState | None:
        """The step of that id."""
        return next((s for s in self.steps if s.head.id == step_id), None)

    @property
    def error(self) -> ErrorReport | None:
        """What the plan failed with."""
        return self.ended.error if isinstance(self.ended, PlanFinished) else None


def reduce(progress: Progress, event: Event) -> Progress:
    """The progress after `event`. Unknown steps and late events are ignored, never an error."""
    match event:
        case PlanStarted():
            return Progress(event.title, event.kind, tuple(StepState(head) for head in event.steps))
        case StepStarted():
            return _with_step(progress, event.step, lambda s: _started(s, event))
        case Advanced():
            return _with_step(progress, event.step, lambda s: _advanced(s, event))
        case Noted():
            newest = progress.newest
            if event.target and event.reference:
                newest = {**newest, (event.reference, event.target): event}
            return replace(progress, notes=(*progress.notes, event)[-200:], newest=newest)
        case StepFinished():
            return _with_step(progress, event.step, lambda s: replace(s, state="done", result=event.result))
        case StepFailed():
            failed = replace(progress, failures=(*progress.failures, event))
            if event.target:
                return failed
            return _with_step(failed, event.step, lambda s: replace(s, state="failed"))
        case PlanFinished():
            return replace(progress, ended=event)
        case PlanCancelled():
            stopped = _with_step(
                progress, event.step, lambda s: replace(s, state="cancelled") if s.state == "now" else s
            )
            return replace(stopped, ended=event)


def _with_step(progress: Progress, step_id: str, change: object) -> Progress:
    assert callable(change)
    steps = tuple(change(s) if s.head.id == step_id else s for s in progress.steps)
    return replace(progress, steps=steps)


def _started(step: StepState, event: StepStarted) -> StepState:
    meters = dict(step.meters)
    if event.total is not None:
        meters[""] = Meter(total=event.total, started=event.at, at=event.at)
    return replace(step, state="now", meters=meters)


def _advanced(step: StepState, event: Advanced) -> StepState:
    old = step.meters.get(event.target)
    another = old is not None and event.done < old.done and event.total not in (None, old.total)
    if old is None or old.started == 0.0 or another:  # a smaller count of another total is of another file
        new = Meter(
            event.done, event.total, event.durable, event.at, event.at, event.done, 0.0, event.bottleneck
        )
        return replace(step, meters={**step.meters, event.target: new})
    done = max(old.done, event.done)  # a bar never goes back
    spent = event.at - old.at
    rate, history = old.rate, old.history
    if spent > 0:
        now = (done - old.done) / spent
        weight = 1 - 0.5 ** (spent / _HALF_LIFE)
        rate = now if old.rate == 0 else old.rate + weight * (now - old.rate)
        history = (*history, (event.at, now))[-_SAMPLES:]
    moved = done > old.done
    meter = Meter(
        done,
        event.total if event.total is not None else old.total,
        event.durable if event.durable is not None else old.durable,
        old.started,
        event.at if moved or spent < 0 else old.at,
        old.first,
        rate if moved else old.rate,
        event.bottleneck or old.bottleneck,
        history if moved else old.history,
    )
    return replace(step, meters={**step.meters, event.target: meter})
