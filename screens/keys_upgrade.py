"""Upgrading a key: which release, its platform downloaded where it is not here, then the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Button

from smartos_wizard.core.errors import ErrorReport, Refused
from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.journal import Job
from smartos_wizard.media.model import Target, VerifiedImage
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.desk import Offer, ReleaseRow
from smartos_wizard.screens.keys_review import UpgradeReview
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.release import ChooseRelease
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.words import begin, disk_line
from smartos_wizard.screens.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from smartos_wizard.screens.flow import Stage

Next = Job | VerifiedImage


class ChoosePlatform(ChooseRelease):
    """The releases again, of which only the platform is fetched."""

    STAGE = None  # type: ignore[assignment]
    HELP = """
### What is this?
The releases the mirror has. An upgrade needs only the **platform** of one, about a third of a whole image.

### What happens?
It is downloaded and checked where it is not stored yet. Then the plan is shown; the key is changed only after
you typed what names it. The present platform is kept on the key, to go back to.

### What is not touched?
The key, so far.
"""

    def __init__(self, target: Target, now: str = "") -> None:
        """`now` is the release the key holds."""
        super().__init__()
        self.target, self._now = target, now
        self._going = False

    def ready(self) -> None:
        """Say whose upgrade it is."""
        self.query_one("#list").border_title = f"To which release?   {disk_line(self.target.disk)}"
        super().ready()

    def command(self) -> str:
        """The same by command."""
        start = begin(practice=self.wizard.desk.world.practice)
        return f"{start} key upgrade {self.target.path} --release latest"

    def action_reload(self) -> None:
        """Once more."""
        self._ask(details=False, then=self._listed)

    def _listed(self, offer: Offer) -> None:
        self._fill(offer)
        self._ask(details=True, then=self._fill)

    def _row(self, row: ReleaseRow) -> Content:
        words = super()._row(row)
        return (
            Content.assemble(words, (f" {self.marks.now} on this key", "$accent"))
            if row.stamp == self._now
            else words
        )

    def _ask(self, *, details: bool, then: Callable[[Offer], None]) -> None:
        desk = self.wizard.desk
        self.ask_rooms(
            lambda: desk.care.platforms(desk.offer(details=False), details=details),
            then,
            self._failed if not details else lambda _error: None,
        )

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Fetch its platform, or go on where it is here."""
        event.prevent_default()  # a new key is not what is wanted
        stamp = event.option.id or ""
        if not self._going and stamp:
            self._going = True
            self.ask_rooms(lambda: self._next(stamp), self._go_on, self._refused)

    def _next(self, stamp: str) -> Next:
        """The platform, or the job that fetches it. Refused before anything is fetched in vain."""
        desk, target = self.wizard.desk, self.target
        image = desk.care.platform(stamp)
        if image is not None:
            return image
        plan, image = desk.care.platform_download(stamp)
        if desk.care.upgrade_plan(target, image).confirmation is None:  # it is on the key already
            return image
        return desk.start(plan)

    def _go_on(self, found: Next) -> None:
        self._going = False
        if isinstance(found, Job):
            self.wizard.watch_job(found, screen=Fetching(found, self.target))
        else:
            self.wizard.show(UpgradeReview(self.target, found))

    def _refused(self, error: ErrorReport) -> None:
        self._going = False
        self.wizard.ask(Asking("It cannot be upgraded to that", error_words(error), (("ok", "Close"),)))

    def action_back(self) -> None:
        """To the key."""
        from smartos_wizard.screens.keys import OneKey

        self.wizard.show(OneKey(self.target))


class Fetching(Work):
    """The download of a platform, and then on to the plan."""

    def __init__(self, job: Job, target: Target) -> None:
        super().__init__(job)
        self.target = target

    @property
    def stage(self) -> Stage | None:
        """It is not a step on the way to a new key."""
        return None

    def _end(self, *, lost: bool) -> None:
        super()._end(lost=lost)
        if self._good:
            button = self.query_one("#next", Button)
            button.label, button.display = "Go on: the plan", True
            button.focus()

    @property
    def _good(self) -> bool:
        ended = self.progress.ended
        return isinstance(ended, PlanFinished) and ended.exit_code == 0

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """On to the plan; otherwise as with any download."""
        if event.button.id == "next" and self._good:
            event.prevent_default()
            self.ask_rooms(self._image, self._review, self._failed)

    def _image(self) -> VerifiedImage:
        stamp = str(self.plan.steps[0].params.get("stamp", ""))
        image = self.wizard.desk.care.platform(stamp)
        if image is None:
            raise Refused(
                "not-in-store", f"The platform of {stamp} is not in the store.", hint="Choose it again."
            )
        return image

    def _review(self, image: VerifiedImage) -> None:
        self.wizard.show(UpgradeReview(self.target, image))

    def _failed(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))
