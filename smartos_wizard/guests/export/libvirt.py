"""A guest as the XML of a libvirt domain, over the disks it has. Format: libvirt, docs/formatdomain.rst."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from smartos_wizard.guests.export.words import plain_xml
from smartos_wizard.guests.model import BootKind, Guest, NicSpec, Sandbox

MARK = "https://smartos.org/wizard/guest/1"
"""The name of our metadata in a domain; it names and is no page."""


def domain_of(guest: Guest, disks: Sequence[tuple[Path, str]]) -> bytes:
    """The XML, with our mark. `disks` are the data disks, each with its format as libvirt calls it."""
    spec = guest.spec
    ET.register_namespace("smartos-wizard", MARK)
    root = ET.Element("domain", {"type": "kvm"})
    _text(root, "name", plain_xml(spec.name).replace("/", "-"))
    _text(root, "uuid", spec.uuid)
    mark = ET.SubElement(ET.SubElement(root, "metadata"), f"{{{MARK}}}guest")
    mark.attrib.update(
        {"uuid": spec.uuid, "sandbox": spec.sandbox.value, "folder": plain_xml(str(guest.folder))}
    )
    _text(root, "memory", str(spec.memory), {"unit": "MiB"})
    _text(root, "vcpu", str(spec.cpus))
    _text(ET.SubElement(root, "os"), "type", "hvm", {"arch": "x86_64", "machine": "q35"})
    features = ET.SubElement(root, "features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    _cpu(root, nested=spec.nested)
    ET.SubElement(root, "clock", {"offset": "utc"})
    _text(root, "on_poweroff", "destroy")
    _text(root, "on_reboot", "restart")
    _text(root, "on_crash", "destroy")
    devices = ET.SubElement(root, "devices")
    _medium(devices, guest)
    for number, (path, form) in enumerate(disks):
        _disk(devices, number, path, form, spec.disks[number].name)
    ET.SubElement(devices, "controller", {"type": "usb", "model": "qemu-xhci"})
    for nic in spec.nics:
        _card(devices, guest, nic)
    _console(devices, guest)
    video = ET.SubElement(devices, "video")
    ET.SubElement(video, "model", {"type": "vga"})
    ET.SubElement(devices, "memballoon", {"model": "none"})
    ET.indent(root, "  ")
    data: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return data + b"\n"


def _cpu(root: ET.Element, *, nested: bool) -> None:
    cpu = ET.SubElement(root, "cpu", {"mode": "host-passthrough"})
    if not nested:
        for name in ("vmx", "svm"):
            ET.SubElement(cpu, "feature", {"policy": "disable", "name": name})


def _medium(devices: ET.Element, guest: Guest) -> None:
    if guest.spec.boot.kind is BootKind.ISO:
        disk = ET.SubElement(devices, "disk", {"type": "file", "device": "cdrom"})
        ET.SubElement(disk, "driver", {"name": "qemu", "type": "raw"})
        ET.SubElement(disk, "source", {"file": guest.spec.boot.source})
        ET.SubElement(disk, "target", {"dev": "sda", "bus": "sata"})
        ET.SubElement(disk, "readonly")
    else:
        disk = ET.SubElement(devices, "disk", {"type": "file", "device": "disk"})
        ET.SubElement(disk, "driver", {"name": "qemu", "type": "raw"})
        ET.SubElement(disk, "source", {"file": str(guest.key)})
        ET.SubElement(disk, "target", {"dev": "sda", "bus": "usb", "removable": "on"})
        ET.SubElement(disk, "transient")  # what is written to the key goes when the guest stops
    ET.SubElement(disk, "boot", {"order": "1"})


def _disk(devices: ET.Element, number: int, path: Path, form: str, serial: str) -> None:
    disk = ET.SubElement(devices, "disk", {"type": "file", "device": "disk"})
    ET.SubElement(disk, "driver", {"name": "qemu", "type": form, "discard": "unmap"})
    ET.SubElement(disk, "source", {"file": str(path)})
    ET.SubElement(disk, "target", {"dev": f"vd{chr(ord('a') + number)}", "bus": "virtio"})
    _text(disk, "serial", serial[:20])
    ET.SubElement(disk, "boot", {"order": str(number + 2)})


def _card(devices: ET.Element, guest: Guest, nic: NicSpec) -> None:
    sandbox = guest.spec.sandbox
    if nic.network != "uplink":
        card = ET.SubElement(devices, "interface", {"type": "network"})
        source = {"network": plain_xml(nic.network)}
    elif sandbox is Sandbox.LAN:
        card = ET.SubElement(devices, "interface", {"type": "bridge"})
        source = {"bridge": nic.bridge}
    else:
        card = ET.SubElement(devices, "interface", {"type": "user"})
        source = {}
    ET.SubElement(card, "mac", {"address": nic.mac})
    if source:
        ET.SubElement(card, "source", source)
    ET.SubElement(card, "model", {"type": "e1000"})
    if nic.network == "uplink" and sandbox is Sandbox.SEALED:
        ET.SubElement(card, "link", {"state": "down"})


def _console(devices: ET.Element, guest: Guest) -> None:
    """A pty, which `virsh console` opens: a socket's place would be gone after the next start of this machine."""
    serial = ET.SubElement(devices, "serial", {"type": "pty"})
    if guest.console.log is not None:
        ET.SubElement(serial, "log", {"file": str(guest.console.log), "append": "on"})
    ET.SubElement(serial, "target", {"port": "0"})


def _text(parent: ET.Element, name: str, text: str, attributes: dict[str, str] | None = None) -> None:
    ET.SubElement(parent, name, attributes or {}).text = text
