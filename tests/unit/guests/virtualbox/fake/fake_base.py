"""What all commands of the make-believe VBoxManage share: its options, its errors, its state."""

import json
import os
import re
import sys
from pathlib import Path

FAULTS = (
    "no-module",  # the warning before every answer, and nothing starts
    "locked",  # so many commands fail because the guest is in use
    "busy-medium",  # the same for media
    "error-with-0",  # the command of that name fails and says 0
    "start",  # words that stand in VBox.log when starting fails
    "says-failed",  # starting says it failed, and the guest runs
    "forgets",  # settings are read again at every look, and one is lost then, as in 7.2
    "deaf",  # the power button does nothing
    "slow-off",  # so many looks until it is off after the power button or the plug
    "disk-full",  # media cannot be made
    "broken",  # --version says nothing
)
WARNING = """WARNING: The vboxdrv kernel module is not loaded. Either there is no module
         available for the current kernel (6.1.0) or it failed to
         load. Please recompile the kernel module and install it by

           sudo /sbin/vboxconfig

         You will not be able to start VMs until this problem is fixed.
"""
NOT_FOUND = "VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)"
IN_USE = "VBOX_E_OBJECT_IN_USE (0x80bb000c)"
FILE = "VBOX_E_FILE_ERROR (0x80bb0004)"
BUSY = "VBOX_E_INVALID_OBJECT_STATE (0x80bb0007)"


def state_file() -> Path:
    """Where all that it knows is kept."""
    return Path(os.environ["FAKE_VBOX"])


class Stop(Exception):
    """An error block: text, result code, exit code."""

    def __init__(self, text: str, code: str = "", status: int = 1) -> None:
        super().__init__(text)
        self.text, self.code, self.status = text, code, status


def error(text: str, code: str) -> None:
    print(f"VBoxManage: error: {text}", file=sys.stderr)
    if code:
        print(
            f"VBoxManage: error: Details: code {code}, component MachineWrap, interface IMachine, callee nsISupports",
            file=sys.stderr,
        )
        print(
            'VBoxManage: error: Context: "Call(x.asOutParam())" at line 7 of file VBoxManageX.cpp',
            file=sys.stderr,
        )


def progress() -> None:
    print("0%...10%...20%...30%...40%...50%...60%...70%...80%...90%...100%", file=sys.stderr)


def parse(state: dict, command: str, words: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Positional words and options, as the option table of this version has them."""
    table = json.loads((Path(__file__).parent / f"options-{state['table']}.json").read_text())["commands"][
        command
    ]
    left, found = [], {}
    words = list(words)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            left.append(word)
            continue
        plain = re.sub(r"\d+$", "#", word) if re.sub(r"\d+$", "#", word) in table["options"] else word
        kind = table["options"].get(plain)
        if kind is None:
            raise Stop(f"Unknown option: {word}", status=1 if state["table"] == "7.1" else 2)
        values = [] if kind == "nothing" else [_value(state, word, words)]
        two = (plain == "--uart#" and values != ["off"]) or (plain == "--natpf#" and values == ["delete"])
        if two or (
            plain == "--uartmode#" and values[0] in ("server", "client", "tcpserver", "tcpclient", "file")
        ):
            values.append(_value(state, word, words))
        bad = (
            (kind == "onoff" and values[0] not in ("on", "off"))
            or (kind == "number" and not values[0].isdigit())
            or (plain in table["values"] and values[0] not in table["values"][plain])
        )
        if bad:
            raise Stop(f"Invalid {word} argument '{values[0]}'", status=1 if state["table"] == "7.1" else 2)
        found[word] = values
    return left, found


def _value(state: dict, option: str, words: list[str]) -> str:
    if not words:
        raise Stop(f"Missing argument to '{option}'", status=1 if state["table"] == "7.1" else 2)
    return words.pop(0)


def machine(state: dict, who: str) -> dict:
    found = state["machines"].get(who)
    if found is None:
        raise Stop(f"Could not find a registered machine with UUID {{{who}}}", NOT_FOUND)
    return found


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
