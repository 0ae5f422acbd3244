"""A played SmartOS for Ansible: a directory of commands on PATH over one file of state. Nothing of this machine is touched.

Every command writes down its call. A reboot with the mark destroys what can be imported, as SmartOS does. What a command
is not made for it refuses.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMMANDS = ("hostid", "uname", "zonename", "bootparams", "dladm", "zpool", "zfs", "vmadm", "svcs", "swap", "dumpadm", "reboot")  # fmt: skip
_SCRIPT = """#!{python} -I
import fcntl, json, sys
from pathlib import Path

place = Path({place!r})
lock = open(place / "lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
state = json.loads((place / "state.json").read_text())
name, words = Path(sys.argv[0]).name, sys.argv[1:]
call = " ".join([name, *words])
with open(place / "calls", "a") as file:
    file.write(call + "\\n")
pools, here = state["pools"], [p for p in state["pools"] if p["imported"]]

def say(lines):
    for line in lines:
        print(line)

def end(code=0):
    if call in state["appears"]:
        state["pools"].append(state["appears"][call])
    (place / "new.json").write_text(json.dumps(state))
    (place / "new.json").replace(place / "state.json")
    sys.exit(code)

if call in state["fails"]:
    print("it failed")
    end(1)
if name == "hostid":
    print(state["hostid"])
elif name == "uname":
    print({{"-s": state["system"], "-v": "joyent_" + state["stamp"]}}[words[0]])
elif name == "zonename":
    print("global")
elif name == "bootparams":
    print("smartos=false\\nnoimport=true" if state["rescue"] else "smartos=true")
elif name == "dladm":
    say(mac.replace(":", "\\\\:") for mac in state["macs"])
elif call == "zpool list -Ho name,guid":
    say(p["name"] + "\\t" + p["guid"] for p in here)
elif call == "zpool list -Ho guid":
    say(p["guid"] for p in here)
elif call.startswith("zpool list -Ho guid "):
    found = [p["guid"] for p in here if p["name"] == words[3]]
    say(found)
    end(not found)
elif call.startswith("zpool list -Ho name,health "):
    say(p["name"] + "\\tONLINE" for p in here if p["name"] == words[3])
elif call == "zpool import":
    for p in pools:
        if not p["imported"]:
            print("   pool: " + p["name"] + "\\n     id: " + p["guid"] + "\\n  state: ONLINE\\n")
    if len(here) == len(pools):
        print("no pools available to import", file=sys.stderr)
        end(1)
elif call.startswith("zpool import -f -N "):
    found = [p for p in pools if p["guid"] == words[3] and not p["imported"]]
    for p in found:
        p["imported"] = True
    end(not found)
elif call.startswith("zpool export "):
    for p in pools:
        p["imported"] = p["imported"] and p["name"] != words[1]
elif call.startswith("zpool destroy "):
    gone = [p for p in here if p["name"] == words[1]]
    state["pools"] = [p for p in pools if p not in gone]
    end(not gone)
elif call.startswith("zfs set smartdc:factoryreset=yes "):
    state["mark"] = words[2]
elif call.startswith("zfs inherit smartdc:factoryreset "):
    state["mark"] = ""
elif call.startswith("zfs get -Hpo value smartdc:factoryreset "):
    print("yes" if state["mark"] == words[4] else "-")
elif call.startswith("zfs get -Hpo name,value -t filesystem -s local,received smartdc:factoryreset"):
    if state["mark"]:
        print(state["mark"] + "\\tyes")
elif call.startswith("zfs list -Ho name -d 1 "):
    say(state["datasets"])
elif call == "vmadm list -Ho uuid,state":
    say(uuid + "  " + at for uuid, at in state["instances"].items())
elif name == "vmadm" and words[0] in ("stop", "start") and words[1] in state["instances"]:
    state["instances"][words[1]] = "stopped" if words[0] == "stop" else "running"
elif name == "reboot":
    if state["mark"] and not state["rescue"]:
        state["pools"] = []
    state["mark"], state["rescue"], state["boots"] = "", False, state["boots"] + 1
elif name in ("svcs", "swap", "dumpadm"):
    pass
else:
    print("unknown: " + call, file=sys.stderr)
    end(2)
end()
"""


@dataclass
class PlayedFleet:
    """One machine behind every name, and the Ansible that is let loose on it."""

    place: Path

    def put(self, **facts: Any) -> None:
        """Set these facts of the machine."""
        file = self.place / "state.json"
        state = json.loads(file.read_text()) if file.exists() else _STATE
        file.write_text(json.dumps({**state, **facts}))

    @property
    def state(self) -> dict[str, Any]:
        """What the machine is now."""
        found: dict[str, Any] = json.loads((self.place / "state.json").read_text())
        return found

    @property
    def calls(self) -> list[str]:
        """Every command that was given there, in order."""
        file = self.place / "calls"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def changes(self) -> list[str]:
        """Those of them that change something."""
        words = (
            "zfs set",
            "zfs inherit",
            "zpool import -f",
            "zpool export",
            "zpool destroy",
            "vmadm st",
            "reboot",
        )
        return [call for call in self.calls if call.startswith(words)]

    def ansible(self, directory: Path, *words: str, book: str = "reinstall.yml") -> tuple[int, str]:
        """Exit code and output of ansible-playbook, on this machine alone, with only the played commands and `/usr/bin`."""
        env = {
            "PATH": f"{self.place / 'bin'}:/usr/bin:/bin", "HOME": str(self.place), "LC_ALL": "C.UTF-8",
            "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(self.place / "ansible"), "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_RETRY_FILES_ENABLED": "0", "ANSIBLE_CONFIG": str(self.place / "none.cfg"),
        }  # fmt: skip
        local = ("-e", "ansible_connection=local", "-e", "reinstall_delay=0")
        done = subprocess.run(
            [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventory.yml", book, *local, *words],
            cwd=directory, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def rebooted(self, times: int = 1, seconds: float = 20.0) -> bool:
        """Whether it was told to reboot so often; waits so long for a reboot that was said to come."""
        until = time.monotonic() + seconds
        while self.state["boots"] < times and time.monotonic() < until:
            time.sleep(0.05)
        return bool(self.state["boots"] == times)


_STATE: dict[str, Any] = {
    "hostid": "4d2a0001", "system": "SunOS", "stamp": "20260903T001557Z", "rescue": False, "macs": [], "mark": "",
    "pools": [{"name": "zones", "guid": "1111", "imported": True}], "instances": {}, "datasets": [], "fails": [], "appears": {}, "boots": 0,
}  # fmt: skip


def played_fleet(place: Path) -> PlayedFleet:
    """Such a machine in that directory: one pool, no instances, booted normally."""
    (place / "bin").mkdir(parents=True)
    for name in _COMMANDS:
        script = place / "bin" / name
        script.write_text(_SCRIPT.format(python=os.path.realpath(sys.executable), place=str(place)))
        script.chmod(0o755)
    fleet = PlayedFleet(place)
    fleet.put()
    return fleet
