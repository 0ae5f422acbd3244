"""Words that may be longer than their place: it scrolls, and says how much more there is and how to get there."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget


class Reading(VerticalScroll):
    """A card that scrolls. It takes the focus only where it has more to show, unless it `keeps` it always."""

    class Widened(Message):
        """It is wider or narrower than it was: what it holds is to be wrapped anew."""

    def __init__(
        self, *children: Widget, how: str, id: str, classes: str = "card -fill", keeps: bool = True
    ) -> None:
        """`how` are the words for the keys that scroll it; `keeps` says whether the focus may always go there."""
        super().__init__(*children, id=id, classes=f"{classes} reading", can_focus=keeps)
        self._how, self._keeps, self._wide = how, keeps, 0

    def on_mount(self) -> None:
        """Follow the size of the words and the place in them."""
        self.watch(self, "virtual_size", self._tell, init=False)
        self.watch(self, "scroll_y", self._tell, init=False)

    def on_resize(self) -> None:
        """There may be more room now; the side panel may come later than the words."""
        self._tell()
        if self.content_size.width != self._wide:
            self._wide = self.content_size.width
            self.post_message(self.Widened())

    def _tell(self) -> None:
        below = max(0, self.virtual_size.height - self.container_size.height) - round(self.scroll_y)
        self.border_subtitle = f"{below} more below: {self._how}" if below > 0 else ""
        if not self._keeps:
            self.can_focus = below > 0 or self.scroll_y > 0
