"""`key restore`: an ordinary stick again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.key_targets import confirm_option, file_option, fixed_option, to_write, typed
from smartos_wizard.cli.output import json_option, run_plan

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

EPILOG = """\b
Examples:
  smartos-wizard key restore /dev/sdX --confirm SERIAL
  smartos-wizard key restore /dev/sdX --label PHOTOS --dry-run
"""


@click.command(name="restore", epilog=EPILOG)
@click.argument("target", metavar="TARGET")
@click.option(
    "--label", default="USB", show_default=True, help="Name of the new file system, up to 11 characters."
)
@confirm_option
@click.option("--dry-run", is_flag=True, help="Show what would happen and stop.")
@file_option
@fixed_option
@json_option
@click.pass_obj
def restore_command(
    options: Options, target: str, label: str, confirm: tuple[str, ...], dry_run: bool, as_file: bool,
    allow_fixed: bool, as_json: bool,
) -> int:  # fmt: skip
    """Make TARGET one empty FAT32 partition again. Everything on it is erased."""
    from smartos_wizard.media.restoring import file_size, plan_restore

    size = file_size(target) if as_file else 0
    place = to_write(options.world, [target], size, as_file=as_file, allow_fixed=allow_fixed)[0]
    plan = plan_restore(place, label)
    return run_plan(options.world, plan, as_json=as_json, confirm=typed(confirm, [place]), dry_run=dry_run)
