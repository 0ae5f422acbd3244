"""A device whose descriptor the opener handed over: read and written here, flushed by the opener."""

from __future__ import annotations

import contextlib

from smartos_wizard.media.device import FdDevice
from smartos_wizard.media.handover import Helper
from smartos_wizard.media.model import Fingerprint


class HandedDevice:
    """`BlockDevice` over `device`; what takes root is asked of `helper`."""

    def __init__(self, device: FdDevice, helper: Helper) -> None:
        self._device = device
        self._helper = helper
        self.name, self.size, self.sector = device.name, device.size, device.sector

    @property
    def fd(self) -> int:
        """The descriptor; it stays owned by this object."""
        return self._device.fd

    def pwrite(self, data: memoryview, offset: int) -> int:
        """Write at `offset`; return how many bytes were taken. Raises OSError."""
        return self._device.pwrite(data, offset)

    def pread(self, into: memoryview, offset: int) -> int:
        """Read at `offset`; return how many bytes came, 0 at the end. Raises OSError."""
        return self._device.pread(into, offset)

    def sync(self) -> None:
        """Return when everything written is on the medium. Raises OSError."""
        self._device.sync()

    def drop_cache(self) -> None:
        """Make the next read come from the medium. Direct reads do so even where the opener is gone."""
        self._device.drop_cache()
        with contextlib.suppress(OSError):
            self._helper.ask("flush")

    def reread_partitions(self) -> None:
        """Tell the system that the partition table changed. Never raises."""
        with contextlib.suppress(OSError):
            self._helper.ask("reread")

    def fingerprint(self) -> Fingerprint:
        """Who this is, read again from the descriptor. Raises OSError when it is gone."""
        return self._device.fingerprint()

    def close(self) -> None:
        """Close the descriptor and let the opener end; a second call does nothing."""
        self._device.close()
        self._helper.close()
