"""Whether the next slot of a target is worth reading before it is written.

A key that holds most of the image already is read and left alone; a fresh one is written blindly, because
reading first would only slow it. Nothing is ever skipped unread: a zero in the image may lie over an old
FAT sector. Pure: no device, no clock.
"""

from __future__ import annotations

_PATIENCE = 2  # differing slots in a row until reading is given up
_FIRST_PAUSE = 8  # slots written blindly before looking again; doubled after each look in vain


class Delta:
    """Decides slot by slot. On a fresh key it reads about 2 % of the slots, on an unchanged one all."""

    def __init__(self, enabled: bool = True) -> None:
        self._enabled = enabled
        self._misses = 0
        self._pause = _FIRST_PAUSE
        self._blind = 0
        self.looked_at_all = enabled

    def look(self) -> bool:
        """Whether to read and compare the next slot."""
        if not self._enabled:
            return False
        if self._blind > 0:
            self._blind -= 1
            self.looked_at_all = False
            return False
        return True

    def same(self) -> None:
        """The slot read was equal: worth going on reading."""
        self._misses = 0
        self._pause = _FIRST_PAUSE

    def other(self) -> None:
        """The slot read differed."""
        self._misses += 1
        if self._misses >= _PATIENCE:
            self._blind = self._pause
            self._pause *= 2
