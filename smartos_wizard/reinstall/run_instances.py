"""Instances of a machine that is re-installed: shut down before, and started again where the run is taken back."""

from __future__ import annotations

import time

from smartos_wizard.core.errors import DeviceLost, NetworkFailed, WizardError
from smartos_wizard.core.events import Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.core.text import counted, tame
from smartos_wizard.reinstall import run_asking as asking
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.run_door import Line

_Run = Run[ReinstallWorld]
STOPPING = 300.0
"""Seconds an instance has to shut down."""


def stop_instances(run: _Run, step: Step, line: Line) -> Work:
    """Those of the plan that run now, one after the other."""
    wanted = step.params["instances"]
    before = _states_of(line)
    stopped = list(line.record.facts(step.id).get("stopped", []))
    line.record.begin(step.id, stopped=stopped)
    for number, uuid in enumerate(wanted):
        run.cancel.check(run.state())
        if before.get(uuid) in (None, "stopped"):
            continue
        stopped.append(uuid)
        line.record.note(step.id, stopped=sorted(set(stopped)))
        yield Noted(run.clock(), step.id, f"Stopping {uuid}, {number + 1} of {len(wanted)} …")
        _shut_down(line, uuid)
        until = time.monotonic() + STOPPING
        while (state := _states_of(line).get(uuid)) not in (None, "stopped"):
            if time.monotonic() > until:
                raise WizardError("instance-runs", f"The instance {uuid} is still {tame(str(state))} after five minutes.", hint=f"Stop it by hand: vmadm stop -F {uuid}. Then give the same command again.", context="nothing was destroyed")  # fmt: skip
            line.rest()
    return {"stopped": sorted(set(stopped))}


def _shut_down(line: Line, uuid: str) -> None:
    """Tell it to; where it is not known whether that arrived, and it runs as before, it is told again."""
    for _ in range(3):
        try:
            line.ask(asking.stop(uuid))
            return
        except (DeviceLost, NetworkFailed):
            if _states_of(line).get(uuid) in (None, "stopped"):
                return


def _states_of(line: Line) -> dict[str, str]:
    rows = [row.split() for row in line.read(asking.states()).splitlines()]
    return {row[0]: row[1] for row in rows if len(row) > 1}


def start_instances(run: _Run, step: Step, line: Line) -> Work:
    """Those that this run stopped, and that are stopped still."""
    stopped = line.record.facts(step.id).get("stopped", [])
    states = _states_of(line)
    for uuid in stopped:
        if states.get(uuid) == "stopped":
            line.read(asking.start(uuid))
    if stopped:
        yield Noted(run.clock(), step.id, f"{counted(len(stopped), 'instance')} started again.")
    return {}
