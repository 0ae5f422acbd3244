"""`dualboot remove`: takes SmartOS away from beside this Linux, after a whole installation or a part of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.dualboot_choice import confirm_option, root_command, root_option
from smartos_wizard.cli.output import emit, json_option, run_plan, say
from smartos_wizard.core.errors import PrivilegeFailed

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

EPILOG = """\b
Examples:
  smartos-wizard dualboot remove --dry-run
  sudo smartos-wizard dualboot remove --confirm kestrel
\b
GRUB's menu becomes what it was before, byte for byte; where it was changed since, it is made anew without SmartOS.
SmartOS' pool and its disk are not touched.
\b
Exit codes: 0 done, or nothing was there, 1 GRUB's tools failed, 3 cancelled, 4 refused, 7 write, 9 root's rights are
needed. After any of these give it again: it goes on from there.
"""


@click.command(name="remove", epilog=EPILOG)
@confirm_option
@click.option("--dry-run", is_flag=True, help="Show what would happen and stop.")
@root_option
@json_option
@click.pass_obj
def remove_command(
    options: Options, confirm: tuple[str, ...], dry_run: bool, root: str, as_json: bool
) -> int:
    """Take SmartOS away from beside this Linux: its entries, its files, and nothing else."""
    from smartos_wizard.netboot.dualboot_planning import plan_remove
    from smartos_wizard.netboot.dualboot_removing import installed, traces
    from smartos_wizard.netboot.dualboot_setup import read_setup

    world = options.world
    linux = world.linux(root)
    setup = read_setup(linux)
    if not setup.installed:
        emit({"result": "nothing", "exit_code": 0}) if as_json else say(
            "SmartOS is not beside this Linux. Nothing was changed."
        )
        return 0
    if not linux.may_change():
        raise PrivilegeFailed(
            "needs-root", "Changing how this machine starts needs root's rights. Nothing was changed.",
            hint=f"Give the same command as root: {root_command(None, world)}",
        )  # fmt: skip
    present = traces(linux)
    plan = plan_remove(setup, installed(linux), present, root)
    return run_plan(world, plan, as_json=as_json, confirm=confirm, dry_run=dry_run)
