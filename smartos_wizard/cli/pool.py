"""The `pool` commands; each lives in a file of its own and is imported when used."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "preview": (
        "smartos_wizard.cli.pool_preview",
        "preview_command",
        "Show the pool that SmartOS's setup would make of given disks.",
    ),
}


class _PoolGroup(click.Group):
    """Commands imported when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, _, words) in _COMMANDS.items()])


@click.group(name="pool", cls=_PoolGroup)
def command() -> None:
    """What SmartOS's setup would make of disks. Nothing is changed, and no disk is opened."""
