"""Which release? Newest first; what is here already is said, and so is an old list."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.desk import Offer, ReleaseRow
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.widgets.choices import Choices


class ChooseRelease(Page):
    """The list of releases."""

    STAGE = Stage.RELEASE
    HELP = """
### What is this?
Every SmartOS release the mirror has. A release is named by the time it was built (UTC).
Most people want the newest.

### What happens?
Its USB image is downloaded and checked against the release's own list of checksums:
sha256 where published, md5 for older ones. What is **stored** is here and was checked.

### What is not touched?
No disk. Only this program's cache directory is written.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reload", "Ask again", id="release.reload", tooltip="Ask the mirror once more"),
    ]

    @property
    def artifact(self) -> str:
        """Which kind of artifact of the release is wanted."""
        return "usb"

    def frame(self) -> Widget:
        """The list itself scrolls."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """Heading, list, what is wrong."""
        with Vertical(classes="card -fill", id="list") as card:
            card.border_title = "Which release of SmartOS?"
            yield Static("", id="head", classes="muted", markup=False)
            yield Choices(self.marks, id="releases")
        yield Static("Asking the mirror …", id="trouble", classes="muted", markup=False)

    def ready(self) -> None:
        """Ask the mirror: the list first, sizes and checksums after it."""
        self.query_one("#releases").add_class("-fill")
        self.query_one("#releases").focus()
        self.action_reload()

    def action_reload(self) -> None:
        """Once more."""
        desk, kind = self.wizard.desk, self.artifact
        self.ask_rooms(lambda: desk.offer(details=False, kind=kind), self._listed, self._failed)

    def _listed(self, offer: Offer) -> None:
        self._fill(offer)
        desk, kind = self.wizard.desk, self.artifact
        self.ask_rooms(lambda: desk.offer(details=True, kind=kind), self._fill, lambda _error: None)

    def _fill(self, offer: Offer) -> None:
        choices = self.query_one("#releases", Choices)
        newest = next((r.stamp for r in offer.rows if r.latest), offer.rows[0].stamp if offer.rows else "")
        keep = choices.chosen or self.wizard.flow.answers.stamp or newest
        self.query_one("#head", Static).update(
            Content(f"  {'Release':<18}  {'Built':<13} {'Image':>8}  {'Checksum':<8}")
        )
        choices.fill([(r.stamp, self._row(r), not r.problem) for r in offer.rows], keep=keep)
        words = ""
        if offer.offline:
            words = f"{self.marks.warn} Offline: the mirror did not answer. This is its list as of {offer.offline}."
        self.query_one("#trouble", Static).update(Content.assemble((words, "$warning")))

    def _row(self, row: ReleaseRow) -> Content:
        age = text.age(row.age)
        size = "" if row.size is None else text.size(row.size)
        return Content.assemble(
            "  ", (f"{row.stamp:<18}", "bold"), f"  {age if age == 'today' else age + ' ago':<13}",
            f" {size:>8}  ", (f"{row.checksum:<8}", "$warning" if row.checksum == "md5" else "$dim"),
            (" latest" if row.latest else "", "$accent"),
            (f" {self.marks.good} stored" if row.stored else "", "$success"),
            (f"  {row.problem}" if row.problem else "", "$faint"),
        )  # fmt: skip

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#trouble", Static).update(error_words(error))
        desk, kind = self.wizard.desk, self.artifact
        self.ask_rooms(lambda: desk.offer_stored(kind), self._only_stored, lambda _error: None)

    def _only_stored(self, offer: Offer) -> None:
        """Without the mirror there is still what is stored."""
        if not offer.rows:
            return
        trouble = self.query_one("#trouble", Static)
        said = trouble.content
        self._fill(offer)
        trouble.update(said)
        self.query_one("#list").border_subtitle = "only what is stored here"

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """On with this release."""
        stamp = event.option.id or ""
        image = self.wizard.desk.stored_image(stamp, self.artifact)
        self.wizard.go(self.wizard.flow.forward(stamp=stamp, image=image))
