"""A request to stop, shared between whoever asks and whoever works."""

from __future__ import annotations

import threading

from smartos_wizard.core.errors import Cancelled


class Cancel:
    """Set once, seen by every thread of a job."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        """Ask the work to stop at the next safe moment."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep up to `seconds`; return at once, and True, when a stop is asked for."""
        return self._event.wait(seconds)

    def check(self, state: str = "Stopped; nothing has changed.") -> None:
        """Raise Cancelled, saying in `state` what that leaves, if a stop was asked for."""
        if self._event.is_set():
            raise Cancelled("cancelled", state)
