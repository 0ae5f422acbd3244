"""`reinstall backup` and `reinstall backup-check`: configuration and datasets of a machine, into a directory here or to
another host.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.output import emit, json_option, run_plan, say, tell
from smartos_wizard.cli.reinstall_door import (
    address_of,
    door_options,
    other_door,
    other_door_options,
    surveyed,
)
from smartos_wizard.core.errors import ExitCode, ProofFailed
from smartos_wizard.core.text import size, tame

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.reinstall.backup_manifest import Manifest
    from smartos_wizard.reinstall.model import Survey
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.reinstall.there import Looked

EPILOG = """\b
Examples:
  smartos-wizard reinstall backup kestrel                        what would be lost, and what can be kept
  smartos-wizard reinstall backup kestrel --to kestrel --config-only
  smartos-wizard reinstall backup kestrel --to kestrel --instance all --dataset zones/data
  smartos-wizard reinstall backup kestrel --to kestrel --instance all --to-host attic --to-dataset tank/kestrel
  smartos-wizard reinstall backup --survey kestrel.json          the same list, of a kept survey
  smartos-wizard --practice reinstall backup plain --to plain --instance all
  smartos-wizard --practice reinstall backup plain --to sent --instance all --to-host attic --to-dataset tank/plain
\b
With --to-host the datasets go through this machine into the other host's pool, and the rest into the directory here.
That dataset is made for it: it must not exist, and nothing is ever received over what is there.
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
  smartos-wizard reinstall backup-check kestrel --there         and the datasets that were sent to another host
  smartos-wizard reinstall backup-check kestrel --json
\b
Exit codes: 0 everything is what was written, 2 there is no finished backup, 4 the other host is not the one it was,
5 it is not reachable, 8 a file or a dataset is not what was written, or is missing, 9 login refused, 10 connection lost.
"""
"""The help's end of the check."""


