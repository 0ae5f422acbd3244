"""What the make-believe VirtualBox knows, kept in a directory; its faults; and its constants, of the vbox-sdk that is installed."""

from __future__ import annotations

import functools
import json
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import xpcom

FAULTS = (
    "locked",  # so many locks fail because somebody else holds the machine
    "start",  # a machine is not started, for this reason in VBox.log
    "deaf",  # the power button does nothing
    "disk-full",  # disks cannot be made
    "forgets",  # when it is started anew, machines have lost that the loopback is shut, as with 7.2
)

NOT_FOUND, BAD_STATE, FILE, OBJECT_STATE, SESSION_STATE, IN_USE = (
    0x80BB0001, 0x80BB0002, 0x80BB0004, 0x80BB0007, 0x80BB000B, 0x80BB000C,
)  # fmt: skip
BAD_ARGUMENT, FAILURE, UNEXPECTED = 0x80070057, 0x80004005, 0x8000FFFF


def refuse(number: int, words: str) -> Any:
    raise xpcom.Exception(number, words)


@functools.cache
def version() -> tuple[int, int, int]:
    """Of the vbox-sdk that is installed; VBOX_STUB_VERSION where there is none."""
    text = os.environ.get("VBOX_STUB_VERSION") or metadata.version("vbox-sdk")
    major, minor, build = (int(part) for part in text.split(".")[:3])
    return major, minor, build


def line() -> tuple[int, int]:
    return version()[:2]


@functools.cache
def constants() -> Any:
    from vboxapi.VirtualBox_constants import VirtualBoxReflectionInfo

    return VirtualBoxReflectionInfo(False)


def home() -> Path:
    place = Path(os.environ["VBOX_STUB_HOME"])
    place.mkdir(parents=True, exist_ok=True)
    return place


class Store:
    """Machines by UUID, media by UUID; written at every change."""

    def __init__(self) -> None:
        file = home() / "state.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        self.machines: dict[str, dict[str, Any]] = known.get("machines", {})
        self.media: dict[str, dict[str, Any]] = known.get("media", {})
        for machine in self.machines.values():  # a guest ends with the process that plays it
            machine["run"] = {}
            if self.fault("forgets"):
                for nic in machine["nics"]:
                    nic["localhostReachable"] = True

    def save(self) -> None:
        part = home() / "state.new"
        part.write_text(json.dumps({"machines": self.machines, "media": self.media}, indent=1))
        part.replace(home() / "state.json")

    def fault(self, name: str) -> Any:
        """The value of a fault; numbers count down."""
        assert name in FAULTS
        file = home() / "faults.json"
        if not file.exists():
            return None
        faults = json.loads(file.read_text())
        value = faults.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            file.write_text(json.dumps({**faults, name: value - 1}))
        return value


@functools.cache
def store() -> Store:
    """The one of this process."""
    return Store()
