"""`doctor`: what this machine has and lacks for the work of this program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.output import emit, json_option, say

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.media.needs import Need
    from smartos_wizard.world import World


@click.command(name="doctor")
@click.option("--network", is_flag=True, help="Also ask the mirror for its newest release.")
@json_option
@click.pass_obj
def command(options: Options, network: bool, as_json: bool) -> int:
    """Say what this machine has and lacks, what for, and how to get it.

    Exit code 0 where nothing is missing that making a key needs, 1 otherwise.
    """
    from smartos_wizard.media.needs import look

    needs = [*look(options.world.paths), *([_mirror(options.world)] if network else [])]
    lacking = [need for need in needs if need.needed and not need.there]
    if as_json:
        emit({"ready": not lacking, "needs": [need.to_json() for need in needs]})
        return int(bool(lacking))
    for need in needs:
        _tell(need)
    say()
    say("Something that a key needs is missing." if lacking else "Everything that a key needs is here.")
    return int(bool(lacking))


def _tell(need: Need) -> None:
    word = "ok     " if need.there else "MISSING" if need.needed else "lacking"
    say(f"{word}  {need.name}: {need.found}")
    if not need.there:
        say(f"         for: {need.purpose}")
        if need.how:
            say(f"         what to do: {need.how}")


def _mirror(world: World) -> Need:
    """Whether the mirror answers, by asking for its listing's first page."""
    from smartos_wizard.core.errors import WizardError
    from smartos_wizard.media.needs import Need

    purpose = "downloading releases"
    try:
        mirror = world.mirror()
        mirror.page("", 1)
    except WizardError as error:
        return Need("mirror", False, error.message, purpose, error.hint, needed=True)
    return Need("mirror", True, mirror.base, purpose, needed=True)
