"""All that a console said so far, to walk through: without colours, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Footer

from smartos_wizard.core import text
from smartos_wizard.core.errors import report_of
from smartos_wizard.guests.model import Guest

if TYPE_CHECKING:
    from smartos_wizard.app import WizardApp


class Lines(ScrollView, can_focus=True):
    """Many lines of text, of which those in the window are drawn."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines: list[str] = []

    def fill(self, lines: list[str]) -> None:
        """Show these, at their end; long ones are broken."""
        width = max(20, self.size.width - 1)
        self._lines = [line[at : at + width] for line in lines for at in range(0, len(line) or 1, width)]
        self.virtual_size = Size(width, len(self._lines))
        self.call_after_refresh(self.scroll_end, animate=False)  # once its height is known
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line."""
        row = y + self.scroll_offset.y
        words = self._lines[row] if row < len(self._lines) else ""
        return Strip([Segment(words, self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)


class ConsoleLog(ModalScreen[None]):
    """Over the console; Escape goes back to it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f3,q", "leave", "Back to the console", key_display="Esc", id="log.close"),
    ]

    def __init__(self, guest: Guest) -> None:
        super().__init__()
        self._guest = guest

    def compose(self) -> ComposeResult:
        """The lines, and the keys."""
        with Vertical(classes="card -fill", id="log-card") as card:
            card.border_title = f"What the console of {self._guest.name} said"
            yield Lines(id="log-lines")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Read it in a thread."""
        self.query_one("#log-lines").focus()
        self._read()

    def on_resize(self) -> None:
        """Lines are broken anew."""
        self._read()

    def _read(self) -> None:
        desk, guest = cast("WizardApp", self.app).desk.guests, self._guest

        def work() -> None:
            try:
                lines, before = desk.said(guest)
            except Exception as error:
                lines, before = [report_of(error).message], 0
            self.app.call_later(self._show, lines, before)

        self.run_worker(work, thread=True, exit_on_error=False, exclusive=True)

    def _show(self, lines: list[str], before: int) -> None:
        if not self.is_attached:
            return
        card = self.query_one("#log-card")
        head = [f"({text.size(before)} before this are in {self._guest.console.log})"] if before else []
        self.query_one("#log-lines", Lines).fill([*head, *(lines or ["It said nothing yet."])])
        card.border_subtitle = "PgUp, PgDn, Home, End"

    def action_leave(self) -> None:
        """Back."""
        _ = self.dismiss(None)
