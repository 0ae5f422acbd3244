"""Decides human or JSON. stdout is data, everything else goes to stderr."""

from __future__ import annotations

import json
import logging
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

from smartos_wizard.cli.failure import render
from smartos_wizard.core import journal, text
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import ErrorReport, Refused
from smartos_wizard.core.events import (
    Advanced,
    Event,
    Noted,
    PlanCancelled,
    PlanFinished,
    PlanStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    to_json,
)
from smartos_wizard.core.plan import Effect, Plan, require_confirmed
from smartos_wizard.core.progress import Meter, Progress, reduce
from smartos_wizard.core.vault import Vault

if TYPE_CHECKING:
    from smartos_wizard.world import World

json_option = click.option(
    "--json", "as_json", is_flag=True, help="JSON on stdout: one document, or one event per line."
)
"""The `--json` of every command."""


def start_log(path: str) -> None:
    """Send the program's log to a file. It holds no secrets."""
    logging.basicConfig(
        filename=path, level=logging.DEBUG, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )


def emit(document: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, indent=2, default=str))


def emit_line(document: Any) -> None:
    """One JSON document in one line, where others come before or after it."""
    click.echo(json.dumps(document, separators=(",", ":"), default=str))


def say(line: str = "") -> None:
    """A line for a person, on stdout."""
    click.echo(line)


def tell(line: str) -> None:
    """A line that is not data: progress, warnings."""
    click.echo(line, err=True)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Columns as wide as they need to be."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def plan_lines(plan: Plan) -> list[str]:
    """The plan as a person reads it: what will happen, in order, and what is left alone."""
    lines = [plan.title, ""]
    for number, step in enumerate(plan.steps, 1):
        word = "DESTROYS" if step.effect is Effect.DESTROYS else step.effect.value
        lines.append(f"{number:>3} {word:<9} {step.title}")
        lines += [f"              {detail}" for detail in step.details]
        if step.by_hand:
            lines.append(f"              by hand: {step.by_hand}")
    if plan.untouched:
        lines += ["", "Not touched: " + "; ".join(plan.untouched) + "."]
    if plan.seconds is not None:
        lines.append(f"About {text.duration(max(1, plan.seconds))}.")
    if plan.confirmation is not None:
        lines.append(
            f"{plan.confirmation.prompt}: "
            + " ".join(f"--confirm {shlex.quote(t)}" for t in plan.confirmation.tokens)
        )
    return lines


def run_plan(
    world: World,
    plan: Plan,
    *,
    as_json: bool,
    confirm: tuple[str, ...] = (),
    dry_run: bool = False,
    heard: Callable[[Event], None] = lambda _event: None,
    printer: Printer | None = None,
) -> int:
    """Show (`dry_run`) or execute a plan in this process, journaled; return the exit code.

    `heard` is called with each event after it was printed: it may ask something before the work goes on.
    `printer` shows the events to a person in the place of the usual lines.
    Raises Refused when the plan destroys something and `confirm` does not name all of it.
    """
    if dry_run:
        if as_json:
            emit(plan.to_json())
        else:
            for line in plan_lines(plan):
                say(line)
        Vault(world.paths).forget_of(plan)
        return 0
    require(world, plan, confirm)
    job = journal.create(world.paths.jobs, plan, world.practice)
    cancel = Cancel()
    with cancel_on_signal(cancel):
        events = journal.recorded(job, world.run(plan, cancel))
        return print_events(events, as_json=as_json, heard=heard, printer=printer)


def require(world: World, plan: Plan, confirm: tuple[str, ...]) -> None:
    """Raise Refused unless the plan was confirmed; the secrets it names are forgotten then."""
    try:
        require_confirmed(plan, confirm)
    except Refused:
        Vault(world.paths).forget_of(plan)
        raise


