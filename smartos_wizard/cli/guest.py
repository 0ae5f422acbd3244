"""The `guest` commands; each lives in a file of its own and is imported when used."""

from __future__ import annotations

import importlib
import importlib.util

import click

_COMMANDS = {
    "create": ("smartos_wizard.cli.guest_create", "create_command", "Make a lab guest that can harm nothing."),
    "list": ("smartos_wizard.cli.guest_look", "list_command", "The guests made by this program, and hypervisors."),
    "show": ("smartos_wizard.cli.guest_look", "show_command", "One guest: as asked, and as the hypervisor says."),
    "start": ("smartos_wizard.cli.guest_run", "start_command", "Start it without a window."),
    "stop": ("smartos_wizard.cli.guest_run", "stop_command", "Ask it to shut down; switch it off in the end."),
    "console": ("smartos_wizard.cli.guest_console", "console_command", "Its serial console: talk, read, wait for a word."),
    "ssh": ("smartos_wizard.cli.guest_console", "ssh_command", "Log in by ssh, once setup is done."),
    "snapshot": ("smartos_wizard.cli.guest_run", "snapshot_command", "Take, restore, delete or list snapshots."),
    "reinstall": ("smartos_wizard.cli.guest_run", "reinstall_command", "Empty its disks; all else stays."),
    "delete": ("smartos_wizard.cli.guest_run", "delete_command", "Remove it with every file of it."),
    "export": ("smartos_wizard.cli.guest_export", "export_command", "As OVA, libvirt domain or UTM bundle."),
}  # fmt: skip


class _GuestGroup(click.Group):
    """Commands imported when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name, (module, _, _) in _COMMANDS.items() if importlib.util.find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, name, _ = _COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.group(name="guest", cls=_GuestGroup)
def command() -> None:
    """Lab guests: SmartOS in a virtual machine of its own."""
