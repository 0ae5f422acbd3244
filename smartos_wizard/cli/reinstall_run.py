"""`reinstall run` and `reinstall watch`: a plan is done on its machine, and what came of it is looked at."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.output import cancel_on_signal, json_option, run_plan, tell
from smartos_wizard.cli.reinstall_door import address_of, door_options
from smartos_wizard.core import journal
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.events import Event, Noted
from smartos_wizard.core.text import tame
from smartos_wizard.core.vault import Vault

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.inventory import Entry

EPILOG = """\b
Examples:
  smartos-wizard reinstall survey kestrel --save kestrel.json
  smartos-wizard reinstall plan --survey kestrel.json --consent no-backup --save kestrel.plan
  smartos-wizard reinstall run kestrel.plan --confirm kestrel:zones --confirm no-backup
  smartos-wizard reinstall run kestrel.plan --undo
  smartos-wizard reinstall run --inventory rack4.toml
\b
The machine is surveyed anew first; nothing is begun where anything differs from the plan. Until the step that destroys is
begun, Ctrl-C takes everything back. Interrupted, killed, connection lost: give the same command again; it looks
what was done, and no step is done twice. `reinstall watch` only looks.
\b
Exit codes: 0 done and verified, 1 failed, 2 the words of the command, or a file, make no sense, 3 cancelled, 4 refused
(not confirmed, the machine has changed), 5 not reachable, 8 what was verified is not as planned, 9 login refused, 10
connection lost, or the machine did not come back in time.
"""
"""The help's end."""
WATCH_EPILOG = """\b
Examples:
  smartos-wizard reinstall watch kestrel.plan
  smartos-wizard reinstall watch kestrel.plan --accept-host-key SHA256:... --ask-password
\b
Nothing is told to the machine. Where the wipe was ordered it is waited for, verified, and a receipt is written.
\b
Exit codes: 0 it is as said, 2 the words of the command make no sense, 3 stopped, 4 refused, 5 not reachable,
8 what was verified is not as planned, 9 login refused, 10 it did not come back in time.
"""
"""The help's end of watch."""


def _way_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((
        click.option("--host", default="", metavar="[USER@]HOST", help="Reach the machine under this name; the surveyed one otherwise."),
        click.option("--console", default="", metavar="WHERE", help="Its serial console: guest:NAME, the path of a socket, or HOST:PORT."),
        click.option("--wait", type=click.FloatRange(0.1, 24 * 60), default=None, metavar="MINUTES", help="How long it may take to be back; 60 otherwise."),
    )):  # fmt: skip
        command = option(command)
    return door_options(command)


@click.command(name="run", epilog=EPILOG)
@click.argument("plan_file", required=False, default="", metavar="PLAN")
@click.option("--confirm", multiple=True, metavar="TOKEN", help="What the plan asks to be typed, e.g. HOSTNAME:zones. May be repeated.")  # fmt: skip
@click.option("--undo", is_flag=True, help="Take back what an interrupted run began; destroys nothing.")
@click.option("--inventory", metavar="FILE", default="", help="Several machines, one after the other; stops at the first failure.")  # fmt: skip
@click.option("--at-once", type=click.IntRange(1, 64), default=1, metavar="N", help="With --inventory: so many machines at once.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show every step; do nothing.")
@_way_options
@json_option
@click.pass_obj
def run_command(
    options: Options, /, plan_file: str, confirm: tuple[str, ...], undo: bool, inventory: str, at_once: int, dry_run: bool,
    as_json: bool, **way: Any,
) -> int:  # fmt: skip
    """Re-install the machine of a plan: destroy the pools that it names, and no others, wait until the machine is back,
    verify, and keep a receipt.
    """
    if bool(plan_file) + bool(inventory) != 1:
        raise click.UsageError("Name a plan, or give --inventory FILE.")
    if inventory:
        if undo:
            raise click.UsageError("--undo takes back one machine's run: name its plan.")
        return _inventory(options, inventory, confirm, at_once, way, dry_run=dry_run, as_json=as_json)
    from smartos_wizard.reinstall.run_plans import undoing
    from smartos_wizard.reinstall.run_record import Record, plan_id

    plan = _plan(options, plan_file, way)
    if undo:
        plan = undoing(plan, Record(options.world.paths, plan_id(plan)))
    elif not dry_run and not as_json:
        confirm = _asked(plan, confirm)
    return run_plan(options.world, plan, as_json=as_json, confirm=() if undo else confirm, dry_run=dry_run, heard=_asker(options, as_json=as_json))  # fmt: skip


