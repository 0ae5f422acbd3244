"""`--reinstall` of `key write` and `key configure`: a key for re-installing, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.output import tell

if TYPE_CHECKING:
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.core.plan import Plan

reinstall_option = click.option(
    "--reinstall", is_flag=True,
    help="A re-install key: starts Rescue Mode, or with --answers carries them to the next setup. Booting it destroys nothing.",
)  # fmt: skip


class ReinstallKey:
    """What `--reinstall` adds to a command; does nothing where it was not given."""

    def __init__(self, choices: BootChoices, targets: tuple[str, ...], *, asked: bool) -> None:
        """Raises UsageProblem `no-reinstall-key`."""
        self.choices = choices
        self.words: tuple[str, ...] = ()
        if asked:
            from smartos_wizard.boot.reinstall_key import reinstall_choices, reinstall_words

            self.choices = reinstall_choices(choices)
            self.words = reinstall_words(self.choices, targets[0])

    def told(self, plan: Plan) -> Plan:
        """The plan with these words in the step that puts the choices on the key."""
        if not self.words:
            return plan
        steps = (
            replace(step, details=(*self.words, *step.details)) if step.action in ("options", "configure") else step
            for step in plan.steps
        )  # fmt: skip
        return replace(plan, steps=tuple(steps))

    def say(self, code: int, *, dry_run: bool) -> None:
        """Say it once more at the end, where the key is one now."""
        if code == 0 and not dry_run and self.words:
            tell("This is a re-install key now.")
            for line in self.words:
                tell(f"  {line}")
