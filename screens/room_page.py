"""What pages about one room of the engine share: the command that does the same, and what is said where something fails."""

from __future__ import annotations

from typing import ClassVar

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.words import begin


class RoomPage(Page):
    """A page off the roads to a key and to a guest. `ROOM` is the command's first word, where all have the same."""

    ROOM: ClassVar[str] = ""

    def words(self) -> str:
        """The command that does the same, without its beginning."""
        return ""

    def command(self) -> str:
        """The command that does the same."""
        words = self.words()
        parts = (begin(practice=self.wizard.desk.world.practice), self.ROOM, words)
        return " ".join(part for part in parts if part) if words else ""

    def wrong(self, error: ErrorReport) -> None:
        """Something did not work; the screen stays as it is."""
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),), tall=True))
