"""The `netboot` commands; each lives in a file of its own and is imported when used."""

from __future__ import annotations

import click

from smartos_wizard.cli.lazy import CommandsGroup

_COMMANDS = {
    "build": ("smartos_wizard.cli.netboot_build", "build_command", "A directory that machines can boot SmartOS from."),
    "serve": ("smartos_wizard.cli.netboot_serve", "serve_command", "Serve it on one network, for an evening."),
    "check": ("smartos_wizard.cli.netboot_check", "check_command", "Is a tree whole? A directory, or any web server's."),
}  # fmt: skip


@click.group(name="netboot", cls=CommandsGroup, table=_COMMANDS)
def command() -> None:
    """SmartOS over the network: BIOS machines start it by PXE and iPXE, without a key."""
