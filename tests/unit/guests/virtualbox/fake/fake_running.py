"""Starting and stopping in the make-believe VBoxManage."""

import json
import os
import socket
import sys
import time
from pathlib import Path

from fake_base import Stop, machine, parse, progress, state_file


def startvm(state: dict, words: list[str]) -> None:
    (who,), _ = parse(state, "startvm", words)
    vm, faults = machine(state, who), state["faults"]
    print(f'Waiting for VM "{who}" to power on...')
    if "start" in faults or "no-module" in faults:
        log = Path(vm["file"]).parent / "Logs" / "VBox.log"
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"00:00:00.1 {faults.get('start', '')}\n")
        raise Stop(
            f"The virtual machine '{vm['name']}' has terminated unexpectedly during startup with exit code 1 (0x1)",
            "NS_ERROR_FAILURE (0x80004005)",
        )
    vm["state"] = "running"
    pipe = next(
        (put[1] for name, put in vm["set"].items() if name.startswith("--uartmode") and put[0] == "server"),
        "",
    )
    if pipe and not os.fork():
        speak(who, Path(pipe))
    if faults.get("says-failed"):
        raise Stop("The session is not locked", "VBOX_E_INVALID_SESSION_STATE (0x80bb000b)")
    print(f'VM "{who}" has been successfully started.')


def speak(who: str, pipe: Path) -> None:
    """Be the guest: greet on the serial port, answer with what was said, end when it is off."""
    os.setsid()
    for fd in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), fd)
    os.closerange(3, 64)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(pipe))
        door.listen(1)
        door.settimeout(20)
        line, _ = door.accept()
    line.sendall(b"SmartOS (build: FAKE)\r\nlogin: ")
    line.settimeout(0.05)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            said = line.recv(100)
            if not said:
                break
            line.sendall(b"<" + said + b">")
        except TimeoutError:
            if json.loads(state_file().read_text())["machines"].get(who, {}).get("state") not in (
                "running",
                "stopping",
            ):
                break
    pipe.unlink(missing_ok=True)
    os._exit(0)


def controlvm(state: dict, words: list[str]) -> None:
    vm, act, faults = machine(state, words[0]), words[1], state["faults"]
    if vm["state"] not in ("running", "stopping"):
        print(f"VBoxManage: error: Machine '{words[0]}' is not currently running.", file=sys.stderr)
        sys.exit(1)
    if act == "poweroff":
        progress()
    if act == "poweroff" or not faults.get("deaf"):
        vm["state"], vm["off-in"] = "stopping", int(faults.get("slow-off", 1))
