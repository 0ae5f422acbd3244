"""`key boot-test` and `key eject`: after a key is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.key_targets import file_option, to_read
from smartos_wizard.cli.output import emit, json_option, run_plan, say

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

EPILOG = """\b
Examples:
  smartos-wizard key boot-test /dev/sdX
  smartos-wizard key boot-test vm.img --file
"""


@click.command(name="boot-test", epilog=EPILOG)
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@file_option
@click.option("--dry-run", is_flag=True, help="Show what would happen and stop.")
@json_option
@click.pass_obj
def boot_test_command(
    options: Options, targets: tuple[str, ...], as_file: bool, dry_run: bool, as_json: bool
) -> int:
    """Start TARGET in QEMU, by BIOS and by UEFI, without changing a byte of it."""
    from smartos_wizard.media.boottest import plan_boot_test

    places = [to_read(options.world, target, as_file=as_file) for target in targets]
    return run_plan(options.world, plan_boot_test(places), as_json=as_json, dry_run=dry_run)


@click.command(name="eject", epilog="\b\nExample:\n  smartos-wizard key eject /dev/sdX\n")
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@json_option
@click.pass_obj
def eject_command(options: Options, targets: tuple[str, ...], as_json: bool) -> None:
    """Make TARGET safe to pull."""
    places = [to_read(options.world, target, as_file=False) for target in targets]
    said = [{"path": place.path, "said": options.world.opener.eject(place.path)} for place in places]
    if as_json:
        emit(said)
        return
    for row in said:
        say(row["said"])
