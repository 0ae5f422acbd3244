"""Comparing an image with its digest at the last moment that is early enough: before the first change.

A wrong image must not cost a key, so the first change of any key waits for this. Reading, decoding and
comparing change nothing and need not wait: a key that holds the image already is proven without reading the
file twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from smartos_wizard.core.errors import Cancelled, WizardError
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.verified import verify_now


class Voucher:
    """Reads and hashes the file of `image` once, when the first of several threads asks."""

    def __init__(self, image: VerifiedImage, stopped: Callable[[], bool]) -> None:
        self._image = image
        self._stopped = stopped
        self._lock = threading.Lock()
        self._done = False
        self._error: WizardError | None = None

    def require(self) -> None:
        """Return when the digest held. Raises ChecksumFailed, WriteFailed, Cancelled; nothing has changed then."""
        with self._lock:
            if not self._done:
                try:
                    verify_now(self._image, self._check)
                except WizardError as error:
                    self._error = error
                self._done = True
        if self._error is not None:
            raise self._error

    def _check(self, _read: int) -> None:
        if self._stopped():
            raise Cancelled("cancelled", "Stopped; nothing has changed.")
