"""What the screens of dual boot share: the title with its step, the command that does the same, something that went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.widget import Widget

from smartos_wizard.screens.room_page import RoomPage

if TYPE_CHECKING:
    from smartos_wizard.screens.dualboot_desk import DualbootDesk

STEPS = ("Look", "Way", "Release", "Told", "Entry", "Review")


class DualbootPage(RoomPage):
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

    def again_by_command(self) -> None:
        """The command follows what was chosen."""
        self.query_one("#same").update(self._same())  # type: ignore[attr-defined]


def step_title(step: str) -> str:
    """“Beside Linux, step 2 of 6: Way”."""
    if step not in STEPS:
        return "Beside Linux"
    return f"Beside Linux, step {STEPS.index(step) + 1} of {len(STEPS)}: {step}"
