"""Talking to a running guest over QMP, the machine protocol of QEMU, by its own library."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Coroutine
from typing import Any, TypeVar

from smartos_wizard.core.errors import WizardError
from smartos_wizard.guests.model import Guest

T = TypeVar("T")
_FORWARD = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\b")
_PATIENCE = 5.0
"""Seconds QEMU may take to answer. It serves one after the other, so others may be before us."""


class Monitor:
    """The monitor of a running guest. Use as a context manager; raises OSError where it does not answer."""

    def __init__(self, guest: Guest) -> None:
        self._path = guest.sockets / "qmp"
        self._client: Any = None

    def __enter__(self) -> Monitor:
        if not self._path.exists():
            raise FileNotFoundError(str(self._path))
        import asyncio  # fifty milliseconds, which whoever asks after a guest that is off need not wait

        from qemu.qmp import QMPError

        self._loop = asyncio.new_event_loop()
        try:
            self._wait(self._connected())
        except (
            QMPError,
            EOFError,
            OSError,
        ) as error:  # among them TimeoutError: it is there and says nothing
            self.__exit__()
            raise ConnectionRefusedError(str(error)) from error
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):  # it may have gone away under us, which is what was asked for
            self._wait(self._client.disconnect())
        self._loop.close()

    def ask(self, command: str, **arguments: Any) -> Any:
        """The answer to a command. Raises WizardError `qemu-refused` with QEMU's words, OSError when it is gone."""
        from qemu.qmp import ExecuteError, QMPError

        try:
            return self._wait(self._client.execute(command, arguments or None))
        except ExecuteError as error:
            raise WizardError("qemu-refused", f"QEMU says: {error}") from error
        except (QMPError, EOFError) as error:
            raise ConnectionResetError(str(error)) from error

    def status(self) -> str:
        """What QEMU calls its state: running, paused, shutdown …"""
        return str(self.ask("query-status")["status"])

    def ssh_port(self) -> int | None:
        """The port on 127.0.0.1 that leads to the guest's port 22."""
        said = str(self.ask("human-monitor-command", **{"command-line": "info usernet"}))
        match = _FORWARD.search(said)
        return int(match[1]) if match else None

    async def _connected(self) -> None:
        from qemu.qmp import QMPClient

        self._client = QMPClient()
        await self._client.connect(str(self._path))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        import asyncio

        return self._loop.run_until_complete(asyncio.wait_for(work, _PATIENCE))
