"""A terminal in the window: what a serial console said, drawn as a VT100 draws it, and the keys that go to it.

pyte keeps the picture (a VT100 as a serial line expects one: 80x24 at least). Feeding it costs about a second for a
megabyte, so whoever feeds it does so in small pieces; see `feed`.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any, ClassVar

import pyte
from rich.segment import Segment
from rich.style import Style
from textual.events import Blur, Focus, Key, Paste
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from smartos_wizard.screens.widgets.terminal_keys import bytes_for, bytes_of_paste

COLUMNS, LINES = 80, 24
"""The least a serial console takes its terminal to be."""
_PIECE = 2048
_CURSOR_KEYS = 1 << 5  # pyte's number for DECCKM: private mode 1
_COLOURS = {"brown": "yellow", "brightbrown": "bright_yellow", "bfightmagenta": "bright_magenta"}
_BASIC = {"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}


class _Picture(pyte.Screen):
    """pyte's, but what the guest asks of its terminal is kept for who may answer it."""

    def __init__(self, columns: int, lines: int) -> None:
        self.answers = ""
        super().__init__(columns, lines)

    def write_process_input(self, data: str) -> None:
        """An answer, as of where the cursor is."""
        self.answers = (self.answers + data)[-256:]

    def fit(self, columns: int, lines: int) -> None:
        """Another size, the line of the cursor kept in it: pyte's own `resize` lets the cursor stand outside."""
        self.margins = None
        over = self.cursor.y - lines + 1
        if over > 0:
            x, y = self.cursor.x, self.cursor.y
            self.cursor.y = 0
            self.delete_lines(over)
            self.cursor.x, self.cursor.y = x, y - over
        for row in [row for row in self.buffer if row >= lines]:
            del self.buffer[row]
        for line in self.buffer.values():
            for column in [column for column in line if column >= columns]:
                del line[column]
        self.lines, self.columns = lines, columns
        self.cursor.x = min(self.cursor.x, columns - 1)
        self.tabstops = set(range(8, columns, 8))
        self.dirty.update(range(lines))


