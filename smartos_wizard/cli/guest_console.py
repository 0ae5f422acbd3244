"""`guest console` and `guest ssh`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.guest_wait import waited_code
from smartos_wizard.cli.output import say
from smartos_wizard.core.errors import Refused, UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

CONSOLE = """\b
Examples:
  smartos-wizard guest console lab
  smartos-wizard guest console lab --log
  smartos-wizard guest console lab --wait login --timeout 600
  smartos-wizard guest console lab --wait "SmartOS Setup" --json
\b
Ctrl-] leaves the console; the guest goes on. --wait looks at all it said since it was last started. `login` stands
for the prompt at which one logs in, `setup` for the questions of the first start.
Exit codes: 0 done, 1 the text did not come in time or the guest went off, 4 no such guest, or it does not run.
"""
SSH = """\b
Examples:
  smartos-wizard guest ssh lab
  smartos-wizard guest ssh lab zpool status
\b
Exit codes: those of ssh; 4 no such guest, or it does not run.
"""


@click.command(name="console", epilog=CONSOLE)
@click.argument("name")
@click.option("--log", "only_log", is_flag=True, help="Print all that its console said so far, and stop.")
@click.option(
    "--wait", "--wait-for", "wait", default="", metavar="TEXT", help="Wait until it says this, and stop."
)
@click.option("--new", is_flag=True, help="With --wait: only what it says from now on counts.")
@click.option("--timeout", type=click.FloatRange(0), default=300.0, metavar="S", show_default=True,
              help="Seconds to wait for it.")  # fmt: skip
@click.option(
    "--json", "as_json", is_flag=True, help="With --wait: how it went as JSON, instead of what it says."
)
@click.pass_obj
def console_command(
    options: Options, name: str, only_log: bool, wait: str, new: bool, timeout: float, as_json: bool
) -> int:
    """The serial console of the guest NAME. Without a terminal it prints what the guest says."""
    from smartos_wizard.guests import reach
    from smartos_wizard.guests.console_line import console_of
    from smartos_wizard.guests.ports import typed

    guest = options.world.guests.find(name)
    where = console_of(options.world, guest)
    if only_log:
        if where.log is not None and where.log.exists():
            sys.stdout.buffer.write(where.log.read_bytes())
        return 0
    if wait:
        return waited_code(options.world, guest, wait, timeout, as_json=as_json, new=new, echo=True)
    if new or as_json:
        raise UsageProblem("no-wait", "--new and --json go with --wait.", hint="Say what to wait for.")
    if where.socket is None or not where.socket.exists():
        raise Refused(
            "guest-not-running", f"{name} does not run.", hint=typed(options.world, "guest", "start", name)
        )
    if not sys.stdin.isatty():
        reach.listen(where.socket, sys.stdout.buffer)
        return 0
    say("Connected. Ctrl-] leaves; the guest goes on.")
    reach.talk(where.socket, sys.stdin.fileno(), sys.stdout.fileno())
    say()
    return 0


@click.command(name="ssh", epilog=SSH, context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def ssh_command(options: Options, name: str, command: tuple[str, ...]) -> int:
    """Log in to the guest NAME by ssh, or run COMMAND there."""
    from smartos_wizard.guests import reach
    from smartos_wizard.guests.ports import driver, typed

    world = options.world
    guest = world.guests.find(name)
    where = driver(world, guest.spec.hypervisor).ssh(guest)
    if where is None:
        raise Refused("guest-not-running", f"{name} does not run, or its address is not known.",
                      hint=typed(world, "guest", "start", name))  # fmt: skip
    sys.stdout.flush()
    reach.ssh(guest, where, command)
