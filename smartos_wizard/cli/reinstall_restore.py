"""`reinstall restore`: configuration, instances and datasets of a backup, back on a machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.output import emit, json_option, run_plan, say
from smartos_wizard.cli.reinstall_door import (
    address_of,
    door_options,
    other_door,
    other_door_options,
    surveyed,
)
from smartos_wizard.core.errors import ExitCode
from smartos_wizard.core.text import age, size, tame

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.backup_manifest import Manifest
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.reinstall.restore_config import Compared
    from smartos_wizard.reinstall.restore_planning import Wanted

EPILOG = """\b
Examples:
  smartos-wizard reinstall restore kestrel 192.0.2.10            what is in it, and what differs there
  smartos-wizard reinstall restore kestrel 192.0.2.10 --config --instance all --dry-run
  smartos-wizard reinstall restore kestrel 192.0.2.10 --config --instance all --confirm kestrel
  smartos-wizard reinstall restore kestrel 192.0.2.10 --config --overwrite /usbkey/shadow --confirm kestrel
  smartos-wizard --practice reinstall restore plain wiped --instance all --confirm wiped
\b
Datasets that were sent to another host come back from it, through this machine, and are taken up where they broke off.
\b
A dataset that is there is never received over. Files that are there stay, unless they are named with --overwrite;
`all` names every one that differs but /usbkey/config, which has to be named itself. Instances are not started.
\b
Exit codes: 0 put back, 2 the words make no sense, or there is no backup, 3 cancelled, 4 refused, or not
confirmed, 5 not reachable, 8 the backup is damaged, 9 login refused, 10 connection lost: give it again.
"""
"""The help's end."""


@click.command(name="restore", epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.argument("host", metavar="[USER@]HOST")
@click.option("--config", "configuration", is_flag=True, help="Put configuration back: files that are missing there.")  # fmt: skip
@click.option("--overwrite", multiple=True, metavar="PATH|all", help="With --config: replace this file too, though it differs. May be repeated.")  # fmt: skip
@click.option("--place", "places", multiple=True, metavar="PATH", help="With --config: only what lies below /usbkey, /opt/custom, /root/.ssh/authorized_keys or /var/fw; `none`: only what --overwrite names. May be repeated.")  # fmt: skip
@click.option("--instance", "instances", multiple=True, metavar="UUID|all", help="Put this instance back. May be repeated.")  # fmt: skip
@click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="Put this dataset back. May be repeated.")  # fmt: skip
@click.option("--confirm", multiple=True, metavar="TOKEN", help="The machine's name, as the plan asks for it.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show every step; do nothing.")
@door_options
@other_door_options("from", "the host that datasets were sent to, instead of what it was then")
@json_option
@click.pass_obj
def restore_command(
    options: Options, /, directory: str, host: str, configuration: bool, overwrite: tuple[str, ...], places: tuple[str, ...], instances: tuple[str, ...],
    datasets: tuple[str, ...], confirm: tuple[str, ...], dry_run: bool, as_json: bool, **door: Any,
) -> int:  # fmt: skip
    """Put a backup, or parts of it, back on a machine that was set up again. vmadm is told of each instance.

    Without --config, --instance or --dataset it says what is in the backup and what differs there.
    """
    from smartos_wizard.reinstall.backup_manifest import read
    from smartos_wizard.reinstall.restore_config import PLACES
    from smartos_wizard.reinstall.restore_planning import Wanted

    if (overwrite or places) and not configuration:
        raise click.UsageError("--overwrite and --place go with --config.")
    below = tuple(path.strip("/") for path in places if path != "none")
    odd = [name for name in below if name not in PLACES]
    if odd:
        raise click.UsageError(f"{tame(odd[0], 80)} is no place of configuration: {', '.join('/' + each for each in PLACES)}, or none.")  # fmt: skip
    place = Path(directory).expanduser().absolute()
    manifest = read(place)
    groups = (*(i for i in instances if i != "all"), *datasets)
    wanted = Wanted(configuration, groups, "all" in instances, overwrite, below if places else None)
    manifest = _with_there(options, manifest, other_door(door, "from"), dry_run=dry_run, wanted=wanted)
    plan, compared = _planned(options, place, manifest, wanted, address_of(host, **door), as_json=as_json)
    if plan is None:
        return _show(options, manifest, compared, as_json=as_json)
    return run_plan(options.world, plan, as_json=as_json, confirm=confirm, dry_run=dry_run)


