"""What the steps of a backup share: the backup that is being made, what was chosen for it, and progress."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from smartos_wizard.core.events import Advanced, Event
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run
from smartos_wizard.reinstall.backup_choice import Group, group_from_json
from smartos_wizard.reinstall.backup_manifest import Begun
from smartos_wizard.reinstall.doors import ReinstallWorld

_Run = Run[ReinstallWorld]


def begun_of(run: _Run) -> Begun:
    """The backup that is being made."""
    found: Begun = run.found["backup"]
    return found


def groups_of(run: _Run) -> tuple[Group, ...]:
    """What was chosen."""
    return tuple(group_from_json(each) for each in run.plan.params["groups"])


def watch(
    run: _Run, step: Step, work: Generator[int, None, Any], total: int | None
) -> Generator[Event, None, Any]:
    """The work's bytes as events; it stops where a stop was asked for."""
    try:
        while True:
            done = next(work)
            run.cancel.check(run.state())
            yield Advanced(run.clock(), step.id, done, total)
    except StopIteration as end:
        return end.value
    finally:
        work.close()
