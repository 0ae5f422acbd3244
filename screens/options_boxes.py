"""Boxes over a form: fields with an error beneath them, and a list to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.words import Marks

Check = Callable[[dict[str, str]], str]
"""Judges what was typed into a box: what is wrong with it, or nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of a box. What is typed into a `hidden` one is not shown."""

    name: str
    title: str
    value: str = ""
    example: str = ""
    hidden: bool = False


class Box(ModalScreen[dict[str, str] | None]):
    """Dismissed with what was typed once `check` finds nothing wrong with it, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", id="box.close")]

    def __init__(
        self, title: str, words: Content | str, fields: Sequence[Asked], check: Check, go: str = "Take it"
    ) -> None:
        super().__init__()
        self._head, self._words, self._fields, self._check, self._go = title, words, fields, check, go

    def compose(self) -> ComposeResult:
        """Words, fields, what is wrong, buttons."""
        with Vertical(id="box") as box:
            box.border_title = self._head
            yield Static(self._words, markup=False)
            for number, asked in enumerate(self._fields):
                with Horizontal(classes="box-row gap" if not number else "box-row"):
                    yield Static(asked.title, classes="box-name", markup=False)
                    yield Input(
                        asked.value,
                        id=asked.name,
                        placeholder=asked.example,
                        compact=True,
                        password=asked.hidden,
                    )
            yield Static("", id="wrong", markup=False)
            with Horizontal(classes="row"):
                yield Button(self._go, id="go", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """The first field."""
        self.query(Input).first().focus()

    def on_input_changed(self) -> None:
        """What was wrong may be right now."""
        self.query_one("#wrong", Static).update("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the next field, and from the last one on."""
        fields = list(self.query(Input))
        if event.input is not fields[-1]:
            fields[fields.index(event.input) + 1].focus()
        else:
            self._try()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take it, or leave."""
        event.stop()
        if event.button.id == "go":
            self._try()
        else:
            self.action_leave()

    def _try(self) -> None:
        found = {field.id or "": field.value for field in self.query(Input)}
        wrong = self._check(found)
        if wrong:
            self.query_one("#wrong", Static).update(Content.assemble((wrong, "bold $error")))
        else:
            _ = self.dismiss(found)

    def action_leave(self) -> None:
        """Nothing is taken."""
        _ = self.dismiss(None)


class Pick(ModalScreen[str | None]):
    """Dismissed with the value of an offer, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", id="pick.close")]

    def __init__(
        self, title: str, offers: Sequence[Offer], marks: Marks, now: str | None = None, words: str = ""
    ) -> None:
        super().__init__()
        self._head, self._offers, self._marks, self._now, self._words = title, offers, marks, now, words

    def compose(self) -> ComposeResult:
        """The list, and what the chosen one leads to."""
        with Vertical(id="box") as box:
            box.border_title = self._head
            box.border_subtitle = "Enter takes it · Esc closes"
            if self._words:
                yield Static(self._words, markup=False, classes="box-words")
            with VerticalScroll(id="words", can_focus=False):
                yield Choices(self._marks, id="offers")
            yield Static("", id="more", markup=False)

    def on_mount(self) -> None:
        """Fill it; the pointer on the present value."""
        rows = [(f"n{n}", Content(f"  {o.words}"), True) for n, o in enumerate(self._offers)]
        at = next((n for n, o in enumerate(self._offers) if o.value == self._now), 0)
        self.query_one(Choices).fill(rows, keep=f"n{at}")
        self.query_one(Choices).focus()

    def on_option_list_option_highlighted(self, event: Choices.OptionHighlighted) -> None:
        """Say what it leads to; the hardware cursor goes there too."""
        self.call_after_refresh(self._point)
        self.query_one("#more", Static).update(Content.assemble((self._offer(event.option_id).more, "$dim")))

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Take it."""
        event.stop()
        _ = self.dismiss(self._offer(event.option_id).value)

    def _point(self) -> None:
        at = self.query_one(Choices).cursor()
        if at is not None:
            self.app.cursor_position = at

    def _offer(self, name: str | None) -> Offer:
        return self._offers[int((name or "n0")[1:])]

    def action_leave(self) -> None:
        """Nothing is taken."""
        _ = self.dismiss(None)
