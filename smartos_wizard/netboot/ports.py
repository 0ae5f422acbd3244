"""What the room needs from the world. The real makers are in this room, the practice ones in `practice/`."""

from __future__ import annotations

from typing import Protocol

from smartos_wizard.core.paths import Paths
from smartos_wizard.releases.mirror import Mirror


class NetbootWorld(Protocol):
    """The part of the world that this room works with."""

    practice: bool
    paths: Paths

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def mirror(self, where: str = "") -> Mirror:
        """A place with files, by URL or directory."""
        ...
