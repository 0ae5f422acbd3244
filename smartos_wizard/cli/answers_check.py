"""`answers check`: what is wrong with an answers file, and where setup will stop."""

from __future__ import annotations

import click

from smartos_wizard.boot.answers_check import Checked, check_file, trap_warnings
from smartos_wizard.boot.answers_finding import ERROR, WARNING
from smartos_wizard.boot.model import Warned
from smartos_wizard.cli.answers_said import (
    count,
    document,
    finding_line,
    read_file,
    readable_by_others,
    stop_lines,
    sum_up,
    trap_lines,
)
from smartos_wizard.cli.output import emit, json_option, say
from smartos_wizard.cli.sizes import Size
from smartos_wizard.core.errors import ExitCode
from smartos_wizard.core.text import tame

EPILOG = """\b
Examples:
  smartos-wizard answers check answers.json
  smartos-wizard answers check answers.json --ram 16G --pool-size 1T
  smartos-wizard answers new --unattended --ip dhcp --domain example.com | smartos-wizard answers check -
\b
Exit codes: 0 nothing has to be put right (there may be warnings), 1 the file cannot be read, 4 there are
errors, bad JSON among them (with --strict warnings too).
"""


@click.command(name="check", epilog=EPILOG)
@click.argument("file")
@click.option("--ram", type=Size(), help="RAM of the machine: swap takes as much of the pool.")
@click.option("--pool-size", type=Size(), help="Usable size of the pool; `pool preview` computes it.")
@click.option("--console-set", is_flag=True, help="The boot options name the console; do not remind of it.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@json_option
@click.pass_context
def check_command(
    ctx: click.Context,
    file: str,
    ram: int | None,
    pool_size: int | None,
    console_set: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Say what is wrong with the answers FILE (- for stdin), what setup will stop and ask for, and which traps
    there are. Nothing is changed, and the password is never shown.
    """
    data = read_file(file)
    checked = check_file(data)
    answers = checked.parsed.answers
    traps: tuple[Warned, ...] = ()
    if checked.parsed.readable:
        traps = trap_warnings(answers, ram, pool_size, console_set=console_set)
        if answers.get("root_password") and readable_by_others(file):
            traps += (
                Warned(
                    "readable-by-others", f"Others on this machine may read it: chmod 600 {tame(file, 200)}"
                ),
            )
    levels = [f.level for f in checked.findings] + [t.level for t in traps]
    bad = ERROR in levels or (strict and WARNING in levels)
    code = int(ExitCode.REFUSED if bad else ExitCode.DONE)
    if as_json:
        about = {"path": file, "readable": checked.parsed.readable, "exit_code": code}
        emit(about | document(answers, checked.findings, traps))
    else:
        for line in _lines(file, checked, traps, levels):
            say(line)
    ctx.exit(code)


def _lines(file: str, checked: Checked, traps: tuple[Warned, ...], levels: list[str]) -> list[str]:
    answers = checked.parsed.answers
    lines = [f"{tame(file, 200)}: {count(len(answers), 'answer')}, {sum_up(levels)}."]
    lines += [finding_line(finding) for finding in checked.findings]
    if checked.parsed.readable:
        lines += stop_lines(answers) + trap_lines(traps)
    return lines
