"""Practice disks as the rest of the program sees them: a list that follows plugging, and opened keys with faults."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from smartos_wizard.media.model import USB_IMAGE_SIZE, Disk, Fingerprint, Partition
from smartos_wizard.practice.control import Control
from smartos_wizard.practice.keys import PracticeDisk
from smartos_wizard.practice.medium import Medium

SPEED_VARIABLE = "SMARTOS_WIZARD_PRACTICE_SPEED"
"""A factor on the speed of every practice key (2 is twice as fast); 0 for no waiting at all."""

BACK_AFTER = 8.0
"""Seconds after which a key that lost contact, or was ejected, is in its port again."""

_LOOK = 0.2  # seconds between two looks at the ports


def speed_factor(environ: Mapping[str, str] = os.environ) -> float:
    """The factor of `SPEED_VARIABLE`; 1 where it is not set or makes no sense."""
    try:
        return max(0.0, float(environ.get(SPEED_VARIABLE, "") or 1.0))
    except ValueError:
        return 1.0


class PracticeDisks:
    """`ports.Disks` over the practice disks that are plugged in."""

    def __init__(self, disks: Sequence[PracticeDisk], control: Control, files: Path) -> None:
        self._disks = disks
        self._control = control
        self._files = files

    def list(self) -> tuple[Disk, ...]:
        """Every practice disk that is plugged in, with its facts as they are now."""
        return tuple(self._now(d) for d in self._disks if self._control.plugged(d.name))

    def changed(self, seconds: float) -> bool:
        """Wait up to `seconds` for a practice key to come or go, or to be written; True when one did."""
        before = self._ports()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(_LOOK, left))
            if self._ports() != before:
                return True
        return False

    def _ports(self) -> tuple[tuple[str, int], ...]:
        states = ((d.name, self._control.state(d.name)) for d in self._disks)
        return tuple((name, state.turns) for name, state in states if state.plugged(self._control.clock()))

    def _now(self, practice: PracticeDisk) -> Disk:
        state = self._control.state(practice.name)
        disk = replace(practice.disk, diskseq=(practice.disk.diskseq or 0) + 1000 * state.turns)
        if not state.used:
            return disk if not practice.holds else replace(disk, partitions=_layout(disk.path))
        return replace(disk, partitions=self._partitions(practice), mounts=())

    def _partitions(self, practice: PracticeDisk) -> tuple[Partition, ...]:
        from smartos_wizard.practice.look import partitions_of

        return partitions_of(practice, self._files)


def _layout(path: str) -> tuple[Partition, ...]:
    """The partitions of a written key (smartos-live: tools/format_image/format_image.c)."""
    return (
        Partition(path + "1", 524288 * 512, "vfat", "SYSTEM"),
        Partition(path + "2", 2048 * 512),
        Partition(path + "3", 3244032 * 512, "vfat", "SMARTOSBOOT"),
        Partition(path + "9", 16384 * 512),
    )


class PracticeDevice:
    """`ports.BlockDevice` over a medium, with the faults of one practice disk.

    Raises OSError as a system does: EROFS when write-protected, ENODEV once the key is gone.
    """

    def __init__(
        self,
        practice: PracticeDisk,
        medium: Medium,
        print_: Fingerprint,
        control: Control,
        *,
        write: bool,
        factor: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = print_.path
        self.size = print_.size
        self.sector = print_.sector
        self._practice = practice
        self._medium = medium
        self._print = print_
        self._control = control
        self._turns = control.state(practice.name).turns
        self._write = write
        self._factor = factor
        self._sleep = sleep
        self._ready = time.monotonic()
        self._stalled = False
        self._headed = False

    def pwrite(self, data: memoryview, offset: int) -> int:
        """Write at `offset` at the key's speed; return how many bytes were taken."""
        faults = self._practice.faults
        self._present()
        if not self._write or faults.write_protected:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), self.name)
        if offset + len(data) > self.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.name)
        self._misbehave(offset, len(data))
        taken = 0
        while taken < len(data):
            at, room = self._place(offset + taken)
            taken += self._medium.write(data[taken : taken + room], at)
        # Boot sectors that boot: a key whose first sectors are wiped is at the beginning of a write.
        self._headed = offset == 0 and bytes(data[510:512]) == b"\x55\xaa" if offset < 512 else self._headed
        self._wait(taken, faults.speed)
        return taken

    def pread(self, into: memoryview, offset: int) -> int:
        """Read at `offset` at the key's speed; return how many bytes came, 0 at the end."""
        self._present()
        length = max(0, min(len(into), self.size - offset))
        self._misbehave(offset, length)
        got = 0
        while got < length:
            at, room = self._place(offset + got)
            came = self._medium.read(into[got : min(length, got + room)], at)
            if came == 0:
                break
            got += came
        self._wait(got, self._practice.faults.speed)
        return got

    def sync(self) -> None:
        """Nothing waits in a practice key; it only has to be there still."""
        self._present()
        self._medium.sync()

    def drop_cache(self) -> None:
        """Reads always come from the medium, at its speed."""

    def reread_partitions(self) -> None:
        """The list of disks looks at the medium itself."""

    def fingerprint(self) -> Fingerprint:
        """Who this is; raises OSError when the key is gone."""
        self._present()
        return self._print

    def close(self) -> None:
        """Let go of it. A key that was written to its end loses contact again the next time."""
        self._medium.close()
        if self._headed and self._control.state(self._practice.name).tripped:
            self._control.mark(self._practice.name, tripped=False)

    def _place(self, offset: int) -> tuple[int, int]:
        """Where `offset` really lies, and how many bytes follow it there."""
        wraps = self._practice.faults.wraps_at
        if wraps is None:
            return offset, self.size - offset
        return offset % wraps, wraps - offset % wraps

    def _present(self) -> None:
        state = self._control.state(self._practice.name)
        if state.turns != self._turns or not state.plugged(self._control.clock()):
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), self.name)

    def _misbehave(self, offset: int, length: int) -> None:
        faults = self._practice.faults
        end = offset + length
        if faults.stall_at is not None and not self._stalled and offset <= faults.stall_at < end:
            self._stalled = True
            if self._factor:
                self._sleep(faults.stall_seconds / self._factor)
        # The backup table at the end of the image belongs to the end of the work, not to the middle.
        if (
            faults.unplug_at is None
            or not self._write
            or not faults.unplug_at < end <= USB_IMAGE_SIZE - 1_000_000
        ):
            return
        if not self._control.state(self._practice.name).tripped:
            self._control.mark(self._practice.name, tripped=True)
            self._control.unplug(self._practice.name, BACK_AFTER)
            self._present()

    def _wait(self, count: int, speed: float) -> None:
        """Let time pass as the key would need it; time that passed elsewhere counts."""
        if not speed or not self._factor:
            return
        now = time.monotonic()
        # A key that was idle cannot have saved up more than a moment.
        self._ready = max(self._ready, now - 0.05) + count / (speed * self._factor)
        if self._ready > now:
            self._sleep(self._ready - now)
