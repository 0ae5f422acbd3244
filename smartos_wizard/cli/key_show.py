"""`key show`: what is on a key."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.key_targets import file_option, to_read
from smartos_wizard.cli.output import emit, json_option, say
from smartos_wizard.core import text

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.media.model import KeyContents, Target

EPILOG = """\b
Examples:
  smartos-wizard key show /dev/sdX
  smartos-wizard key show vm.img --file --json
"""

_LAYOUTS = {"gpt": "GPT (2019 and later)", "mbr": "MBR (GRUB, before 2019)", "iso": "ISO"}


@click.command(name="show", epilog=EPILOG)
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@file_option
@json_option
@click.pass_obj
def show_command(options: Options, targets: tuple[str, ...], as_file: bool, as_json: bool) -> None:
    """Show which SmartOS is on TARGET, its console, extra files, and whether it is well. Nothing is written."""
    from smartos_wizard.media.showing import show_key

    places = [to_read(options.world, target, as_file=as_file) for target in targets]
    found = [(place, show_key(options.world, place)) for place in places]
    if as_json:
        documents = [{"path": p.path, "serial": p.disk.serial, **asdict(c)} for p, c in found]
        emit(documents[0] if len(documents) == 1 else documents)
        return
    for place, contents in found:
        for line in _lines(place, contents):
            say(line)


def _lines(place: Target, contents: KeyContents) -> list[str]:
    if not contents.layout:
        lines = [f"{place.path}: no SmartOS is on it."]
    else:
        version = f", key version {contents.key_version}" if contents.key_version else ""
        lines = [
            f"{place.path}: SmartOS {contents.stamp or 'of unknown release'}",
            f"  layout    {_LAYOUTS.get(contents.layout, contents.layout)}{version}",
            f"  loader    {contents.boot_stamp or 'unknown'}",
            f"  console   {contents.console or 'unknown'}",
        ]
    lines += [f"  set       {name}={text.tame(value, 200)}" for name, value in contents.settings.items()]
    lines += [f"  added     {text.tame(name, 200)}" for name in contents.extra_files]
    lines += [f"  note      {note}" for note in contents.notes]
    lines += [f"  problem   {problem}" for problem in contents.problems]
    if contents.layout and not contents.problems:
        lines.append("  health    nothing wrong was found; `key check` compares every byte")
    return lines
