"""The `answers` commands; each lives in a file of its own and is imported when used."""

from __future__ import annotations

import click

from smartos_wizard.cli.lazy import CommandsGroup

_COMMANDS = {
    "new": (
        "smartos_wizard.cli.answers_new",
        "new_command",
        "Make an answers file, from options or question by question.",
    ),
    "check": (
        "smartos_wizard.cli.answers_check",
        "check_command",
        "Say what is wrong with an answers file and where setup will stop.",
    ),
}


@click.group(name="answers", cls=CommandsGroup, table=_COMMANDS)
def command() -> None:
    """The answers file: what SmartOS's setup would ask at the first start, answered beforehand."""