@click.command(name="watch", epilog=WATCH_EPILOG)
@click.argument("plan_file", metavar="PLAN")
@_way_options
@json_option
@click.pass_obj
def watch_command(options: Options, /, plan_file: str, as_json: bool, **way: Any) -> int:
    """In which state the machine of a plan is. After the wipe: wait until it is back, verify, write the receipt."""
    from smartos_wizard.reinstall.run_plans import watching
    from smartos_wizard.reinstall.run_record import Record, plan_id

    plan = _plan(options, plan_file, way)
    plan = watching(plan, Record(options.world.paths, plan_id(plan)))
    return run_plan(options.world, plan, as_json=as_json, heard=_asker(options, as_json=as_json))


def _plan(options: Options, file: str, way: dict[str, Any]) -> Plan:
    """The plan in the file, reached as said now. Raises UsageProblem `no-such-file`, `not-a-plan`."""
    from smartos_wizard.reinstall.run_plans import plan_of, reached
    from smartos_wizard.reinstall.run_record import accept, plan_id

    try:
        text = Path(file).expanduser().read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageProblem("no-such-file", f"{tame(file, 255)}: {error.strerror}") from error
    plan = plan_of(text, file)
    door = {name: value for name, value in way.items() if name not in ("console", "wait")}
    address = address_of(**door)
    for fingerprint in address.accept:
        accept(options.world.paths, plan_id(plan), fingerprint)
    secret = Vault(options.world.paths).put(address.password.encode()) if address.password is not None else ""
    return reached(plan, address, secret=secret, console=way["console"], wait=way["wait"])


def _asked(plan: Plan, confirm: tuple[str, ...]) -> tuple[str, ...]:
    """What a person types now, where it was not given; nothing without a terminal, or where something else was given."""
    asked = plan.confirmation
    if asked is None or confirm or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return confirm
    from smartos_wizard.cli.output import plan_lines

    for line in plan_lines(plan)[:-1]:
        tell(line)
    tell(f"\n{asked.prompt}:")
    return tuple(
        click.prompt(f"  {token}", default="", show_default=False, err=True).strip() for token in asked.tokens
    )


def _asker(options: Options, *, as_json: bool) -> Callable[[Event], None]:
    """Asks about a key that nobody knows, on a terminal; without one the event says what to do."""

    def heard(event: Event) -> None:
        if not isinstance(event, Noted) or event.reference != "unknown-host-key":
            return
        from smartos_wizard.reinstall.run_record import accept

        if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            tell(f"  When you have compared it: the same command with --accept-host-key {event.data['fingerprint']}, here or in another terminal.")  # fmt: skip
        elif click.confirm("  Is that the machine's key?", default=False, err=True):
            accept(options.world.paths, str(event.data["run"]), str(event.data["fingerprint"]))

    return heard


def _inventory(
    options: Options, file: str, confirm: tuple[str, ...], at_once: int, way: dict[str, Any], *, dry_run: bool, as_json: bool
) -> int:  # fmt: skip
    from smartos_wizard.cli.reinstall_inventory import run_inventory
    from smartos_wizard.core.plan import require_confirmed
    from smartos_wizard.reinstall.inventory import tokens_for
    from smartos_wizard.reinstall.run_plans import reached
    from smartos_wizard.reinstall.run_record import Record, accept, plan_id

    if any(way[name] for name in ("host", "port", "user", "jump", "identity", "console", "ask_password")):
        raise click.UsageError("How each machine is reached stands in the inventory, or in its plan.")
    world, cancel = options.world, Cancel()
    ask = _asker(options, as_json=as_json)

    def run_one(entry: Entry) -> Iterator[Event]:
        plan = reached(entry.plan, wait=way["wait"])
        for fingerprint in way["accept"]:
            accept(world.paths, plan_id(plan), fingerprint)
        require_confirmed(plan, tokens_for(entry, confirm))
        job = journal.create(world.paths.jobs, plan, world.practice)
        return journal.recorded(job, world.run(plan, cancel))

    with cancel_on_signal(cancel):
        return run_inventory(
            file, run_one, now=world.now(), confirm=confirm, at_once=at_once, cancel=cancel,
            begun=lambda plan: not Record(world.paths, plan_id(plan)).fresh, heard=lambda _host, event: ask(event),
            dry_run=dry_run, as_json=as_json,
        )  # fmt: skip
