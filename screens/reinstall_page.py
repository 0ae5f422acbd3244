"""What the screens on the road to a clean machine share: the answers so far, and going on from there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import Flow, Stage
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.reinstall_model import MachineAnswers
from smartos_wizard.screens.reinstall_words import start

if TYPE_CHECKING:
    from smartos_wizard.screens.reinstall_desk import ReinstallDesk


class MachinePage(Page):
    """A step on that road."""

    @property
    def desk(self) -> ReinstallDesk:
        """The counter of the room."""
        return self.wizard.desk.reinstall

    @property
    def said(self) -> MachineAnswers:
        """What was decided so far."""
        return self.wizard.flow.answers.machine or MachineAnswers()

    def decide(self, **changes: Any) -> None:
        """Note it at this step."""
        wizard = self.wizard
        wizard.flow = wizard.flow.noted(machine=replace(self.said, **changes))
        self.query_one("#same").update(self._same())  # type: ignore[attr-defined]

    def onward(self, **changes: Any) -> None:
        """Note it, and go to the next step."""
        self.wizard.go(self.wizard.flow.forward(machine=replace(self.said, **changes)))

    def words(self) -> str:
        """The command that does the same, without its beginning."""
        return ""

    def command(self) -> str:
        """The command that does the same."""
        words = self.words()
        return f"{start(practice=self.wizard.desk.world.practice)} {words}" if words else ""

    def wrong(self, error: ErrorReport) -> None:
        """Something did not work; the screen stays as it is."""
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),), tall=True))

    def survey_again(self) -> None:
        """Back to the survey, which asks the machine once more; what was decided is kept."""
        wizard = self.wizard
        behind = tuple(each for each in wizard.flow.behind if each[0] is Stage.MACHINE)
        wizard.flow = Flow(Stage.SURVEY, wizard.flow.answers, behind, wizard.flow.road)
        from smartos_wizard.screens.reinstall_survey import ShowSurvey

        wizard.show(ShowSurvey(again=True))
