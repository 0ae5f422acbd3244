"""A guest as a UTM bundle: `config.plist` and the disks. Keys: UTM 4, Configuration/UTMQemuConfiguration*.swift.

Settings as smartos-docs names them for UTM: no UEFI, no RNG device, no USB, the CD on IDE, e1000, several cores.
"""

from __future__ import annotations

import plistlib
import uuid
from collections.abc import Sequence
from typing import Any

from smartos_wizard.guests.export.words import plain_xml
from smartos_wizard.guests.model import BootKind, GuestSpec, NicSpec, Sandbox

VERSION = 4
DEFAULT_PORT = 2222
"""On 127.0.0.1, where the guest has no fixed port for ssh: UTM cannot choose one."""


def config_of(spec: GuestSpec, key: str, disks: Sequence[str], notes: Sequence[str] = ()) -> bytes:
    """The `config.plist`. `key` and `disks` are names of files in `Data`; `key` is empty for a guest with an ISO."""
    config: dict[str, Any] = {
        "Backend": "QEMU",
        "ConfigurationVersion": VERSION,
        "Information": {
            "Name": plain_xml(spec.name), "IconCustom": False, "UUID": spec.uuid.upper(),
            "Notes": plain_xml("\n".join(("Made by SmartOS Wizard.", *notes))),
        },
        "System": {
            "Architecture": "x86_64", "Target": "q35", "CPU": "Haswell", "CPUFlagsAdd": [], "CPUFlagsRemove": [],
            "CPUCount": spec.cpus, "ForceMulticore": True, "MemorySize": spec.memory, "JITCacheSize": 0,
        },
        "QEMU": {
            "DebugLog": False, "UEFIBoot": False, "RNGDevice": False, "BalloonDevice": False, "TPMDevice": False,
            "Hypervisor": True, "TSO": False, "RTCLocalTime": False, "PS2Controller": True, "AdditionalArguments": [],
        },
        "Input": {"UsbBusSupport": "Disabled", "UsbSharing": False, "MaximumUsbShare": 0},
        "Sharing": {"DirectoryShareMode": "None", "DirectoryShareReadOnly": True, "ClipboardSharing": False},
        "Display": [{
            "Hardware": "VGA", "DynamicResolution": False, "NativeResolution": False, "UpscalingFilter": "Nearest",
            "DownscalingFilter": "Linear",
        }],
        "Drive": [_medium(spec, key), *(_drive(spec, name, "Disk", "VirtIO") for name in disks)],
        "Network": [_card(spec, nic, number) for number, nic in enumerate(spec.nics)],
        "Serial": [{"Mode": "Ptty", "Target": "Auto"}],
        "Sound": [],
    }  # fmt: skip
    return plistlib.dumps(config)


def _medium(spec: GuestSpec, key: str) -> dict[str, Any]:
    if spec.boot.kind is BootKind.ISO:
        return _drive(spec, "", "CD", "IDE")
    return _drive(spec, key, "Disk", "IDE")


def _drive(spec: GuestSpec, name: str, kind: str, interface: str) -> dict[str, Any]:
    """A drive. Without a file it is one that asks for a file; its identity stays the same in every export."""
    identity = uuid.uuid5(uuid.UUID(spec.uuid), f"{kind} {name}")
    drive = {
        "ImageType": kind, "Interface": interface, "InterfaceVersion": 1,
        "Identifier": str(identity).upper(), "ReadOnly": kind == "CD",
    }  # fmt: skip
    return {**drive, "ImageName": name} if name else drive


def _card(spec: GuestSpec, nic: NicSpec, number: int) -> dict[str, Any]:
    card: dict[str, Any] = {
        "Mode": "Emulated", "Hardware": "e1000", "MacAddress": nic.mac.upper(), "IsolateFromHost": False,
        "PortForward": [],
    }  # fmt: skip
    if nic.network != "uplink":
        return card | {"IsolateFromHost": True}
    if spec.sandbox is Sandbox.LAN:
        return card | {"Mode": "Bridged"}
    if number == 0:
        card["PortForward"] = [{
            "Protocol": "TCP", "HostAddress": "127.0.0.1", "HostPort": spec.ssh_port or DEFAULT_PORT, "GuestPort": 22,
        }]  # fmt: skip
    return card | {"IsolateFromHost": spec.sandbox is Sandbox.SEALED}
