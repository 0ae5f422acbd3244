"""The entries as they will stand in GRUB's menu, what is copied where, what is changed, and what is not touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.text import folded, size
from smartos_wizard.netboot.dualboot_files import BEFORE
from smartos_wizard.netboot.dualboot_model import RECORD, SCRIPT, Way
from smartos_wizard.netboot.dualboot_planning import UNTOUCHED
from smartos_wizard.screens.dualboot_model import Beside, Drawn
from smartos_wizard.screens.dualboot_page import DualbootPage
from smartos_wizard.screens.dualboot_problems import problem_lines
from smartos_wizard.screens.dualboot_words import command_words
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.widgets.reading import Reading


class DualbootEntry(DualbootPage):
    """The entry, and everything around it."""

    STEP = "Entry"
    HELP = """
### What is this?
What would be: the entries in GRUB's menu, in the end letter by letter; every file with its place and size.
The path of the kernel stands there twice because GRUB drops the first word of the line that it hands on.

### What happens?
Nothing yet. `F2` makes the plan. Read at least what has to be known before.

### What is not touched?
The list says it. What starts by itself stays what it is.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f2",
            "next",
            "The plan",
            id="dualboot.plan",
            key_display="F2",
            tooltip="What will happen, step by step",
        ),
    ]

    def __init__(self, said: Beside) -> None:
        super().__init__()
        self.said = said
        self._drawn: Drawn | None = None

    def body(self) -> ComposeResult:
        """One long card, and the button."""
        with Reading(how="arrow keys, Page Down", id="entry-card") as card:
            card.border_title = "As it would be"
            yield Static("Looking into the release …", id="entry", markup=False)
        with Horizontal(id="onward"):
            yield Static("", id="sum", markup=False)
            yield Button("Go on: the plan", id="go", compact=True)

    def ready(self) -> None:
        """Draw it up in a thread: an archive is looked into."""
        self.query_one("#go").display = False
        self.query_one("#entry-card").focus()
        desk, said = self.desk, self.said
        self.ask_rooms(lambda: desk.drawn(said), self._found, self._failed)

    def words(self) -> str:
        """The same by command."""
        return command_words("plan", self.said)

    @property
    def stopped(self) -> bool:
        """Whether something refuses it."""
        return self._drawn is None or any(p.level == "stop" for p in self._drawn.problems)

    def _found(self, drawn: Drawn) -> None:
        self._drawn = drawn
        self.query_one("#go").display = not self.stopped
        self.refresh_bindings()
        self._draw()

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#entry", Static).update(error_words(error))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On where nothing refuses it."""
        del parameters
        return action != "next" or not self.stopped

    # ------------------------------------------------------------------ drawing

    def _draw(self) -> None:
        if self._drawn is None or not self.query("#entry"):
            return
        card = self.query_one("#entry-card", Reading)
        width = max(40, (card.content_region.width or self.app.size.width - 8) - 1)
        lines = list(self._refused(width) if self.stopped else self._all(width))
        self.query_one("#entry", Static).update(Content("\n").join(lines))
        made = self._drawn.draft
        if self.stopped:
            words = Content.assemble(
                (f"{self.marks.failed} ", "bold $error"), "It is not set up. Nothing was changed."
            )
        else:
            what = f"{size(made.size)} on {self._drawn.volume.point}" if made.size else "nothing is copied"
            entries = f"{len(made.titles)} entr{'ies' if len(made.titles) > 1 else 'y'}"
            words = Content.assemble((f"{self.marks.good} ", "$success"), f"{entries}, {what}")
        self.query_one("#sum", Static).update(words)

    def _refused(self, width: int) -> Iterator[Content]:
        assert self._drawn is not None
        yield Content.assemble(("It cannot be done", "bold $error"))
        yield from problem_lines(
            tuple(p for p in self._drawn.problems if p.level == "stop"), self.marks, width
        )

    def _all(self, width: int) -> Iterator[Content]:
        """In words first; GRUB's own lines last, for those who read them."""
        assert self._drawn is not None
        made, setup = self._drawn.draft, self.said.seen.setup
        yield _head("New in GRUB's menu, at its end")
        for title in made.titles:
            yield from _wrapped(f"{self.marks.done} {title}", width)
        yield _head("Not touched")
        for each in UNTOUCHED:
            yield from _wrapped(f"{self.marks.done} {each}", width)
        yield _head("Copied" if made.files else "Written")
        yield from self._files(width)
        yield _head("Changed")
        words = f"{setup.grub_cfg}: made anew aside by {setup.generator}, checked, then put in the place of the old one in one step."
        yield from _wrapped(words, width)
        yield _head("Has to be known")
        yield from problem_lines(self._drawn.problems, self.marks, width)
        yield _head(f"Letter by letter, through {SCRIPT}")
        yield from _code(made.entries, width)

    def _files(self, width: int) -> Iterator[Content]:
        """Every file, by the directory it comes into."""
        assert self._drawn is not None
        made = self._drawn.draft
        copied = [(f.path, size(f.size)) for f in made.files]
        copied += [(path, f"{size(len(data))}, for root only") for path, data in made.own.items()]
        below = f"{made.stamp}/"
        if copied:
            yield Content(f"into {made.home}/{below}")
            yield from _rows([(path.removeprefix(below), what) for path, what in copied], width)
        yield Content(f"into {made.home}/")
        yield from _rows([(RECORD, "what was put where"), (BEFORE, "the menu as it is now")], width)
        yield from _rows([(SCRIPT, "prints the entries")], width, indent="")
        if made.way is Way.CHAINLOAD:
            words = "Of SmartOS nothing is copied: it stays on its key or disk, which must be attached to start it."
            yield from _wrapped(words, width)

    def resized(self) -> None:
        """Wrapped anew."""
        self.call_after_refresh(self._draw)

    def on_reading_widened(self) -> None:
        """The same."""
        self._draw()

    # ------------------------------------------------------------------ on

    def on_button_pressed(self) -> None:
        """On."""
        self.action_next()

    def action_next(self) -> None:
        """To the plan."""
        if not self.stopped:
            from smartos_wizard.screens.dualboot_review import DualbootReview

            self.wizard.show(DualbootReview(self.said))

    def action_back(self) -> None:
        """To what it is told; to the ways, where a loader is told nothing here."""
        if self.said.way is Way.CHAINLOAD:
            from smartos_wizard.screens.dualboot_way import DualbootWay

            self.wizard.show(DualbootWay(self.said))
            return
        from smartos_wizard.screens.dualboot_told import DualbootTold

        self.wizard.show(DualbootTold(self.said))


def _head(words: str) -> Content:
    return Content.assemble((words, "bold $primary"))


def _rows(rows: list[tuple[str, str]], width: int, *, indent: str = "  ") -> Iterator[Content]:
    """A file and what is said of it, side by side where there is room."""
    for path, what in rows:
        if len(indent) + len(path) + 2 + len(what) <= width:
            yield Content.assemble(f"{indent}{path}  ", (what, "$dim"))
            continue
        yield from (Content(f"{indent}{part}") for part in folded(path, width - len(indent)))
        yield Content.assemble(f"{indent}    ", (what, "$dim"))


def _wrapped(words: str, width: int) -> Iterator[Content]:
    yield from (Content(part) for part in folded(words, width, indent="  "))


def _code(text: str, width: int) -> Iterator[Content]:
    """GRUB's own lines; one that is too long goes on below, marked, since nothing scrolls sideways."""
    for line in text.replace("\t", "  ").rstrip().splitlines():
        words = line.lstrip()
        indent = line[: len(line) - len(words)]
        first, *rest = folded(words, width - len(indent) - 4) or [""]
        yield Content.assemble(indent, (first, "$secondary"))
        yield from (Content.assemble((f"{indent}  … ", "$dim"), (part, "$secondary")) for part in rest)
