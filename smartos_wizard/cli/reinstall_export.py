"""`reinstall export`: plans as a playbook for Ansible."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.output import emit, json_option, run_plan, say
from smartos_wizard.core.errors import ExitCode

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

EPILOG = """\b
Examples:
  smartos-wizard reinstall export kestrel.plan.json --ansible fleet
  smartos-wizard reinstall export *.plan.json --ansible fleet --dry-run
\b
Writes inventory.yml, reinstall.yml (with its parts), verify.yml and README.md, which says how it is started. Way A, and
way C where the machine is in Rescue Mode already; what needs hands is refused. No machine is asked or changed.
\b
Exit codes: 0 written, 1 a file cannot be written, 2 a file is no plan, 4 refused (a plan needs hands, the same
machine twice, a file there is not ours).
"""
"""The help's end."""


@click.command(name="export", epilog=EPILOG)
@click.argument("plans", metavar="PLAN...", nargs=-1, required=True)
@click.option("--ansible", "directory", metavar="DIR", required=True, help="The directory the playbook is written to.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print every file; write none.")
@json_option
@click.pass_obj
def export_command(
    options: Options, plans: tuple[str, ...], directory: str, dry_run: bool, as_json: bool
) -> int:
    """Write a playbook that does what these plans say, for fleets that have Ansible already: one machine after the other,
    stopping at the first failure. It compares each machine with its plan again before anything begins.
    """
    from smartos_wizard.reinstall.export import exported
    from smartos_wizard.reinstall.export_steps import plan_export
    from smartos_wizard.reinstall.plan_file import host_of, plan_from_file

    read = [plan_from_file(Path(plan).expanduser()) for plan in plans]
    files = exported(read, practice=options.practice)
    plan = plan_export(files, Path(directory), [host_of(each) for each in read])
    if not dry_run:
        return run_plan(options.world, plan, as_json=as_json)
    if as_json:
        emit(plan.to_json())
    else:
        for file in files:
            say(f"==> {file.name} <==")
            say(file.text)
    return int(ExitCode.DONE)
