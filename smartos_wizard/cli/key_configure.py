"""`key configure`: what a written key tells its machine at boot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.boot_options import boot_options, choices_from
from smartos_wizard.cli.key_targets import confirm_option, file_option, fixed_option, to_change
from smartos_wizard.cli.key_upgrade import confirmed
from smartos_wizard.cli.output import json_option, run_plan, tell
from smartos_wizard.cli.reinstall_key import ReinstallKey, reinstall_option

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

EPILOG = """\b
Examples:
  smartos-wizard key configure /dev/sdX --console ttya --confirm SERIAL
  smartos-wizard key configure /dev/sdX --answers answers.json --dry-run
  smartos-wizard key configure vm.img --file --profile lab --confirm vm.img
  smartos-wizard key configure /dev/sdX --reset --confirm SERIAL
  smartos-wizard key configure /dev/sdX --reinstall --confirm SERIAL
  smartos-wizard key configure /dev/sdX --reinstall --answers answers.json --confirm SERIAL
\b
Exit codes: 0 done and proven (or it said so already), 2 a value makes no sense, 3 cancelled, 4 refused
(no key, damaged, full, write-protected, not confirmed), 7 write, 8 proof failed, 9 privilege, 10 device gone.
"""


@click.command(name="configure", epilog=EPILOG)
@click.argument("target", metavar="TARGET")
@boot_options
@reinstall_option
@click.option(
    "--reset", is_flag=True, help="Take back what earlier changes said; then what is asked for here."
)
@confirm_option
@click.option("--dry-run", is_flag=True, help="Show the difference, secrets covered, and stop.")
@file_option
@fixed_option
@json_option
@click.pass_obj
def configure_command(
    options: Options, target: str, boot: dict[str, Any], reinstall: bool, reset: bool, confirm: tuple[str, ...],
    dry_run: bool, as_file: bool, allow_fixed: bool, as_json: bool,
) -> int:  # fmt: skip
    """Tell the SmartOS key TARGET what its machine is told at boot. The rest of it stays as it is.

    What earlier changes said stays where nothing is said about it now, unless --reset is given. The change
    is all or nothing: a key that is pulled in the middle of it holds the old or the new.
    """
    from smartos_wizard.core.errors import UsageProblem
    from smartos_wizard.media.configuring import plan_configure

    choices = choices_from(options.world, boot, tell, partial=not reset)
    special = ReinstallKey(choices, (target,), asked=reinstall)
    if special.choices.empty and not reset:
        raise UsageProblem(
            "nothing-asked",
            "Nothing was asked for.",
            hint="For example --console ttya; --reset takes all back.",
        )
    place = to_change(options.world, target, as_file=as_file, allow_fixed=allow_fixed)
    plan = special.told(plan_configure(place, special.choices, options.world, reset=reset))
    given = confirmed(confirm, place, target) if plan.confirmation else ()
    code = run_plan(options.world, plan, as_json=as_json, confirm=given, dry_run=dry_run)
    special.say(code, dry_run=dry_run)
    return code
