"""Talking to the lab guest: JSON lines over a socket, and commands that go on inside it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.lab.rig.command import Outcome

if TYPE_CHECKING:
    from tests.lab.rig.guest import Guest


class Lines:
    """JSON lines over a Unix socket: both QMP and the agent speak so."""

    def __init__(self, path: Path, seconds: float = 30) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > deadline:
                    self._socket.close()
                    raise
                time.sleep(0.05)
        self._rest = b""

    def send(self, data: Mapping[str, Any]) -> None:
        """One line."""
        self._socket.sendall(json.dumps(data).encode() + b"\n")

    def receive(self, seconds: float) -> dict[str, Any]:
        """The next line. Raises TimeoutError, or ConnectionError where the other side is gone."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            chunk = self._socket.recv(1 << 16)
            if not chunk:
                raise ConnectionError("the guest is gone")
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        data: dict[str, Any] = json.loads(line)
        return data

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class Work:
    """A command at work in the guest."""

    def __init__(self, guest: Guest, handle: int) -> None:
        self.guest = guest
        self.handle = handle

    def look(self) -> tuple[int | None, str, str]:
        """Exit code or None, and what was printed so far."""
        answer = self.guest.ask(op="look", handle=self.handle)
        return answer["code"], answer["out"], answer["err"]

    def events(self) -> list[dict[str, Any]]:
        """The JSON lines printed so far."""
        lines = self.look()[1].splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 120) -> None:
        """Until an event is printed that `wanted` likes; fails when the command ends before."""
        deadline = time.monotonic() + seconds
        while True:
            code, out, err = self.look()
            lines = [
                line for line in out.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")
            ]
            if any(wanted(json.loads(line)) for line in lines):
                return
            if code is not None or time.monotonic() > deadline:
                raise AssertionError(
                    f"the awaited event did not come; code {code}\n{out[-4000:]}\n{err[-2000:]}"
                )
            time.sleep(0.1)

    def advanced(self, step: str, share: float, seconds: float = 120) -> None:
        """Until the step has done at least that share of its bytes."""

        def far_enough(event: dict[str, Any]) -> bool:
            if event.get("event") != "advanced" or event.get("step") != step:
                return False
            return (
                bool(event.get("total")) and bool(event["done"]) and event["done"] >= share * event["total"]
            )

        self.wait_for(far_enough, seconds)

    def signal(self, number: int) -> None:
        """A signal to the whole session of the command."""
        self.guest.ask(op="stop", handle=self.handle, signal=number)

    def end(self, seconds: float = 120) -> Outcome:
        """How it ended. Fails where it hangs."""
        deadline = time.monotonic() + seconds
        while True:
            code, out, err = self.look()
            if code is not None:
                return Outcome(code, out, err)
            if time.monotonic() > deadline:
                self.signal(9)
                raise AssertionError(f"hangs after {seconds} s:\n{out[-4000:]}\n{err[-2000:]}")
            time.sleep(0.1)
