"""What dual boot needs of the world: a Linux whose boot set-up is read and changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from smartos_wizard.core.paths import Paths
from smartos_wizard.media.disks.reader import Reader


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that ended: its exit code and what it wrote, together."""

    code: int
    said: str


class Linux(Protocol):
    """A Linux: this one, one that is mounted somewhere, or a make-believe one. `kernel` is what `uname -s` says."""

    root: Path
    kernel: str
    reader: Reader
    arch: str
    hostname: str

    def at(self, path: str) -> Path:
        """Where a path of that Linux is found from here."""
        ...

    def free(self, path: str) -> int | None:
        """Bytes that may be written on the file system of a path; None where that cannot be told."""
        ...

    def may_change(self) -> bool:
        """Whether its boot set-up may be changed with the rights at hand."""
        ...

    def has(self, program: str) -> bool:
        """Whether that program is there."""
        ...

    def run(self, words: Sequence[str]) -> Ran:
        """Run a program of that Linux and wait for it. A program that is missing ends with 127."""
        ...


class DualBootWorld(Protocol):
    """The part of the world that dual boot works with."""

    paths: Paths

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def linux(self, root: str = "") -> Linux:
        """The Linux this program runs on, or the one whose root directory is mounted at `root`."""
        ...
