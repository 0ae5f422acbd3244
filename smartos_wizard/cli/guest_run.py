"""`guest start`, `stop`, `snapshot`, `reinstall`, `delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.guest_wait import wait_options, waited_code
from smartos_wizard.cli.output import emit, json_option, run_plan, say
from smartos_wizard.core.errors import UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

_CODES = """\b
Exit codes: 0 done, 2 a value makes no sense, 4 refused (no such guest, not confirmed, it runs), 1 or 7 the
hypervisor failed.
"""
_dry = click.option("--dry-run", is_flag=True, help="Show what would happen and stop.")
_confirm = click.option(
    "--confirm", multiple=True, metavar="NAME", help="The guest's name, to say that you mean it."
)


@click.command(
    name="start",
    epilog=f"""\b
Examples:
  smartos-wizard guest start lab
  smartos-wizard guest start lab --wait login --timeout 900
{_CODES}With --wait 1 also means that the text did not come in time, or that the guest went off.
""",
)
@click.argument("name")
@wait_options
@_dry
@json_option
@click.pass_obj
def start_command(
    options: Options, name: str, wait: str, timeout: float, dry_run: bool, as_json: bool
) -> int:
    """Start the guest NAME without a window. It goes on running when this program ends."""
    from smartos_wizard.guests.planning import plan_start

    world = options.world
    guest = world.guests.find(name)
    code = run_plan(world, plan_start(guest), as_json=as_json, dry_run=dry_run)
    if code or dry_run or not wait:
        return code
    return waited_code(world, guest, wait, timeout, as_json=as_json, one_line=True)


@click.command(
    name="stop",
    epilog=f"""\b
Examples:
  smartos-wizard guest stop lab
  smartos-wizard guest stop lab --force
{_CODES}""",
)
@click.argument("name")
@click.option("--force", is_flag=True, help="Switch it off at once, like pulling the plug.")
@click.option("--patience", type=float, default=90.0, metavar="S", help="Seconds it may take to shut down.")
@_dry
@json_option
@click.pass_obj
def stop_command(
    options: Options, name: str, force: bool, patience: float, dry_run: bool, as_json: bool
) -> int:
    """Ask the guest NAME to shut down, and switch it off when it does not."""
    from smartos_wizard.guests.planning import plan_stop

    world = options.world
    plan = plan_stop(world.guests.find(name), patience=patience, force=force)
    return run_plan(world, plan, as_json=as_json, dry_run=dry_run)


@click.command(
    name="snapshot",
    epilog=f"""\b
Examples:
  smartos-wizard guest snapshot lab take clean
  smartos-wizard guest snapshot lab list
  smartos-wizard guest snapshot lab restore clean --confirm lab
{_CODES}""",
)
@click.argument("name")
@click.argument("act", type=click.Choice(["take", "restore", "delete", "list"]))
@click.argument("snapshot", default="")
@_confirm
@_dry
@json_option
@click.pass_obj
def snapshot_command(
    options: Options,
    name: str,
    act: str,
    snapshot: str,
    confirm: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take, restore, delete or list snapshots of the guest NAME; all its disks together."""
    from smartos_wizard.guests.planning import plan_snapshot
    from smartos_wizard.guests.ports import driver

    world = options.world
    guest = world.guests.find(name)
    if act == "list":
        names = driver(world, guest.spec.hypervisor).snapshot(guest, "list", "")
        if as_json:
            emit(list(names))
        else:
            for each in names or ("There are no snapshots.",):
                say(each)
        return 0
    if not snapshot:
        raise UsageProblem(
            "no-snapshot-name", "Which snapshot?", hint=f"smartos-wizard guest snapshot {name} {act} clean"
        )
    return run_plan(
        world, plan_snapshot(guest, act, snapshot), as_json=as_json, confirm=confirm, dry_run=dry_run
    )


@click.command(
    name="reinstall",
    epilog=f"""\b
Examples:
  smartos-wizard guest reinstall lab --confirm lab
  smartos-wizard guest reinstall lab --keep zones-1 --snapshot --confirm lab
{_CODES}""",
)
@click.argument("name")
@click.option("--keep", multiple=True, metavar="DISK", help="A disk that stays as it is; repeatable.")
@click.option("--snapshot", is_flag=True, help="First a snapshot to go back to.")
@_confirm
@_dry
@json_option
@click.pass_obj
def reinstall_command(
    options: Options, name: str, keep: tuple[str, ...], snapshot: bool, confirm: tuple[str, ...], dry_run: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Give the guest NAME empty disks. Its name, UUID, addresses and ports stay, so SmartOS sets itself up anew."""
    from smartos_wizard.guests.planning import plan_reinstall

    world = options.world
    plan = plan_reinstall(world.guests.find(name), world, keep, snapshot=snapshot)
    return run_plan(world, plan, as_json=as_json, confirm=confirm, dry_run=dry_run)


@click.command(
    name="delete",
    epilog=f"""\b
Examples:
  smartos-wizard guest delete lab --dry-run
  smartos-wizard guest delete lab --confirm lab
{_CODES}""",
)
@click.argument("name")
@_confirm
@_dry
@json_option
@click.pass_obj
def delete_command(
    options: Options, name: str, confirm: tuple[str, ...], dry_run: bool, as_json: bool
) -> int:
    """Remove the guest NAME with every file of it, each of which --dry-run names."""
    from smartos_wizard.guests.planning import plan_delete

    world = options.world
    plan = plan_delete(world.guests.find(name), world)
    return run_plan(world, plan, as_json=as_json, confirm=confirm, dry_run=dry_run)
