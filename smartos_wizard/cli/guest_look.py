"""`guest list` and `guest show`: what there is, as asked and as the hypervisor says."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.output import emit, json_option, say, table
from smartos_wizard.core import text

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.guests.model import Actual, Detection, Guest
    from smartos_wizard.world import World

LIST = """\b
Examples:
  smartos-wizard guest list
  smartos-wizard guest list --hypervisors --json
"""
SHOW = """\b
Examples:
  smartos-wizard guest show lab
  smartos-wizard guest show lab --json
\b
Exit codes: 0 shown, 4 there is no such guest.
"""


@click.command(name="list", epilog=LIST)
@click.option("--hypervisors", is_flag=True, help="Which hypervisors are here, and how to get the others.")
@json_option
@click.pass_obj
def list_command(options: Options, hypervisors: bool, as_json: bool) -> None:
    """The guests made by this program. Those of other programs are not looked at."""
    world = options.world
    if hypervisors:
        _hypervisors(world, as_json=as_json)
        return
    found = [(guest, *_actual(world, guest)) for guest in world.guests.list()]
    if as_json:
        emit([_document(guest, actual, problem) for guest, actual, problem in found])
        return
    if not found:
        say("There are no guests yet. `smartos-wizard guest create NAME --release latest` makes one.")
        return
    rows = [
        (
            guest.name, "half made" if not guest.made else actual.state.value if actual else "unknown", guest.spec.hypervisor,
            f"{guest.spec.memory} MiB", str(len(guest.spec.disks)), guest.spec.sandbox.value, guest.spec.boot.stamp,
        )
        for guest, actual, _problem in found
    ]  # fmt: skip
    table(("NAME", "STATE", "IN", "MEMORY", "DISKS", "SANDBOX", "RELEASE"), rows)


@click.command(name="show", epilog=SHOW)
@click.argument("name")
@json_option
@click.pass_obj
def show_command(options: Options, name: str, as_json: bool) -> None:
    """One guest: its state, its files, and each switch of its sandbox as asked and as the hypervisor says."""
    from smartos_wizard.guests.sandbox import compared, drift

    world = options.world
    guest = world.guests.find(name)
    actual, problem = _actual(world, guest)
    if as_json:
        emit(_document(guest, actual, problem))
        return
    spec = guest.spec
    state = (
        "half made: `guest create` makes it anew"
        if not guest.made
        else actual.state.value
        if actual
        else problem
    )
    say(f"{guest.name}: {state}")
    say(
        f"  in        {spec.hypervisor}, {spec.memory} MiB, {spec.cpus} processor{'s' if spec.cpus != 1 else ''}, {spec.uuid}"
    )
    say(f"  starts    {spec.boot.stamp or spec.boot.source} ({spec.boot.kind.value}), console {spec.console}")
    for disk in spec.disks:
        say(f"  disk      {disk.name}, {text.size(disk.size)}")
    for nic in spec.nics:
        say(f"  card      {nic.mac}, {nic.network}")
    say(f"  folder    {guest.folder}")
    if actual is None:
        return
    if actual.ssh_port:
        say(f"  ssh       127.0.0.1 port {actual.ssh_port}")
    for snapshot in actual.snapshots:
        say(f"  snapshot  {text.tame(snapshot)}")
    say("")
    table(
        ("SANDBOX", "ASKED", "ACTUAL"),
        [(words, asked, said) for _name, words, asked, said in compared(spec, actual)],
    )
    for each in drift(spec, actual):
        say(f"  not as asked: {each.what}: asked {each.asked}, it is {each.actual}")
    for note in actual.notes:
        say(f"  note: {note}")


def _actual(world: World, guest: Guest) -> tuple[Actual | None, str]:
    from smartos_wizard.guests.looking import look

    found = look(world, guest)
    return found.actual, found.problem


def _document(guest: Guest, actual: Actual | None, problem: str) -> dict[str, Any]:
    from smartos_wizard.guests.sandbox import asked, drift

    return {
        "name": guest.name,
        "made": guest.made,
        "folder": str(guest.folder),
        "spec": asdict(guest.spec),
        "actual": None if actual is None else asdict(actual),
        "asked": asked(guest.spec),
        "drift": [] if actual is None else [asdict(each) for each in drift(guest.spec, actual)],
        "problem": problem,
    }


def _hypervisors(world: World, *, as_json: bool) -> None:
    found: list[Detection] = [each.detect() for each in world.hypervisors()]
    if as_json:
        emit([{**asdict(each), "can": sorted(each.can)} for each in found])
        return
    for each in found:
        state = f"{each.version} at {each.path}" if each.found else f"not here. {each.how}"
        say(f"{each.title}: {state}")
        for problem in each.problems:
            say(f"  {problem.text} {problem.hint}".rstrip())
