"""A question over the screen: a few buttons, the safe one first and focused; Escape answers nothing.

One that asks about work that goes on closes by itself when the work ends: its words would be untrue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class Asking(ModalScreen[str]):
    """Dismissed with the id of the button, or an empty string."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", id="ask.close"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(
        self, title: str, words: Content | str, buttons: Sequence[tuple[str, str]], *, tall: bool = False,
        of_work: bool = False,
    ) -> None:  # fmt: skip
        """`buttons` are (id, label); an id that begins with `!` is drawn as dangerous.

        `of_work` says that it makes sense only while the followed work goes on.
        """
        super().__init__()
        self._head, self._words, self._buttons, self._tall = title, words, buttons, tall
        self.of_work, self._moot, self._answered = of_work, False, False

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(id="box", classes="-big" if self._tall else "") as box:
            box.border_title = self._head
            with VerticalScroll(id="words"):
                yield Static(self._words, markup=False)
            with Horizontal(classes="row"):
                for name, label in self._buttons:
                    danger = name.startswith("!")
                    yield Button(
                        label, id=name.lstrip("!"), classes="-danger" if danger else "", compact=True
                    )

    def on_mount(self) -> None:
        """The first button is the safe one."""
        self.query(Button).first().focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        event.stop()
        self._leave(event.button.id or "")

    def action_leave(self) -> None:
        """No answer."""
        self._leave("")

    def _leave(self, answer: str) -> None:
        """Once: an answer and the end of the work may come together."""
        if not self._answered:
            self._answered = True
            _ = self.dismiss(answer)

    def work_ended(self) -> None:
        """Close without an answer where it is about work; below another screen, as soon as that one is gone."""
        if not self.of_work or self._moot:
            return
        self._moot = True
        if self.app.screen is self:  # `is_current` holds below a question as well
            self.action_leave()

    def on_screen_resume(self) -> None:
        """What was over it is gone."""
        if self._moot and self.app.screen is self:
            self.action_leave()
