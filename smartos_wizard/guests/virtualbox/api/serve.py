"""The process that has vboxapi: told VBoxManage's words as lines of JSON, it answers as VBoxManage would.

Run as a module by the Python that has vboxapi; see `child`. First it says who it is
({"version": "7.2.4r170995"} or {"error": why not}); then, for every line with a list of words, {"out", "err", "code"}. It ends when
nobody speaks to it any more.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import TextIO

from smartos_wizard.guests.virtualbox.api.generations import Api
from smartos_wizard.guests.virtualbox.api.machines import (
    controlvm,
    createvm,
    getextradata,
    setextradata,
    snapshot,
    startvm,
    unregistervm,
)
from smartos_wizard.guests.virtualbox.api.media import closemedium, createmedium, storageattach, storagectl
from smartos_wizard.guests.virtualbox.api.modify import modifyvm
from smartos_wizard.guests.virtualbox.api.telling import listing, showvminfo

COMMANDS: dict[str, Callable[[Api, list[str]], str]] = {
    "createvm": createvm, "modifyvm": modifyvm, "storagectl": storagectl, "storageattach": storageattach,
    "createmedium": createmedium, "closemedium": closemedium, "unregistervm": unregistervm, "showvminfo": showvminfo,
    "snapshot": snapshot, "startvm": startvm, "controlvm": controlvm, "list": listing, "setextradata": setextradata,
    "getextradata": getextradata, "--version": lambda api, _words: f"{api.version}\n",
}  # fmt: skip
"""What is done through the interface. What it has no way for, as `convertfromraw`, is left to VBoxManage."""


def answer(api: Api, words: list[str]) -> dict[str, object]:
    """What VBoxManage would print, and its exit code."""
    words = words[1:] if words[:1] == ["-q"] else words
    command = COMMANDS.get(words[0]) if words else None
    if command is None:
        return {"out": "", "err": "VBoxManage: error: Invalid command", "code": 2}
    try:
        return {"out": command(api, words[1:]), "err": "", "code": 0}
    except (
        Exception
    ) as error:  # the interface's own exception has no name here, and no failure may end the process
        failed = api.failed(error)
        return {
            "out": failed.words + "\n" if words[0] == "snapshot" else "",
            "err": failed.block() + "\n",
            "code": 1,
        }


def main() -> int:
    """Connect, say so, and answer until the other end closes."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # vboxapi prints warnings where the answers go
    try:
        api = Api(importlib.import_module("vboxapi").VirtualBoxManager(None, None))
    except Exception as error:  # whatever is wrong with the bindings, somebody should read it
        _say(out, {"error": f"{type(error).__name__}: {error}"})
        return 1
    _say(out, {"version": api.version})
    for line in sys.stdin:
        _say(out, answer(api, json.loads(line)))
    out.flush()
    os._exit(0)  # the interface's own end looks for modules that are gone by then


def _say(out: TextIO, what: dict[str, object]) -> None:
    out.write(json.dumps(what) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
