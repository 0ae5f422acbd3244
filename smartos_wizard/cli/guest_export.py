"""`guest export`: a guest for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.output import json_option, run_plan

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

EPILOG = """\b
Examples:
  smartos-wizard guest export lab --to lab.ova
  smartos-wizard guest export lab --to lab.xml --format libvirt
  smartos-wizard guest export lab --to ~/lab.utm --dry-run
  smartos-wizard guest export lab --to old.ova --manifest sha1
\b
Exit codes: 0 written and, an OVA, proven; 2 usage, 3 cancelled, 4 refused (it runs, FILE is there already,
a disk cannot be read, no room), 7 FILE could not be written, 8 what was written is not what was read.
"""
_BY_ENDING = {".ova": "ova", ".xml": "libvirt", ".utm": "utm"}


@click.command(name="export", epilog=EPILOG)
@click.argument("name")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What to write; must be new.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["ova", "libvirt", "utm"]),
    help="Told by FILE's ending where not said.",
)
@click.option("--manifest", type=click.Choice(["sha256", "sha1"]), default="sha256", show_default=True,
              help="Digest of an OVA's manifest; sha1 is for old readers.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would be written and what is left behind, and stop.")
@json_option
@click.pass_obj
def export_command(
    options: Options, name: str, target: Path, kind: str | None, manifest: str, dry_run: bool, as_json: bool
) -> int:
    """Write the guest NAME, which must be off, as an OVA for VirtualBox and VMware, as a libvirt domain over
    its own disks, or as a UTM bundle. What the format cannot carry is said.
    """
    from smartos_wizard.core.errors import UsageProblem
    from smartos_wizard.guests.export.planning import plan_export

    chosen = kind or _BY_ENDING.get(target.suffix.lower())
    if chosen is None:
        raise UsageProblem(
            "which-format",
            f"{target.name} does not say what it is to be.",
            hint="--format ova, libvirt or utm.",
        )
    world = options.world
    plan = plan_export(world.guests.find(name), chosen, target, world, manifest)
    return run_plan(world, plan, as_json=as_json, dry_run=dry_run)
