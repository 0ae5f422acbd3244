"""A list to choose from: the chosen row is marked by a pointer, not by colour alone, and nothing is chosen at first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from smartos_wizard.screens.words import Marks


class Choices(OptionList):
    """Rows with ids; rows that begin a part or are not offered are disabled. Rows leave two cells for the pointer."""

    class Widened(Message):
        """It is wider or narrower than it was: rows that were wrapped to its width are to be made anew."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Choose", key_display="Enter", tooltip="What the pointer is on"),
    ]

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, markup=False)
        self._marks, self._wide = marks, 0

    def on_resize(self) -> None:
        """The side panel may come later than the rows."""
        if self.content_size.width != self._wide:
            self._wide = self.content_size.width
            self.post_message(self.Widened())

    def fill(self, rows: Iterable[tuple[str, Content, bool]], keep: str = "") -> None:
        """Put `rows` (id, what to show, whether it may be chosen) in place; keep the pointer on the row `keep`."""
        options = [Option(words, id=name or None, disabled=not free) for name, words, free in rows]
        self.clear_options()
        self.add_options(options)
        wanted = next((n for n, o in enumerate(options) if o.id == keep and not o.disabled), None)
        if keep and wanted is not None:
            self.highlighted = wanted

    @property
    def chosen(self) -> str:
        """The id of the row under the pointer; empty where the pointer is on none."""
        if self.highlighted is None or self.highlighted >= self.option_count:
            return ""
        return self.get_option_at_index(self.highlighted).id or ""

    def render_line(self, y: int) -> Strip:
        """The line of a list, with the pointer in its first cell where it is the chosen row."""
        strip = super().render_line(y)
        try:
            index, offset = self._lines[self.scroll_offset.y + y]
        except IndexError:
            return strip
        if index != self.highlighted or offset or not strip.cell_length:
            return strip
        style = next((s.style for s in strip if s.style), None)
        return Strip([Segment(self._marks.pointer, style), *strip.crop(1, strip.cell_length)])

    def cursor(self) -> Offset | None:
        """Where the hardware cursor belongs on the screen; None where no row is chosen."""
        if self.highlighted is None:
            return None
        line = self._index_to_line.get(self.highlighted, 0)
        return Offset(self.content_region.x, self.content_region.y + line - self.scroll_offset.y)
