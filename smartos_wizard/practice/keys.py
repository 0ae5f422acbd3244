"""What a make-believe disk is: its facts, and how it misbehaves. The disks themselves are in `catalogue`."""

from __future__ import annotations

from dataclasses import dataclass, field

from smartos_wizard.media.model import Disk

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Faults:
    """How a practice disk misbehaves. Speeds are bytes per second, 0 means as fast as the computer goes.

    `stall_at` is the offset at which it once falls silent for `stall_seconds`; `unplug_at` the offset at
    which it goes away; `wraps_at` the true capacity of a disk that lies about it.
    """

    speed: float = 400 * MB
    stall_at: int | None = None
    stall_seconds: float = 0.0
    unplug_at: int | None = None
    wraps_at: int | None = None
    write_protected: bool = False


@dataclass(frozen=True, slots=True)
class PracticeDisk:
    """A practice disk: its name, its facts, its faults, what it is here to show.

    `holds` is the stamp of the release written on it. `blank` is False for a disk that carries somebody's
    old data: what was never written reads as something else than zeros, as on a key that was used before.
    """

    name: str
    disk: Disk
    about: str
    faults: Faults = field(default_factory=Faults)
    holds: str = ""
    blank: bool = False

    @property
    def path(self) -> str:
        """The path it is listed under."""
        return self.disk.path
