"""A runbook walked step by step: what to type at the machine's console, what must be seen, check marks that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.text import folded
from smartos_wizard.reinstall.runbook_steps import Todo
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.options_boxes import Asked, Box, Pick
from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.runbook_keep import Kept
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.reading import Reading
from smartos_wizard.screens.words import begin

if TYPE_CHECKING:
    from smartos_wizard.screens.reinstall_model import MachineAnswers

_FORMS = (
    Offer("text", "text", "Pages of 80 by 24 in ASCII, for a terminal or a printer."),
    Offer("markdown", "Markdown", "With boxes to tick."),
    Offer("html", "HTML", "One file that needs nothing else, and prints cleanly, to PDF too."),
)
_ENDS = {"text": "txt", "markdown": "md", "html": "html"}
_WORD = 7  # cells for the word before a line


class WalkRunbook(Page):
    """Step after step, with a mark for each that is done."""

    SIDE_TITLE = "About runbooks"
    HELP = """
### What is this?
The re-install of this machine to be **typed at its console** by a person. Nothing of it is done by this program.

### What happens?
Type what stands behind *type*, compare what you see, then `Space`: the step has its mark, and the next one is shown. The
marks are kept: leave when you like, and come back by `F4` at the road's first step. `e` writes the runbook to a file. After the
step that is marked red nothing can be taken back.

### What is not touched?
Everything, by this program.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "Done", id="runbook.tick", key_display="Space", tooltip="Mark it as done, or take the mark away"),
        Binding("o", "overview", "Overview", id="runbook.overview", tooltip="What dies, what lives, what is lost, what to agree to"),
        Binding("e", "export", "Export", id="runbook.export", tooltip="Write it to a file: text, Markdown or HTML"),
    ]  # fmt: skip

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        self.kept = kept

    def frame(self) -> Widget:
        """The list stays, the step scrolls."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The steps; the one under the pointer."""
        with Vertical(classes="card -tight", id="todos-card") as card:
            card.border_title = self.kept.book.title
            yield Choices(self.marks, id="todos")
        with Reading(how="Tab, arrow keys", id="todo") as todo:
            todo.border_title = "This step"
            yield Static("", id="todo-said", markup=False)

    def ready(self) -> None:
        """At the first step that is not done."""
        self.title = "Runbook"
        self._draw_title()
        self._draw(self.kept.next)
        self.query_one("#todos").focus()

    def command(self) -> str:
        """The same by command."""
        start = begin(practice=self.wizard.desk.world.practice)
        way = dict(self.kept.book.facts).get("Way", "")[:1]
        return f"{start} reinstall runbook --survey FILE --way {way}"

    # ------------------------------------------------------------------ what is shown

    def resized(self) -> None:
        """Rows follow the width."""
        self.call_after_refresh(self._draw)

    def on_reading_widened(self) -> None:
        """Wrapped to the new width."""
        self._tell()

    def _draw(self, at: int | None = None) -> None:
        if not self.query("#todos"):
            return
        choices = self.query_one("#todos", Choices)
        width = max(30, (choices.content_region.width or self.app.size.width - 8) - 1)
        rows = [
            (f"t{number}", self._row(number, todo, width), True)
            for number, todo in enumerate(self.kept.book.todos)
        ]
        choices.fill(rows, keep=f"t{at}" if at is not None else choices.chosen or "t0")
        done = len(self.kept.done)
        card = self.query_one("#todos-card")
        card.border_title = f"{self.kept.book.title}: {done} of {len(rows)} steps done"
        self._tell()

    def _row(self, number: int, todo: Todo, width: int) -> Content:
        done = number in self.kept.done
        box, style = ("[x]", "$success") if done else ("[ ]", "$dim")
        room = width - 9
        title = todo.title if len(todo.title) <= room else todo.title[: room - 1] + "…"
        colour = "bold $error" if todo.final else "$dim" if done else ""
        return Content.assemble("  ", (box, style), (f"{number + 1:>3}  ", "$dim"), (title, colour))

    @property
    def at(self) -> int:
        """The step under the pointer."""
        name = self.query_one("#todos", Choices).chosen
        return int(name[1:]) if name else 0

    def on_option_list_option_highlighted(self) -> None:
        """Show it."""
        super().on_option_list_option_highlighted()
        self._tell()
        self.query_one("#todo").scroll_home(animate=False)

    def _tell(self) -> None:
        card = self.query_one("#todo")
        width = max(40, (card.content_region.width or self.app.size.width - 8) - 1)
        todo = self.kept.book.todos[self.at]
        card.border_title = f"Step {self.at + 1}"
        lines = list(todo_lines(todo, width))
        self.query_one("#todo-said", Static).update(Content("\n").join(lines))

    # ------------------------------------------------------------------ what may be done

    def on_option_list_option_selected(self) -> None:
        """Enter marks, as space does."""
        self.action_tick()

    def action_tick(self) -> None:
        """Mark the step; the next one comes under the pointer. The mark is on the disk before it is shown."""
        at, todo = self.at, self.kept.book.todos[self.at]
        marks = self.kept.done ^ {at}
        early = [n for n in range(at) if n not in self.kept.done]
        if at in marks and todo.final and early:
            self.notify(
                f"Step {early[0] + 1} is not marked yet. After this one nothing can be taken back.",
                severity="warning",
            )
            return
        desk = self.wizard.desk.reinstall
        self.ask_rooms(
            lambda: desk.mark_runbook(self.kept, marks), lambda kept: self._marked(kept, at), self._failed
        )

    def _marked(self, kept: Kept, at: int) -> None:
        self.kept = kept
        onward = at + 1 if at in kept.done and at + 1 < len(kept.book.todos) else at
        self._draw(onward)
        if len(kept.done) == len(kept.book.todos):
            self.notify("Every step is marked.")

    def _failed(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))

    def action_overview(self) -> None:
        """The lists before the steps."""
        from smartos_wizard.reinstall.runbook_text import sections

        book = self.kept.book
        lines = [Content.assemble((f"{word:<13}", "$dim"), fact) for word, fact in book.facts]
        for title, items in sections(book):
            if items:
                lines += [Content(""), Content.assemble((title, "bold $accent"))]
                lines += [
                    Content(part)
                    for item in items
                    for part in folded(f"- {item}" if item[:2] != "- " else f"  {item}", 68, indent="    ")
                ]
        self.wizard.ask(Asking(book.title, Content("\n").join(lines), (("ok", "Close"),), tall=True))

    def action_export(self) -> None:
        """Ask for the form, then for the file."""

        def picked(form: str | None) -> None:
            if form is not None:
                self._export(form)

        _ = self.app.push_screen(Pick("Write it as", _FORMS, self.marks), picked)

    def _export(self, form: str) -> None:
        kept, desk = self.kept, self.wizard.desk.reinstall
        name = f"{kept.host}-runbook.{_ENDS[form]}"

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                self.ask_rooms(
                    lambda: desk.export_runbook(kept.book, form, found["file"]),
                    lambda place: self.notify(f"Written: {place}"),
                    self._failed,
                )

        box = Box("Write it to a file", "A file that is not there yet.", (Asked("file", "File", name),),
                  lambda said: "" if said["file"].strip() else "How is it to be called?", go="Write it")  # fmt: skip
        _ = self.app.push_screen(box, answered)

    def action_back(self) -> None:
        """Where the road stands; the list of runbooks otherwise."""
        from smartos_wizard.screens.flow import REINSTALL_ROAD

        flow = self.wizard.flow
        if flow.road == REINSTALL_ROAD and flow.answers.machine is not None:
            self.wizard.go(flow)
        else:
            from smartos_wizard.screens.reinstall_runbooks import Runbooks

            self.wizard.show(Runbooks())


