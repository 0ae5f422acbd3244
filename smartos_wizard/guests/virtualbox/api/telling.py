"""What a machine is, in the lines of `showvminfo --machinereadable`; and VirtualBox's lists.

Only the lines that this program reads. Facts: VirtualBox, Frontends/VBoxManage/VBoxManageInfo.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smartos_wizard.guests.virtualbox.api.generations import Api

_STATES = {"PoweredOff": "poweroff", "AbortedSaved": "aborted-saved", "Stuck": "gurumeditation"}
_WIRES = {
    "Null": "null", "NAT": "nat", "Bridged": "bridged", "Internal": "intnet", "HostOnly": "hostonly", "Generic": "generic",
    "NATNetwork": "natnetwork", "HostOnlyNetwork": "hostonlynetwork", "Cloud": "cloud",
}  # fmt: skip
_NAMES = {"hostonlynetwork": "hostonlynet"}
_SOUND = {"Default": "default", "Null": "null"}
_CARDS = 8


def showvminfo(api: Api, words: list[str]) -> str:
    """The machine of that UUID."""
    machine = api.machine(words[0])
    if not machine.accessible:
        return f'name="<inaccessible>"\nUUID="{machine.id}"\n'
    lines = [
        *_head(api, machine), *_storage(api, machine), *_network(api, machine), *_switches(api, machine),
        *(f'SharedFolderNameMachineMapping{n}="{each.name}"' for n, each in enumerate(api.array(machine, "sharedFolders"), 1)),
        *snapshot_lines(api, machine),
    ]  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def quoted(value: object) -> str:
    """A value as VBoxManage prints it."""
    return '"' + str(value or "").replace("\\", "\\\\").replace('"', '\\"') + '"'


def _head(api: Api, machine: Any) -> Iterator[str]:
    yield f"name={quoted(machine.name)}"
    yield f'UUID="{machine.id}"'
    yield f"CfgFile={quoted(machine.settingsFilePath)}"
    yield f"LogFldr={quoted(machine.logFolder)}"
    yield f"memory={machine.memorySize}"
    yield f"cpus={machine.CPUCount}"
    name = api.name_of("MachineState", machine.state)
    yield f'VMState="{_STATES.get(name, name.lower())}"'
    if machine.sessionState != api.const("SessionState", "Unlocked"):
        yield f"SessionName={quoted(machine.sessionName)}"


def _storage(api: Api, machine: Any) -> Iterator[str]:
    for each in api.array(machine, "mediumAttachments"):
        where = f"{each.controller}-{each.port}-{each.device}"
        yield f'"{where}"={quoted(each.medium.location) if each.medium is not None else quoted("emptydrive")}'


def _network(api: Api, machine: Any) -> Iterator[str]:
    for number in range(1, _CARDS + 1):
        nic = machine.getNetworkAdapter(number - 1)
        if not nic.enabled:
            yield f'nic{number}="none"'
            continue
        kind = _WIRES.get(api.name_of("NetworkAttachmentType", nic.attachmentType), "unknown")
        yield f'macaddress{number}="{nic.MACAddress}"'
        yield f'nic{number}="{_NAMES.get(kind, kind)}"'
        if kind == "bridged":
            yield f"bridgeadapter{number}={quoted(nic.bridgedInterface)}"
        elif kind == "hostonly":
            yield f"hostonlyadapter{number}={quoted(nic.hostOnlyInterface)}"
        elif kind == "hostonlynetwork":
            yield f"hostonly-network{number}={quoted(nic.hostOnlyNetwork)}"
        elif kind == "nat":
            yield from _nat(api, nic)


def _nat(api: Api, nic: Any) -> Iterator[str]:
    if api.line >= (7, 0):
        yield f'localhostReachable="{int(bool(nic.NATEngine.localhostReachable))}"'
    tcp = str(api.const("NATProtocol", "TCP"))
    for n, rule in enumerate(api.array(nic.NATEngine, "redirects")):
        name, protocol, rest = rule.split(",", 2)
        yield f'Forwarding({n})="{name},{"tcp" if protocol == tcp else "udp"},{rest}"'


def _switches(api: Api, machine: Any) -> Iterator[str]:
    yield f'accelerate3d="{_on(api.has_3d(machine))}"'
    sound = api.sound(machine)
    driver = api.name_of("AudioDriverType", sound.audioDriver)
    yield f'audio="{_SOUND.get(driver, driver.lower()) if sound.enabled else "none"}"'
    yield f'clipboard="{api.name_of("ClipboardMode", machine.clipboardMode).lower()}"'
    yield f'draganddrop="{api.name_of("DnDMode", machine.dnDMode).lower()}"'
    yield f'vrde="{_on(machine.VRDEServer.enabled)}"'
    for key, kind in (("usb", "OHCI"), ("ehci", "EHCI"), ("xhci", "XHCI")):
        yield f'{key}="{_on(machine.getUSBControllerCountByType(api.const("USBControllerType", kind)))}"'


def snapshot_lines(api: Api, machine: Any) -> list[str]:
    """Name and UUID of every snapshot, parents before children."""
    return list(_snapshots(api, machine.findSnapshot(""), "")) if machine.snapshotCount else []


def _snapshots(api: Api, one: Any, tail: str) -> Iterator[str]:
    yield f'SnapshotName{tail}="{one.name}"'
    yield f'SnapshotUUID{tail}="{one.id}"'
    for n, child in enumerate(api.array(one, "children"), 1):
        yield from _snapshots(api, child, f"{tail}-{n}")


def listing(api: Api, words: list[str]) -> str:
    """`vms`, `hdds`, `bridgedifs`, `hostonlyifs` or `hostonlynets`."""
    what = words[0]
    if what == "vms":
        found = api.array(api.vbox, "machines")
        return "".join(f'"{m.name if m.accessible else "<inaccessible>"}" {{{m.id}}}\n' for m in found)
    if what == "hdds":
        disks = api.array(api.vbox, "hardDisks")
        return "\n".join(f"UUID:           {disk.id}\nLocation:       {disk.location}\n" for disk in disks)
    if what in ("bridgedifs", "hostonlyifs"):
        kind = api.const("HostNetworkInterfaceType", "Bridged" if what == "bridgedifs" else "HostOnly")
        cards = api.array(api.vbox.host, "networkInterfaces")
        return "\n".join(f"Name:            {card.name}\n" for card in cards if card.interfaceType == kind)
    if what == "hostonlynets" and api.line >= (7, 0):
        nets = api.array(api.vbox, "hostOnlyNetworks")
        return "\n".join(f"Name:            {net.networkName}\n" for net in nets)
    return ""


def _on(value: object) -> str:
    return "on" if value else "off"
