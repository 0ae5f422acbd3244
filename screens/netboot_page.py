"""What the screens about booting over the network share: a form whose rows are judged as one types, and going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from smartos_wizard.core.text import folded
from smartos_wizard.screens.netboot_model import TreeFacts
from smartos_wizard.screens.netboot_words import tree_line
from smartos_wizard.screens.options_boxes import Pick
from smartos_wizard.screens.options_fields import Row, Turning, put, say
from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.room_page import RoomPage
from smartos_wizard.screens.words import Marks

if TYPE_CHECKING:
    from smartos_wizard.screens.netboot_desk import NetbootDesk


class NetbootPage(RoomPage):
    """A page of that part of the wizard. Back leads to where it begins."""

    ROOM = "netboot"
    TITLE = "Boot over the network"
    SIDE_TITLE = "About booting over the network"

    @property
    def desk(self) -> NetbootDesk:
        """The counter of the room."""
        return self.wizard.desk.netboot

    def action_back(self) -> None:
        """To where it begins."""
        self.wizard.start_netboot()


class LongRow(Row):
    """A row whose field takes the whole line: directories are long."""

    def __init__(self, name: str, title: str, field: Widget, marks: Marks) -> None:
        super().__init__(name, title, field, marks)
        self.add_class("-long")


class _Body(Vertical):
    """Holds a form, and has its words wrapped anew when its width changes: the side panel may come later."""

    def on_resize(self) -> None:
        """Tell the screen; the window itself may have kept its size."""
        if isinstance(self.screen, NetbootForm):
            self.screen.resized()


class NetbootForm(NetbootPage):
    """Rows above, what comes of them below, a button."""

    HEAD: ClassVar[str] = ""
    GO: ClassVar[str] = "Go on"
    HINTS: ClassVar[dict[str, str]] = {}
    """What is said below while the focus is on a row, by the row's name."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "next", "Go on", id="netboot.next", key_display="F2", tooltip="On, with what stands here"),
        Binding("f4", "trees", "Trees", id="netboot.trees", key_display="F4", tooltip="Trees that are known here"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.facts: TreeFacts | None = None
        self._looked = 0

    def frame(self) -> Widget:
        """The rows stay."""
        return _Body(id="body")

    def body(self) -> ComposeResult:
        """Rows, what is below them, what is said, a button."""
        with Vertical(classes="card -tight form", id="asked") as card:
            card.border_title = self.HEAD
            yield from self.rows()
        yield from self.below()
        yield Static("", id="net-hint", markup=False)
        with Horizontal(id="onward"):
            yield Static("", id="sum", markup=False)
            yield Button(self.GO, id="go", compact=True)

    def rows(self) -> ComposeResult:
        """The fields."""
        yield from ()

    def below(self) -> ComposeResult:
        """What stands below them."""
        yield from ()

    def ready(self) -> None:
        """The first row has the focus; the tree is looked at."""
        self.query(Row).first().field.focus()
        self.look()

    @property
    def directory(self) -> str:
        """The directory that is named."""
        return ""

    def take(self, name: str, value: str) -> None:
        """A field says something else."""

    def changed(self) -> None:
        """Draw what follows of it."""

    # ------------------------------------------------------------------ what is decided

    def on_input_changed(self, event: Input.Changed) -> None:
        """Something was typed."""
        self._took(event.input.id or "", event.value)

    def on_turning_turned(self, event: Turning.Turned) -> None:
        """Another value."""
        self._took(event.field.id or "", event.field.value)

    def _took(self, name: str, value: str) -> None:
        self.take(name, value)
        self.query_one("#same", Static).update(self._same())
        if name == "directory":
            self.look()
        self.changed()
        self.tell()

    def on_turning_opened(self, event: Turning.Opened) -> None:
        """All values, each with what it leads to."""
        turned = event.field

        def picked(value: str | None) -> None:
            if value is not None:
                put(turned, value)
                self._took(turned.id or "", value)

        title = next((row.heading for row in self.query(Row) if row.field is turned), "")
        _ = self.app.push_screen(Pick(title, turned.offers, self.marks, turned.value), picked)

    def on_input_submitted(self) -> None:
        """Enter goes to the next row."""
        self.focus_next()

    def look(self) -> None:
        """What is in that directory; the newest answer counts."""
        self._looked += 1
        number, directory = self._looked, self.directory

        def found(facts: TreeFacts) -> None:
            if number == self._looked:
                self.facts = facts
                self.changed()
                self.tell()

        if directory.strip() and "://" not in directory:
            self.ask_rooms(lambda: self.desk.look(directory), found, lambda _error: None)
        else:
            self.facts = None
            self.changed()

    # ------------------------------------------------------------------ what is said

    def on_descendant_focus(self) -> None:
        """Say what the row is about."""
        super().on_descendant_focus()
        self.tell()

    def resized(self) -> None:
        """Wrapped anew."""
        self.call_after_refresh(self.changed)
        self.call_after_refresh(self.tell)

    def width(self) -> int:
        """Columns for words in the body."""
        return max(40, (self.query_one("#body").content_region.width or self.app.size.width - 4) - 2)

    def hint(self) -> str:
        """What is said of the row at hand."""
        row = next((row for row in self.query(Row) if row.field.has_focus), None)
        if row is None:
            return ""
        if isinstance(row.field, Turning):
            field = row.field
            return next((o.more for o in field.offers if o.value == field.value), "")
        return self.HINTS.get(row.key, "")

    def tell(self) -> None:
        """Say it, in two lines."""
        if self.query("#net-hint"):
            lines = folded(self.hint(), self.width())[:2]
            words = Content("\n").join(Content.assemble((f" {line}", "$dim")) for line in lines)
            say(self.query_one("#net-hint", Static), words)

    def tree_words(self) -> Content:
        """What is in the directory, as the note beside it would say."""
        facts = self.facts
        if facts is None:
            return Content("")
        style = "bold $error" if facts.problem else "$dim"
        mark = f"{self.marks.failed} " if facts.problem else ""
        return Content.assemble((f"{mark}{tree_line(facts)}", style))

    def note(self, name: str, words: str, *, bad: bool = False) -> None:
        """Say something beside a row."""
        if self.query(f"#row-{name}"):
            self.query_one(f"#row-{name}", Row).note(words, bad=bad)

    def sum(self, words: str, *, bad: bool = False) -> None:
        """Say something beside the button."""
        mark = f"{self.marks.failed} " if bad else ""
        say(
            self.query_one("#sum", Static),
            Content.assemble((f"{mark}{words}", "bold $error" if bad else "$dim")),
        )

    # ------------------------------------------------------------------ going on

    def action_next(self) -> None:
        """On."""

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """On."""
        if event.button.id == "go":
            self.action_next()

    def action_trees(self) -> None:
        """Trees to choose from."""
        self.ask_rooms(self.desk.known, self._trees, self.wrong)

    def more_trees(self) -> tuple[Offer, ...]:
        """What else can stand in the field."""
        return ()

    def _trees(self, known: tuple[TreeFacts, ...]) -> None:
        offers = (*(Offer(t.directory, t.directory, tree_line(t)) for t in known), *self.more_trees())
        if not offers:
            self.notify("No tree was built or served by the wizard yet. Type its directory.")
            return

        def picked(value: str | None) -> None:
            if value is not None:
                self.query_one("#directory", Input).value = value

        _ = self.app.push_screen(Pick("Which tree?", offers, self.marks, self.directory), picked)
