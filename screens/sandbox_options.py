"""What the guest is told at boot: the step “Options” as on the way to a key, with the guest's own key in mind."""

from __future__ import annotations

from typing import ClassVar

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.screens.options import Options
from smartos_wizard.screens.options_list import BESIDE, Offer, Option
from smartos_wizard.screens.options_model import Given
from smartos_wizard.screens.sandbox_model import CONSOLE
from smartos_wizard.screens.sandbox_words import guest_by_command


class GuestOptions(Options):
    """The same rows; a guest always has a console that is named."""

    SIDE_TITLE: ClassVar[str] = "On its own key, besides the release"
    HELP = """
### What is this?
What SmartOS and its setup are told: which console, which answers, which password.
**All of it may be left as it is**: `Enter` on the button below, or `F2`, goes on.
With **answers** the guest sets itself up; without them its console asks.

### What happens?
The guest starts from a copy of the release that is its own, and the choices become files on that copy.
Its console is the first serial port, `ttya`: that is the one the wizard shows.

### What is not touched?
The image that was downloaded, and every disk of this machine.
"""

    def begin(self) -> tuple[BootChoices, Given]:
        """What was decided before; the console of a guest is its first serial port."""
        choices, given = super().begin()
        return (choices if choices.console else choices.with_(console=CONSOLE)), given

    def offers(self, option: Option) -> tuple[Offer, ...]:
        """A console is always named."""
        offers = super().offers(option)
        return tuple(o for o in offers if o.value) if option.name == "console" else offers

    def took(self, choices: BootChoices, given: Given | None = None) -> None:
        """A profile may say nothing of the console."""
        super().took(choices if choices.console else choices.with_(console=CONSOLE), given)

    def _beside(self, name: str) -> str:
        if name == "console":
            beside = BESIDE.get(self.choices.console, "")
            return "shown by the wizard" if self.choices.console == CONSOLE else beside
        return super()._beside(name)

    def command(self) -> str:
        """The same by command, as far as it goes by now."""
        flow, practice = self.wizard.flow, self.wizard.desk.world.practice
        return guest_by_command(flow.stage, flow.answers, practice=practice)
