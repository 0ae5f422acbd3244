"""The actions that start and stop guests and take their snapshots."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.events import Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.guests import sandbox
from smartos_wizard.guests.at_work import driver_of, guest_of
from smartos_wizard.guests.hypervisor import Hypervisor
from smartos_wizard.guests.model import Drift, Guest
from smartos_wizard.guests.ports import GuestWorld, typed
from smartos_wizard.guests.waiting import note_start
from smartos_wizard.media.watching import in_thread


def _stop(run: Run[GuestWorld], step: Step) -> Work:
    guest, hypervisor = guest_of(run), driver_of(run)
    said: list[str] = []
    patience, force = float(step.params.get("patience", 90)), bool(step.params.get("force"))

    def tick() -> Iterator[Event]:
        while said:
            yield Noted(run.clock(), step.id, said.pop(0))

    yield from in_thread(
        run, lambda: hypervisor.stop(guest, said.append, patience=patience, force=force), tick
    )
    return {}


def _start(run: Run[GuestWorld], step: Step) -> Work:
    guest, hypervisor = guest_of(run), driver_of(run)
    said: list[str] = []

    told: list[str] = []

    def tick() -> Iterator[Event]:
        while said:
            told.append(said[0])
            yield Noted(run.clock(), step.id, said.pop(0))

    def work() -> tuple[Drift, ...]:
        note_start(guest, hypervisor)
        hypervisor.start(guest, said.append)
        with contextlib.suppress(WizardError):  # it runs; that nobody says how is no failure of starting
            return sandbox.drift(guest.spec, hypervisor.inspect(guest))
        return ()

    found: tuple[Drift, ...] = yield from in_thread(run, work, tick)
    for each in found:
        words = f"{each.what}: asked {each.asked}, it is {each.actual}"
        if not any(words in line for line in told):
            yield Noted(run.clock(), step.id, words, level="warning", reference="drift")
    run.result["drift"] = [[each.what, each.asked, each.actual] for each in found]
    runs = f"{guest.name} runs{', but not all is as asked' if found else ''}."
    run.result["say"] = [runs, *_next(run.world, guest, hypervisor)]
    return {}


def _next(world: GuestWorld, guest: Guest, hypervisor: Hypervisor) -> list[str]:
    lines = [f"Its console: {typed(world, 'guest', 'console', guest.name)}"]
    where = hypervisor.ssh(guest)
    if where is not None:
        lines.append(f"ssh, once setup is done: ssh -p {where.port} {where.user}@{where.host}")
    return lines


def _snapshot(run: Run[GuestWorld], step: Step) -> Work:
    guest, hypervisor = guest_of(run), driver_of(run)
    act, name = step.params["act"], step.params["name"]
    names: Any = yield from in_thread(run, lambda: hypervisor.snapshot(guest, act, name), lambda: ())
    run.result["snapshots"] = list(names)
    run.result["say"] = [f"Snapshots of {guest.name} now: {', '.join(names) or 'none'}."]
    return {"snapshots": list(names)}


RUN_ACTIONS: dict[str, Action[Any]] = {
    "start": Action(_start),
    "stop": Action(_stop),
    "snapshot": Action(_snapshot),
}
