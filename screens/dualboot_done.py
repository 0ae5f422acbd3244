"""The end: SmartOS stands beside Linux, and what to do at the next start; or nothing of it is there any more."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.text import folded
from smartos_wizard.netboot.dualboot_model import Way
from smartos_wizard.screens.dualboot_model import Seen
from smartos_wizard.screens.dualboot_page import DualbootPage
from smartos_wizard.screens.dualboot_words import next_boot, plan_words, remove_words
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.widgets.reading import Reading


class _End(DualbootPage):
    """Looks once more, and says what is there now."""

    BUTTON = "Home"

    def __init__(self, root: str, notes: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.root, self._notes = root, notes
        self.seen: Seen | None = None

    def body(self) -> ComposeResult:
        """The word, then what to do."""
        with Vertical(classes="card", id="proven") as card:
            card.border_title = "Looking once more …"
            yield Static("", id="result", markup=False)
        with Reading(how="Tab, then the arrow keys", id="next-card", keeps=False) as card:
            card.border_title = "At the next start"
            yield Static("", id="next-said", markup=False)
        with Horizontal(id="onward"):
            yield Static("", id="sum", markup=False)
            yield Button("Home", id="home", compact=True)

    def ready(self) -> None:
        """What is there is read, not taken from what the work said."""
        self.query_one("#home").focus()
        desk, root = self.desk, self.root
        self.ask_rooms(lambda: desk.look(root), self._looked, self._failed)

    def _looked(self, seen: Seen) -> None:
        self.seen = seen
        self.again_by_command()
        self.redraw()

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#result", Static).update(error_words(error))

    def redraw(self) -> None:
        """Draw what was seen."""

    def room(self) -> int:
        """Cells for words."""
        card = self.query_one("#next-card", Reading)
        return max(40, (card.content_region.width or self.app.size.width - 8) - 1)

    def resized(self) -> None:
        """Wrapped anew."""
        self.call_after_refresh(self.redraw)

    def on_reading_widened(self) -> None:
        """The same."""
        self.redraw()

    def on_button_pressed(self) -> None:
        """Home."""
        self.wizard.go_home()

    def action_back(self) -> None:
        """To this Linux as it is now."""
        from smartos_wizard.screens.dualboot_look import DualbootLook

        self.wizard.show(DualbootLook(self.root))

    def noted(self, width: int) -> list[Content]:
        """What was noted on the way."""
        return [
            Content.assemble((part, "$warning"))
            for note in self._notes
            for part in folded(f"{self.marks.warn} {note}", width, indent="  ")
        ]


class DualbootDone(_End):
    """It stands beside Linux."""

    SIDE_TITLE = "About the first start"
    HELP = """
### What is this?
SmartOS is an entry of GRUB's menu now. Nothing was started.

### What happens?
At the next start you choose it in the menu; what starts by itself is what did before. The list says what to press, and
what to answer so that its setup takes **no disk but the one you name**. `x` takes all of it away again.

### What is not touched?
This Linux and its disks, as long as you answer `manual` and name another disk.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "remove", "Take it away", id="dualboot.remove", tooltip="SmartOS' entries and files; its pool stays"),
    ]  # fmt: skip

    def __init__(self, root: str, disk: str = "", *, told: bool = False, notes: tuple[str, ...] = ()) -> None:
        """`disk` is the one its pool shall take, in words; `told` says that rescue has a password of its own."""
        super().__init__(root, notes)
        self._disk, self._told = disk, told

    def words(self) -> str:
        """What takes it away."""
        return remove_words(self.root, self.seen.setup.hostname if self.seen is not None else "NAME")

    def redraw(self) -> None:
        """The entries that are there, and what to do."""
        seen = self.seen
        if seen is None or not self.query("#result"):
            return
        record, width, card = seen.record, self.room(), self.query_one("#proven")
        whole = record is not None and record.done
        titles = record.titles if record is not None else ()
        card.border_title = (
            f"{self.marks.good} SmartOS stands beside this Linux" if whole else "It is not whole"
        )
        card.set_class(not whole, "-bad")
        lines = [Content.assemble((f"{self.marks.done} ", "$success"), (title, "bold")) for title in titles]
        if not whole:
            lines.append(Content(seen.unreadable or "Look again shows what is there."))
        lines += self.noted(width)
        self.query_one("#result", Static).update(Content("\n").join(lines))
        chained = record is not None and record.way == Way.CHAINLOAD.value
        told = next_boot(self._disk, titles, hidden=seen.setup.menu_hidden, chained=chained, told=self._told)
        steps = [
            Content.assemble((f"{number:>2}  " if not n else "    ", "bold $accent"), part)
            for number, sentence in enumerate(told, 1)
            for n, part in enumerate(folded(sentence, width - 4))
        ]
        self.query_one("#next-said", Static).update(Content("\n").join(steps))

    def action_remove(self) -> None:
        """The plan to take it away."""
        from smartos_wizard.screens.dualboot_remove import DualbootRemove

        if self.seen is not None:
            self.wizard.show(DualbootRemove(self.root, self.seen.setup.hostname))


class DualbootGone(_End):
    """It is gone."""

    SIDE_TITLE = "About taking it away"
    HELP = """
### What is this?
After taking it away it was looked once more whether anything of SmartOS is left beside this Linux.

### What happens?
Where something is left it is named. `Esc` shows this Linux as it starts now.

### What is not touched?
SmartOS' pool and everything on it: its disk is as it was.
"""

    def words(self) -> str:
        """What looks."""
        return plan_words(self.seen) if self.seen is not None else "dualboot plan"

    def redraw(self) -> None:
        """No trace, or what is left."""
        seen = self.seen
        if seen is None or not self.query("#result"):
            return
        width, card = self.room(), self.query_one("#proven")
        self.query_one("#next-card").display = bool(seen.traces)
        card.border_title = f"{self.marks.good} No trace left" if not seen.traces else "Something is left"
        words = "No file and no entry of SmartOS is beside this Linux any more. GRUB's menu has what it had."
        if seen.traces:
            words = "Not all of it is gone; take it away again, and it goes on from there."
        lines = [Content(part) for part in folded(words, width)]
        lines += [Content(part) for part in folded("SmartOS' pool, if there is one, is as it was.", width)]
        self.query_one("#result", Static).update(Content("\n").join([*lines, *self.noted(width)]))
        self.query_one("#next-card").border_title = "What is left"
        self.query_one("#next-said", Static).update("\n".join(seen.traces))
