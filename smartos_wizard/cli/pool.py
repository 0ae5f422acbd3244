"""The `pool` commands; each lives in a file of its own and is imported when used."""

from __future__ import annotations

import click

from smartos_wizard.cli.lazy import CommandsGroup

_COMMANDS = {
    "preview": (
        "smartos_wizard.cli.pool_preview",
        "preview_command",
        "Show the pool that SmartOS's setup would make of given disks.",
    ),
}


@click.group(name="pool", cls=CommandsGroup, table=_COMMANDS)
def command() -> None:
    """What SmartOS's setup would make of disks. Nothing is changed, and no disk is opened."""
