"""Several re-installs as one plan, a step for each machine: for a process of its own that one may leave and come back to.

Each step runs the machine's own plan, as `reinstall run` would, with the same record: what was cut off is taken up, by
this plan or by that command, and no step of it is done twice. The first machine that fails ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from smartos_wizard.core.errors import Cancelled, error_of
from smartos_wizard.core.events import (
    Advanced,
    Event,
    Noted,
    PlanCancelled,
    PlanFinished,
    StepStarted,
)
from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work, execute
from smartos_wizard.core.text import counted, tame
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.inventory import Entry
from smartos_wizard.reinstall.run_steps import RUN_ACTIONS
from smartos_wizard.reinstall.saying import listed

KIND = "reinstall-inventory"
_Run = Run[ReinstallWorld]


def plan_inventory(path: Path, entries: Sequence[Entry]) -> Plan:
    """One at a time, in the order of the file. Whether they may be begun, `inventory.require_runnable` says."""
    hosts = [entry.host for entry in entries]
    steps = tuple(_step(entry) for entry in entries)
    tokens = tuple(dict.fromkeys(token for entry in entries for token in entry.tokens))
    untouched = tuple(f"on {entry.host}: {words}" for entry in entries for words in entry.plan.untouched)
    return Plan(
        kind=KIND,
        title=f"Re-install {counted(len(hosts), 'machine')}, one at a time: {listed(hosts, most=6)}",
        steps=steps,
        untouched=("every other machine", *untouched),
        confirmation=Confirmation("To destroy what stands here, type all of it", tokens),
        locks=tuple(dict.fromkeys(lock for entry in entries for lock in entry.plan.locks)),
        params={"inventory": str(path), "hosts": hosts},
    )


def _step(entry: Entry) -> Step:
    details = tuple(
        f"{step.effect.value}: {step.title}" for step in entry.plan.steps if step.effect is not Effect.READS
    )
    return Step(
        f"{entry.number}-{tame(entry.host)}", "run-machine", entry.plan.title, Effect.DESTROYS, details,
        by_hand=f"smartos-wizard reinstall run {entry.file}", params={"host": entry.host, "plan": entry.plan.to_json()},
    )  # fmt: skip


def _run_machine(run: _Run, step: Step) -> Work:
    """The machine's own plan, to its end. Raises what ended it badly, with the machine's name before it."""
    host, plan = str(step.params["host"]), Plan.from_json(step.params["plan"])
    run.state = lambda: f"Stopped between two machines. {_so_far(run)}"
    for event in execute(plan, RUN_ACTIONS, run.world, run.cancel, run.clock):
        if isinstance(event, PlanCancelled):
            raise Cancelled("cancelled", f"{host}: {event.state} {_so_far(run, stopped=host)}")
        if isinstance(event, PlanFinished):
            _require_done(run, host, event)
            return {"host": host}
        yield from _told(step.id, host, event)
    return {}


def _require_done(run: _Run, host: str, event: PlanFinished) -> None:
    """Note what the machine's end says. Raises the error it ended with, of the same class."""
    if event.error is None:
        run.found.setdefault("done", []).append(host)
        run.result.setdefault("hosts", []).append({"host": host, "state": "done"})
        run.result.setdefault("say", []).extend(f"{host}: {line}" for line in event.result.get("say", ()))
        return
    error = event.error
    context = f"{host}{f': {error.context}' if error.context else ''}"
    raise error_of(replace(error, message=f"{host}: {error.message}", context=f"{context}. {_so_far(run, failed=host)}"))  # fmt: skip


def _told(step: str, host: str, event: Event) -> list[Event]:
    """An event of the machine's own plan, as one of this plan's step; its data stay, so that keys are agreed to as ever."""
    match event:
        case StepStarted():
            return [Noted(event.at, step, f"{host}: {event.title or event.step}", reference="machine-step", data={"host": host, "step": event.step})]  # fmt: skip
        case Noted():
            return [replace(event, step=step, data={**event.data, "machine": host, "step": event.step})]
        case Advanced():
            return [replace(event, step=step)]
        case _:
            return []


def _so_far(run: _Run, *, failed: str = "", stopped: str = "") -> str:
    """Which machines are done, which is in the middle, and which were not begun."""
    done = list(run.found.get("done", []))
    left = [host for host in run.plan.params["hosts"] if host not in (*done, failed, stopped)]
    rows = (("Done", done), ("Failed", [failed]), ("Stopped in the middle", [stopped]), ("Not begun", left))
    return " ".join(f"{word}: {listed(names, most=len(names))}." for word, names in rows if any(names))


INVENTORY_ACTIONS: dict[str, Action[ReinstallWorld]] = {"run-machine": Action(_run_machine)}
"""The code of a `reinstall-inventory` plan."""
