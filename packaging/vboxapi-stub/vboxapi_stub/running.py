"""A guest that runs: it greets on its serial port, hears what is typed, and ends with the power button."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

from vboxapi_stub.faces import Face, Progress
from vboxapi_stub.store import FAILURE, OBJECT_STATE, constants, refuse, store


class Console(Face):
    interface = "IConsole"

    def do_powerButton(self) -> None:
        if not store().fault("deaf"):
            _off(self._data["id"])

    def do_powerDown(self) -> Progress:
        _off(self._data["id"])
        return Progress()


def launch(machine: Any) -> Progress:
    """Start it, in this process."""
    who = machine.id
    if machine.sessionState == constants().SessionState_Locked:
        refuse(
            OBJECT_STATE,
            f"The machine '{machine.name}' is already locked by a session (or being locked or unlocked)",
        )
    why = store().fault("start")
    if why:
        log = Path(machine.logFolder) / "VBox.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"00:00:00.1 {why}\n")
        words = f"The virtual machine '{machine.name}' has terminated unexpectedly during startup with exit code 1 (0x1)"
        return Progress(FAILURE, words)
    store().machines[who]["run"] = {"state": "Running"}
    store().save()
    pipes = [port["path"] for port in store().machines[who]["ports"] if port["enabled"] and port["server"]]
    for pipe in pipes:
        threading.Thread(target=_speak, args=(who, pipe), daemon=True).start()
    return Progress()


def _off(who: str) -> None:
    store().machines[who]["run"] = {}
    store().save()


def _speak(who: str, pipe: str) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(pipe)
        door.listen(1)
        door.settimeout(20)
        line, _ = door.accept()
    line.sendall(b"SmartOS (build: STUB)\r\nlogin: ")
    line.settimeout(0.05)
    while store().machines.get(who, {}).get("run"):
        try:
            said = line.recv(100)
        except TimeoutError:
            continue
        if not said:
            break
        line.sendall(b"<" + said + b">")
    line.close()
    Path(pipe).unlink(missing_ok=True)
