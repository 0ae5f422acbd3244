"""What the steps “Size” and “Network” of the road to a guest share: rows, the judgement that follows every key, going on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.options_boxes import Pick
from smartos_wizard.screens.options_fields import Row, Turning, put, say
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.sandbox_desk import Judged
from smartos_wizard.screens.sandbox_model import GuestAnswers
from smartos_wizard.screens.widgets.reading import Reading

_STYLES = {"error": "bold $error", "warning": "$warning", "info": "$dim"}


class GuestForm(Page):
    """Rows above, what comes of them below, a button. The newest judgement counts."""

    HEAD: ClassVar[str] = ""
    BELOW: ClassVar[str] = ""
    FIELDS: ClassVar[tuple[str, ...]] = ()
    NEXT: ClassVar[str] = "Go on"
    ASKS: ClassVar[bool] = False
    """Whether the hypervisor is asked with each change, not only before going on."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "next", "Go on", id="guest.next", key_display="F2", tooltip="To the next step"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("pageup", "scroll(-1)", show=False),
        Binding("pagedown", "scroll(1)", show=False),
    ]

    def frame(self) -> Widget:
        """What is below scrolls, the rows stay."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """Rows, what comes of them, button."""
        with Vertical(classes="card -tight form", id="asked") as card:
            card.border_title = self.HEAD
            yield from self.rows()
        with Reading(how="PgDn", id="comes") as below:
            below.border_title = self.BELOW
            yield Static("", id="drawn", markup=False)
        with Horizontal(id="onward"):
            yield Static("", id="sum", markup=False)
            yield Button(self.NEXT, id="go", compact=True)

    def rows(self) -> ComposeResult:
        """The fields."""
        yield from ()

    def __init__(self) -> None:
        super().__init__()
        self._number, self._judged, self._going = 0, Judged(), False

    def ready(self) -> None:
        """The first row has the focus."""
        self.query_one("#comes").can_focus = False  # PgUp and PgDn scroll it from every row
        self.query(Row).first().field.focus()
        self.judge()

    @property
    def guest(self) -> GuestAnswers:
        """What is decided so far."""
        return self.wizard.flow.answers.guest

    # ------------------------------------------------------------------ what is decided

    def decide(self, **changes: Any) -> None:
        """Note it, and judge anew."""
        wizard = self.wizard
        wizard.flow = wizard.flow.noted(guest=replace(self.guest, **changes))
        self.judge()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Something was typed."""
        self.decide(**{event.input.id or "": event.value})

    def on_input_submitted(self) -> None:
        """Enter goes to the next row."""
        self.focus_next()

    def on_turning_turned(self, event: Turning.Turned) -> None:
        """Another value."""
        self.decide(**{event.field.id or "": self.value_of(event.field)})

    def value_of(self, turned: Turning) -> Any:
        """What a value in a field means."""
        return turned.value

    def on_turning_opened(self, event: Turning.Opened) -> None:
        """All values, each with what it leads to."""
        turned = event.field

        def picked(value: str | None) -> None:
            if value is not None:
                put(turned, value)
                self.decide(**{turned.id or "": self.value_of(turned)})

        title = next((row.heading for row in self.query(Row) if row.field is turned), "")
        _ = self.app.push_screen(Pick(title, turned.offers, self.marks, turned.value), picked)

    def judge(self, *, full: bool = False) -> None:
        """Ask in a thread what comes of it; only the newest answer counts."""
        self._number += 1
        number, answers = self._number, self.wizard.flow.answers
        width, plain = self._width(), self.wizard.ascii_only
        desk, asks = self.wizard.desk.sandbox, full or self.ASKS

        def judged(found: Judged) -> None:
            if number == self._number:
                self._take(found, full=full)

        def failed(error: ErrorReport) -> None:
            self._going = False
            say(self.query_one("#sum", Static), Content.assemble((error.message, "bold $error")))

        self.query_one("#same", Static).update(self._same())
        self.ask_rooms(lambda: desk.judge(answers, width, full=asks, ascii_only=plain), judged, failed)

    # ------------------------------------------------------------------ what is shown

    def _width(self) -> int:
        return max(40, (self.query_one("#comes").content_region.width or self.app.size.width - 8) - 1)

    def _take(self, judged: Judged, *, full: bool) -> None:
        self._judged = judged
        self._draw()
        if full and self._going:
            self._going = False
            self._leave()

    def _draw(self) -> None:
        judged = self._judged
        for row in self.query(Row):
            short = judged.wrong.get(row.key) or next(
                (s.short for s in judged.said if s.field == row.key and s.level == "error"), ""
            )
            warned = next((s.short for s in judged.said if s.field == row.key), "")
            row.note(short or warned or self.beside(row.key), bad=bool(short))
        self.query_one("#drawn", Static).update(Content("\n").join([*self._said(), *self.below()]))
        stops = judged.stops(self.FIELDS)
        words = f"{len(stops)} to put right" if stops else self.sum_up()
        style = "bold $error" if stops else "$dim"
        mark = f"{self.marks.failed} " if stops else ""
        say(self.query_one("#sum", Static), Content.assemble((f"{mark}{words}", style)))

    def _said(self) -> list[Content]:
        lines = []
        for said in self._judged.said:
            if said.field in self.FIELDS or not said.field:
                mark = {"error": f"{self.marks.failed} ", "warning": f"{self.marks.warn} "}.get(
                    said.level, ""
                )
                lines.append(Content.assemble((f"{mark}{said.words}", _STYLES[said.level])))
        return lines

    def beside(self, name: str) -> str:
        """What stands beside a field that is right."""
        return self._judged.beside.get(name, "")

    def below(self) -> list[Content]:
        """What comes of it."""
        return []

    def sum_up(self) -> str:
        """It in a line."""
        return ""

    def on_reading_widened(self) -> None:
        """Drawn to the new width."""
        if hasattr(self, "_number"):
            self.judge()

    def action_scroll(self, by: int) -> None:
        """What comes of it, a page at a time."""
        below = self.query_one("#comes")
        (below.scroll_page_down if by > 0 else below.scroll_page_up)(animate=False)

    # ------------------------------------------------------------------ on

    def action_next(self) -> None:
        """Ask the hypervisor too, then go on; to the first row that is wrong, where one is."""
        if not self._going:
            self._going = True
            say(self.query_one("#sum", Static), Content.assemble(("asking the hypervisor …", "$dim")))
            self.judge(full=True)

    def _leave(self) -> None:
        stops = self._judged.stops(self.FIELDS)
        if not stops:
            self.wizard.go(self.wizard.flow.forward())
            return
        field = next((name for name in stops if name), "")
        if field:
            self.query_one(f"#{field}").focus()
        self.app.clear_notifications()  # one such word is enough
        self.notify(
            "This has to be put right first; the words beside and below it say why.", severity="warning"
        )

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """On."""
        if event.button.id == "go":
            self.action_next()
