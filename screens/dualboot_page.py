"""What the screens of dual boot share: the title with its step, the command that does the same, something that went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.widget import Widget

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.dualboot_words import start
from smartos_wizard.screens.page import Page, error_words

if TYPE_CHECKING:
    from smartos_wizard.screens.dualboot_desk import DualbootDesk

STEPS = ("Look", "Way", "Release", "Told", "Entry", "Review")


class DualbootPage(Page):
    """A step on the way to SmartOS beside Linux."""

    STEP: ClassVar[str] = ""
    SIDE_TITLE: ClassVar[str] = "About this step"

    def on_mount(self) -> None:
        """The title says where it stands. Textual calls the page's own `on_mount` after this one."""
        self.title = step_title(self.STEP)

    @property
    def desk(self) -> DualbootDesk:
        """The counter of the room."""
        return self.wizard.desk.dualboot

    def frame(self) -> Widget:
        """Something scrolls, the rest stays."""
        return Vertical(id="body")

    def words(self) -> str:
        """The command that does the same, without its beginning."""
        return ""

    def command(self) -> str:
        """The command that does the same."""
        words = self.words()
        return f"{start(practice=self.wizard.desk.world.practice)} {words}" if words else ""

    def again_by_command(self) -> None:
        """The command follows what was chosen."""
        self.query_one("#same").update(self._same())  # type: ignore[attr-defined]

    def wrong(self, error: ErrorReport) -> None:
        """Something did not work; the screen stays as it is."""
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),), tall=True))


def step_title(step: str) -> str:
    """“Beside Linux, step 2 of 6: Way”."""
    if step not in STEPS:
        return "Beside Linux"
    return f"Beside Linux, step {STEPS.index(step) + 1} of {len(STEPS)}: {step}"
