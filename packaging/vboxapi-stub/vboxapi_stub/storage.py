"""Controllers of a machine and what hangs on them."""

from __future__ import annotations

from typing import Any

from vboxapi_stub import media
from vboxapi_stub.faces import Face, Plain
from vboxapi_stub.store import BAD_ARGUMENT, IN_USE, NOT_FOUND, constants, refuse, store

PORTS = {"SATA": 30, "IDE": 2, "SCSI": 16}


class Storage(Face):
    """The half of IMachine that is about disks."""

    def do_addStorageController(self, name: str, bus: int) -> Plain:
        self._may_change()
        if name in self._data["controllers"]:
            refuse(IN_USE, f"Storage controller named '{name}' already exists")
        most = next((n for kind, n in PORTS.items() if getattr(constants(), f"StorageBus_{kind}") == bus), 1)
        self._data["controllers"][name] = {
            "name": name, "bus": bus, "controllerType": 0, "portCount": most, "maxPortCount": most, "useHostIOCache": False,
            "bootable": False,
        }  # fmt: skip
        return self.do_getStorageControllerByName(name)

    def do_getStorageControllerByName(self, name: str) -> Plain:
        found = self._data["controllers"].get(name)
        if found is None:
            refuse(NOT_FOUND, f"Could not find a storage controller named '{name}'")
        return Plain("IStorageController", found, mutable=self._mutable)

    def do_setStorageControllerBootable(self, name: str, on: bool) -> None:
        self._may_change()
        self.do_getStorageControllerByName(name)._data["bootable"] = bool(on)

    def do_attachDevice(
        self, controller: str, port: int, device: int, kind: int, medium: media.Medium | None
    ) -> None:
        self._may_change()
        ports = self.do_getStorageControllerByName(controller).portCount
        if not 0 <= port < ports:
            words = (
                f"port={port} (must be in range [0, {ports - 1}]), device={device} (must be in range [0, 0])"
            )
            refuse(BAD_ARGUMENT, f"The port and/or device parameter are out of range: {words}")
        number = medium.id if medium is not None else ""
        for each in self._data["attachments"]:
            if (each["controller"], each["port"], each["device"]) == (controller, port, device):
                known = each["medium"] and store().media[each["medium"]]["location"]
                place = f"port {port}, device {device} of controller '{controller}'"
                refuse(IN_USE, f"Medium '{known}' is already attached to {place} of this virtual machine")
            if number and each["medium"] == number:
                refuse(IN_USE, f"Medium '{medium.location}' is already attached to this virtual machine")  # type: ignore[union-attr]
        if medium is not None and medium.type == constants().MediumType_Immutable:
            number = media.child(number, self.snapshotFolder)
        self._data["attachments"].append(
            {"controller": controller, "port": port, "device": device, "type": kind, "medium": number, "nonRotational": False}
        )  # fmt: skip

    def do_detachDevice(self, controller: str, port: int, device: int) -> None:
        self._may_change()
        self._data["attachments"].remove(self._attachment(controller, port, device))

    def do_nonRotationalDevice(self, controller: str, port: int, device: int, on: bool) -> None:
        self._may_change()
        self._attachment(controller, port, device)["nonRotational"] = bool(on)

    def do_getMediumAttachment(self, controller: str, port: int, device: int) -> Plain:
        return _shown(self._attachment(controller, port, device))

    def do_getMediumAttachments(self) -> list[Plain]:
        return [_shown(each) for each in self._data["attachments"]]

    def _attachment(self, controller: str, port: int, device: int) -> dict[str, Any]:
        self.do_getStorageControllerByName(controller)
        for each in self._data["attachments"]:
            if (each["controller"], each["port"], each["device"]) == (controller, port, device):
                return each
        words = (
            f"No storage device attached to device slot {device} on port {port} of controller '{controller}'"
        )
        return refuse(NOT_FOUND, words)


def _shown(each: dict[str, Any]) -> Plain:
    return Plain("IMediumAttachment", each | {"medium": media.of(each["medium"]) if each["medium"] else None})