def _with_there(
    options: Options, manifest: Manifest, second: dict[str, Any], *, dry_run: bool, wanted: Wanted
) -> Manifest:  # fmt: skip
    """The manifest, with the way to the other host as it is now; the host is connected where datasets shall come from it."""
    from dataclasses import replace

    from smartos_wizard.reinstall.there import at_address, known_address, open_known

    if manifest.there is None:
        return manifest
    given = address_of(manifest.there.host, **second, whose=f" for {manifest.there.host}")
    address = known_address(manifest.there, given)
    there = at_address(manifest.there, address)
    if (wanted.groups or wanted.every_group) and not dry_run:
        options.world.closers.append(open_known(options.world, there, address).close)
    return replace(manifest, there=there)


def _planned(
    options: Options, place: Path, manifest: Manifest, wanted: Wanted, address: Address, *, as_json: bool
) -> tuple[Plan | None, Compared]:
    """The plan, None where nothing is wanted; and how the configuration differs."""
    from smartos_wizard.reinstall.backup_asking import configuration
    from smartos_wizard.reinstall.backup_files import unpacked
    from smartos_wizard.reinstall.backup_manifest import CONFIGURATION
    from smartos_wizard.reinstall.restore_config import compare, items
    from smartos_wizard.reinstall.restore_notes import before
    from smartos_wizard.reinstall.restore_planning import plan_restore
    from smartos_wizard.reinstall.streams import shell

    survey = surveyed(options, address, quiet=as_json)
    host = options.world.streaming(options.world.doors[address.host])
    kept = manifest.file(CONFIGURATION)
    there = items(host.stream(shell(configuration())))
    compared = compare(items(unpacked(place, kept)) if kept is not None else {}, there)
    if not (wanted.configuration or wanted.groups or wanted.every_group):
        return None, compared
    found = before(place, survey.hostid)
    return plan_restore(manifest, place, survey, compared, wanted, address, found), compared


def _show(options: Options, manifest: Manifest, compared: Compared, *, as_json: bool) -> int:
    if as_json:
        groups = [{"name": g.name, "kind": g.kind, "title": g.title, "size": g.size} for g in manifest.groups]
        emit({"host": manifest.host, "made": manifest.made, "groups": groups, "missing": list(compared.missing), "same": list(compared.same),
              "different": list(compared.different), "difference": list(compared.difference)})  # fmt: skip
        return int(ExitCode.DONE)
    when = age(max(0.0, options.world.now() - manifest.made))
    say(f"A backup of {tame(str(manifest.host.get('hostname')))}, {when if when == 'today' else when + ' old'}: {manifest.words}.")  # fmt: skip
    for group in manifest.groups:
        option = "--dataset" if group.kind == "data" else "--instance"
        say(f"  {size(group.size):>10}  {group.title}{'' if group.kind == 'image' else f'   {option} {group.name}'}")  # fmt: skip
    say(f"Configuration: {len(compared.missing)} files are missing there, {len(compared.same)} are the same, {len(compared.different)} differ.")  # fmt: skip
    for word, paths in (("missing", compared.missing), ("differs", compared.different)):
        for path in paths:
            say(f"  {word}  /{tame(path, 160)}")
    for line in compared.difference:
        say(f"    {line}")
    say("Nothing was changed. Say what to put back: --config, --instance UUID|all, --dataset NAME.")
    return int(ExitCode.DONE)
