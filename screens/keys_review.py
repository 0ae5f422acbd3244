"""The plans for a key that is there already: what would change on it, armed by typing, then done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Input, Static

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.plan import Effect, Plan
from smartos_wizard.media.model import Target, VerifiedImage
from smartos_wizard.screens.keys_desk import Told
from smartos_wizard.screens.keys_words import difference
from smartos_wizard.screens.options_model import Given
from smartos_wizard.screens.options_words import boot_flags
from smartos_wizard.screens.plan_words import plan_words
from smartos_wizard.screens.review import Review
from smartos_wizard.screens.words import begin

if TYPE_CHECKING:
    pass
_TALL = 32  # lines from which on every detail is shown
_WORTH_IT = (Effect.CHANGES, Effect.DESTROYS)


class KeyReview(Review):
    """A plan about one key. Back leads to what is on it."""

    STAGE = None  # type: ignore[assignment]

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target

    def _failed(self, error: ErrorReport) -> None:
        super()._failed(error)
        if self._plan is None:  # nothing to arm
            for part in ("#open", "#token", "#close", "#go"):
                self.query_one(part).display = False
            self.query_one("#confirm").border_title = "It cannot be done."

    def by_command(self, words: str) -> str:
        """The command that begins with `key`."""
        start = begin(practice=self.wizard.desk.world.practice)
        return f"{start} key {words}"

    def action_back(self) -> None:
        """To the key."""
        from smartos_wizard.screens.keys import OneKey

        self.wizard.show(OneKey(self.target))


class RestoreReview(KeyReview):
    """The plan to make a key a plain stick again."""

    HEADING = "Make it a plain stick again: what will happen"
    GO = "Erase"

    def make_plan(self) -> Plan:
        """One FAT32 partition."""
        return self.wizard.desk.restore_plan(self.target)

    def command(self) -> str:
        """The same by command."""
        return self.by_command(f"restore {self.target.path} --confirm {self.target.token}")


class ChangeReview(KeyReview):
    """A plan that changes some of a key, or finds that there is nothing to change."""

    GO = "Change"

    @property
    def changes(self) -> bool:
        """Whether the plan does anything."""
        return self._plan is not None and any(step.effect is not Effect.READS for step in self._plan.steps)

    @property
    def is_armed(self) -> bool:
        """Never where there is nothing to do."""
        return self.changes and super().is_armed

    def _draw(self) -> None:
        super()._draw()
        if self._plan is None or not self.query("#steps"):
            return
        self.query_one("#steps", Static).update(self._words(self._plan, self._width()))
        self.query_one("#go").display = self.changes
        if not self.changes:
            self.query_one("#confirm").border_title = "There is nothing to change."

    def _judge(self) -> None:
        super()._judge()
        if self._plan is not None and not self.changes:
            self.query_one("#state", Static).update(Content(""))

    def _words(self, plan: Plan, width: int) -> Content:
        """The plan; in a small window with the details of what changes, and of that only."""
        if self.app.size.height < _TALL:
            kept = tuple(
                s if s.effect in _WORTH_IT else replace(s, details=s.details[:1] if not n else ())
                for n, s in enumerate(plan.steps)
            )
            plan = replace(plan, steps=kept)
        return plan_words(plan, width=width)

    def on_input_submitted(self, event: Input.Submitted) -> None:  # type: ignore[override]
        """Enter in the field moves to the button it armed."""
        event.prevent_default()  # the words there are of erasing
        if self.is_armed:
            self.query_one("#go").focus()
        else:
            self.notify("Not armed: what was typed does not name the key.", severity="warning")


class ConfigureReview(ChangeReview):
    """What the key will say at boot, as a difference; secrets are covered."""

    HEADING = "What will change on the key, in this order"
    HELP = """
### What is this?
The files that change on the key, line by line: `+` is new, `-` goes. Passwords and hashes are covered.

### What happens?
Type what names the disk, then **Change**. All files change at once: a key that is pulled in the middle
of it holds the old or the new. Then everything that was touched is read back and compared.

### What is not touched?
SmartOS on the key, your own files on it, every other disk, the network.
"""

    def __init__(self, target: Target, wanted: Told, given: Given | None = None) -> None:
        super().__init__(target)
        self.wanted, self.given = wanted, given or Given()

    @property
    def choices(self) -> BootChoices:
        """What has to be known of them is said below the plan."""
        return self.wanted.choices

    def _legacy(self) -> bool:
        return self.wanted.grub

    def make_plan(self) -> Plan:
        """Exactly these choices; what earlier changes said goes."""
        return self.wizard.desk.care.configure_plan(self.target, self.wanted.choices)

    def _words(self, plan: Plan, width: int) -> Content:
        short = self.app.size.height < _TALL
        bare = tuple(
            replace(s, details=() if short or s.id == "configure" else s.details) for s in plan.steps
        )
        steps = plan_words(replace(plan, steps=bare), width=width)
        told = next((s for s in plan.steps if s.id == "configure"), None)
        return Content("\n").join([steps, *(difference(told, width) if told is not None else ())])

    def command(self) -> str:
        """The same by command."""
        flags = boot_flags(self.wanted.choices, self.given)
        words = f"configure {self.target.path} --reset{f' {flags}' if flags else ''}"
        return self.by_command(f"{words} --confirm {self.target.token}")

    def action_back(self) -> None:
        """To the choices, as they were left."""
        from smartos_wizard.screens.keys_options import KeyOptions

        self.wizard.show(KeyOptions(self.target, self.wanted, self.given))


class UpgradeReview(ChangeReview):
    """A newer platform beside the present one."""

    HEADING = "What will happen, in this order"
    GO = "Upgrade"
    HELP = """
### What is this?
The new platform is copied beside the one the key starts now and checked. One switch at the end makes it count.

### What happens?
Type what names the disk, then **Upgrade**. Whatever happens before the switch, the key boots as it did.
The old platform is kept on the key: **Roll back** in its menu makes it the first again.

### What is not touched?
Settings, answers and your own files on the key, its boot loader, every other disk.
"""

    def __init__(self, target: Target, image: VerifiedImage) -> None:
        super().__init__(target)
        self.image = image

    def make_plan(self) -> Plan:
        """The platform beside the present one."""
        return self.wizard.desk.care.upgrade_plan(self.target, self.image)

    def command(self) -> str:
        """The same by command."""
        return self.by_command(
            f"upgrade {self.target.path} --release {self.image.stamp} --confirm {self.target.token}"
        )


class RollbackReview(ChangeReview):
    """Back to the platform that the last upgrade kept; or the end of a change that was cut short."""

    HEADING = "What will happen, in this order"
    GO = "Roll back"
    HELP = """
### What is this?
The platform that the last upgrade kept becomes the one the key starts. The present one is kept in its place.

### What happens?
Type what names the disk, then **Roll back**. The two change places at once; a change that was cut short is finished
first, and then no more is done.

### What is not touched?
Settings, answers and your own files on the key, its boot loader, every other disk.
"""

    def __init__(self, target: Target, to: str = "") -> None:
        super().__init__(target)
        self.to = to

    def make_plan(self) -> Plan:
        """The two change places."""
        return self.wizard.desk.care.rollback_plan(self.target, self.to)

    def command(self) -> str:
        """The same by command."""
        to = f" --to {self.to}" if self.to else ""
        return self.by_command(f"rollback {self.target.path}{to} --confirm {self.target.token}")