def print_events(
    events: Iterable[Event],
    *,
    as_json: bool,
    heard: Callable[[Event], None] = lambda _event: None,
    printer: Printer | None = None,
) -> int:
    """Print events as they come, until the last; return its exit code."""
    printer = _JsonPrinter() if as_json else printer or PlainPrinter()
    code = 1
    for event in events:
        printer.show(event)
        heard(event)
        if isinstance(event, PlanFinished | PlanCancelled):
            code = event.exit_code
    return code


@contextmanager
def cancel_on_signal(cancel: Cancel) -> Iterator[None]:
    """Ctrl-C, TERM and HUP ask the work to stop at the next safe moment; a second Ctrl-C stops it at once."""

    def ask(signum: int, _frame: object) -> None:
        if cancel.requested and signum == signal.SIGINT:
            raise KeyboardInterrupt
        tell("Stopping; a moment …")
        cancel.request()

    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    old = {name: signal.signal(name, ask) for name in names}
    try:
        yield
    finally:
        for name, handler in old.items():
            signal.signal(name, handler)


class Printer(Protocol):
    """Shows events as they come."""

    def show(self, event: Event) -> None:
        """Show one."""
        ...


class _JsonPrinter:
    """One event per line, flushed, progress at most ten times a second; the last line is the result."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], float] = {}

    def show(self, event: Event) -> None:
        if isinstance(event, Advanced):
            key = (event.step, event.target)
            if event.at - self._last.get(key, 0.0) < 0.1 and event.done != event.total:
                return
            self._last[key] = event.at
        click.echo(json.dumps(to_json(event), separators=(",", ":")))


class PlainPrinter:
    """Lines on stderr; on a terminal the progress line is drawn over itself."""

    def __init__(self) -> None:
        self._state = Progress()
        self._drawn = 0.0
        self._tty = sys.stderr.isatty()
        self._open = False
        self._said = ""
        self._effects: dict[str, str] = {}

    def show(self, event: Event) -> None:
        self._state = reduce(self._state, event)
        match event:
            case PlanStarted():
                self._effects = {head.id: head.effect for head in event.steps}
            case StepStarted():
                effect = self._effects.get(event.step)
                self._line(f"● {f'{effect}: ' if effect else ''}{event.title}")
            case Advanced():
                self._progress(event)
            case Noted():
                self._line(("  ! " if event.level == "warning" else "  ") + event.text)
            case StepFinished():
                self._close()
            case StepFailed() if event.target:
                self._line(render(event.error))
            case PlanFinished():
                self._end(event.error, event.result)
            case PlanCancelled():
                self._line(f"Cancelled. {event.state}")
            case _:
                pass

    def _progress(self, event: Advanced) -> None:
        now = time.monotonic()
        if now - self._drawn < (0.2 if self._tty else 5.0) and event.done != event.total:
            return
        self._drawn = now
        step = self._state.step(event.step)
        meter = step.meters.get(event.target) if step else None
        if meter is None or (not meter.done and meter.total is None):
            return
        line = f"  {event.target + ': ' if event.target else ''}{meter_line(meter)}"
        if line == self._said:
            return
        self._said = line
        if self._tty:
            click.echo("\r\x1b[2K" + line, err=True, nl=False)
            self._open = True
        else:
            tell(line)

    def _end(self, error: ErrorReport | None, result: dict[str, Any]) -> None:
        if error is not None:
            self._line(render(error))
        for line in result.get("say", []):
            self._line(str(line))

    def _close(self) -> None:
        if self._open:
            click.echo("", err=True)
            self._open = False

    def _line(self, line: str) -> None:
        self._close()
        tell(line)


def meter_line(meter: Meter) -> str:
    """Progress in one line: how much of what, how fast, how long yet."""
    parts = [text.size(meter.done) + (f" of {text.size(meter.total)}" if meter.total else "")]
    if meter.fraction is not None:
        parts.append(f"{int(meter.fraction * 100)} %")
    if meter.rate:
        parts.append(text.rate(meter.rate))
    left = meter.remaining()
    if left is not None:
        parts.append(f"{text.duration(left)} left")
    return "  ".join(parts)
