"""What a new machine is made of, and its parts: screen, processor, network cards, serial ports."""

from __future__ import annotations

from typing import Any

from vboxapi_stub.faces import Face
from vboxapi_stub.store import BAD_ARGUMENT, constants, refuse


def fresh(number: str, name: str, groups: list[str], system: str, file: str) -> dict[str, Any]:
    """What a new machine of that type is: sound and a first card are on, as in the real one."""
    c = constants()
    nics = [
        {"slot": n, "enabled": n == 0, "attachmentType": c.NetworkAttachmentType_NAT if n == 0 else c.NetworkAttachmentType_Null,
         "adapterType": c.NetworkAdapterType_I82540EM, "MACAddress": f"0800270000{n:02X}", "cableConnected": True,
         "promiscModePolicy": c.NetworkAdapterPromiscModePolicy_Deny, "internalNetwork": "", "bridgedInterface": "",
         "hostOnlyInterface": "", "hostOnlyNetwork": "", "localhostReachable": False, "redirects": []}
        for n in range(8)
    ]  # fmt: skip
    ports = [
        {"slot": n, "enabled": False, "IOBase": 0, "IOAddress": 0, "IRQ": 0, "hostMode": c.PortMode_Disconnected, "server": False,
         "path": "", "uartType": c.UartType_U16550A}
        for n in range(4)
    ]  # fmt: skip
    board = {
        "chipsetType": c.ChipsetType_PIIX3, "RTCUseUTC": True, "HPETEnabled": False, "firmwareType": c.FirmwareType_BIOS,
        "ACPIEnabled": True, "IOAPICEnabled": True, "bootMenuMode": 2, "logoDisplayTime": 0, "architecture": 1, "properties": {},
    }  # fmt: skip
    screen = {
        "VRAMSize": 8, "graphicsControllerType": c.GraphicsControllerType_VMSVGA, "monitorCount": 1, "features": {},
        "accelerate3DEnabled": False, "accelerate2DVideoEnabled": False,
    }  # fmt: skip
    return {
        "id": number, "name": name, "groups": groups, "OSTypeId": system, "settingsFilePath": file, "description": "", "CPUCount": 1,
        "memorySize": 1024, "clipboardMode": c.ClipboardMode_Disabled, "dnDMode": c.DnDMode_Disabled,
        "paravirtProvider": c.ParavirtProvider_Default, "pointingHIDType": c.PointingHIDType_PS2Mouse,
        "keyboardHIDType": c.KeyboardHIDType_PS2Keyboard, "accessible": True, "board": board, "screen": screen, "nics": nics,
        "ports": ports, "VRDE": {"enabled": False}, "sound": {"enabled": True, "audioDriver": c.AudioDriverType_ALSA},
        "controllers": {}, "attachments": [], "usb": {}, "boot": {}, "extra": {}, "shared": [],
        "snapshots": [], "current": "", "run": {},
    }  # fmt: skip


class Screen(Face):
    interface = "IGraphicsAdapter"

    def do_setFeature(self, feature: int, on: bool) -> None:
        self._may_change()
        self._data["features"][str(feature)] = bool(on)

    def do_isFeatureEnabled(self, feature: int) -> bool:
        return bool(self._data["features"].get(str(feature)))


class Processor(Face):
    interface = "IPlatformX86"

    def do_setCPUProperty(self, which: int, on: bool) -> None:
        self._may_change()
        self._data["properties"][str(int(which))] = bool(on)

    def do_getCPUProperty(self, which: int) -> bool:
        return bool(self._data["properties"].get(str(which)))


class Platform(Face):
    interface = "IPlatform"

    def see_x86(self) -> Processor:
        return Processor(self._data, mutable=self._mutable)


class Nat(Face):
    interface = "INATEngine"

    def do_getRedirects(self) -> list[str]:
        return list(self._data["redirects"])

    def do_addRedirect(self, name: str, protocol: int, host: str, port: int, guest: str, inner: int) -> None:
        self._may_change()
        if any(each.startswith(f"{name},") for each in self._data["redirects"]):
            refuse(BAD_ARGUMENT, "A NAT rule of this name already exists")
        self._data["redirects"].append(f"{name},{protocol},{host},{int(port)},{guest},{int(inner)}")

    def do_removeRedirect(self, name: str) -> None:
        self._may_change()
        left = [each for each in self._data["redirects"] if not each.startswith(f"{name},")]
        if len(left) == len(self._data["redirects"]):
            refuse(BAD_ARGUMENT, "Invalid argument value (NS_ERROR_INVALID_ARG)")
        self._data["redirects"] = left


class Nic(Face):
    interface = "INetworkAdapter"

    def see_NATEngine(self) -> Nat:
        return Nat(self._data, mutable=self._mutable)


class Port(Face):
    interface = "ISerialPort"

    def put_hostMode(self, mode: int) -> None:
        if mode == constants().PortMode_HostPipe and not self._data["path"]:
            words = f"Cannot set the host pipe mode of the serial port {self.slot} because the pipe path is empty or null"
            refuse(BAD_ARGUMENT, words)
