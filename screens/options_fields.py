"""Rows of a form: a name, a field, and beside it what is to say. By keyboard alone, and readable without colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.words import Marks

FIELD = 23
"""Cells for the value in a field (assets/wizard.tcss: .field)."""


class Turning(Static, can_focus=True):
    """One of a few values: left and right turn it, Enter shows them all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", show=False),
        Binding("right,space", "turn(1)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Turned(Message):
        """Another value stands there."""

        def __init__(self, field: Turning) -> None:
            super().__init__()
            self.field = field

    class Opened(Message):
        """All values are wanted."""

        def __init__(self, field: Turning) -> None:
            super().__init__()
            self.field = field

    def __init__(self, offers: Sequence[Offer], value: str, *, id: str) -> None:
        super().__init__(id=id, classes="field", markup=False)
        self.offers, self.value = tuple(offers), value

    def on_mount(self) -> None:
        """Show it."""
        self.put(self.value)

    def put(self, value: str, offers: Sequence[Offer] | None = None) -> None:
        """Show a value, and from now on those `offers`."""
        if offers is not None:
            self.offers = tuple(offers)
        self.value = value
        words = next((o.words for o in self.offers if o.value == value), value)
        room = FIELD - 4
        words = words if len(words) <= room else words[: room - 1] + "…"
        self.update(Content.assemble(("< ", "$accent"), f"{words:<{room}}", (" >", "$accent")), layout=False)

    def action_turn(self, by: int) -> None:
        """To the value before or after."""
        values = [o.value for o in self.offers]
        at = values.index(self.value) if self.value in values else 0
        self.put(values[(at + by) % len(values)])
        self.post_message(self.Turned(self))

    def action_open(self) -> None:
        """All of them in a box."""
        self.post_message(self.Opened(self))

    def on_click(self, event: Click) -> None:
        """A click opens too."""
        event.stop()
        self.action_open()


class Opener(Static, can_focus=True):
    """A value that has a box or a form of its own: Enter opens it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space,right", "open", show=False)]

    class Opened(Message):
        """Its box is wanted."""

        def __init__(self, field: Opener) -> None:
            super().__init__()
            self.field = field

    def __init__(self, words: str, *, id: str) -> None:
        super().__init__(id=id, classes="field", markup=False)
        self._words = words

    def on_mount(self) -> None:
        """Show it."""
        self.put(self._words)

    def put(self, words: str) -> None:
        """Show a value."""
        room = FIELD - 4
        words = words if len(words) <= room else words[: room - 1] + "…"
        self.update(Content.assemble(f"{words:<{room}}", (" ...", "$accent")), layout=False)

    def action_open(self) -> None:
        """Ask for the box."""
        self.post_message(self.Opened(self))

    def on_click(self, event: Click) -> None:
        """A click opens too."""
        event.stop()
        self.action_open()


class Row(Horizontal):
    """One thing to decide: pointer, name, field, what is to say of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, name: str, title: str, field: Widget, marks: Marks) -> None:
        super().__init__(id=f"row-{name}", classes="form-row")
        self.key, self.field = name, field
        self._title, self._marks = title, marks

    @property
    def heading(self) -> str:
        """What it is about."""
        return self._title

    def compose(self) -> ComposeResult:
        """Name, field, note."""
        yield Static(f"  {self._title}", classes="form-name", markup=False)
        yield self.field
        yield Static("", classes="form-note", markup=False)

    def on_descendant_focus(self) -> None:
        """The pointer comes."""
        words = Content.assemble((self._marks.pointer, "bold $accent"), (f" {self._title}", "bold"))
        say(self.query_one(".form-name", Static), words)

    def on_descendant_blur(self) -> None:
        """The pointer goes."""
        if self.is_attached:
            say(self.query_one(".form-name", Static), f"  {self._title}")

    def note(self, words: str, *, bad: bool = False) -> None:
        """Say something beside the field."""
        mark = f"{self._marks.failed} " if bad else ""
        style = "bold $error" if bad else "$dim"
        say(self.query_one(".form-note", Static), Content.assemble((f"{mark}{words}", style)))


def say(place: Static, words: Content | str, *, grows: bool = False) -> None:
    """Show words where they are not there already. Unless the place `grows`, nothing is laid out anew for it."""
    content = Content(words) if isinstance(words, str) else words
    before = place.content
    if not isinstance(before, Content) or before != content or before.spans != content.spans:
        place.update(content, layout=grows)


def typed(value: str, *, id: str, example: str = "", hidden: bool = False) -> Input:
    """A field that is typed in."""
    return Input(
        value,
        id=id,
        placeholder=example,
        compact=True,
        password=hidden,
        select_on_focus=False,
        classes="field",
    )


def put(field: Widget, words: str, offers: Sequence[Offer] | None = None) -> None:
    """Show another value in a field of any kind, without saying that it changed."""
    if isinstance(field, Turning):
        field.put(words, offers)
    elif isinstance(field, Opener):
        field.put(words)
    elif isinstance(field, Input) and field.value != words:
        with field.prevent(Input.Changed):
            field.value = words
