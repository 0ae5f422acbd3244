"""The runbooks that were begun: go on with one, or let it go."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.reinstall_runbook import WalkRunbook
from smartos_wizard.screens.runbook_keep import Kept
from smartos_wizard.screens.widgets.choices import Choices


class Runbooks(Page):
    """Which one?"""

    SIDE_TITLE = "About runbooks"
    HELP = """
### What is this?
Runbooks in which a step was marked. Each is kept whole, so none needs its survey any more.

### What happens?
`Enter` goes on with one at its first step that is not done. `d` lets it go, with its marks. A new one is made on the road:
survey a machine, or take a survey from a file, then `u` where the way is chosen.

### What is not touched?
Every machine.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "forget", "Let it go", id="runbooks.forget", tooltip="Remove the runbook and its marks"),
    ]

    def body(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="card", id="runbooks-card") as card:
            card.border_title = "Runbooks that were begun"
            yield Choices(self.marks, id="runbooks")

    def ready(self) -> None:
        """Read them."""
        self.title = "Runbooks"
        self._draw_title()
        self._kept: dict[str, Kept] = {}
        self.query_one("#runbooks").focus()
        self._look()

    def _look(self) -> None:
        self.ask_rooms(self.wizard.desk.reinstall.runbooks, self._there, self._failed)

    def _there(self, found: tuple[Kept, ...]) -> None:
        self._kept = {each.id: each for each in found}
        rows = [(each.id, self._row(each), True) for each in found]
        if not rows:
            words = "  None yet. Survey a machine, or take a survey from a file; u makes one where the way is chosen."
            rows = [("", Content(words), False)]
        self.query_one("#runbooks", Choices).fill(rows, keep=found[0].id if found else "")
        self.refresh_bindings()

    def _row(self, each: Kept) -> Content:
        facts = dict(each.book.facts)
        steps = f"{len(each.done)} of {len(each.book.todos)} steps done"
        when = text.age(max(0.0, self.wizard.desk.world.now() - each.at))
        return Content.assemble(
            "  ", (each.host, "bold"), f"   {steps}, last mark {'today' if when == 'today' else when + ' ago'}",
            (f"\n    way {facts.get('Way', '')}, surveyed {facts.get('Surveyed', '')}", "$dim"),
        )  # fmt: skip

    def _failed(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing to let go of in an empty list."""
        del parameters
        return action != "forget" or bool(getattr(self, "_kept", None))

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Go on with it."""
        one = self._kept.get(event.option.id or "")
        if one is not None:
            self.wizard.show(WalkRunbook(one))

    def action_forget(self) -> None:
        """Ask, then remove it."""
        one = self._kept.get(self.query_one("#runbooks", Choices).chosen)
        if one is None:
            return

        def answered(answer: str | None) -> None:
            if answer == "go":
                desk = self.wizard.desk.reinstall
                self.ask_rooms(lambda: desk.forget_runbook(one), lambda _none: self._look(), self._failed)

        words = f"The runbook of {one.host} and its {len(one.done)} marks are removed here. Nothing happens to the machine."
        self.wizard.ask(Asking("Let it go?", words, (("stay", "Keep it"), ("!go", "Remove it"))), answered)

    def action_back(self) -> None:
        """To the road's first step."""
        self.wizard.start_reinstall()
