"""The `key` commands; each lives in a file of its own and is imported when used."""

from __future__ import annotations

import click

from smartos_wizard.cli.lazy import CommandsGroup

_COMMANDS = {
    "list": (
        "smartos_wizard.cli.key_list",
        "list_command",
        "The disks that can become keys, and why others cannot.",
    ),
    "write": ("smartos_wizard.cli.key_write", "write_command", "Write a release to keys and prove it."),
    "check": (
        "smartos_wizard.cli.key_check",
        "check_command",
        "Prove an old key: compare every byte with the image.",
    ),
    "show": (
        "smartos_wizard.cli.key_show",
        "show_command",
        "What is on a key: which SmartOS, console, extra files.",
    ),
    "configure": (
        "smartos_wizard.cli.key_configure",
        "configure_command",
        "Tell a written key its console, answers, options.",
    ),
    "upgrade": (
        "smartos_wizard.cli.key_upgrade",
        "upgrade_command",
        "A newer platform beside the present one, then one switch.",
    ),
    "rollback": (
        "smartos_wizard.cli.key_upgrade",
        "rollback_command",
        "Back to the platform before the last upgrade.",
    ),
    "boot-test": (
        "smartos_wizard.cli.key_boot_test",
        "boot_test_command",
        "Start a written key in QEMU, read-only.",
    ),
    "eject": ("smartos_wizard.cli.key_boot_test", "eject_command", "Make a key safe to pull."),
    "restore": ("smartos_wizard.cli.key_restore", "restore_command", "Make a key an ordinary stick again."),
}


@click.group(name="key", cls=CommandsGroup, table=_COMMANDS)
def command() -> None:
    """List disks; write, check, show, configure, upgrade, boot-test and restore USB keys."""
