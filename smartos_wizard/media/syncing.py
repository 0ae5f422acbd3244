"""Syncing beside writing: the next slots go out while the device makes the last ones durable.

An error of a sync is never lost and never cleared by a later one: the kernel reports a failed write-back
once, and whoever asks again is told that all is well.
"""

from __future__ import annotations

import threading

from smartos_wizard.media.ports import BlockDevice


class Syncer:
    """At most one sync of `device` at a time, in a thread of its own. Used by one thread."""

    def __init__(self, device: BlockDevice) -> None:
        self._device = device
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None
        self._covers = 0
        self.durable = 0
        """Everything before this byte is on the medium."""

    def begin(self, done: int) -> None:
        """Start a sync that covers everything before `done`; waits for the one before. Raises OSError."""
        self.settle()
        self._covers = done
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        self._thread.start()

    def poll(self) -> None:
        """Take note of a sync that has ended. Raises OSError if it failed."""
        if self._thread is not None and not self._thread.is_alive():
            self.settle()

    def settle(self) -> None:
        """Wait for the sync that is under way. Raises OSError if it, or one before it, failed."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            if self._error is None:
                self.durable = self._covers
        if self._error is not None:
            raise self._error

    def now(self, done: int) -> None:
        """Sync everything before `done` and wait for it. Raises OSError."""
        self.begin(done)
        self.settle()

    def _run(self) -> None:
        try:
            self._device.sync()
        except OSError as error:
            self._error = error
        except Exception as error:  # a device that fails in its own way has not synced either
            self._error = OSError(5, f"{type(error).__name__}: {error}")
