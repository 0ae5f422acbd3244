"""Who made a disk, its serial number, and the way it is attached: from sysfs first, from udev's notes second.

sysfs comes first because whoever opens the disk later reads the serial number there again.
"""

from __future__ import annotations

import re

from smartos_wizard.core.text import tame
from smartos_wizard.media.disks.nodes import Node
from smartos_wizard.media.disks.reader import Reader, words

_BUSES: tuple[tuple[str, str], ...] = (
    (r"/usb\d+/", "usb"),
    (r"/mmc_host/", "mmc"),
    (r"/fw\d+", "firewire"),
    (r"/nvme\d+/", "nvme"),
    (r"/nvme-(subsystem|fabrics)", "nvme"),
    (r"/ata\d+/", "sata"),
    (r"/session\d+/", "iscsi"),
    (r"/(sas_|end_device)", "sas"),
    (r"/rport-", "fc"),
    (r"/virtio\d+/", "virtio"),
    (r"/vbd-\d+/", "xen"),
    (r"/(vmbus|VMBUS)", "hyperv"),
)
_VIRTUAL = re.compile(r"^(ram|zram|nbd|loop|dm-|md|zd|mtdblock|bcache|drbd|rbd|ublkb|nullb)")
_KINDS = {
    "dm-": "device-mapper",
    "md": "RAID",
    "zd": "ZFS volume",
    "zram": "ram",
    "ram": "ram",
    "loop": "loop",
}


def read_udev(reader: Reader, node: Node) -> dict[str, str] | None:
    """udev's notes on a device; None where it has none (no udev, or not asked yet)."""
    if node.dev is None:
        return None
    try:
        text = reader.text(f"/run/udev/data/b{node.dev[0]}:{node.dev[1]}")
    except OSError:
        return None
    if text is None:
        return None
    pairs = (line[2:].partition("=") for line in text.splitlines() if line.startswith("E:"))
    return {key: value for key, _, value in pairs}


def transport_of(reader: Reader, node: Node) -> str:
    """`usb`, `mmc` (cards), `emmc` (soldered), `thunderbolt`, `nvme`, `sata` …; empty where it is not known."""
    if "/devices/virtual/" in node.home:
        return "virtual"
    word = next((word for pattern, word in _BUSES if re.search(pattern, node.home + "/")), "")
    if word == "mmc":
        return "emmc" if words(reader, f"{node.home}/device/type") == "MMC" else "mmc"
    if word in ("nvme", "sata", "") and _behind_a_plug(reader, node.home):
        return "thunderbolt"
    return word


def _behind_a_plug(reader: Reader, home: str) -> bool:
    """Whether a PCI device on the way says it can be pulled (Thunderbolt, ExpressCard; Linux 5.13+)."""
    parts = home.split("/")
    for end in range(4, len(parts)):
        is_pci = re.fullmatch(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]", parts[end - 1])
        if is_pci and words(reader, "/".join(parts[:end]) + "/removable") == "removable":
            return True
    return False


def kind_of(reader: Reader, node: Node) -> str:
    """`disk`, `rom`, `loop`, `ram`, or a word for what the system made itself."""
    found = _VIRTUAL.match(node.name)
    if found:
        return _KINDS.get(found[1], found[1])
    if node.name.startswith("sr") or words(reader, f"{node.home}/device/type") == "5":
        return "rom"
    if "/devices/virtual/" in node.home and "/nvme-" not in node.home:
        return "virtual device"
    return "disk"


def serial_of(reader: Reader, node: Node, udev: dict[str, str], usb_serial: str) -> str:
    """The serial number, tamed; empty where there is none."""
    for candidate in (
        usb_serial,
        words(reader, f"{node.home}/device/serial"),
        words(reader, f"{node.home}/serial"),
        _page80(reader, node.home),
        udev.get("ID_SERIAL_SHORT", ""),
    ):
        serial = tame(candidate)
        if serial:
            return serial
    return ""


def _page80(reader: Reader, home: str) -> str:
    """The unit serial number page of a SCSI disk: four bytes of head, then text (SPC-4, 7.8.15)."""
    return words(reader, f"{home}/device/vpd_pg80")[4:]


def name_of(reader: Reader, node: Node, udev: dict[str, str]) -> tuple[str, str]:
    """(vendor, model), tamed."""
    vendor = words(reader, f"{node.home}/device/vendor")
    if re.fullmatch(r"0x[0-9a-fA-F]+", vendor):  # virtio gives a number
        vendor = ""
    model = words(reader, f"{node.home}/device/model") or words(reader, f"{node.home}/device/name")
    model = model or udev.get("ID_MODEL", "").replace("_", " ")
    if not model and "/virtio" in node.home:
        model = "virtio disk"
    return tame("" if vendor == "ATA" else vendor), tame(model)


def wwn_of(reader: Reader, node: Node, udev: dict[str, str]) -> str:
    """The world wide name, tamed; empty where there is none."""
    for candidate in (
        words(reader, f"{node.home}/wwid"),
        words(reader, f"{node.home}/device/wwid"),
        udev.get("ID_WWN_WITH_EXTENSION", "") or udev.get("ID_WWN", ""),
    ):
        if tame(candidate):
            return tame(candidate, 120)
    return ""
