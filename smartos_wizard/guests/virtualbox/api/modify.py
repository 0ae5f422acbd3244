"""`modifyvm` through the interface: each option and what it sets, in the order given, as VBoxManage does it.

Facts: VirtualBox, Frontends/VBoxManage/VBoxManageModifyVM.cpp.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from smartos_wizard.guests.virtualbox.api.generations import Api, Failed

Change = Callable[[Api, Any, int, list[str]], None]
_OPTION = re.compile(r"(--[a-z-]+?(?:3d)?)(\d*)\Z")


def modifyvm(api: Api, words: list[str]) -> str:
    """Change a machine's settings: all of them, or none."""
    who, rest = words[0], words[1:]
    with api.changing(who) as machine:
        for name, number, values in options(rest):
            change = CHANGES.get(name)
            if change is None:
                raise Failed(f"Unknown option: {name}", 0x80070057)
            change(api, machine, number, values)
    return ""


def options(words: list[str]) -> Iterator[tuple[str, int, list[str]]]:
    """(option, its number or 0, its values). `--uart`, `--uartmode` and `--natpf delete` take two values."""
    rest = list(words)
    while rest:
        match = _OPTION.match(rest.pop(0))
        if match is None or not rest:
            raise Failed("Invalid parameter", 0x80070057)
        values = [rest.pop(0)]
        two = {
            "--uart": values[0] != "off",
            "--uartmode": values[0] == "server",
            "--natpf": values[0] == "delete",
        }
        if two.get(match[1]) and rest:
            values.append(rest.pop(0))
        yield match[1], int(match[2] or 0), values


def _value(kind: str, names: dict[str, str], put: Callable[[Api, Any, int], None]) -> Change:
    """An option whose words stand for constants."""

    def change(api: Api, machine: Any, _number: int, values: list[str]) -> None:
        name = names.get(values[0].lower())
        if name is None:
            raise Failed(f"Invalid argument '{values[0]}'", 0x80070057)
        put(api, machine, api.const(kind, name))

    return change


def _attribute(
    name: str, of: Callable[[Api, Any], Any] = lambda _api, machine: machine
) -> Callable[[Api, Any, Any], None]:
    return lambda api, machine, value: setattr(of(api, machine), name, value)


def _switch(put: Callable[[Api, Any, bool], None]) -> Change:
    return lambda api, machine, _number, values: put(api, machine, values[0] == "on")


def _number(name: str, of: Callable[[Api, Any], Any] = lambda _api, machine: machine) -> Change:
    return lambda api, machine, _number, values: setattr(of(api, machine), name, int(values[0]))


def _nic(put: Callable[[Api, Any, list[str]], None]) -> Change:
    return lambda api, machine, number, values: put(api, machine.getNetworkAdapter(number - 1), values)


def _port(put: Callable[[Api, Any, list[str]], None]) -> Change:
    return lambda api, machine, number, values: put(api, machine.getSerialPort(number - 1), values)


def _usb(kind: str) -> Callable[[Api, Any, bool], None]:
    def put(api: Api, machine: Any, on: bool) -> None:
        wanted = api.const("USBControllerType", kind)
        if on and not machine.getUSBControllerCountByType(wanted):
            machine.addUSBController(kind, wanted)
        if not on:
            for each in api.array(machine, "USBControllers"):
                if each.type == wanted:
                    machine.removeUSBController(each.name)

    return put


_WIRES = {
    "null": "Null", "nat": "NAT", "bridged": "Bridged", "intnet": "Internal", "hostonly": "HostOnly",
    "hostonlynet": "HostOnlyNetwork",
}  # fmt: skip


def _wire(api: Api, nic: Any, values: list[str]) -> None:
    nic.enabled = values[0] != "none"
    if values[0] != "none":
        nic.attachmentType = api.const("NetworkAttachmentType", _WIRES[values[0]])


def _forward(api: Api, nic: Any, values: list[str]) -> None:
    if values[0] == "delete":
        nic.NATEngine.removeRedirect(values[1])
        return
    name, protocol, host, port, guest, inner = values[0].split(",")
    kind = api.const("NATProtocol", protocol.upper())
    nic.NATEngine.addRedirect(name, kind, host, int(port or 0), guest, int(inner))


def _cards(api: Api, nic: Any, values: list[str]) -> None:
    names = {"82540em": "I82540EM", "82543gc": "I82543GC", "82545em": "I82545EM", "virtio": "Virtio"}
    nic.adapterType = api.const("NetworkAdapterType", names.get(values[0].lower(), values[0]))


def _uart(api: Api, port: Any, values: list[str]) -> None:
    if values[0] != "off":
        api.set_base(port, int(values[0], 16))
        port.IRQ = int(values[1])
    port.enabled = values[0] != "off"


def _uart_mode(api: Api, port: Any, values: list[str]) -> None:
    if values[0] == "server":  # the path first: without one the mode is refused
        port.path = values[1]
        port.hostMode = api.const("PortMode", "HostPipe")
        port.server = True
    else:
        port.hostMode = api.const("PortMode", "Disconnected")


def _boot(api: Api, machine: Any, number: int, values: list[str]) -> None:
    names = {"none": "Null", "floppy": "Floppy", "dvd": "DVD", "disk": "HardDisk", "net": "Network"}
    machine.setBootOrder(number, api.const("DeviceType", names[values[0]]))


