"""What stands in the .vmx file of a guest: written once when it is made, read back to see what it says.

Keys: VMware's own files of Workstation 16 and later; smartos-live, tools/SmartOS.vmwarevm (lsilogic, e1000, BIOS);
libvirt, src/vmx/vmx.c. The sandbox names every switch: copy, paste and dragging are on where nothing is said.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Sequence
from pathlib import Path

from smartos_wizard.guests.model import BootKind, Guest, NicSpec, Sandbox
from smartos_wizard.guests.vmware.vmx import Vmx

VMX, KEY_DISK, PIPE = "smartos.vmx", "key.vmdk", "com1"
OWNER = "Managed by SmartOS Wizard"
HARDWARE = 19
"""Virtual hardware that Workstation 16, Fusion 12 and all later ones know."""
VNET = re.compile(r"vmnet\d{1,3}\Z")
_FOREIGN = re.compile(
    r"(scsi|ide|sata|nvme|ethernet|serial|parallel|floppy|sound|usb|ehci|usb_xhci|vmci)\d*[:.]", re.IGNORECASE
)
_SOCKET = re.compile(r"((?:scsi|sata|nvme|ide)\d+:\d+)\.filename\Z", re.IGNORECASE)
_UNITS = (0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15)
"""Places on a SCSI controller; 7 is the controller itself."""
_TRUE, _FALSE = "TRUE", "FALSE"

SEALING: dict[str, str] = {
    "vmci0.present": _FALSE,
    "floppy0.present": _FALSE,
    "sound.present": _FALSE,
    "usb.present": _FALSE,
    "ehci.present": _FALSE,
    "usb_xhci.present": _FALSE,
    "isolation.tools.copy.disable": _TRUE,
    "isolation.tools.paste.disable": _TRUE,
    "isolation.tools.dnd.disable": _TRUE,
    "isolation.tools.hgfs.disable": _TRUE,
    "isolation.tools.diskShrink.disable": _TRUE,
    "isolation.tools.diskWiper.disable": _TRUE,
    "isolation.tools.setGUIOptions.enable": _FALSE,
    "isolation.device.connectable.disable": _TRUE,
    "isolation.device.edit.disable": _TRUE,
    "sharedFolder.maxNum": "0",
    "RemoteDisplay.vnc.enabled": _FALSE,
    "tools.syncTime": _FALSE,
    "time.synchronize.continue": _FALSE,
    "time.synchronize.restore": _FALSE,
    "time.synchronize.resume.disk": _FALSE,
    "time.synchronize.shrink": _FALSE,
    "time.synchronize.tools.startup": _FALSE,
    "tools.guestlib.enableHostInfo": _FALSE,
    "mks.enable3d": _FALSE,
}
"""The same for every sandbox: nothing between guest and machine but network and serial console."""


def values_of(guest: Guest) -> dict[str, str]:
    """All keys of the guest with their values. BIOS is what VMware starts where `firmware` is not said."""
    spec = guest.spec
    iso = spec.boot.kind is BootKind.ISO
    found = {
        ".encoding": "UTF-8",
        "config.version": "8",
        "virtualHW.version": str(HARDWARE),
        "virtualHW.productCompatibility": "hosted",
        "displayName": spec.name,
        "annotation": OWNER,
        "guestOS": "solaris11-64",
        "numvcpus": str(spec.cpus),
        "cpuid.coresPerSocket": "1",
        "memsize": str(spec.memory),
        "vhv.enable": _TRUE if spec.nested else _FALSE,
        "uuid.bios": bios_uuid(spec.uuid),
        "uuid.action": "keep",
        "bios.bootOrder": "cdrom,hdd" if iso else "hdd",
        "pciBridge0.present": _TRUE,
        "pciBridge4.present": _TRUE,
        "pciBridge4.virtualDev": "pcieRootPort",
        "pciBridge4.functions": "8",
        "hpet0.present": _TRUE,
        "rtc.diffFromUTC": "0",
        "msg.autoAnswer": _TRUE,
    }
    found |= _medium(guest) | _disks(guest)
    for number, nic in enumerate(spec.nics):
        found |= _card(number, nic, spec.sandbox)
    return found | _serial(guest) | SEALING


def places(count: int) -> tuple[str, ...]:
    """Where the first `count` data disks are attached: scsi0:0, scsi0:1 … ."""
    return tuple(f"scsi{n // len(_UNITS)}:{_UNITS[n % len(_UNITS)]}" for n in range(count))


def corrected(text: str, guest: Guest) -> str:
    """A .vmx file of somebody else, made one for this guest: its devices go, ours come, what we do not know stays."""
    vmx = Vmx(text)
    vmx.remove(
        *(key for key in vmx.names() if _FOREIGN.match(key) or key.lower() in ("nvram", "extendedconfigfile"))
    )
    vmx.update(values_of(guest))
    return vmx.text


def bios_uuid(text: str) -> str:
    """A UUID as VMware writes it: pairs with blanks, a dash in the middle."""
    pairs = uuid.UUID(text).bytes.hex(" ")
    return f"{pairs[:23]}-{pairs[24:]}"


def segment_id(name: str) -> str:
    """The number of a LAN segment, a network between guests only: the same for the same name."""
    digest = b"\x52" + hashlib.sha256(f"smartos-wizard {name}".encode()).digest()[:15]
    pairs = digest.hex(" ")
    return f"{pairs[:23]}-{pairs[24:]}"


def attached(vmx: Vmx) -> tuple[tuple[str, str], ...]:
    """(place, file) of every hard disk, in the order of controllers and units, as the file names them."""
    found = {}
    for key, value in vmx.items():
        match = _SOCKET.match(key)
        if match is None or not value:
            continue
        place = match[1].lower()
        kind = vmx.get(f"{place}.deviceType").lower()
        if vmx.true(f"{place}.present") and "cdrom" not in kind and not value.lower().endswith(".iso"):
            found[place] = value
    return tuple(sorted(found.items(), key=lambda each: _order(each[0])))


def macs(vmx: Vmx) -> tuple[str, ...]:
    """Addresses of the cards that are there, in their order; empty words where VMware has not chosen one yet."""
    return tuple(
        (vmx.get(f"{card}.address") or vmx.get(f"{card}.generatedAddress")).lower() for card in _cards(vmx)
    )


def networks(vmx: Vmx) -> tuple[tuple[str, str], ...]:
    """(address, network of VMware such as vmnet8) of every card in a network that VMware itself gives addresses in."""
    found = []
    for card, mac in zip(_cards(vmx), macs(vmx), strict=True):
        kind = vmx.get(f"{card}.connectionType").lower()
        named = {"nat": "vmnet8", "hostonly": "vmnet1", "custom": vmx.get(f"{card}.vnet").lower()}.get(
            kind, ""
        )
        if VNET.match(named):
            found.append((mac, named))
    return tuple(found)


def number(vmx: Vmx, key: str) -> int | None:
    """A whole number, None where there is none."""
    value = vmx.get(key)
    return int(value) if value.isascii() and value.isdigit() else None


def switches_of(vmx: Vmx) -> dict[str, str | None]:
    """The switches of the sandbox as this file sets them; what VMware does where it is silent counts."""
    usb = any(vmx.true(f"{each}.present") for each in ("usb", "ehci", "usb_xhci"))
    closed = all(vmx.true(f"isolation.tools.{each}.disable") for each in ("copy", "paste"))
    shared = not vmx.true("isolation.tools.hgfs.disable") or vmx.get("sharedFolder.maxNum", "0") != "0"
    networks = {_network(vmx, card) for card in _cards(vmx)} - {"off"}
    return {
        "clipboard": _off(not closed),
        "drag-and-drop": _off(not vmx.true("isolation.tools.dnd.disable")),
        "shared-folders": _off(shared),
        "usb": _off(usb),
        "audio": _off(vmx.true("sound.present")),
        "remote-display": _off(vmx.true("RemoteDisplay.vnc.enabled")),
        "time-sync": _off(vmx.true("tools.syncTime")),
        "3d": _off(vmx.true("mks.enable3d")),
        "vmci": _off(vmx.true("vmci0.present", absent=True)),
        "uplink": ", ".join(sorted(networks)) or "off",
        "ssh": "the guest's address",
        "host-loopback": "off",
    }


def _medium(guest: Guest) -> dict[str, str]:
    if guest.spec.boot.kind is BootKind.ISO:
        return {
            "ide1:0.present": _TRUE,
            "ide1:0.deviceType": "cdrom-image",
            "ide1:0.fileName": str(Path(guest.spec.boot.source).absolute()),
            "ide1:0.startConnected": _TRUE,
        }
    return {
        "ide0:0.present": _TRUE,
        "ide0:0.deviceType": "ata-hardDisk",
        "ide0:0.fileName": KEY_DISK,
        "ide0:0.mode": "independent-nonpersistent",  # what the guest writes on its key is gone when it is off
        "bios.hddOrder": "ide0:0",
    }


def _disks(guest: Guest) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, disk in zip(places(len(guest.spec.disks)), guest.spec.disks, strict=True):
        controller = place.partition(":")[0]
        found |= {f"{controller}.present": _TRUE, f"{controller}.virtualDev": "lsilogic"}
        found |= {
            f"{place}.present": _TRUE,
            f"{place}.deviceType": "scsi-hardDisk",
            f"{place}.fileName": guest.disk(disk, "vmdk").name,
            # On a host with an SSD the guest is told of one, and setup chooses another layout for 5 and 6 of those.
            f"{place}.virtualSSD": "0",
        }
    return found


def _card(at: int, nic: NicSpec, sandbox: Sandbox) -> dict[str, str]:
    card = f"ethernet{at}"
    return {
        f"{card}.present": _TRUE,
        f"{card}.virtualDev": "e1000",
        **{f"{card}.{key}": value for key, value in _connection(nic, sandbox).items()},
        f"{card}.addressType": "static",
        f"{card}.address": nic.mac,
        f"{card}.wakeOnPcktRcv": _FALSE,
        f"{card}.noPromisc": _FALSE,  # zones have addresses of their own
    }


def _connection(nic: NicSpec, sandbox: Sandbox) -> dict[str, str]:
    if nic.network != "uplink":
        return {"connectionType": "pvn", "pvnID": segment_id(nic.network)}
    if sandbox is Sandbox.SEALED:
        return {"connectionType": "hostonly"}
    if sandbox is Sandbox.LAB:
        return {"connectionType": "nat"}
    if VNET.match(nic.bridge):
        return {"connectionType": "custom", "vnet": nic.bridge}
    return {"connectionType": "bridged"}


def _serial(guest: Guest) -> dict[str, str]:
    port = {"ttyb": "serial1", "ttyc": "serial2", "ttyd": "serial3"}.get(guest.spec.console, "serial0")
    return {
        f"{port}.present": _TRUE,
        f"{port}.fileType": "pipe",
        f"{port}.fileName": str(guest.sockets / PIPE),
        f"{port}.pipe.endPoint": "server",
        f"{port}.tryNoRxLoss": _FALSE,
        f"{port}.yieldOnMsrRead": _TRUE,
        f"{port}.startConnected": _TRUE,
    }


def _cards(vmx: Vmx) -> Sequence[str]:
    names = {
        match[1].lower() for key in vmx.names() if (match := re.match(r"(ethernet\d+)\.", key, re.IGNORECASE))
    }
    return sorted((name for name in names if vmx.true(f"{name}.present")), key=lambda name: int(name[8:]))


def _network(vmx: Vmx, card: str) -> str:
    match vmx.get(f"{card}.connectionType", "bridged").lower():
        case "hostonly" | "pvn" | "none":
            return "off"
        case "nat":
            return "nat"
        case "custom":
            return {"vmnet1": "off", "vmnet8": "nat"}.get(
                vmx.get(f"{card}.vnet").lower(), f"bridged {vmx.get(f'{card}.vnet')}".strip()
            )
        case _:
            return "bridged"


def _order(place: str) -> tuple[bool, str, int, int]:
    match = re.fullmatch(r"([a-z]+)(\d+):(\d+)", place)
    return (
        (False, place, 0, 0) if match is None else (match[1] == "ide", match[1], int(match[2]), int(match[3]))
    )


def _off(on: bool) -> str:
    return "on" if on else "off"
