"""The `guest` commands; each lives in a file of its own and is imported when used."""

from __future__ import annotations

import click

from smartos_wizard.cli.lazy import CommandsGroup

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


@click.group(name="guest", cls=CommandsGroup, table=_COMMANDS)
def command() -> None:
    """Lab guests: SmartOS in a virtual machine of its own."""
