"""What happens while a plan runs, as data.

One JSON form with four uses: `--json` output, the journal, the terminal interface, recorded runs for tests.
`at` is wall-clock time in seconds since the epoch; sizes are bytes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import asdict, dataclass, field
from typing import Any

from smartos_wizard.core.errors import ErrorReport


@dataclass(frozen=True, slots=True)
class StepHead:
    """What a watcher must know of a step before it starts."""

    id: str
    title: str
    effect: str


@dataclass(frozen=True, slots=True)
class PlanStarted:
    """A plan begins. The steps are listed so that a watcher can draw them all at once."""

    at: float
    kind: str
    title: str
    steps: tuple[StepHead, ...] = ()


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins; `total` is in bytes and None where it is not known."""

    at: float
    step: str
    title: str = ""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Advanced:
    """Progress inside a step. Watchers may keep only the newest one per (step, target).

    `done` counts bytes worked on, `durable` those known to be on the medium; `target` is the disk or file
    concerned where a step works on several; `bottleneck` is a word for the slowest part just now.
    """

    at: float
    step: str
    done: int
    total: int | None = None
    durable: int | None = None
    target: str = ""
    bottleneck: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something a person may want to know; `level` is info or warning, `reference` a stable name."""

    at: float
    step: str
    text: str
    level: str = "info"
    target: str = ""
    reference: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step did what it said."""

    at: float
    step: str
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step, or one target of it, did not do what it said."""

    at: float
    step: str
    error: ErrorReport
    target: str = ""


@dataclass(frozen=True, slots=True)
class PlanFinished:
    """The end, good or bad: `exit_code` 0 means everything the plan promised was done and proven."""

    at: float
    exit_code: int
    result: dict[str, Any] = field(default_factory=dict)
    error: ErrorReport | None = None


@dataclass(frozen=True, slots=True)
class PlanCancelled:
    """The user stopped it. `state` says in words what that leaves behind."""

    at: float
    step: str
    state: str
    exit_code: int = 3
    result: dict[str, Any] = field(default_factory=dict)


Event = (
    PlanStarted | StepStarted | Advanced | Noted | StepFinished | StepFailed | PlanFinished | PlanCancelled
)

_NAMES: dict[type, str] = {
    PlanStarted: "plan-started",
    StepStarted: "step-started",
    Advanced: "advanced",
    Noted: "noted",
    StepFinished: "step-finished",
    StepFailed: "step-failed",
    PlanFinished: "plan-finished",
    PlanCancelled: "plan-cancelled",
}
_TYPES = {name: kind for kind, name in _NAMES.items()}


def is_last(event: Event) -> bool:
    """Whether nothing comes after this event."""
    return isinstance(event, PlanFinished | PlanCancelled)


def to_json(event: Event) -> dict[str, Any]:
    """The event as a JSON object.

    Where it carries an error, the error's keys stand both under `error` and, for a plan's last line, at the
    top level, so that a script finds `reference` and `exit_code` without knowing where to look.
    """
    data: dict[str, Any] = {"event": _NAMES[type(event)], **asdict(event)}
    error = getattr(event, "error", None)
    if error is not None:
        data["error"] = error.to_json()
        if isinstance(event, PlanFinished):
            data = {**error.to_json(), **data}
    elif "error" in data:
        del data["error"]
    return data


def from_json(data: dict[str, Any]) -> Event:
    """The inverse of `to_json`. Raises KeyError for an event this version does not know."""
    kind = _TYPES[str(data["event"])]
    names = {f.name for f in dataclasses.fields(kind)}
    fields = {k: v for k, v in data.items() if k in names}
    if "error" in fields and fields["error"] is not None:
        fields["error"] = ErrorReport.from_json(fields["error"])
    if "steps" in fields:
        fields["steps"] = tuple(StepHead(**s) for s in fields["steps"])
    event: Event = kind(**fields)
    return event
