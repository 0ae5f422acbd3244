"""What the screens on the road to a clean machine share: the answers so far, and going on from there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from smartos_wizard.screens.flow import Flow, Stage
from smartos_wizard.screens.reinstall_model import MachineAnswers
from smartos_wizard.screens.room_page import RoomPage

if TYPE_CHECKING:
    from smartos_wizard.screens.reinstall_desk import ReinstallDesk


class MachinePage(RoomPage):
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

    def survey_again(self) -> None:
        """Back to the survey, which asks the machine once more; what was decided is kept."""
        wizard = self.wizard
        behind = tuple(each for each in wizard.flow.behind if each[0] is Stage.MACHINE)
        wizard.flow = Flow(Stage.SURVEY, wizard.flow.answers, behind, wizard.flow.road)
        from smartos_wizard.screens.reinstall_survey import ShowSurvey

        wizard.show(ShowSurvey(again=True))
