"""A stretch of a device as a volume: read, write and sync by bytes from its own beginning.

What it overwrites it can note first, so that a proof can put the old bytes back in thought.
"""

from __future__ import annotations

import errno
from typing import Protocol

from smartos_wizard.media.faults import read_all, write_all
from smartos_wizard.media.ports import BlockDevice
from smartos_wizard.media.slots import aligned

_PAGE = 4096
_SECTOR = 512


class Volume(Protocol):
    """What the editor of file systems works on. Offsets and lengths are bytes, multiples of 512."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes. Raises OSError."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data`. Raises OSError."""
        ...

    def sync(self) -> None:
        """Return when everything written is on the medium. Raises OSError."""
        ...


class DeviceVolume:
    """Bytes `first` to `first + size` of a device.

    With `keep` the bytes that stood there before the first write are kept in `originals`, and those of the last
    write in `latest`, by offset on the device, sector by sector. `written` counts bytes.
    """

    def __init__(self, device: BlockDevice, first: int, size: int, *, keep: bool = False) -> None:
        self.device = device
        self.first = first
        self.size = min(size, max(0, device.size - first))
        self.originals: dict[int, bytes] = {}
        self.latest: dict[int, bytes] = {}
        self.written = 0
        self._keep = keep

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes. Raises OSError, also where the device ends before."""
        self._within(offset, length)
        at = self.first + offset
        start = at // _PAGE * _PAGE
        end = min(-(-(at + length) // _PAGE) * _PAGE, self.device.size)
        buffer = aligned(end - start)
        if read_all(self.device, buffer, start) < end - start:
            raise OSError(errno.EIO, f"{self.device.name} ends before it should")
        return bytes(buffer[at - start : at - start + length])

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data`; its middle in whole pages, so that direct I/O takes it at once. Raises OSError."""
        self._within(offset, len(data))
        at = self.first + offset
        if self._keep:
            self._note(offset, len(data))
            self.latest |= {at + o: data[o : o + _SECTOR] for o in range(0, len(data), _SECTOR)}
        self.written += len(data)
        done = 0
        for length in self._pieces(at, len(data)):
            buffer = aligned(length)
            buffer[:] = data[done : done + length]
            write_all(self.device, buffer, at + done)
            done += length

    def sync(self) -> None:
        """Return when everything written is on the medium. Raises OSError."""
        self.device.sync()

    def pread(self, offset: int, length: int) -> bytes:
        """As `read`, but less where the volume ends. For the readers of this room."""
        length = max(0, min(length, self.size - offset))
        return self.read(offset, length) if length else b""

    @staticmethod
    def _pieces(at: int, length: int) -> list[int]:
        head = min(length, -at % _PAGE)
        middle = (length - head) // _PAGE * _PAGE
        return [n for n in (head, middle, length - head - middle) if n]

    def _note(self, offset: int, length: int) -> None:
        missing = [o for o in range(offset, offset + length, _SECTOR) if self.first + o not in self.originals]
        if not missing:
            return
        old = self.read(offset, length)
        for o in missing:
            self.originals[self.first + o] = old[o - offset : o - offset + _SECTOR]

    def _within(self, offset: int, length: int) -> None:
        if offset < 0 or offset + length > self.size:
            raise ValueError(f"{length} bytes at {offset} are not in a volume of {self.size}")
        if offset % _SECTOR or length % _SECTOR:
            raise ValueError("volumes are read and written in whole sectors")
