"""Which release of SmartOS comes beside Linux: the list again, of which the platform or the ISO is fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.widgets import Button

from smartos_wizard.core.errors import ErrorReport, Refused
from smartos_wizard.core.journal import Job
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.netboot.dualboot_model import Way
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.desk import Offer
from smartos_wizard.screens.dualboot_model import Beside
from smartos_wizard.screens.dualboot_page import step_title
from smartos_wizard.screens.dualboot_words import command_words
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.release import ChooseRelease
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.words import begin
from smartos_wizard.screens.work import Work


class DualbootRelease(ChooseRelease):
    """The releases the mirror has."""

    STAGE = None  # type: ignore[assignment]
    HELP = """
### What is this?
The releases the mirror has. For the way you chose only a part of one is needed: the **platform**, about a third of a whole
image, or the **ISO**. What is **stored** is here and was checked.

### What happens?
What is not here yet is downloaded, and checked against the release's own list of checksums.

### What is not touched?
This Linux, so far. Only this program's cache directory is written.
"""

    def __init__(self, said: Beside) -> None:
        super().__init__()
        self.said = said
        self._going = False

    @property
    def artifact(self) -> str:
        """The ISO, or the platform."""
        return self.said.artifact

    def ready(self) -> None:
        """The title says where it stands."""
        self.title = step_title("Release")
        self._draw_title()
        self.query_one("#list").border_title = "Which release of SmartOS shall stand beside this Linux?"
        super().ready()

    def command(self) -> str:
        """The same by command."""
        return f"{begin(practice=self.wizard.desk.world.practice)} {command_words('plan', self.said)}"

    def action_reload(self) -> None:
        """Once more: the list first, sizes and checksums after it."""
        self._ask(details=False, then=self._listed)

    def _listed(self, offer: Offer) -> None:
        self._fill(offer)
        self._ask(details=True, then=self._fill)

    def _fill(self, offer: Offer) -> None:
        super()._fill(offer)
        choices = self.query_one("#releases", Choices)
        at = next((n for n, o in enumerate(choices.options) if o.id == self.said.stamp), None)
        if at is not None and not self._moved:
            choices.highlighted = at
        self._moved = True

    _moved = False

    def _ask(self, *, details: bool, then: Callable[[Offer], None]) -> None:
        desk, iso = self.wizard.desk, self.said.way is Way.ISO

        def found() -> Offer:
            if iso:
                return desk.offer(details=details, kind="iso")
            return desk.care.platforms(desk.offer(details=False), details=details)

        self.ask_rooms(found, then, self._failed if not details else lambda _error: None)

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Fetch it, or go on where it is here."""
        event.prevent_default()  # a new key is not what is wanted
        stamp = event.option.id or ""
        if not self._going and stamp:
            self._going = True
            self.ask_rooms(lambda: self._next(stamp), lambda found: self._go_on(stamp, found), self._refused)

    def _next(self, stamp: str) -> Job | VerifiedImage:
        desk = self.wizard.desk
        image = desk.dualboot.image(stamp, self.said.way)
        return image if image is not None else desk.start(desk.dualboot.download_plan(stamp, self.said.way))

    def _go_on(self, stamp: str, found: Job | VerifiedImage) -> None:
        self._going = False
        said = replace(self.said, stamp=stamp)
        if isinstance(found, Job):
            self.wizard.watch_job(found, screen=DualbootFetching(found, said))
        else:
            _told(self, replace(said, image=found))

    def _refused(self, error: ErrorReport) -> None:
        self._going = False
        self.wizard.ask(Asking("That release cannot be had", error_words(error), (("ok", "Close"),)))

    def action_back(self) -> None:
        """To the ways."""
        from smartos_wizard.screens.dualboot_way import DualbootWay

        self.wizard.show(DualbootWay(self.said))


class DualbootFetching(Work):
    """The download, and then on."""

    def __init__(self, job: Job, said: Beside) -> None:
        super().__init__(job)
        self.said = said

    @property
    def stage(self) -> Stage | None:
        """It is no step on the way to a key."""
        return None

    def onward(self) -> str:
        """What the button says."""
        return "Go on"

    def go_on(self) -> None:
        """To what SmartOS is told."""
        desk, said = self.wizard.desk.dualboot, self.said

        def image() -> VerifiedImage:
            found = desk.image(said.stamp, said.way)
            if found is None:
                raise Refused("not-in-store", f"{said.stamp} is not in the store.", hint="Choose it again.")
            return found

        self.query_one("#next", Button).disabled = True
        self.ask_rooms(image, lambda found: _told(self, replace(said, image=found)), self._lost)

    def _lost(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))

    def action_back(self) -> None:
        """To the list, once it ended; home before, and the download goes on."""
        if self._ended:
            self.wizard.show(DualbootRelease(self.said))
        else:
            super().action_back()


def _told(page: DualbootRelease | DualbootFetching, said: Beside) -> None:
    from smartos_wizard.screens.dualboot_told import DualbootTold

    page.wizard.show(DualbootTold(said))
