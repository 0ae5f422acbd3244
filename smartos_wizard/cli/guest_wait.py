"""Waiting for what a guest says, told to a person or as JSON, with the truth in the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from smartos_wizard.cli.output import emit, emit_line, tell
from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused

if TYPE_CHECKING:
    from smartos_wizard.guests.model import Guest
    from smartos_wizard.guests.waiting import Waited
    from smartos_wizard.world import World

F = TypeVar("F", bound=Callable[..., Any])


def wait_options(command: F) -> F:
    """`--wait TEXT` and `--timeout S`, for a command that starts a guest."""
    for option in (
        click.option("--timeout", type=click.FloatRange(0), default=1800.0, metavar="S", show_default=True,
                     help="Seconds to wait for it."),
        click.option("--wait", "--wait-for", "wait", default="", metavar="TEXT",
                     help="Then wait until its console says this; `login` and `setup` stand for their texts."),
    ):  # fmt: skip
        command = option(command)
    return command


def waited_code(
    world: World,
    guest: Guest,
    word: str,
    seconds: float,
    *,
    as_json: bool,
    one_line: bool = False,
    new: bool = False,
    echo: bool = False,
) -> int:
    """Wait and say how it went: 0 it was seen, 1 it was not.

    `new` counts only what is said from now on, otherwise all since the last start. `echo` copies what the guest
    says to stdout; without it the newest line is told now and then. Raises Refused `guest-not-running`.
    """
    from smartos_wizard.guests.ports import driver, typed
    from smartos_wizard.guests.waiting import Outcome, started_at, still_on, text_of, wait_for

    hypervisor, log = driver(world, guest.spec.hypervisor), guest.console.log
    if log is None or not still_on(guest, hypervisor):
        raise Refused(
            "guest-not-running",
            f"{guest.name} does not run.",
            hint=typed(world, "guest", "start", guest.name),
        )
    begin = (log.stat().st_size if log.exists() else 0) if new else started_at(guest)
    out: BinaryIO | None = sys.stdout.buffer if echo and not as_json else None
    if out is None and not as_json:
        tell(f"Waiting for “{text_of(word)}” on its console, {text.duration(seconds)} at most …")
    came = wait_for(
        log, word, seconds, out, begin=begin, alive=lambda: still_on(guest, hypervisor),
        tell=None if echo or as_json else lambda line: tell(f"  it says: {line}") if line else None,
    )  # fmt: skip
    if as_json:
        (emit_line if one_line else emit)(_document(guest, came))
    else:
        for line in _lines(guest, came, quiet=echo):
            tell(line)
    return 0 if came.outcome is Outcome.SEEN else 1


def _document(guest: Guest, came: Waited) -> dict[str, Any]:
    return {
        "event": "waited", "guest": guest.name, "outcome": came.outcome.value, "text": came.text,
        "seconds": came.seconds, "last": list(came.last),
    }  # fmt: skip


def _lines(guest: Guest, came: Waited, *, quiet: bool) -> list[str]:
    if came.outcome == "seen":
        return (
            []
            if quiet
            else [f"“{came.text}” is there{f', after {came.seconds:g} s' if came.seconds >= 1 else ''}."]
        )
    if came.outcome == "stopped":
        head = f"{guest.name} is off: it stopped before it said “{came.text}”."
    else:
        head = f"“{came.text}” did not appear in {came.seconds:g} s; {guest.name} still runs."
    if not came.last:
        return [head, "It said nothing at all."]
    return [head] if quiet else [head, "The last it said:", *(f"  {line}" for line in came.last)]
