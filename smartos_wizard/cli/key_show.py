"""`key show`: what is on a key."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.boot.passwords import shadow_of_settings
from smartos_wizard.cli.key_targets import file_option, to_read
from smartos_wizard.cli.output import emit, json_option, say
from smartos_wizard.cli.root_password import root_password_option
from smartos_wizard.core import text

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.media.model import KeyContents, Target
    from smartos_wizard.media.password_file import RootPassword
    from smartos_wizard.world import World

EPILOG = """\b
Examples:
  smartos-wizard key show /dev/sdX
  smartos-wizard key show vm.img --file --json
  smartos-wizard key show /dev/sdX --root-password
  smartos-wizard key show smartos.iso --file --root-password

With --root-password and --file, TARGET may also be a compressed image, an ISO, a platform tarball or the
VMware bundle.

\b
Exit codes: 0 done, 2 no SmartOS medium or a damaged one (--root-password),
4 refused or no root password on it, 7 not readable, 9 not the rights to
open it, 10 unplugged.
"""

_LAYOUTS = {"gpt": "GPT (2019 and later)", "mbr": "MBR (GRUB, before 2019)", "iso": "ISO"}


@click.command(name="show", epilog=EPILOG)
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@file_option
@root_password_option
@json_option
@click.pass_obj
def show_command(
    options: Options, targets: tuple[str, ...], as_file: bool, root_password: bool, as_json: bool
) -> None:
    """Show which SmartOS is on TARGET, what it says at boot, extra files, and whether it is well. It only reads."""
    from smartos_wizard.media.showing import show_key

    places = [to_read(options.world, target, as_file=as_file) for target in targets]
    if root_password:
        _show_passwords(options.world, places, as_json=as_json)
        return
    found = [(place, show_key(options.world, place)) for place in places]
    if as_json:
        _emit([_document(place, contents) for place, contents in found])
        return
    for place, contents in found:
        for line in _lines(place, contents):
            say(line)


def _show_passwords(world: World, places: list[Target], *, as_json: bool) -> None:
    from smartos_wizard.cli import root_password as passwords

    documents = []
    for place in places:
        contents, word, title = _with_password(world, place)
        shadow = shadow_of_settings(contents.settings)
        grub = contents.layout == "mbr" or passwords.is_grub(contents.stamp)
        if as_json:
            documents.append(_document(place, contents) | passwords.to_json(word, shadow, grub=grub))
            continue
        for line in [title] if title else _lines(place, contents):
            say(line)
        say()
        passwords.show(word, shadow, grub=grub)
    if as_json:
        _emit(documents)


def _with_password(world: World, place: Target) -> tuple[KeyContents, RootPassword, str]:
    """What is on it and the password, opened once; for a file that is no key, a line on what it is."""
    from smartos_wizard.cli.root_password import of_this_file
    from smartos_wizard.media.contents import read_contents
    from smartos_wizard.media.images import recognise
    from smartos_wizard.media.model import ImageKind, KeyContents
    from smartos_wizard.media.root_password import of_pread
    from smartos_wizard.media.showing import read_key

    facts = recognise(Path(place.path)) if place.regular_file else None
    if facts is None or facts.kind is ImageKind.RAW:
        both = read_key(
            world, place, lambda pread, size: (read_contents(pread, size), of_pread(pread, size, place.path))
        )
        return *both, ""
    word = of_this_file(world, Path(place.path), facts)
    layout = "iso" if facts.kind is ImageKind.ISO else ""
    contents = KeyContents(layout, stamp=word.stamp, notes=(f"It is {facts.looks_like}.",))
    return contents, word, f"{place.path}: SmartOS {word.stamp or 'of unknown release'}, {facts.looks_like}"


def _document(place: Target, contents: KeyContents) -> dict[str, Any]:
    return {"path": place.path, "serial": place.disk.serial, **asdict(contents)}


def _emit(documents: list[dict[str, Any]]) -> None:
    emit(documents[0] if len(documents) == 1 else documents)


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
    if contents.previous:
        lines.append(f"  kept      {contents.previous}, to go back to with `key rollback`")
    lines += [f"  set       {name}={text.tame(value, 200)}" for name, value in contents.settings.items()]
    lines += [f"  added     {text.tame(name, 200)}" for name in contents.extra_files]
    if contents.answers is not None:
        lines.append(f"  answers   {len(contents.answers)}: {', '.join(contents.answers) or 'none'}")
        lines += [f"            setup will still {each}" for each in contents.asks]
        if not contents.asks:
            lines.append("            setup will ask nothing")
    lines += [f"  note      {note}" for note in contents.notes]
    lines += [f"  problem   {problem}" for problem in contents.problems]
    if contents.layout and not contents.problems:
        lines.append("  health    nothing wrong was found; `key check` compares every byte")
    return lines
