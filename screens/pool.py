"""What would the pool look like? The picture follows every key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.text import size
from smartos_wizard.media.host_disks import Host
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.options_boxes import Pick
from smartos_wizard.screens.options_fields import Row, Turning, put, say, typed
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.pool_model import EXAMPLE, LAYOUTS, SPARES, Asked, Seen, flags_of, look, sentences
from smartos_wizard.screens.widgets.reading import Reading
from smartos_wizard.screens.words import begin

_RAM = "64GiB"
_LEVELS = {"error": "bold $error", "warning": "bold $warning", "info": "$accent"}


class Pool(Page):
    """Disks, layout, spares and memory above; the pool below."""

    SIDE_TITLE = "About pools"
    HELP = f"""
### What is this?
The pool that SmartOS's setup would make of these disks: it computes what SmartOS's own `disklayout` computes.

### How are disks written?
As on their box, with blanks between: `{EXAMPLE}` is eight disks of 4 TB and an SSD of 400 GB.
`F2` takes the disks of this machine instead.

### What happens?
Nothing. `Up` and `Down` go from row to row, `Left` and `Right` change a value, `PgUp` and `PgDn` scroll the picture.

### What is not touched?
Everything; no disk is opened.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f2",
            "host",
            "This machine",
            id="pool.host",
            key_display="F2",
            tooltip="Take the disks of this machine",
        ),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("pageup", "scroll(-1)", show=False),
        Binding("pagedown", "scroll(1)", show=False),
    ]

    def frame(self) -> Widget:
        """The pool scrolls, what is asked stays."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """What is asked, and the pool."""
        with Vertical(classes="card", id="asked") as card:
            card.border_title = "What would the pool look like?"
            with Horizontal(classes="form-row"):
                yield Static("  Disks", classes="form-name", id="disks-name", markup=False)
                yield Input(
                    id="disks",
                    placeholder=EXAMPLE,
                    compact=True,
                    select_on_focus=False,
                    classes="field -wide",
                )
            yield Static("", id="disks-said", markup=False)
            yield Row("layout", "Layout", Turning(LAYOUTS, "", id="layout"), self.marks)
            yield Row("spares", "Spares", Turning(SPARES, "", id="spares"), self.marks)
            yield Row("ram", "Memory", typed("", id="ram", example=_RAM), self.marks)
        with Reading(how="PgDn", id="pool") as pool:
            pool.border_title = "The pool"
            yield Static("", id="drawn", markup=False)

    def ready(self) -> None:
        """Begin with nothing typed."""
        self._asked, self._number = Asked(), 0
        self._seen = Seen()
        self.query_one("#pool").can_focus = False  # PgUp and PgDn scroll it from every row
        self.query_one("#disks").focus()
        self._look()

    def command(self) -> str:
        """The same by command."""
        start = begin(practice=self.wizard.desk.world.practice)
        return f"{start} pool preview {flags_of(getattr(self, '_asked', Asked()))}"

    # ------------------------------------------------------------------ what is asked

    def on_input_changed(self, event: Input.Changed) -> None:
        """Disks or memory were typed; what is typed takes the place of this machine's disks."""
        if event.input.id == "disks":
            event.input.placeholder = EXAMPLE
            self.query_one("#ram", Input).placeholder = _RAM
            self._ask(line=event.value, host=None)
        else:
            self._ask(ram=event.value)

    def on_input_submitted(self) -> None:
        """Enter goes to the next row."""
        self.focus_next()

    def on_turning_turned(self, event: Turning.Turned) -> None:
        """Another layout or number of spares."""
        self._ask(**{event.field.id or "": event.field.value})

    def on_turning_opened(self, event: Turning.Opened) -> None:
        """All values, each with what it leads to."""
        turned = event.field

        def picked(value: str | None) -> None:
            if value is not None:
                put(turned, value)
                self._ask(**{turned.id or "": value})

        title = "Layout" if turned.id == "layout" else "Spares"
        _ = self.app.push_screen(Pick(title, turned.offers, self.marks, turned.value), picked)

    def action_host(self) -> None:
        """The disks of this machine."""
        say(self.query_one("#disks-said", Static), "  looking at this machine …")
        self.ask_rooms(self.wizard.desk.machine.host, self._hosted, self._no_host)

    def _hosted(self, host: Host) -> None:
        field = self.query_one("#disks", Input)
        put(field, "")
        field.placeholder = "this machine's; typing takes others"
        self.query_one("#ram", Input).placeholder = size(host.ram) if host.ram else _RAM
        self._ask(line="", host=host)

    def _no_host(self, error: ErrorReport) -> None:
        self._look()
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))

    def _ask(self, **changes: Any) -> None:
        self._asked = replace(self._asked, **changes)
        self._look()

    def _look(self) -> None:
        """Compute in a thread; only the newest answer counts."""
        self._number += 1
        number, asked, width, plain = self._number, self._asked, self._width(), self.wizard.ascii_only

        def seen(found: Seen) -> None:
            if number == self._number:
                self._draw(found)

        self.query_one("#same", Static).update(self._same())
        self.ask_rooms(lambda: look(asked, width, ascii_only=plain), seen, self._no_host)

    # ------------------------------------------------------------------ what is shown

    def _width(self) -> int:
        return max(40, (self.query_one("#pool").content_region.width or self.app.size.width - 8) - 1)

    def _draw(self, seen: Seen) -> None:
        self._seen = seen
        wrong = seen.wrong
        words = (
            Content.assemble((f"{self.marks.failed} {wrong['disks']}", "bold $error"))
            if "disks" in wrong
            else Content.assemble((seen.said, "$dim"))
        )
        say(self.query_one("#disks-said", Static), words)
        beside = {
            "layout": f"takes {seen.chosen}" if seen.chosen and not self._asked.layout else "",
            "spares": "",
            "ram": "swap takes as much",
        }
        for row in self.query(Row):
            row.note(wrong.get(row.key, beside[row.key]), bad=row.key in wrong)
        self.query_one("#drawn", Static).update(self._drawn(seen, self._width()))
        title = f"The pool   {seen.headline}" if seen.headline else "The pool"
        self.query_one("#pool").border_title = title
        self.query_one("#pool").scroll_home(animate=False)

    def _drawn(self, seen: Seen, width: int) -> Content:
        if seen.why:
            return Content.assemble((f"{self.marks.failed} There is no such pool. ", "bold $error"), seen.why)
        if not seen.picture:
            empty = (
                "Shown once the disks make sense."
                if seen.wrong
                else "Type the disks; the pool is drawn as you type."
            )
            return Content.assemble((empty, "$dim"))
        host = self._asked.host
        said = [*sentences(seen, width), *(("", remark) for remark in (host.remarks if host else ()))]
        parts = [Content(line) for line in seen.picture]
        parts += [Content.assemble((f"{name:<10}", _LEVELS.get(name, "$dim")), words) for name, words in said]
        grave = [words for level, words in seen.notes if level == "error"]
        parts[:0] = [Content.assemble((f"{self.marks.failed} {words}", "bold $error")) for words in grave]
        return Content("\n").join(parts)

    def on_descendant_focus(self, *_event: Any) -> None:
        """The pointer of the first row follows the focus."""
        super().on_descendant_focus()
        on_disks = self.focused is not None and self.focused.id == "disks"
        words = (
            Content.assemble((self.marks.pointer, "bold $accent"), (" Disks", "bold"))
            if on_disks
            else Content("  Disks")
        )
        say(self.query_one("#disks-name", Static), words)

    def action_scroll(self, by: int) -> None:
        """The picture, a page at a time."""
        pool = self.query_one("#pool")
        (pool.scroll_page_down if by > 0 else pool.scroll_page_up)(animate=False)

    def on_reading_widened(self) -> None:
        """Drawn to the new width."""
        if hasattr(self, "_asked"):
            self._look()

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()
