"""The survey: what should be known first, then everything that was found as a tree, and what could not be found out."""

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
from smartos_wizard.core.text import folded
from smartos_wizard.reinstall.model import Stop, Survey
from smartos_wizard.reinstall.outline import Node
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_boxes import Asked, Box
from smartos_wizard.screens.reinstall_desk import Call
from smartos_wizard.screens.reinstall_page import MachinePage
from smartos_wizard.screens.reinstall_words import survey_words
from smartos_wizard.screens.widgets.outline import OutlineTree
from smartos_wizard.screens.widgets.reading import Reading

Told = tuple[Node, tuple[Stop, ...]]


class ShowSurvey(MachinePage):
    """What is on the machine."""

    STAGE = Stage.SURVEY
    HELP = """
### What is this?
Everything that was found on the machine. What should be known before anything is planned stands on top; what could
**not** be found out is named at the end of the tree.

### What happens?
The arrow keys go through the tree, `Space` opens and closes a branch; the whole of a long line stands below it. `r` asks
the machine again: a plan needs a survey that is younger than 15 minutes. `s` keeps it in a file. `Enter` goes on.

### What is not touched?
Everything: the machine was only asked.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "onward", "Go on", id="survey.onward", key_display="Enter", tooltip="To what is to be kept", priority=True),
        Binding("r", "again", "Ask again", id="survey.again", tooltip="Survey the machine once more"),
        Binding("s", "save", "Save", id="survey.save", tooltip="Keep the survey in a file"),
        Binding("w", "open_all", "Branches", id="survey.open", tooltip="Open every branch, or close all"),
    ]  # fmt: skip

    _call: Call | None = None

    def __init__(self, *, again: bool = False) -> None:
        """`again` asks the machine at once."""
        super().__init__()
        self._again = again

    def frame(self) -> Widget:
        """The tree scrolls, the notes stay."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """Notes, tree, the whole of the line under the pointer."""
        with Reading(how="Tab, arrow keys", id="notes", classes="card", keeps=False) as notes:
            notes.border_title = "To know first"
            yield Static("", id="notes-said", markup=False)
        with Vertical(classes="card -fill", id="found") as card:
            card.border_title = "What was found"
            yield OutlineTree(self.marks, id="tree")
        yield Static("", id="line", markup=False)

    def ready(self) -> None:
        """Draw it; ask again where that is wanted."""
        self.query_one("#tree").focus()
        self._tell()
        if self._again:
            self.action_again()

    def words(self) -> str:
        """The same by command."""
        return survey_words(self.said)

    def _tell(self) -> None:
        survey = self.said.seen
        self.ask_rooms(lambda: self.desk.told(survey), self._told, self.wrong)

    def _told(self, told: Told) -> None:
        node, notes = told
        self._notes = notes
        self.query_one("#found").border_title = node.text
        self.query_one("#tree", OutlineTree).show(node)
        self._draw_notes()

    def _draw_notes(self) -> None:
        notes = getattr(self, "_notes", None)
        if notes is None or self._call is not None:
            return
        place = self.query_one("#notes")
        width = max(40, (place.content_region.width or self.app.size.width - 8) - 1)
        lines = [part for note in notes for part in self._note(note, width)]
        if not lines:
            lines = [Content.assemble((f"{self.marks.good} ", "$success"), "Nothing odd was seen.")]
        self.query_one("#notes-said", Static).update(Content("\n").join(lines))
        place.border_title = f"To know first: {len(notes)}" if notes else "To know first"

    def _note(self, note: Stop, width: int) -> list[Content]:
        grave = note.reference in _GRAVE
        head, *rest = folded(text.tame(note.text, 400), width - 2 - len(self.marks.warn))
        mark = (f"{self.marks.warn} ", "bold $error" if grave else "$warning")
        gap = " " * (len(self.marks.warn) + 1)
        return [
            Content.assemble(mark, (head, "bold" if grave else "")),
            *(Content(f"{gap}{part}") for part in rest),
        ]

    def on_reading_widened(self) -> None:
        """Wrapped to the new width."""
        self._draw_notes()

    def on_tree_node_highlighted(self, event: OutlineTree.NodeHighlighted[Node]) -> None:
        """The whole of a line that does not fit."""
        tree = self.query_one("#tree", OutlineTree)
        node = event.node.data
        words = node.text if node is not None and tree.too_long(event.node) else ""
        width = max(30, self.app.size.width - 8 if self.app.size.width < 110 else self.app.size.width - 50)
        self.query_one("#line", Static).update(
            Content.assemble(("\n".join(folded(words, width)[:4]), "$dim"))
        )
        self.query_one("#line").display = bool(words)
        self.point()

    def _point(self) -> None:
        tree = self.query_one("#tree", OutlineTree)
        if self.focused is tree:
            self.app.cursor_position = tree.cursor()
        else:
            super()._point()

    # ------------------------------------------------------------------ what may be done

    def action_onward(self) -> None:
        """To what is to be kept."""
        if self._call is None:
            self.onward()

    def action_open_all(self) -> None:
        """Every branch, or none."""
        self.query_one("#tree", OutlineTree).turn_all()

    def action_again(self) -> None:
        """Ask the machine once more; what was decided is kept."""
        said = self.said
        if self._call is not None:
            return
        call = self._call = Call()
        words = f"Asking {said.name} again … nothing is changed there. Esc gives up."
        if said.address is None:
            words = f"Reading {said.file} again …"
        self.query_one("#notes-said", Static).update(
            Content.assemble((f"{self.marks.now} {words}", "bold $accent"))
        )

        def take() -> Survey:
            address = said.address
            return self.desk.survey(address, call) if address is not None else self.desk.survey_in(said.file)

        def found(survey: Survey) -> None:
            if self._call is call:
                self._call = None
                self.decide(survey=survey)
                self._tell()

        def failed(error: ErrorReport) -> None:
            if self._call is call:
                self._call = None
                self._draw_notes()
                self.wrong(error)

        self.ask_rooms(take, found, failed)

    def action_save(self) -> None:
        """Ask where to."""
        survey = self.said.seen

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                self.ask_rooms(
                    lambda: self.desk.save_survey(survey, found["file"]),
                    lambda place: self.notify(f"Kept as {place}"),
                    self.wrong,
                )

        words = "As JSON, for you alone to read. `reinstall plan --survey` and this wizard take it."
        box = Box("Keep the survey", words, (Asked("file", "File", f"{self.said.name}.json"),),
                  lambda said: "" if said["file"].strip() else "How is it to be called?", go="Keep it")  # fmt: skip
        _ = self.app.push_screen(box, answered)

    def action_back(self) -> None:
        """Give up asking; otherwise back to the machine."""
        call, self._call = self._call, None
        if call is None:
            super().action_back()
            return
        self.run_worker(call.let_go, thread=True, exit_on_error=False)
        self._draw_notes()
        self.notify("Given up; this is the survey from before.")


_GRAVE = (
    "reset-pending",
    "triton",
    "other-pools",
    "attached-pools",
    "no-medium",
    "unhealthy-pool",
    "bootable-pool",
)
"""Notes by which somebody might lose more than he thinks."""
