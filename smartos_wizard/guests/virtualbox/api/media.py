"""Disks and what they hang on, through the interface.

Facts: VirtualBox, Frontends/VBoxManage/VBoxManageDisk.cpp and VBoxManageStorageController.cpp.
"""

from __future__ import annotations

import contextlib
from typing import Any

from smartos_wizard.guests.virtualbox.api.generations import Api, Failed

_BUSES = {"ide": "IDE", "sata": "SATA", "scsi": "SCSI", "sas": "SAS", "usb": "USB"}
_CHIPS = {
    "intelahci": "IntelAhci",
    "piix3": "PIIX3",
    "piix4": "PIIX4",
    "ich6": "ICH6",
    "lsilogic": "LsiLogic",
}
_KINDS = {"hdd": "HardDisk", "dvddrive": "DVD"}


def createmedium(api: Api, words: list[str]) -> str:
    """An empty disk."""
    found = pairs(words[1:])
    path, mode = found["--filename"], api.const("AccessMode", "ReadWrite")
    medium = api.vbox.createMedium(found["--format"], path, mode, api.const("DeviceType", "HardDisk"))
    api.wait(
        medium.createBaseStorage(int(found["--sizebyte"]), [api.const("MediumVariant", found["--variant"])])
    )
    return f"Medium created. UUID: {medium.id}\n"


def closemedium(api: Api, words: list[str]) -> str:
    """Forget a `disk` or `dvd`; `--delete` removes its file."""
    medium = opened(api, words[1], "DVD" if words[0] == "dvd" else "HardDisk")
    if "--delete" in words:
        api.wait(medium.deleteStorage())
    with contextlib.suppress(api.manager.oXcptClass) if "--delete" in words else contextlib.nullcontext():
        medium.close()
    return ""


def opened(api: Api, path: str, kind: str) -> Any:
    """The medium of a file."""
    mode = api.const("AccessMode", "ReadOnly" if kind == "DVD" else "ReadWrite")
    try:
        return api.vbox.openMedium(path, api.const("DeviceType", kind), mode, False)
    except api.manager.oXcptClass as error:
        failed = api.failed(error)
        if (
            "arguments does not exist" in failed.words
        ):  # VirtualBox's words for a file that is not there name no file
            raise Failed(
                f"Could not find file for the medium '{path}' (VERR_FILE_NOT_FOUND)", 0x80BB0004
            ) from error
        raise


def storagectl(api: Api, words: list[str]) -> str:
    """A controller."""
    found = pairs(words[1:])
    with api.changing(words[0]) as machine:
        name = found["--name"]
        controller = machine.addStorageController(name, api.const("StorageBus", _BUSES[found["--add"]]))
        if "--controller" in found:
            chip = _CHIPS[found["--controller"].lower()]
            controller.controllerType = api.const("StorageControllerType", chip)
        if "--portcount" in found:
            controller.portCount = int(found["--portcount"])
        if "--hostiocache" in found:
            controller.useHostIOCache = found["--hostiocache"] == "on"
        if "--bootable" in found:
            machine.setStorageControllerBootable(name, found["--bootable"] == "on")
    return ""


def storageattach(api: Api, words: list[str]) -> str:
    """Put a medium into a place, or take it out."""
    found = pairs(words[1:])
    place = (found["--storagectl"], int(found["--port"]), int(found["--device"]))
    kind = _KINDS[found["--type"]]
    with api.changing(words[0]) as machine:
        if found["--medium"] == "none":
            machine.detachDevice(*place)
            return ""
        medium = opened(api, found["--medium"], kind)
        if "--mtype" in found:
            medium.type = api.const("MediumType", found["--mtype"].capitalize())
        if kind == "HardDisk":
            with contextlib.suppress(api.manager.oXcptClass):
                machine.detachDevice(*place)
        machine.attachDevice(*place, api.const("DeviceType", kind), medium)
        if "--nonrotational" in found:
            machine.nonRotationalDevice(*place, found["--nonrotational"] == "on")
    return ""


def pairs(words: list[str]) -> dict[str, str]:
    """Options with one value each; one without a value is ""."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        name = rest.pop(0)
        found[name] = rest.pop(0) if rest and name not in ("--register", "--delete") else ""
    return found
