"""What the room needs from the world, as protocols: disks to list, devices to open, time.

The real makers are `media/disks/linux.py` and `media/opening.py`; the practice makers are in `practice/`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from smartos_wizard.core.paths import Paths
from smartos_wizard.media.model import Disk, Fingerprint, Target


class BlockDevice(Protocol):
    """An opened target. Offsets and lengths are bytes; buffers are aligned to 4096.

    `pwrite` and `pread` may do less than asked and return how much; they raise OSError as the system does.
    """

    name: str
    size: int
    sector: int

    def pwrite(self, data: memoryview, offset: int) -> int:
        """Write at `offset`; return how many bytes were taken."""
        ...

    def pread(self, into: memoryview, offset: int) -> int:
        """Read at `offset` into the buffer; return how many bytes came, 0 at the end."""
        ...

    def sync(self) -> None:
        """Return when everything written is on the medium (fdatasync)."""
        ...

    def drop_cache(self) -> None:
        """Make the next read come from the medium (BLKFLSBUF, or FADV_DONTNEED for a file)."""
        ...

    def reread_partitions(self) -> None:
        """Tell the system that the partition table changed. Never raises for a busy table."""
        ...

    def fingerprint(self) -> Fingerprint:
        """Who this is, read again from the opened descriptor."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Disks(Protocol):
    """The disks of this machine."""

    def list(self) -> tuple[Disk, ...]:
        """Every disk with its facts. Raises WizardError `cannot-list-disks`; an empty tuple means none."""
        ...

    def changed(self, seconds: float) -> bool:
        """Wait up to `seconds` for a disk to come or go; True when one did."""
        ...


class Opener(Protocol):
    """Opens a target, getting the rights where that takes more than this user has."""

    def open(
        self, target: Target, *, write: bool, notify: Callable[[str, dict[str, str]], None]
    ) -> BlockDevice:
        """The opened device, proven to be `target.fingerprint`.

        `notify(reference, data)` is called when somebody must do something (`needs-opener`, with the
        command to run). Raises Refused `identity-changed`, PrivilegeFailed, DeviceLost.
        """
        ...

    def eject(self, path: str) -> str:
        """Make `path` safe to pull; return what was done in words. Raises WizardError."""
        ...


class MediaWorld(Protocol):
    """The part of the world this room works with."""

    practice: bool
    paths: Paths
    disks: Disks
    opener: Opener

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def stay_awake(self, why: str) -> AbstractContextManager[None]:
        """Keep the desktop from sleeping meanwhile, where it can be asked to."""
        ...