_SHARED = {"disabled": "Disabled", "hosttoguest": "HostToGuest", "guesttohost": "GuestToHost", "bidirectional": "Bidirectional"}  # fmt: skip
_EARS = {"deny": "Deny", "allow-vms": "AllowNetwork", "allow-all": "AllowAll"}
_BOOT_MENU = {"disabled": "Disabled", "menuonly": "MenuOnly", "messageandmenu": "MessageAndMenu"}
_SCREENS = {"none": "Null", "vboxvga": "VBoxVGA", "vmsvga": "VMSVGA", "vboxsvga": "VBoxSVGA"}
_HELPERS = {
    "none": "None",
    "default": "Default",
    "legacy": "Legacy",
    "minimal": "Minimal",
    "hyperv": "HyperV",
    "kvm": "KVM",
}
_FIRMWARE = {"bios": "BIOS", "efi": "EFI", "efi32": "EFI32", "efi64": "EFI64"}
_MICE = {"ps2": "PS2Mouse", "usb": "USBMouse", "usbtablet": "USBTablet"}

CHANGES: dict[str, Change] = {
    "--description": lambda _api, machine, _number, values: setattr(machine, "description", values[0]),
    "--memory": _number("memorySize"),
    "--cpus": _number("CPUCount"),
    "--pae": _switch(lambda api, machine, on: api.processor(machine, "PAE", on=on)),
    "--nested-hw-virt": _switch(lambda api, machine, on: api.processor(machine, "HWVirt", on=on)),
    "--ioapic": _switch(_attribute("IOAPICEnabled", Api.firmware)),
    "--acpi": _switch(_attribute("ACPIEnabled", Api.firmware)),
    "--rtcuseutc": _switch(_attribute("RTCUseUTC", Api.board)),
    "--hpet": _switch(_attribute("HPETEnabled", Api.pc)),
    "--firmware": _value("FirmwareType", _FIRMWARE, Api.set_firmware),
    "--chipset": _value(
        "ChipsetType", {"piix3": "PIIX3", "ich9": "ICH9"}, _attribute("chipsetType", Api.board)
    ),
    "--paravirtprovider": _value("ParavirtProvider", _HELPERS, _attribute("paravirtProvider")),
    "--graphicscontroller": _value(
        "GraphicsControllerType",
        _SCREENS,
        _attribute("graphicsControllerType", lambda _api, m: m.graphicsAdapter),
    ),
    "--vram": _number("VRAMSize", lambda _api, machine: machine.graphicsAdapter),
    "--accelerate3d": _switch(lambda api, machine, on: api.set_3d(machine, on=on)),
    "--mouse": _value("PointingHIDType", _MICE, _attribute("pointingHIDType")),
    "--keyboard": _value(
        "KeyboardHIDType", {"ps2": "PS2Keyboard", "usb": "USBKeyboard"}, _attribute("keyboardHIDType")
    ),
    "--biosbootmenu": lambda api, machine, _number, values: api.boot_menu(machine, _BOOT_MENU[values[0]]),
    "--boot": _boot,
    "--clipboard-mode": _value("ClipboardMode", _SHARED, _attribute("clipboardMode")),
    "--draganddrop": _value("DnDMode", _SHARED, _attribute("dnDMode")),
    "--vrde": _switch(_attribute("enabled", lambda _api, machine: machine.VRDEServer)),
    "--usbohci": _switch(_usb("OHCI")),
    "--usbehci": _switch(_usb("EHCI")),
    "--usbxhci": _switch(_usb("XHCI")),
    "--audio": lambda api, machine, _number, values: setattr(
        api.sound(machine), "enabled", values[0] != "none"
    ),
    "--audio-enabled": _switch(_attribute("enabled", Api.sound)),
    "--nic": _nic(_wire),
    "--nictype": _nic(_cards),
    "--macaddress": _nic(lambda _api, nic, values: setattr(nic, "MACAddress", values[0])),
    "--cableconnected": _nic(lambda _api, nic, values: setattr(nic, "cableConnected", values[0] == "on")),
    "--nicpromisc": _nic(
        lambda api, nic, values: setattr(
            nic, "promiscModePolicy", api.const("NetworkAdapterPromiscModePolicy", _EARS[values[0]])
        )
    ),
    "--intnet": _nic(lambda _api, nic, values: setattr(nic, "internalNetwork", values[0])),
    "--bridgeadapter": _nic(lambda _api, nic, values: setattr(nic, "bridgedInterface", values[0])),
    "--hostonlyadapter": _nic(lambda _api, nic, values: setattr(nic, "hostOnlyInterface", values[0])),
    "--host-only-net": _nic(lambda _api, nic, values: setattr(nic, "hostOnlyNetwork", values[0])),
    "--natpf": _nic(_forward),
    "--nat-localhostreachable": _nic(
        lambda _api, nic, values: setattr(nic.NATEngine, "localhostReachable", values[0] == "on")
    ),
    "--uart": _port(_uart),
    "--uarttype": _port(
        lambda api, port, values: setattr(port, "uartType", api.const("UartType", f"U{values[0]}"))
    ),
    "--uartmode": _port(_uart_mode),
}
