"""The `reinstall` commands; each lives in a file of its own and is imported when used."""

from __future__ import annotations

import click

from smartos_wizard.cli.lazy import CommandsGroup

_COMMANDS = {
    "survey": ("smartos_wizard.cli.reinstall_survey", "survey_command", "What is on a SmartOS machine; changes nothing."),
    "plan": ("smartos_wizard.cli.reinstall_plan", "plan_command", "What a re-install would do there, step by step."),
    "backup": ("smartos_wizard.cli.reinstall_backup", "backup_command", "Keep what would be lost, in a directory here."),
    "backup-check": ("smartos_wizard.cli.reinstall_backup", "backup_check_command", "Is every file of a backup what was written?"),
    "restore": ("smartos_wizard.cli.reinstall_restore", "restore_command", "Put configuration, instances and data back."),
    "run": ("smartos_wizard.cli.reinstall_run", "run_command", "Do it: wipe what the plan names, and verify."),
    "watch": ("smartos_wizard.cli.reinstall_run", "watch_command", "Is the machine back, and is it as it should be?"),
    "export": ("smartos_wizard.cli.reinstall_export", "export_command", "The same as a playbook for Ansible."),
    "runbook": ("smartos_wizard.cli.reinstall_runbook", "runbook_command", "The same to type at its console, on paper."),
}  # fmt: skip


@click.group(name="reinstall", cls=CommandsGroup, table=_COMMANDS)
def command() -> None:
    """A clean re-install of a SmartOS machine: wipe its zones pool, lose nothing by surprise."""