@click.command(name="backup", epilog=EPILOG)
@click.argument("host", required=False, default="", metavar="[USER@]HOST")
@click.option("--survey", "survey_file", metavar="FILE", default="", help="List what a kept survey says; nothing is fetched.")  # fmt: skip
@click.option("--to", "to", metavar="DIR", default="", help="Where to keep it; without it only what would be lost is listed.")  # fmt: skip
@click.option("--to-host", metavar="[USER@]HOST", default="", help="Send datasets to this host, which has ZFS; the rest goes to --to.")  # fmt: skip
@click.option("--to-dataset", metavar="POOL/NAME", default="", help="The dataset on --to-host that is made for them.")  # fmt: skip
@click.option("--instance", "instances", multiple=True, metavar="UUID|all", help="Keep this instance with all its data. May be repeated.")  # fmt: skip
@click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="Keep this dataset with all below it. May be repeated.")  # fmt: skip
@click.option("--config-only", is_flag=True, help="Keep no data, only configuration.")
@click.option("--keep-snapshots", is_flag=True, help="Leave the snapshots that were made for it on the machine.")  # fmt: skip
@click.option("--rehearse", is_flag=True, help="Afterwards have ZFS on the machine read each stream (zfs recv -n); takes as long again.")  # fmt: skip
@click.option("--tight", is_flag=True, help="Go on though it may not fit here: packed it is smaller.")
@click.option("--dry-run", is_flag=True, help="Show every step; do nothing.")
@door_options
@other_door_options("to", "the host that datasets are sent to")
@json_option
@click.pass_obj
def backup_command(
    options: Options, /, host: str, survey_file: str, to: str, to_host: str, to_dataset: str, instances: tuple[str, ...], datasets: tuple[str, ...],
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
    second = other_door(door, "to")
    if bool(to_host) != bool(to_dataset) or (any(second.values()) and not to_host):
        raise click.UsageError("--to-host and --to-dataset go together.")
    if to_host and (not to or config_only or rehearse):
        raise click.UsageError("--to-host sends instances and datasets: it goes with --to DIR, and not with --config-only or --rehearse.")  # fmt: skip
    if survey_file or not to:
        return _list(_survey(options, host, survey_file, door, as_json), as_json=as_json)
    if not (config_only or instances or datasets):
        raise click.UsageError("Say what to keep: --instance UUID|all, --dataset NAME, or --config-only.")
    from smartos_wizard.reinstall.backup_choice import Choice
    from smartos_wizard.reinstall.backup_manifest import unfinished
    from smartos_wizard.reinstall.backup_planning import Destination, plan_backup
    from smartos_wizard.reinstall.there import dataset_of

    if to_host:
        dataset_of(to_dataset)
    directory = Path(to).expanduser().absolute()
    begun = unfinished(directory)
    address = address_of(host, **door)
    there = address_of(to_host, **second, whose=f" for {to_host}") if to_host else None
    survey = surveyed(options, address, quiet=as_json)
    looked = _look(options, there, to_dataset, as_json=as_json) if there else None
    destination = Destination(directory, begun, keep_snapshots, rehearse, tight, looked)
    choice = Choice(tuple(i for i in instances if i != "all"), datasets, "all" in instances)
    plan = plan_backup(survey, choice, address, destination, options.world.now())
    return run_plan(options.world, plan, as_json=as_json, dry_run=dry_run)


def _look(options: Options, address: Address, dataset: str, *, as_json: bool) -> Looked:
    """What is on the host that is sent to; the connection stays open for the plan that follows."""
    from smartos_wizard.reinstall.there import look, open_there

    if not as_json:
        tell(f"Asking {address.host}; nothing is changed there …")
    opened = open_there(options.world, address)
    options.world.closers.append(opened.close)
    return look(opened, address, dataset)


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
@click.option("--there", "ask_there", is_flag=True, help="Ask the other host for the datasets that were sent to it.")  # fmt: skip
@other_door_options("to", "the host that datasets were sent to, instead of what it was then")
@json_option
@click.pass_obj
def backup_check_command(options: Options, /, directory: str, ask_there: bool, as_json: bool, **door: Any) -> int:  # fmt: skip
    """Read a backup back and compare every file with what was written. Needs no machine, but for --there."""
    from smartos_wizard.reinstall.backup_manifest import read

    place = Path(directory).expanduser()
    manifest = read(place)
    second = other_door(door, "to")
    if ask_there and manifest.there is None:
        raise click.UsageError("Nothing of this backup was sent to another host: leave --there out.")
    wrong = _damaged(place, manifest, quiet=as_json)
    differs: dict[str, str] | None = None
    if ask_there:
        differs = _differs(options, manifest, second)
    code = ExitCode.PROOF if wrong or differs else ExitCode.DONE
    if as_json:
        sent = [{"dataset": s.dataset, "place": s.place, "size": s.size, "snapshot": s.snapshot,
                 "problem": None if differs is None else differs.get(s.dataset, "")} for s in manifest.sent]  # fmt: skip
        emit({"directory": str(place), "host": manifest.host, "made": manifest.made, "whole": not (wrong or differs), "missing": list(manifest.missing),
              "files": [{"path": k.path, "size": k.size, "sha256": k.sha256, "kind": k.kind, "dataset": k.dataset, "problem": wrong.get(k.path, "")} for k in manifest.files],
              "there": manifest.there.words if manifest.there else None, "sent": sent, "exit_code": int(code)})  # fmt: skip
        return int(code)
    for message in (*wrong.values(), *(differs or {}).values()):
        say(f"DAMAGED  {message}")
    for each in manifest.sent:
        state = "not asked for; --there does" if differs is None else "NOT AS SENT" if each.dataset in differs else "as it was sent"  # fmt: skip
        say(f"  {size(each.size):>10}  {tame(each.dataset, 120)}, as {tame(each.place, 200)}: {state}")
    say(f"{len(manifest.files) - len(wrong)} of {len(manifest.files)} files are what was written: {manifest.words}.")  # fmt: skip
    return int(code)


def _damaged(place: Path, manifest: Manifest, *, quiet: bool) -> dict[str, str]:
    """What is wrong, by the name of the file."""
    from smartos_wizard.reinstall.backup_files import read_back

    wrong: dict[str, str] = {}
    for kept in manifest.files:
        if not quiet:
            tell(f"Reading {kept.path}, {size(kept.size)} …")
        try:
            for _ in read_back(place, kept):
                pass
        except ProofFailed as error:
            wrong[kept.path] = error.message
    return wrong


def _differs(options: Options, manifest: Manifest, second: dict[str, Any]) -> dict[str, str]:
    """What is not on the other host as it was sent, by dataset."""
    from smartos_wizard.reinstall.there import differences, known_address, open_known

    assert manifest.there is not None
    given = address_of(manifest.there.host, **second, whose=f" for {manifest.there.host}")
    opened = open_known(options.world, manifest.there, known_address(manifest.there, given))
    options.world.closers.append(opened.close)
    return differences(opened, manifest.sent)
