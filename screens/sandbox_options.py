"""What the guest is told at boot: the step “Options” as on the way to a key, with the guest's own key in mind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.options import Options
from smartos_wizard.screens.options_list import BESIDE, Offer, Option
from smartos_wizard.screens.options_model import Given
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.sandbox_model import CONSOLE
from smartos_wizard.screens.sandbox_words import guest_by_command


class GuestOptions(Options):
    """The same rows; a guest always has a console that is named."""

    SIDE_TITLE: ClassVar[str] = "On its own key, besides the release"
    IDLE = f"{Options.IDLE}\nF4 makes answers for everything: the guest then sets itself up and asks nobody."
    HELP = """
### What is this?
What SmartOS and its setup are told: which console, which answers, which password.
**All of it may be left as it is**: `Enter` on the button below, or `F2`, goes on.
With **answers** the guest sets itself up; without them its console asks. `F4` makes answers for everything.

### What happens?
The guest starts from a copy of the release that is its own, and the choices become files on that copy.
Its console is the first serial port, `ttya`: that is the one the wizard shows.

### What is not touched?
The image that was downloaded, and every disk of this machine.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f4", "by_itself", "Sets itself up", id="guest.alone", key_display="F4",
            tooltip="Answers are made for all that setup asks; again: they are taken away",
        ),
    ]  # fmt: skip

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

    def action_by_itself(self) -> None:
        """Make answers for everything, or take those away again."""
        if self.wizard.flow.answers.guest.by_itself(self.choices.answers):
            self._made(None)
            self.took(self.choices.with_(answers=None))
            self.notify("The answers are taken away: setup asks on its console.")
        elif self.choices.answers is not None:
            self.notify("There are answers already. Clear them first: Enter on Answers.", severity="warning")
        else:
            desk, answers = self.wizard.desk.sandbox, self.wizard.flow.noted(choices=self.choices).answers
            self.ask_rooms(lambda: desk.hands_off(answers), self._by_itself, self._refused)

    def _by_itself(self, ready: tuple[BootChoices, str]) -> None:
        choices, password = ready
        self._made(choices.answers)
        self.took(choices)
        words = Content.assemble(
            "When it is first started it asks nobody, and erases its own disks. They are empty.\n\n"
            "Root's password, shown this once:  ",
            (password, "bold $accent"),
            "\n\nIt stands in clear text on the guest's own key: change it after the first log-in.",
        )
        self.wizard.ask(Asking("It sets itself up", words, (("ok", "I have it"),)))

    def _made(self, answers: Mapping[str, str] | None) -> None:
        guest = replace(self.wizard.flow.answers.guest, made=answers)
        self.wizard.flow = self.wizard.flow.noted(guest=guest)

    def _refused(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))

    def command(self) -> str:
        """The same by command, as far as it goes by now."""
        flow, practice = self.wizard.flow, self.wizard.desk.world.practice
        return guest_by_command(flow.stage, flow.answers, practice=practice)
