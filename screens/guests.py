"""The guests there are: how each is now, as its hypervisor says, and everything that may be done with it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.guests.looking import Look
from smartos_wizard.guests.model import Guest
from smartos_wizard.screens.guest_actions import GuestActions
from smartos_wizard.screens.guests_words import row
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.words import begin

_EVERY = 2.0  # seconds between two looks; a hypervisor that has not answered is not asked again meanwhile
_AT_ONCE = 4


class Guests(GuestActions):
    """The list of guests."""

    SIDE_TITLE = "About guests"
    HELP = """
### What is this?
The guests this program made, each with the state its **hypervisor** tells now. *Not as asked* says that something of
the sandbox or the sizes is different from what was asked for: open the guest to see what.

### What happens?
`Enter` opens one. `s` starts it or stops it, `c` shows its console, `p` its snapshots, `r` makes it as new,
`d` deletes it, `n` makes another. What erases anything shows its plan and wants the guest's name typed.

### What is not touched?
Guests of other programs: they are not even looked at.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "make", "New", id="guests.new", tooltip="Make another guest"),
    ]

    def __init__(self, name: str = "") -> None:
        """The pointer is on the guest of that `name` at first."""
        super().__init__()
        self._last = name
        self._guests: tuple[Guest, ...] = ()
        self._looks: dict[str, Look] = {}
        self._titles: dict[str, str] = {}
        self._asked: dict[str, str] = {}  # whose answer is awaited, and of which hypervisor
        self._waiting: list[Guest] = []
        self._shown: list[tuple[str, Content, bool]] = []
        self._listed = False

    def frame(self) -> Widget:
        """The list scrolls by itself."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="card -fill", id="guests-card") as card:
            card.border_title = "Your guests"
            yield Choices(self.marks, id="guests")

    def ready(self) -> None:
        """Those that are there at once; how they are when it is known."""
        self.title = "Guests"
        self._draw_title()
        self.query_one("#guests").focus()
        self.refresh_now()
        self.set_interval(_EVERY, self.refresh_now)

    def command(self) -> str:
        """The list by command."""
        start = begin(practice=self.wizard.desk.world.practice)
        return f"{start} guest list"

    def refresh_now(self) -> None:
        """Ask for the list; then each hypervisor, in a thread of its own."""
        desk = self.wizard.desk.guests

        def listed() -> tuple[tuple[Guest, ...], dict[str, str]]:
            guests = desk.all()
            return guests, {guest.spec.hypervisor: desk.title(guest) for guest in guests}

        if "" not in self._asked:
            self._asked[""] = ""
            self.ask_rooms(listed, self._list, self._no_list)

    def _list(self, found: tuple[tuple[Guest, ...], dict[str, str]]) -> None:
        self._asked.pop("", None)
        self._listed = True
        self._guests, self._titles = found
        known = {guest.spec.uuid for guest in self._guests}
        self._looks = {uuid: look for uuid, look in self._looks.items() if uuid in known}
        self._draw()
        self._waiting = [guest for guest in self._guests if guest.spec.uuid not in self._asked]
        self._ask_more()

    def _ask_more(self) -> None:
        """A few at a time of each hypervisor: every question may start a program of it, and one may hang."""
        for guest in tuple(self._waiting):
            kind = guest.spec.hypervisor
            if sum(each == kind for each in self._asked.values()) < _AT_ONCE:
                self._waiting.remove(guest)
                self._ask(guest)

    def _ask(self, guest: Guest) -> None:
        uuid = guest.spec.uuid
        self._asked[uuid] = guest.spec.hypervisor

        def there(look: Look) -> None:
            self._asked.pop(uuid, None)
            self._looks[uuid] = look
            self._draw()
            self._ask_more()

        def failed(error: ErrorReport) -> None:
            there(Look(guest, None, error.message))

        desk = self.wizard.desk.guests
        self.ask_rooms(lambda: desk.look(guest), there, failed)

    def _no_list(self, error: ErrorReport) -> None:
        self._asked.pop("", None)
        self.query_one("#guests", Choices).fill([("", error_words(error), False)])

    def resized(self) -> None:
        """Rows follow the width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        if not self.query("#guests"):
            return
        choices = self.query_one("#guests", Choices)
        width = max(40, choices.content_region.width or self.app.size.width - 8)
        rows = [
            (
                guest.name,
                row(guest, self._looks.get(guest.spec.uuid), self._titles.get(guest.spec.hypervisor, ""), self.marks, width),
                True,
            )
            for guest in self._guests
        ]  # fmt: skip
        if not rows and self._listed:
            rows = [("", _none(), False)]
        if rows != self._shown:
            names = [guest.name for guest in self._guests]
            keep = self._last if self._last in names else names[0] if names else ""
            at = choices.scroll_y
            choices.fill(rows, keep=keep)
            choices.scroll_y = at
            self._shown = rows
        self.query_one("#guests-card").border_subtitle = "p snapshots · r reinstall" if self._guests else ""
        self.keys_follow()

    # ------------------------------------------------------------------ the one under the pointer

    @property
    def subject(self) -> Guest | None:
        """The guest under the pointer."""
        chosen = self.query_one("#guests", Choices).chosen if self.query("#guests") else ""
        return next((guest for guest in self._guests if guest.name == chosen), None)

    @property
    def seen(self) -> Look | None:
        """What is known of it."""
        guest = self.subject
        return self._looks.get(guest.spec.uuid) if guest is not None else None

    def again(self) -> None:
        """Back to the list once something was done."""
        self.wizard.show(Guests(self._last))

    def on_option_list_option_highlighted(self) -> None:
        """The footer says what may be done with this one."""
        super().on_option_list_option_highlighted()
        self._last = self.query_one("#guests", Choices).chosen or self._last
        self.keys_follow()

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Open it."""
        if event.option.id:
            from smartos_wizard.screens.guest_look import OneGuest

            self.wizard.show(OneGuest(event.option.id))

    def action_make(self) -> None:
        """The way to a new one."""
        self.wizard.start_sandbox()

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()


def _none() -> Content:
    return Content.assemble(
        "  ", ("There are no guests yet.", "bold"),
        "\n\n    A guest is SmartOS in a virtual machine of its own: it can harm nothing,"
        "\n    and everything of it lies in one folder.",
        ("\n\n    n makes one, step by step.", "$accent"),
    )  # fmt: skip
