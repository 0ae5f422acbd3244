"""The `dualboot` commands; each lives in a file of its own and is imported when used."""

from __future__ import annotations

import click

from smartos_wizard.cli.lazy import CommandsGroup

_COMMANDS = {
    "plan": ("smartos_wizard.cli.dualboot_plan", "plan_command", "How this Linux starts, and what SmartOS beside it would be."),
    "install": ("smartos_wizard.cli.dualboot_install", "install_command", "Put SmartOS into GRUB's menu beside this Linux."),
    "remove": ("smartos_wizard.cli.dualboot_remove", "remove_command", "Take it away again, without a trace."),
}  # fmt: skip


@click.group(name="dualboot", cls=CommandsGroup, table=_COMMANDS)
def command() -> None:
    """SmartOS beside a Linux: an entry of its GRUB menu. Needs a disk of its own for SmartOS' pool."""
