"""The `profile` commands: named sets of boot choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.boot_options import boot_options, choices_from
from smartos_wizard.cli.output import emit, json_option, say, tell
from smartos_wizard.core.text import tame

if TYPE_CHECKING:
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.cli.main import Options

_EXIT = "Exit codes: 0 done, 2 usage, 4 refused (no such profile, a file that cannot be read)."


@click.group(name="profile")
def command() -> None:
    """Named sets of boot choices, for keys, guests and the network."""


@command.command(name="list", epilog=f"\b\nExample:\n  smartos-wizard profile list\n\b\n{_EXIT}")
@json_option
@click.pass_obj
def list_command(options: Options, as_json: bool) -> None:
    """The names of the saved profiles."""
    from smartos_wizard.boot.profile import ProfileStore

    names = ProfileStore(options.world.paths).list()
    if as_json:
        emit({"profiles": list(names)})
        return
    for name in names:
        say(name)
    if not names:
        tell("No profile is saved. `smartos-wizard profile save NAME --console ttya` makes one.")


@command.command(name="show", epilog=f"\b\nExample:\n  smartos-wizard profile show rack\n\b\n{_EXIT}")
@click.argument("name")
@json_option
@click.pass_obj
def show_command(options: Options, name: str, as_json: bool) -> None:
    """What is in the profile NAME; secrets are masked."""
    from smartos_wizard.boot.profile import ProfileStore

    choices = ProfileStore(options.world.paths).load(name).choices
    if as_json:
        emit({"name": name, **as_document(choices)})
        return
    say(f"{name}:")
    for line in choice_lines(choices):
        say(f"  {tame(line, 400)}")


@command.command(
    name="save",
    epilog="\b\nExample:\n  smartos-wizard profile save rack --console ttyb --speed 115200 "
    f"--answers answers.json\n\b\n{_EXIT}",
)
@click.argument("name")
@boot_options
@click.option("--force", is_flag=True, help="Put it in the place of an older one of that name.")
@json_option
@click.pass_obj
def save_command(options: Options, name: str, boot: dict[str, Any], force: bool, as_json: bool) -> None:
    """Keep these choices under NAME. Secrets go into a file of their own that only you can read."""
    from smartos_wizard.boot.profile import Profile, ProfileStore

    store = ProfileStore(options.world.paths)
    store.check_name(name)
    if not force:
        store.check_free(name)  # before anybody is asked for a password; `save` looks again
    choices = choices_from(options.world, boot, tell)
    path = store.save(Profile(name, choices), replace=force)
    if as_json:
        emit({"name": name, "path": str(path), **as_document(choices)})
        return
    say(f"Saved: {path}")


@command.command(name="delete", epilog=f"\b\nExample:\n  smartos-wizard profile delete rack\n\b\n{_EXIT}")
@click.argument("name")
@json_option
@click.pass_obj
def delete_command(options: Options, name: str, as_json: bool) -> None:
    """Remove the profile NAME and its secrets."""
    from smartos_wizard.boot.profile import ProfileStore

    ProfileStore(options.world.paths).delete(name)
    if as_json:
        emit({"deleted": name})
    else:
        say(f"Deleted: {name}")


def as_document(choices: BootChoices) -> dict[str, Any]:
    """The choices as JSON, with secrets masked and files by their size."""
    from smartos_wizard.boot.answers_text import masked
    from smartos_wizard.boot.key_files import MASK

    return {
        "console": choices.console or None,
        "speed": choices.speed,
        "verbose": choices.verbose,
        "kmdb": choices.kmdb.value if choices.kmdb else None,
        "rescue": choices.rescue,
        "zpools": list(choices.pools),
        "boot_delay": choices.delay,
        "root_shadow": MASK if choices.root_shadow else None,
        "hostname": choices.hostname or None,
        "answers": None if choices.answers is None else masked(choices.answers),
        "modules": [{"name": m.name, "path": m.path, "size": len(m.data)} for m in choices.modules],
        "files": [{"path": p, "size": len(d)} for p, d in choices.files.items()],
    }


def choice_lines(choices: BootChoices) -> list[str]:
    """The choices a line each, for a person."""
    lines = []
    for name, value in as_document(choices).items():
        if value in (None, [], {}):
            continue
        if name == "answers":
            lines += [f"answer {key} = {each}" for key, each in value.items()]
        elif name in ("modules", "files"):
            lines += [f"file {row['path']} ({row['size']} bytes)" for row in value]
        else:
            shown = ", ".join(value) if isinstance(value, list) else value
            lines.append(
                f"{name.replace('_', ' ')} {'yes' if value is True else 'no' if value is False else shown}"
            )
    return lines or ["as released: nothing is changed"]
