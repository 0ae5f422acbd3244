"""A key that is being written, as if what is held back were on it already: for changing files before it boots."""

from __future__ import annotations

from smartos_wizard.media.lane import Writer
from smartos_wizard.media.model import Fingerprint
from smartos_wizard.media.ports import BlockDevice


class HeldDevice:
    """A `BlockDevice` over a writer: its held pieces are read from memory and written to memory."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._below: BlockDevice = writer.device
        self.name = self._below.name
        self.size = self._below.size
        self.sector = self._below.sector

    def pread(self, into: memoryview, offset: int) -> int:
        """As the device, but for the held pieces."""
        count = self._below.pread(into, offset)
        for start, data in self._writer.held if self._writer.touched else ():
            low, high = max(offset, start), min(offset + count, start + len(data))
            if low < high:
                into[low - offset : high - offset] = data[low - start : high - start]
        return count

    def pwrite(self, data: memoryview, offset: int) -> int:
        """As the device; what falls into a held piece stays in memory until it is written with the rest.

        Where the device held the whole image, its boot sectors are taken away first. Raises WizardError for that.
        """
        self._writer.begin()
        for start, held in self._writer.held:
            if start <= offset < start + len(held):
                count = min(len(data), start + len(held) - offset)
                held[offset - start : offset - start + count] = data[:count]
                return count
            if offset < start < offset + len(data):
                return self._below.pwrite(data[: start - offset], offset)
        return self._below.pwrite(data, offset)

    def sync(self) -> None:
        """As the device."""
        self._below.sync()

    def drop_cache(self) -> None:
        """As the device."""
        self._below.drop_cache()

    def reread_partitions(self) -> None:
        """As the device."""
        self._below.reread_partitions()

    def fingerprint(self) -> Fingerprint:
        """As the device."""
        return self._below.fingerprint()

    def close(self) -> None:
        """Nothing: the device belongs to somebody else."""
