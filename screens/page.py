"""What all screens share: title bar, rail, body, side panel, the command that does the same, footer, back and help."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Input, Static

from smartos_wizard.core.errors import ErrorReport, report_of
from smartos_wizard.screens.flow import KEY_ROAD, SANDBOX_ROAD, Road, Stage
from smartos_wizard.screens.sandbox_words import guest_by_command
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.rail import Rail
from smartos_wizard.screens.words import Marks, same_by_command

if TYPE_CHECKING:
    from smartos_wizard.app import WizardApp

T = TypeVar("T")


class Page(Screen[None]):
    """A full screen. Subclasses give `body`, a stage where they have one, and `HELP`."""

    STAGE: ClassVar[Stage | None] = None
    SIDE_TITLE: ClassVar[str] = "About this step"
    AUTO_FOCUS = ""
    filled = False
    """Whether everything is in its place, from `ready` on."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "back",
            "Back",
            key_display="Esc",
            id="page.back",
            tooltip="To the step before; nothing is lost",
        ),
    ]

    @property
    def wizard(self) -> WizardApp:
        """The app, with its type."""
        return cast("WizardApp", self.app)

    @property
    def marks(self) -> Marks:
        """The glyphs in use."""
        return self.wizard.marks

    def compose(self) -> ComposeResult:
        """Title, rail, body and side, the same by command, keys."""
        yield Static(id="title", markup=False)
        yield Static("Small window: please enlarge it to 80x24.", id="small")
        yield Static("Please enlarge this window\n(80x24 is good)", id="too-small")
        stage = self.stage
        if stage is not None:
            yield Rail(stage, self.marks, self.road)
        with Horizontal(id="main"):
            with self.frame():
                yield from self.body()
            with VerticalScroll(id="side", can_focus=False) as side:
                side.border_title = self.SIDE_TITLE
                yield from self.side()
        yield Static(id="same", markup=False)
        yield Footer(show_command_palette=False)

    @property
    def stage(self) -> Stage | None:
        """The step of the rail; None off every road."""
        return self.STAGE

    @property
    def road(self) -> Road:
        """The road this step is a part of."""
        road = self.wizard.flow.road
        return road if self.stage in road else KEY_ROAD

    def frame(self) -> Widget:
        """What holds the body; it scrolls where the window is small."""
        return VerticalScroll(id="body", can_focus=False)

    def body(self) -> ComposeResult:
        """What the screen is about."""
        yield from ()

    def side(self) -> ComposeResult:
        """What wide windows show beside it: the help, unless there is something better."""
        yield Vertical(id="about")

    def _show_about(self) -> None:
        """The help beside the screen, once there is room: its reader takes a while to load."""
        about = self.query("#about")
        if not about or about.first().children or self.app.size.width < 110:
            return
        from textual.widgets import Markdown

        _ = about.first().mount(Markdown(type(self).HELP or "", open_links=False))

    def on_mount(self) -> None:
        """Fill the bars."""
        self._draw_title()
        self.query_one("#same", Static).update(self._same())
        self._show_about()
        self.ready()
        self.filled = True

    def ready(self) -> None:
        """Called once the screen is up."""

    def command(self) -> str:
        """The command that does the same."""
        if self.STAGE is None:
            return ""
        flow, practice = self.wizard.flow, self.wizard.desk.world.practice
        if self.road == SANDBOX_ROAD:
            return guest_by_command(self.STAGE, flow.answers, practice=practice)
        return same_by_command(self.STAGE, flow.answers, practice=practice)

    def _same(self) -> Content:
        words = self.command()
        if not words:
            return Content("")
        lead = "same by command: " if len(words) + 21 <= self.app.size.width else "$ "
        room = self.app.size.width - 4 - len(lead)
        words = words if len(words) <= room else words[: room - 1] + "…"
        return Content.assemble((lead, "$faint"), (words, "$secondary"))

    def _draw_title(self) -> None:
        practice = "practice · nothing real" if self.wizard.desk.world.practice else "this machine"
        where = self.title or ""
        room = self.app.size.width - 4
        fits = max(0, room - len("SmartOS Wizard   ") - len(practice) - 2)
        where = where if len(where) <= fits else f"{where[: max(0, fits - 1)]}…"[:fits]
        left = f"SmartOS Wizard   {where}"
        gap = " " * max(1, room - len(left) - len(practice))
        style = "bold $warning" if self.wizard.desk.world.practice else "$dim"
        self.query_one("#title", Static).update(
            Content.assemble(("SmartOS Wizard", "bold $primary"), f"   {where}", gap, (practice, style))
        )

    def on_resize(self) -> None:
        """Bars follow the width."""
        if self.is_mounted:
            self._draw_title()
            self.query_one("#same", Static).update(self._same())
            self._show_about()
            self.resized()

    def resized(self) -> None:
        """Called when the window changed its size."""

    def action_back(self) -> None:
        """One step back; home at the first."""
        self.wizard.go_back()

    def ask_rooms(
        self, work: Callable[[], T], then: Callable[[T], None], failed: Callable[[ErrorReport], None]
    ) -> None:
        """Call `work` in a thread; `then` with its answer or `failed` with the error, on this screen's loop."""

        def run() -> None:
            try:
                answer = work()
            except Exception as error:
                self._later(failed, report_of(error))
            else:
                self._later(then, answer)

        self.run_worker(run, thread=True, exit_on_error=False, group="rooms")

    def _later(self, call: Callable[[Any], None], value: Any) -> None:
        if self.is_mounted and self.app.is_running:
            self.app.call_later(self._if_here, call, value)

    def _if_here(self, call: Callable[[Any], None], value: Any) -> None:
        if self.is_attached:
            call(value)

    def on_descendant_focus(self) -> None:
        """The hardware cursor goes where the focus is: Braille displays and console readers follow it."""
        self.point()

    def on_option_list_option_highlighted(self) -> None:
        """The same inside a list."""
        self.point()

    def point(self) -> None:
        """Move the hardware cursor to what has the focus."""
        self.call_after_refresh(self._point)

    def _point(self) -> None:
        focused = self.focused
        if isinstance(focused, Choices):
            self.app.cursor_position = focused.cursor() or focused.region.offset
        elif isinstance(focused, Input):
            self.app.cursor_position = focused.cursor_screen_offset
        elif focused is not None:
            self.app.cursor_position = focused.region.offset + Offset(1, 0)


def error_words(error: ErrorReport) -> Content:
    """An error for a person: what, where, what to do next, and its name."""
    lines = [Content.assemble((error.message, "bold"))]
    if error.context:
        lines.append(Content.assemble(("where       ", "$dim"), error.context))
    if error.hint:
        lines.append(Content.assemble(("what to do  ", "$dim"), error.hint))
    lines.append(Content.assemble((f"({error.reference}, exit code {error.exit_code})", "$faint")))
    return Content("\n").join(lines)
