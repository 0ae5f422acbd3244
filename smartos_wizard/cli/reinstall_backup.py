"""`reinstall backup` and `reinstall backup-check`: configuration and datasets of a machine, into a directory here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.output import emit, json_option, run_plan, say, tell
from smartos_wizard.cli.reinstall_door import address_of, door_options, surveyed
from smartos_wizard.core.errors import ExitCode, ProofFailed
from smartos_wizard.core.text import size

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.reinstall.model import Survey

EPILOG = """\b
Examples:
  smartos-wizard reinstall backup kestrel                        what would be lost, and what can be kept
  smartos-wizard reinstall backup kestrel --to kestrel --config-only
  smartos-wizard reinstall backup kestrel --to kestrel --instance all --dataset zones/data
  smartos-wizard reinstall backup --survey kestrel.json          the same list, of a kept survey
  smartos-wizard --practice reinstall backup plain --to plain --instance all
\b
What is finished and right is not fetched again when the same command is given again. The directory holds password
hashes, host keys and metadata of instances: mode 0700, files 0600.
\b
Exit codes: 0 whole and read back, 2 the words of the command make no sense, 3 cancelled, 4 refused, 5 not
reachable, 7 the disk here is full, 8 what was read back is not what was written, 9 login refused, 10
connection lost: give the same command again.
"""
"""The help's end."""
CHECK_EPILOG = """\b
Examples:
  smartos-wizard reinstall backup-check kestrel
  smartos-wizard reinstall backup-check kestrel --json
\b
Exit codes: 0 every file is what was written, 2 there is no finished backup, 8 a file is not, or is missing.
"""
"""The help's end of the check."""


@click.command(name="backup", epilog=EPILOG)
@click.argument("host", required=False, default="", metavar="[USER@]HOST")
@click.option("--survey", "survey_file", metavar="FILE", default="", help="List what a kept survey says; nothing is fetched.")  # fmt: skip
@click.option("--to", "to", metavar="DIR", default="", help="Where to keep it; without it only what would be lost is listed.")  # fmt: skip
@click.option("--instance", "instances", multiple=True, metavar="UUID|all", help="Keep this instance with all its data. May be repeated.")  # fmt: skip
@click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="Keep this dataset with all below it. May be repeated.")  # fmt: skip
@click.option("--config-only", is_flag=True, help="Keep no data, only configuration.")
@click.option("--keep-snapshots", is_flag=True, help="Leave the snapshots that were made for it on the machine.")  # fmt: skip
@click.option("--rehearse", is_flag=True, help="Afterwards have ZFS on the machine read each stream (zfs recv -n); takes as long again.")  # fmt: skip
@click.option("--tight", is_flag=True, help="Go on though it may not fit here: packed it is smaller.")
@click.option("--dry-run", is_flag=True, help="Show every step; do nothing.")
@door_options
@json_option
@click.pass_obj
def backup_command(
    options: Options, /, host: str, survey_file: str, to: str, instances: tuple[str, ...], datasets: tuple[str, ...],
    config_only: bool, keep_snapshots: bool, rehearse: bool, tight: bool, dry_run: bool, as_json: bool, **door: Any,
) -> int:  # fmt: skip
    """Keep what a re-install would destroy: configuration always, instances and datasets as chosen, each with its
    digest, read back from the disk at the end.

    Without --to what would be lost is listed, with sizes and how to keep it.
    """
    if bool(host) + bool(survey_file) != 1:
        raise click.UsageError("Name a machine, or give --survey FILE.")
    if config_only and (instances or datasets):
        raise click.UsageError("--config-only keeps no instance and no dataset.")
    if survey_file and to:
        raise click.UsageError("From a kept survey nothing can be fetched: name the machine.")
    if survey_file or not to:
        return _list(_survey(options, host, survey_file, door, as_json), as_json=as_json)
    if not (config_only or instances or datasets):
        raise click.UsageError("Say what to keep: --instance UUID|all, --dataset NAME, or --config-only.")
    from smartos_wizard.reinstall.backup_choice import Choice
    from smartos_wizard.reinstall.backup_manifest import unfinished
    from smartos_wizard.reinstall.backup_planning import Destination, plan_backup

    directory = Path(to).expanduser().absolute()
    destination = Destination(directory, unfinished(directory), keep_snapshots, rehearse, tight)
    address = address_of(host, **door)
    survey = surveyed(options, address, quiet=as_json)
    choice = Choice(tuple(i for i in instances if i != "all"), datasets, "all" in instances)
    plan = plan_backup(survey, choice, address, destination, options.world.now())
    return run_plan(options.world, plan, as_json=as_json, dry_run=dry_run)


def _survey(options: Options, host: str, file: str, door: dict[str, Any], as_json: bool) -> Survey:
    if file:
        from smartos_wizard.cli.reinstall_reading import survey_from

        return survey_from(file)
    return surveyed(options, address_of(host, **door), quiet=as_json)


def _list(survey: Survey, *, as_json: bool) -> int:
    from smartos_wizard.reinstall.backup_choice import what_would_be_lost

    rows = what_would_be_lost(survey)
    if as_json:
        emit([{"what": row.what, "size": row.size, "keep": row.keep, "name": row.name} for row in rows])
        return int(ExitCode.DONE)
    say("What a re-install can take, and how a backup keeps it:")
    for row in rows:
        how = {"always": "always kept", "along": "kept with what it belongs to", "instance": f"--instance {row.name}", "dataset": f"--dataset {row.name}"}.get(row.keep, "not kept")  # fmt: skip
        amount = "" if row.size is None else size(row.size)
        say(f"  {amount:>10}  {row.what}")
        say(f"  {'':>10}    {how}")
    return int(ExitCode.DONE)


@click.command(name="backup-check", epilog=CHECK_EPILOG)
@click.argument("directory", metavar="DIR")
@json_option
@click.pass_obj
def backup_check_command(options: Options, directory: str, as_json: bool) -> int:  # noqa: ARG001
    """Read a backup back and compare every file with what was written. Needs no machine."""
    from smartos_wizard.reinstall.backup_files import read_back
    from smartos_wizard.reinstall.backup_manifest import read

    place = Path(directory).expanduser()
    manifest = read(place)
    wrong: dict[str, str] = {}
    for kept in manifest.files:
        if not as_json:
            tell(f"Reading {kept.path}, {size(kept.size)} …")
        try:
            for _ in read_back(place, kept):
                pass
        except ProofFailed as error:
            wrong[kept.path] = error.message
    code = ExitCode.PROOF if wrong else ExitCode.DONE
    if as_json:
        emit({"directory": str(place), "host": manifest.host, "made": manifest.made, "whole": not wrong, "missing": list(manifest.missing),
              "files": [{"path": k.path, "size": k.size, "sha256": k.sha256, "kind": k.kind, "dataset": k.dataset, "problem": wrong.get(k.path, "")} for k in manifest.files],
              "exit_code": int(code)})  # fmt: skip
        return int(code)
    for message in wrong.values():
        say(f"DAMAGED  {message}")
    say(f"{len(manifest.files) - len(wrong)} of {len(manifest.files)} files are what was written: {manifest.words}.")  # fmt: skip
    return int(code)
