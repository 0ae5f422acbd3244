"""The description inside an OVA: OVF 1.0, with only what VirtualBox and VMware both take.

Facts: DMTF DSP0243 and DSP8023; VirtualBox, src/VBox/Main/xml/ovfreader.cpp (resource types it knows, an unknown
one ends the import; 20 with `AHCI` or `vmware.sata.ahci`); VMware Workstation refuses what OVF 2.0 added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from smartos_wizard.guests.export.vmdk import FORMAT
from smartos_wizard.guests.export.words import plain_xml
from smartos_wizard.guests.model import BootKind, GuestSpec, NicSpec, Sandbox

_NAMES = {
    "xmlns": "http://schemas.dmtf.org/ovf/envelope/1",
    "xmlns:ovf": "http://schemas.dmtf.org/ovf/envelope/1",
    "xmlns:rasd": "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData",
    "xmlns:vssd": "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xmlns:vmw": "http://www.vmware.com/schema/ovf",
    "xmlns:vbox": "http://www.virtualbox.org/ovf/machine",
}
_SOLARIS_64 = "81"
"""What CIM_OperatingSystem calls Solaris 64-Bit; there is no number for illumos."""
_CPU, _MEMORY, _NIC, _CD, _DISK, _SATA = "3", "4", "10", "15", "17", "20"
_CONTROLLER = "3"


@dataclass(frozen=True, slots=True)
class OvfDisk:
    """A disk in the archive: its file's name, the disk's size and the file's size, in bytes."""

    file: str
    capacity: int
    size: int = 0


def ovf_of(spec: GuestSpec, disks: Sequence[OvfDisk], notes: Sequence[str] = ()) -> bytes:
    """The description of the guest as XML; the disks are attached in their order, the first one boots.

    `notes` are what the format cannot carry; they stand in the annotation, where an import shows them.
    """
    root = ET.Element("Envelope", {**_NAMES, "ovf:version": "1.0", "xml:lang": "en-US"})
    files = ET.SubElement(root, "References")
    for number, disk in enumerate(disks):
        about = {"ovf:href": disk.file, "ovf:id": f"file{number}", "ovf:size": str(disk.size)}
        ET.SubElement(files, "File", about)
    section = _section(root, "DiskSection", "The disks, the one to start from first")
    for number, disk in enumerate(disks):
        ET.SubElement(section, "Disk", {
            "ovf:capacity": str(disk.capacity), "ovf:capacityAllocationUnits": "byte", "ovf:diskId": f"disk{number}",
            "ovf:fileRef": f"file{number}", "ovf:format": FORMAT,
        })  # fmt: skip
    networks = _section(root, "NetworkSection", "The networks")
    for name in dict.fromkeys(_connection(spec, nic) for nic in spec.nics):
        ET.SubElement(networks, "Network", {"ovf:name": name})
    _system(root, spec, disks, notes)
    ET.indent(root, " ")
    data: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return data + b"\n"


def _system(root: ET.Element, spec: GuestSpec, disks: Sequence[OvfDisk], notes: Sequence[str]) -> None:
    system = ET.SubElement(root, "VirtualSystem", {"ovf:id": plain_xml(spec.name)})
    ET.SubElement(system, "Info").text = "A SmartOS guest, made by SmartOS Wizard"
    ET.SubElement(system, "Name").text = plain_xml(spec.name)
    kind = {"ovf:id": _SOLARIS_64, "vmw:osType": "solaris11_64Guest"}
    about = _section(system, "OperatingSystemSection", "SmartOS (illumos)", kind)
    ET.SubElement(about, "Description").text = "Solaris_64"
    ET.SubElement(about, "vbox:OSType", {"ovf:required": "false"}).text = "Solaris11_64"
    if notes:
        words = _section(system, "AnnotationSection", "What to know", {"ovf:required": "false"})
        ET.SubElement(words, "Annotation").text = plain_xml("\n".join(notes))
    hardware = _section(system, "VirtualHardwareSection", "Its hardware")
    head = ET.SubElement(hardware, "System")
    for key, value in (
        ("ElementName", "Virtual Hardware Family"), ("InstanceID", "0"),
        ("VirtualSystemIdentifier", plain_xml(spec.name)), ("VirtualSystemType", "vmx-10 virtualbox-2.2"),
    ):  # fmt: skip
        ET.SubElement(head, f"vssd:{key}").text = value
    _item(hardware, AllocationUnits="hertz * 10^6", ElementName=f"{spec.cpus} virtual CPU", InstanceID="1",
          ResourceType=_CPU, VirtualQuantity=str(spec.cpus))  # fmt: skip
    _item(hardware, AllocationUnits="byte * 2^20", ElementName=f"{spec.memory} MiB of memory", InstanceID="2",
          ResourceType=_MEMORY, VirtualQuantity=str(spec.memory))  # fmt: skip
    _item(hardware, Address="0", ElementName="SATA controller", InstanceID=_CONTROLLER, ResourceSubType="vmware.sata.ahci",
          ResourceType=_SATA)  # fmt: skip
    for number in range(len(disks)):
        _item(hardware, AddressOnParent=str(number), ElementName=f"Disk {number}", HostResource=f"ovf:/disk/disk{number}",
              InstanceID=str(10 + number), Parent=_CONTROLLER, ResourceType=_DISK)  # fmt: skip
    if spec.boot.kind is BootKind.ISO:
        _item(hardware, AddressOnParent=str(len(disks)), AutomaticAllocation="false", ElementName="CD drive",
              InstanceID="50", Parent=_CONTROLLER, ResourceType=_CD)  # fmt: skip
    for number, nic in enumerate(spec.nics):
        _item(hardware, Address=nic.mac.upper(), AddressOnParent=str(number), AutomaticAllocation="true",
              Connection=_connection(spec, nic), ElementName=f"Network card {number}", InstanceID=str(60 + number),
              ResourceSubType="E1000", ResourceType=_NIC)  # fmt: skip


def _item(hardware: ET.Element, **values: str) -> None:
    """One piece of hardware. The schema wants its parts in the order of the alphabet."""
    item = ET.SubElement(hardware, "Item")
    for key in sorted(values):
        ET.SubElement(item, f"rasd:{key}").text = values[key]


def _section(
    parent: ET.Element, name: str, info: str, attributes: dict[str, str] | None = None
) -> ET.Element:
    section = ET.SubElement(parent, name, attributes or {})
    ET.SubElement(section, "Info").text = info
    return section


def _connection(spec: GuestSpec, nic: NicSpec) -> str:
    """One of the names that VirtualBox knows; it makes a bridge of any other."""
    if nic.network != "uplink":
        return "Internal"
    return {Sandbox.SEALED: "HostOnly", Sandbox.LAB: "NAT", Sandbox.LAN: "Bridged"}[spec.sandbox]
