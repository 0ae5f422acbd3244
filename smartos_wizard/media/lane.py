"""Writing one target, slot by slot: compare where that pays, take the boot sectors away first, put them back last.

The order is the promise: before the first byte changes, the target's first MiB and the old backup table at
its end become zeros; the image's own first MiB and its last piece (the backup GPT) are kept in memory until
the source's digest held and everything else is on the medium. So at every moment in between the key does
not boot, and nothing half-written can look good.
"""

from __future__ import annotations

from collections.abc import Callable

from smartos_wizard.core.errors import WizardError, WriteFailed
from smartos_wizard.media.delta import Delta
from smartos_wizard.media.faults import WILL_NOT_BOOT, device_failed, read_all, write_all, write_protected
from smartos_wizard.media.ports import BlockDevice
from smartos_wizard.media.slots import SLOT, Slot, aligned, digest
from smartos_wizard.media.syncing import Syncer

BOOT = 1024 * 1024
"""Bytes at the beginning that are written last: boot code, both tables, nothing of a file system."""
TAIL = 64 * 1024
"""Bytes at the end that are written last; the backup GPT is the last 33 sectors of the image."""
BACKUP = 33 * 512
_SYNC_EVERY = 64 * 1024 * 1024
_PIECE = 1024 * 1024


class Writer:
    """Writes a stream of slots to one device. A `Consumer`; used by one thread.

    `done`, `durable`, `written` and `skipped` are bytes; `on_durable` is told how much is safe, slot by slot.
    """

    def __init__(
        self, device: BlockDevice, *, delta: bool = True, on_durable: Callable[[int], None] = lambda _: None
    ) -> None:
        self.device = device
        self.done = 0
        self.written = 0
        self.skipped = 0
        self.touched = False
        """Whether anything of the device was changed."""
        self.booting = False
        """Whether the boot sectors may be on the device."""
        self.delta = Delta(delta)
        self.before_change: Callable[[], None] = lambda: None
        """Called before the first byte changes; may raise WizardError, and then nothing does."""
        self._on_durable = on_durable
        self._syncer = Syncer(device)
        self._asked = 0
        self.held: list[tuple[int, memoryview]] = []
        """What is written last: offset on the device, and bytes."""
        self._buffer: memoryview | None = None

    @property
    def state(self) -> str:
        """What stopping now leaves, in words."""
        if not self.touched:
            return "Nothing on it has changed."
        return "It was written but not proven." if self.booting else WILL_NOT_BOOT

    def take(self, slot: Slot) -> None:
        """Bring one slot onto the device. Raises WriteFailed, DeviceLost, Refused."""
        if slot.offset + slot.length > self.device.size:
            raise WriteFailed(
                "image-too-large",
                f"The image is larger than {self.device.name} ({self.device.size:,} bytes). {self.state}",
                context=self.device.name,
                hint="Use a larger key.",
                offset=self.device.size,
            )
        ranges = self._hold(slot)
        if self._already_there(slot):
            self.skipped += slot.length
        else:
            self._disarm(slot.offset)
            for start, end in ranges:
                self._write(slot.data[start:end], slot.offset + start)
        self.done = slot.offset + slot.length
        try:
            self._syncer.poll()
            if self.touched and self.done - self._asked >= _SYNC_EVERY:
                self._asked = self.done
                self._syncer.begin(self.done)
        except OSError as error:
            raise self._failed(error, "making its data durable", self.durable) from error
        self._on_durable(self.durable)

    @property
    def durable(self) -> int:
        """Bytes from the beginning that are known to be on the medium, but for what is held back."""
        return self._syncer.durable if self.touched else self.done

    def sync(self) -> None:
        """Return when everything written so far is on the medium. Raises WriteFailed, DeviceLost."""
        try:
            self._syncer.now(self.done)
        except OSError as error:
            raise self._failed(error, "making its data durable", self.durable) from error
        self._on_durable(self.durable)

    def begin(self) -> None:
        """Take the boot sectors away before something beside the image is written to a device that held it already.

        Does nothing where that was done. Raises WriteFailed, DeviceLost, Refused.
        """
        self.before_change = lambda: None  # the whole image was compared: its digest held
        self._disarm(self.done)

    def arm(self) -> None:
        """Write what was held back, the first sector last of all. Raises WriteFailed, DeviceLost.

        Does nothing where the device held the whole image already.
        """
        self._buffer = None  # the proof has one of its own
        if not self.touched:
            return
        self.sync()
        first: tuple[int, memoryview] | None = None
        for offset, data in sorted(self.held, reverse=True, key=lambda piece: piece[0]):
            if offset == 0:
                first = (offset, data)
            else:
                self._write(data, offset)
        self.sync()
        if first is not None:
            data = first[1]
            cut = min(4096, len(data))
            if len(data) > cut:
                self._write(data[cut:], cut)
                self.sync()
            self.booting = True
            self._write(data[:cut], 0)
            self.sync()

    def disarm(self) -> None:
        """Take the boot sectors away again, after a failed proof. Raises OSError."""
        length = min(BOOT, self.device.size)
        write_all(self.device, aligned(length), 0)
        self.device.sync()
        self.booting = False

    def _already_there(self, slot: Slot) -> bool:
        if not self.delta.look():
            return False
        if self._buffer is None:
            self._buffer = aligned(SLOT)
        into = self._buffer[: slot.length]
        try:
            count = read_all(self.device, into, slot.offset)
        except OSError as error:
            raise self._failed(error, "reading", slot.offset) from error
        if count == slot.length and digest(into) == slot.digest:
            self.delta.same()
            return True
        self.delta.other()
        return False

    def _hold(self, slot: Slot) -> list[tuple[int, int]]:
        """Keep the parts of `slot` that are written last; return the ranges to write now."""
        start = min(BOOT, slot.length) if slot.index == 0 else 0
        end = max(start, (slot.length - TAIL) // 4096 * 4096) if slot.last else slot.length
        if slot.index == 0:
            self._keep(slot.data[:start], 0)
        if end < slot.length:
            self._keep(slot.data[end:], slot.offset + end)
        return [(start, end)] if end > start else []

    def _keep(self, data: memoryview, offset: int) -> None:
        copy = aligned(len(data))
        copy[:] = data
        self.held.append((offset, copy))

    def _disarm(self, passed: int) -> None:
        """Before the first change: no boot sectors, no old backup table beyond `passed`."""
        if self.touched:
            return
        self.before_change()
        size = self.device.size
        end = max(passed, (size - BACKUP) // 4096 * 4096, min(BOOT, size))
        try:
            write_all(self.device, aligned(min(BOOT, size)), 0)
            self.touched = True
            if end < size:
                write_all(self.device, aligned(size - end), end)
            self.device.sync()
        except OSError as error:
            refusal = None if self.touched else write_protected(error, self.device)
            self.touched = True
            raise refusal or self._failed(error, "writing", 0) from error

    def _write(self, data: memoryview, offset: int) -> None:
        done = 0
        while done < len(data):
            piece = data[done : done + _PIECE]
            try:
                write_all(self.device, piece, offset + done)
            except OSError as error:
                raise self._failed(error, "writing", offset + done) from error
            done += len(piece)
            self.written += len(piece)
            self.done = max(self.done, offset + done)

    def _failed(self, error: OSError, doing: str, offset: int) -> WizardError:
        return device_failed(error, self.device, doing, offset, self.state)
