"""`reinstall survey`: what is on a SmartOS machine, over ssh or from a file of answers."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.output import emit, json_option, say, tell
from smartos_wizard.cli.reinstall_reading import survey_from
from smartos_wizard.cli.wizard import wants_ascii
from smartos_wizard.core.errors import ExitCode, Refused, UsageProblem, WizardError
from smartos_wizard.core.text import tame

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.reinstall.model import Stop, Survey
    from smartos_wizard.reinstall.ports import Address

EPILOG = """\b
Examples:
  smartos-wizard reinstall survey 192.0.2.10
  smartos-wizard reinstall survey kestrel --user root --jump me@gate --save kestrel.json
  smartos-wizard reinstall survey kestrel --json
  smartos-wizard reinstall survey --script > survey.sh       to run on the console
  smartos-wizard reinstall survey --file answers.txt         what it printed there
  smartos-wizard reinstall survey --console guest:lab        by its serial console, without a network
  smartos-wizard --practice reinstall survey second-pool
\b
Your ssh config, agent and known hosts are used. Nothing is changed on the machine.
\b
Exit codes: 0 surveyed, 2 the words of the command, or the file, make no sense, 4 not SmartOS, a zone, or
an unknown or changed host key, 5 not reachable, 9 not root, or login refused, 10 connection lost.
"""
"""The help's end."""


@click.command(name="survey", epilog=EPILOG)
@click.argument("host", required=False, default="", metavar="[USER@]HOST")
@click.option(
    "--file",
    "file",
    metavar="ANSWERS",
    default="",
    help="What the script printed, or a saved survey (- for stdin).",
)
@click.option("--console", metavar="WHERE", default="", help="Ask by its serial console: guest:NAME, the path of a socket, or HOST:PORT.")  # fmt: skip
@click.option("--script", is_flag=True, help="Print the script that asks, for a console. It changes nothing.")
@click.option("--save", metavar="FILE", default="", help="Keep the survey in a file, as JSON.")
@click.option("--port", type=click.IntRange(1, 65535), help="The ssh port.")
@click.option("--user", default="", help="Who logs in; root otherwise, or as your ssh config says.")
@click.option("--jump", default="", metavar="[USER@]HOST[:PORT]", help="Go through this host.")
@click.option("--identity", default="", metavar="FILE", help="A private key to log in with.")
@click.option("--ask-password", is_flag=True, help="Log in with a password, which is asked for.")
@click.option(
    "--accept-host-key",
    "accept",
    multiple=True,
    metavar="FINGERPRINT",
    help="Trust this key (SHA256:...) and remember it. May be repeated.",
)
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII only.")
@json_option
@click.pass_obj
def survey_command(
    options: Options,
    host: str,
    file: str,
    console: str,
    script: bool,
    save: str,
    port: int | None,
    user: str,
    jump: str,
    identity: str,
    ask_password: bool,
    accept: tuple[str, ...],
    ascii_only: bool,
    as_json: bool,
) -> int:
    """Find out what is on a SmartOS machine: pools, datasets, instances, configuration, and what a re-install would
    destroy.

    Over ssh, or from a file that a small script made on its console. It only asks; nothing is changed there.
    """
    if bool(host) + bool(file) + bool(console) + script != 1:
        raise click.UsageError("Name a machine, or give --console WHERE, --file ANSWERS, or --script.")
    if script:
        from smartos_wizard.reinstall.script import survey_script

        click.echo(survey_script(), nl=False)
        return int(ExitCode.DONE)
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.reinstall.remarks import remarks
    from smartos_wizard.reinstall.survey import require_global_zone

    if host:
        password = click.prompt("Password", hide_input=True, err=True) if ask_password else None
        before, _, name = host.rpartition("@")
        if not as_json:
            tell(f"Asking {tame(name)}; nothing is changed there …")
        survey = _taken(options, Address(name, user or before, port, jump, identity, password, accept))
    elif console:
        password = click.prompt("Password", hide_input=True, err=True) if ask_password else ""
        survey = _by_console(options, console, password or "", quiet=as_json)
    else:
        survey = survey_from(file)
    require_global_zone(survey)
    if save:
        _save(survey, save)
    now = options.world.now() if host or console else max(options.world.now(), survey.taken)
    notes = remarks(survey, now)
    if as_json:
        _emit(survey, notes)
    else:
        _show(survey, notes, now, ascii_only=wants_ascii(ascii_only or options.ascii))
    return int(ExitCode.DONE)


def _taken(options: Options, address: Address) -> Survey:
    from smartos_wizard.reinstall.survey import take

    host = options.world.hosts.open(_accepted(address))
    try:
        return take(host, options.world.now)
    finally:
        host.close()


def _by_console(options: Options, where: str, password: str, *, quiet: bool) -> Survey:
    from smartos_wizard.reinstall.survey import take

    if not quiet:
        tell(f"Asking by the console {tame(where)}, which takes some minutes; nothing is changed there …")
    host = options.world.console_host(where, password)
    try:
        return take(host, options.world.now)
    finally:
        host.close()


def _accepted(address: Address) -> Address:
    for fingerprint in address.accept:
        if not fingerprint.startswith("SHA256:") or len(fingerprint) != 50:
            raise UsageProblem("bad-fingerprint", f"{tame(fingerprint)} is no fingerprint of a key.", hint="It looks like SHA256: and 43 letters and digits.")  # fmt: skip
    return address


def _save(survey: Survey, save: str) -> None:
    import json

    from smartos_wizard.core.files import replace_file
    from smartos_wizard.reinstall.as_json import survey_to_json

    path = Path(save)
    if path.exists() and not path.is_file():
        raise Refused("not-a-file", f"{tame(save, 255)} is no ordinary file; nothing was written.")
    try:
        replace_file(path, (json.dumps(survey_to_json(survey), indent=2) + "\n").encode(), 0o600)
    except OSError as error:
        raise WizardError("cannot-write", f"{tame(save, 255)}: {error.strerror}") from error
    tell(f"Kept in {save}.")


def _emit(survey: Survey, notes: tuple[Stop, ...]) -> None:
    from smartos_wizard.reinstall.as_json import survey_to_json

    emit({
        **survey_to_json(survey),
        "notes": [{"reference": note.reference, "text": note.text} for note in notes],
    })  # fmt: skip


def _show(survey: Survey, notes: tuple[Stop, ...], now: float, *, ascii_only: bool) -> None:
    from smartos_wizard.reinstall.outline import lines, outline

    width = min(100, shutil.get_terminal_size((80, 24)).columns)
    drawn = lines(outline(survey, now), width, ascii_only=ascii_only)
    if notes:
        drawn += ["", "To know:"]
    for note in notes:
        wrapped = textwrap.wrap(
            note.text, width, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )
        drawn += [line.encode("ascii", "replace").decode() if ascii_only else line for line in wrapped]
    for line in drawn:
        say(line)
