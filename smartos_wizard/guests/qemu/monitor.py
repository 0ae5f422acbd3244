"""Talking to a running guest over QMP, the machine protocol of QEMU, by its own library."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any

from smartos_wizard.core.errors import WizardError
from smartos_wizard.guests.model import Guest

_FORWARD = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\b")


class Monitor:
    """The monitor of a running guest. Use as a context manager; raises OSError where the guest does not run."""

    def __init__(self, guest: Guest) -> None:
        self._path = guest.sockets / "qmp"
        self._client: Any = None

    def __enter__(self) -> Monitor:
        if not self._path.exists():
            raise FileNotFoundError(str(self._path))
        from qemu.qmp import QMPError
        from qemu.qmp.legacy import QEMUMonitorProtocol

        # The library takes the thread's event loop and never closes it; each would keep three sockets open.
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._client = QEMUMonitorProtocol(str(self._path))
        try:
            self._client.settimeout(5.0)
            self._client.connect()
        except (QMPError, EOFError, OSError) as error:
            self.__exit__()
            raise ConnectionRefusedError(str(error)) from error
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):  # it may have gone away under us, which is what was asked for
            self._client.close()
        self._loop.close()
        asyncio.set_event_loop(None)

    def ask(self, command: str, **arguments: Any) -> Any:
        """The answer to a command. Raises WizardError `qemu-refused` with QEMU's words, OSError when it is gone."""
        from qemu.qmp import QMPError

        try:
            answer = self._client.cmd_raw(command, arguments or None)
        except QMPError as error:
            raise ConnectionResetError(str(error)) from error
        if "error" in answer:
            raise WizardError("qemu-refused", f"QEMU says: {answer['error'].get('desc')}")
        return answer.get("return")

    def status(self) -> str:
        """What QEMU calls its state: running, paused, shutdown …"""
        return str(self.ask("query-status")["status"])

    def ssh_port(self) -> int | None:
        """The port on 127.0.0.1 that leads to the guest's port 22."""
        said = str(self.ask("human-monitor-command", **{"command-line": "info usernet"}))
        match = _FORWARD.search(said)
        return int(match[1]) if match else None
