"""What the room's actions need from the world. Imports core only."""

from __future__ import annotations

from typing import Protocol

from smartos_wizard.core.paths import Paths
from smartos_wizard.releases.mirror import Mirror


class ReleaseWorld(Protocol):
    """The part of the world that downloads and prunes work with."""

    paths: Paths

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def mirror(self, where: str = "") -> Mirror:
        """The mirror at a URL or directory; the default one where empty."""
        ...
