"""Help over a screen: its Markdown, then the keys that work there."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Markdown

_ALWAYS = (
    "`F1` help · `^P` commands · `^T` theme · `Tab` next part · `F10` quit\n\n"
    "With a Braille display or speech: `smartos-wizard --plain` asks the same line by line, "
    "and every screen names the command that does the same."
)


class Helping(ModalScreen[None]):
    """Shows a text until a key closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,enter,q", "app.pop_screen", "Close", id="help.close")
    ]
    CSS = (
        "Helping { align: center middle; background: $background 60%; } Helping #words { max-height: 70vh; }"
    )

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(id="box", classes="-big") as box:
            box.border_title = "Help"
            box.border_subtitle = "Esc closes"
            with VerticalScroll(id="words"):
                yield Markdown(self._words, open_links=False)

    def on_mount(self) -> None:
        """Arrow keys scroll at once."""
        self.query_one(VerticalScroll).focus()


def help_of(screen: Screen[Any]) -> Helping:
    """The help of `screen`."""
    lines = [type(screen).HELP or "", "", "### Keys"]
    for _, binding, _, tip in screen.active_bindings.values():
        if binding.show and binding.description:
            key = screen.app.get_key_display(binding)
            lines.append(f"- `{key}` {binding.description}" + (f": {tip}" if tip else ""))
    return Helping("\n".join([*lines, "", _ALWAYS]))
