"""`doctor`: what this machine lacks for the work of this program, and whether a machine is fit for SmartOS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.output import emit, json_option, say

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.media.needs import Need
    from smartos_wizard.world import World

EPILOG = """\b
Examples:
  smartos-wizard doctor
  smartos-wizard doctor --target                     is this machine fit for SmartOS?
  smartos-wizard doctor --collect --out machine.txt  on one machine, then on another:
  smartos-wizard doctor --target machine.txt
  smartos-wizard doctor --script > collect.sh        for a machine without this program
\b
Exit codes of `doctor` alone: 0 where nothing is missing that making a key needs, 1 otherwise.
Exit codes of `doctor --target`: 0 fit, also with warnings; 4 not fit; 1 where something that decides
could not be seen, so that it is not known; 2 the file is no hardware file.
"""

_HERE = "\0here"
"""What `--target` says without a file: a value that no file can have as its name."""


@click.command(name="doctor", epilog=EPILOG)
@click.option("--network", is_flag=True, help="Also ask the mirror for its newest release.")
@click.option(
    "--target",
    is_flag=False,
    flag_value=_HERE,
    default=None,
    metavar="[FILE]",
    help="Whether this machine, or the one FILE was collected on (- for stdin), is fit for SmartOS.",
)
@click.option("--collect", is_flag=True, help="Write what this machine has, for `--target` elsewhere.")
@click.option("--out", metavar="FILE", help="With --collect: write to FILE instead of stdout.")
@click.option("--script", is_flag=True, help="Print a shell script that collects without this program.")
@json_option
@click.pass_obj
def command(
    options: Options,
    network: bool,
    target: str | None,
    collect: bool,
    out: str | None,
    script: bool,
    as_json: bool,
) -> int:
    """Say what this machine has and lacks, what for, and how to get it.

    Alone it is about the work of this program: downloading, writing keys, testing them, serving machines over the
    network, lab guests and what they left behind. With --target it is about running SmartOS itself. Nothing is
    changed, no rights of root are needed, and what --collect writes holds no serial numbers, network addresses or
    host names.
    """
    asked = [name for name, on in (("--target", target is not None), ("--collect", collect), ("--script", script)) if on]  # fmt: skip
    if len(asked) > 1 or (asked and network):
        raise click.UsageError("Use one of --target, --collect, --script and --network at a time.")
    if out is not None and not collect:
        raise click.UsageError("--out goes with --collect.")
    if target is not None:
        from smartos_wizard.cli.doctor_target import judge

        return judge(options.world, "" if target == _HERE else target, as_json=as_json)
    if collect:
        from smartos_wizard.cli.doctor_target import write

        return write(options.world, out, as_json=as_json)
    if script:
        from smartos_wizard.boot.hardware import script as collector

        click.echo(collector(), nl=False)
        return 0
    return _needs(options.world, network=network, as_json=as_json)


def _needs(world: World, *, network: bool, as_json: bool) -> int:
    from smartos_wizard.cli import doctor_guests, doctor_network
    from smartos_wizard.media.needs import look

    needs = [*look(world.paths), *doctor_network.found(world), *([_mirror(world)] if network else [])]
    lacking = [need for need in needs if need.needed and not need.there]
    detections, left = doctor_guests.found(world)
    if as_json:
        told = doctor_guests.as_json(detections, left)
        emit({"ready": not lacking, "needs": [need.to_json() for need in needs], **told})
        return int(bool(lacking))
    for need in needs:
        _tell(need)
    doctor_guests.tell_found(detections, left)
    say()
    say("Something that a key needs is missing." if lacking else "Everything that a key needs is here.")
    say("Whether this machine is fit for running SmartOS: smartos-wizard doctor --target")
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