class Terminal(Widget, can_focus=True):
    """Keys that are not the wizard's own become `Typed`; what the guest says is given to `feed`."""

    KEPT: ClassVar[frozenset[str]] = frozenset({"f1", "f2", "f3", "f4", "f10", "ctrl+right_square_bracket"})
    """Keys that stay the wizard's."""

    class Typed(Message):
        """Bytes for the guest."""

        def __init__(self, data: bytes) -> None:
            super().__init__()
            self.data = data

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._picture = _Picture(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._picture)
        self._top = self._left = 0
        self._cursor = (0, 0)
        self.takes_keys = True

    # ------------------------------------------------------------------ what the guest says

    def feed(self, data: bytes) -> None:
        """Take what the guest said. Costs about 1 ms for each KiB."""
        before = self._picture.cursor.y
        try:
            self._stream.feed(data)
        except Exception:  # pyte stumbles over some sequences; the guest may send any
            self._stream = pyte.ByteStream(self._picture)
        self._picture.dirty |= {before, self._picture.cursor.y}

    def feed_from(self, take: Any, seconds: float) -> bool:
        """Feed what `take(most)` gives until it gives nothing or `seconds` have passed; whether anything came."""
        until, came = time.perf_counter() + seconds, False
        while time.perf_counter() < until and (data := take(_PIECE)):
            self.feed(data)
            came = True
        if came:
            self.show_changes()
        return came

    def answers(self) -> bytes:
        """What is to be answered to the guest's own questions; asked for once."""
        words, self._picture.answers = self._picture.answers, ""
        return words.encode("latin-1", "replace")

    def show_changes(self) -> None:
        """Draw the lines that changed."""
        picture, dirty = self._picture, set(self._picture.dirty)
        picture.dirty.clear()
        top, left = self._top, self._left
        self._follow_cursor()
        if (top, left) != (self._top, self._left):
            self.refresh()
        else:
            regions = [
                Region(0, y - top, self.size.width, 1) for y in dirty if 0 <= y - top < self.size.height
            ]
            if regions:
                self.refresh(*regions)

    def text(self) -> str:
        """What is on it, as text."""
        return "\n".join(line.rstrip() for line in self._picture.display)

    def _follow_cursor(self) -> None:
        picture, (width, height) = self._picture, self.size
        if not width or not height:
            return
        y, x = picture.cursor.y, picture.cursor.x
        self._top = max(0, min(picture.lines - height, max(y - height + 1, min(self._top, y))))
        self._left = 0 if x < width else min(picture.columns, x + 1) - width

    def on_resize(self) -> None:
        """The guest is not told (a serial line cannot), so it is never smaller than it takes it to be."""
        columns, lines = max(COLUMNS, self.size.width), max(LINES, self.size.height)
        if (columns, lines) != (self._picture.columns, self._picture.lines):
            self._picture.fit(columns, lines)
        self._follow_cursor()
        self.refresh()

    # ------------------------------------------------------------------ drawing

    def render_line(self, y: int) -> Strip:
        """One line of the picture."""
        picture, row, width = self._picture, y + self._top, self.size.width
        if row >= picture.lines:
            return Strip.blank(width, self.rich_style)
        line = picture.buffer[row]
        at = picture.cursor.x if row == picture.cursor.y and self._shows_cursor() else -1
        segments: list[Segment] = []
        words, last = "", _NONE
        for x in range(self._left, min(picture.columns, self._left + width)):
            cell = line[x]
            look = (cell.fg, cell.bg, cell.bold, cell.italics, cell.underscore, cell.strikethrough,
                    cell.reverse != (x == at))  # fmt: skip
            if look != last:
                if words:
                    segments.append(Segment(words, _style(*last)))
                words, last = "", look
            words += cell.data
        segments.append(Segment(words, _style(*last)))
        return Strip(segments).adjust_cell_length(width).apply_style(self.rich_style)

    def _shows_cursor(self) -> bool:
        return self.has_focus and self.takes_keys and not self._picture.cursor.hidden

    def cursor(self) -> Offset:
        """Where the hardware cursor belongs on the screen."""
        place = self.content_region.offset
        return place + Offset(self._picture.cursor.x - self._left, self._picture.cursor.y - self._top)

    def on_focus(self, _event: Focus) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self, _event: Blur) -> None:
        """It does not."""
        self.refresh()

    # ------------------------------------------------------------------ keys

    def on_key(self, event: Key) -> None:
        """To the guest, but for the wizard's own."""
        if not self.takes_keys or event.key in self.KEPT:
            return
        data = bytes_for(event.key, event.character, application=_CURSOR_KEYS in self._picture.mode)
        if data:
            self.post_message(self.Typed(data))
        event.stop()
        event.prevent_default()

    def on_paste(self, event: Paste) -> None:
        """Pasted words as if typed."""
        if self.takes_keys:
            event.stop()
            self.post_message(self.Typed(bytes_of_paste(event.text)))


_NONE: tuple[Any, ...] = ("default", "default", False, False, False, False, False)


@lru_cache(maxsize=512)
def _style(
    fg: str, bg: str, bold: bool, italics: bool, underscore: bool, strike: bool, reverse: bool
) -> Style:
    return Style(
        color=_colour(fg), bgcolor=_colour(bg), bold=bold or None, italic=italics or None,
        underline=underscore or None, strike=strike or None, reverse=reverse or None,
    )  # fmt: skip


def _colour(name: str) -> str | None:
    """pyte's name of a colour as Rich knows it."""
    if name == "default":
        return None
    name = _COLOURS.get(name, name)
    if name in _BASIC:
        return name
    if name.startswith("bright") and name.removeprefix("bright") in _BASIC:
        return f"bright_{name.removeprefix('bright')}"
    if len(name) == 6 and all(c in "0123456789abcdef" for c in name.lower()):
        return f"#{name}"
    return name if name.startswith("bright_") else None
