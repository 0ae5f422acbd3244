#!/usr/bin/env python3
"""A VBoxManage that knows the options of 6.1 or 7.1 (options-*.json), remembers what it was told, and prints what the real one prints.

State is one JSON file named by FAKE_VBOX. It starts no guest; "running" is a process that speaks on the serial port.
Faults are switched on in the state: see `FAULTS` in fake_base.
"""

import fcntl
import json
import os
import sys

from fake_base import FILE, WARNING, Stop, error, state_file
from fake_machines import createvm, extradata, listing, modifyvm, showvminfo, snapshot, unregistervm
from fake_media import closemedium, convertfromraw, createmedium, storageattach, storagectl
from fake_running import controlvm, startvm

COMMANDS = {
    "createvm": createvm, "modifyvm": modifyvm, "storagectl": storagectl, "storageattach": storageattach,
    "createmedium": createmedium, "closemedium": closemedium, "convertfromraw": convertfromraw, "unregistervm": unregistervm,
    "showvminfo": showvminfo, "snapshot": snapshot, "startvm": startvm, "controlvm": controlvm, "list": listing,
    "setextradata": lambda state, words: extradata(state, words, get=False),
    "getextradata": lambda state, words: extradata(state, words, get=True),
}  # fmt: skip


def main(words: list[str]) -> int:
    assert words[0] == "-q", "the banner must be off"
    with state_file().with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = json.loads(state_file().read_text())
        state["calls"].append(words[1:])
        if "no-module" in state["faults"]:
            print(WARNING, end="", flush=True)
        status = 0
        try:
            if words[1] == "--version":
                print("" if state["faults"].get("broken") else state["version"])
            else:
                if state["faults"].get("error-with-0") == words[1]:
                    raise Stop("Something is wrong", FILE, 0)
                if words[1] not in COMMANDS:
                    raise Stop(f"Invalid command '{words[1]}'", status=2)
                COMMANDS[words[1]](state, words[2:])
        except Stop as stop:
            sys.stdout.flush()
            error(stop.text, stop.code)
            status = stop.status
        except SystemExit as stop:
            status = int(str(stop.code))
        new = state_file().with_suffix(".new")
        new.write_text(json.dumps(state))
        new.rename(state_file())
    return status


if __name__ == "__main__":
    assert os.environ["LC_ALL"].endswith("UTF-8"), "names may hold any letter"
    sys.exit(main(sys.argv[1:]))