def todo_lines(todo: Todo, width: int) -> Iterator[Content]:
    """A step in lines of at most `width` cells. What is typed stays whole where it fits."""
    yield from (Content.assemble((part, "bold")) for part in folded(todo.title, width))
    if todo.final:
        yield Content.assemble(("From here on it cannot be taken back.", "bold $error"))
    for word, rows in todo.acts:
        style = "bold $accent" if word == "Type" else "bold"
        for row in rows:
            yield from _row(word.lower(), row, style, width)
    for row in todo.see:
        yield from _row("see", row, "$success", width)
    for seen, act in todo.otherwise:
        yield from _row("else", f"{seen}: {act}", "$dim", width)


def _row(word: str, words: str, style: str, width: int) -> Iterator[Content]:
    head, *rest = folded(words, width - _WORD, indent="  ") or [""]
    yield Content.assemble((f"{word:<{_WORD}}", "$dim"), (head, style))
    yield from (Content.assemble(" " * _WORD, (part, style)) for part in rest)


def make_runbook(page: Page, said: MachineAnswers) -> None:
    """Make the runbook of what was decided, with the marks it had, and walk it."""
    wizard = page.wizard

    def failed(error: ErrorReport) -> None:
        wizard.ask(Asking("There is no such runbook", error_words(error), (("ok", "Close"),), tall=True))

    page.ask_rooms(
        lambda: wizard.desk.reinstall.runbook(said), lambda kept: wizard.show(WalkRunbook(kept)), failed
    )
