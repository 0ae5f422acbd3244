"""`reinstall run --inventory FILE`: several machines, one after the other, from reading the file to the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.failure import render
from smartos_wizard.cli.output import emit, plan_lines, say, tell
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import (
    Advanced,
    Event,
    Noted,
    PlanCancelled,
    PlanFinished,
    StepStarted,
    to_json,
)

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.inventory import Entry
    from smartos_wizard.reinstall.inventory_run import Heard


def run_inventory(
    path: str,
    run_one: Callable[[Entry], Iterator[Event]],
    *,
    now: float,
    confirm: Sequence[str] = (),
    at_once: int = 1,
    cancel: Cancel | None = None,
    begun: Callable[[Plan], bool] = lambda _plan: False,
    heard: Callable[[str, Event], None] = lambda _host, _event: None,
    dry_run: bool = False,
    as_json: bool = False,
) -> int:
    """Read the inventory, require everything that must be confirmed, run the machines, print; return the exit code.

    `run_one` runs the plan of one entry, whose tokens were all typed by then; `begun` tells of a plan whose run was cut
    off and is taken up; `heard` is called for each event with the machine's name, before it is printed. Missing
    tokens are asked for on a terminal. Raises UsageProblem and Refused before any machine was touched.
    """
    from smartos_wizard.reinstall import inventory, inventory_run

    file = Path(path).expanduser()
    entries = inventory.read_inventory(file)
    if dry_run:
        _show(entries, as_json=as_json)
        return 0
    typed = (*confirm, *_asked(entries, confirm, as_json=as_json))
    inventory.require_runnable(file, entries, now, typed, begun)
    code = 1
    for each in inventory_run.run_inventory(entries, run_one, at_once=at_once, cancel=cancel):
        heard(each.host, each.event)
        if as_json:
            click.echo(json.dumps({**to_json(each.event), "host": each.host}, separators=(",", ":")))
        else:
            _tell(each)
        if not each.host and isinstance(each.event, PlanFinished | PlanCancelled):
            code = each.event.exit_code
    return code


def _asked(entries: Sequence[Entry], confirm: Sequence[str], *, as_json: bool) -> list[str]:
    """What a person types now, machine by machine; nothing without a terminal."""
    from smartos_wizard.reinstall.inventory import missing_tokens

    if as_json or not sys.stdin.isatty():
        return []
    typed: list[str] = []
    for entry in entries:
        missing = missing_tokens(entry, (*confirm, *typed))
        if missing and entry.plan.confirmation is not None:
            tell(f"{entry.plan.confirmation.prompt}:")
        for token in missing:
            if click.prompt(f"  {token}", default="", show_default=False, err=True).strip() == token:
                typed.append(token)
    return typed


def _show(entries: Sequence[Entry], *, as_json: bool) -> None:
    if as_json:
        emit([{"host": entry.host, "file": entry.file, "plan": entry.plan.to_json()} for entry in entries])
        return
    for entry in entries:
        say(f"== {entry.number}. {entry.host} ({entry.file})")
        for line in plan_lines(entry.plan):
            say(line)
        say()


def _tell(each: Heard) -> None:
    """The event in lines on stderr, each beginning with the machine's name."""
    for line in _lines(each.event):
        tell(f"{each.host}: {line}" if each.host else line)


def _lines(event: Event) -> list[str]:
    match event:
        case StepStarted():
            return [f"● {event.title}"]
        case Noted():
            return [("  ! " if event.level == "warning" else "  ") + event.text]
        case Advanced():
            return []
        case PlanFinished():
            error = render(event.error).splitlines() if event.error is not None else []
            return [*error, *(str(line) for line in event.result.get("say", []))]
        case PlanCancelled():
            return [f"Cancelled. {event.state}"]
        case _:
            return []
