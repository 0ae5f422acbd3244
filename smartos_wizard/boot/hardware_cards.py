"""Network cards, disk controllers, disks and USB of a machine, judged against SmartOS's drivers.

Pure: judges facts, looks at nothing but the table of drivers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from smartos_wizard.boot.drivers import Driver, driver_of, usb_driver_of
from smartos_wizard.boot.hardware_facts import DiskFact, HardwareFacts, PciDevice
from smartos_wizard.boot.hardware_verdict import Level, Verdict
from smartos_wizard.core import text

_NET, _WIRELESS, _FIBRE, _USB_HOST = "02", "0280", "0c04", "0c03"
_IDE = "0101"
_RST = ("8086:2822", "8086:282a")
"""Intel's SATA controllers in RAID mode. illumos-joyent's driver_aliases gives them to ahci."""
_VMD = frozenset(f"8086:{d}" for d in ("201d", "28c0", "467f", "4c3d", "7d0b", "9a0b", "a77f", "ad0b", "b06f", "b60b", "09ab"))  # fmt: skip
"""Intel's Volume Management Device (and 09ab, the place of a remapped NVMe): SmartOS has no driver for it."""
_VIRTIO_MODERN = {"1af4:1041": "network", "1af4:1042": "disk", "1af4:1048": "SCSI"}
_GIVE_LEGACY = (
    "Have the hypervisor offer transitional virtio (on the root bus, not behind a PCIe root port; in QEMU "
    "`disable-legacy=off`), or take e1000 and SATA."
)
GIB = 1 << 30
LEAST_DISK = 20 * 10**9
"""Bytes of the smallest disk that smartos-docs names for a guest."""


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Devices of one kind: with a driver, virtio of the modern kind, and without a driver."""

    known: tuple[tuple[PciDevice, Driver], ...]
    modern: tuple[PciDevice, ...]
    strange: tuple[PciDevice, ...]

    @property
    def named(self) -> str:
        """All of them for a person: drivers with what they drive, then ids without."""
        counted = Counter(f"{driver.name} {device.ids}" for device, driver in self.known)
        counted.update(f"virtio {_VIRTIO_MODERN[d.ids]} {d.ids}" for d in self.modern)
        counted.update(f"no driver for {d.ids}" for d in self.strange)
        return ", ".join(f"{name} (×{n})" if n > 1 else name for name, n in counted.items())


def _sort(devices: Iterable[PciDevice], kind: str) -> _Sorted:
    known, modern, strange = [], [], []
    for device in devices:
        if device.ids in _VIRTIO_MODERN:
            modern.append(device)
            continue
        driver = driver_of(device, kind)
        if driver is None:
            strange.append(device)
        else:
            known.append((device, driver))
    return _Sorted(tuple(known), tuple(modern), tuple(strange))


def _unseen(name: str, todo: str = "") -> Verdict:
    return Verdict(name, Level.UNKNOWN, "not known", "The devices of this machine could not be listed.", todo, essential=True)  # fmt: skip


def network(facts: HardwareFacts) -> tuple[Verdict, ...]:
    """At least one wired network card with a driver: the admin network of setup is made of one."""
    if facts.pci is None:
        return (_unseen("Network", "Boot the machine with any live Linux and collect there."),)
    cards = [d for d in facts.pci if d.kind.startswith(_NET) and not d.kind.startswith(_WIRELESS)]
    wireless = [d for d in facts.pci if d.kind.startswith(_WIRELESS)]
    found = _sort(cards, "network")
    by_usb = [d for d in map(usb_driver_of, facts.usb_nics) if d is not None]
    words = [found.named] if cards else []
    words += [f"{d.name} over USB" for d in by_usb]
    words += [f"no driver for {i} (USB)" for i in facts.usb_nics if usb_driver_of(i) is None]
    words += [f"wireless {d.ids}" for d in wireless]
    shown = ", ".join(words) or "none"
    return (_network(found, by_usb, shown, bool(wireless)),)


def _network(found: _Sorted, by_usb: list[Driver], shown: str, wireless: bool) -> Verdict:
    buy = "Put in a card that SmartOS has a driver for: Intel (igb, e1000g, ixgbe, i40e) is the safe choice. A laptop takes a USB adapter with an ASIX AX88772 chip; slow."
    if not found.known and not by_usb:
        if found.modern:
            return Verdict("Network", Level.UNKNOWN, shown, _modern_why(), _GIVE_LEGACY, essential=True)
        why = "SmartOS has no driver for any wired network card here; its setup asks for one."
        if wireless:
            why += " Wireless cards do not count."
        return Verdict("Network", Level.NO, shown, why, buy, essential=True)
    if not found.known:
        why = "Only an adapter on USB has a driver: slow, and no base for zones with much traffic."
        return Verdict("Network", Level.WARNING, shown, why, buy, essential=True)
    newer = [driver.name for _, driver in found.known if driver.newer]
    if len(newer) == len(found.known):
        why = f"The driver {newer[0]} came to SmartOS after 2023: older releases lack it."
        return Verdict("Network", Level.WARNING, shown, why, "Take the newest release.", essential=True)
    if found.strange or found.modern:
        why = "SmartOS will not see the cards without a driver."
        return Verdict("Network", Level.WARNING, shown, why, "Use the others for the admin network.", essential=True)  # fmt: skip
    return Verdict("Network", Level.OK, shown, "SmartOS has the drivers.", essential=True)


def _modern_why() -> str:
    return (
        "SmartOS's virtio drivers attach to the older (transitional) kind; support for the modern kind came to "
        "illumos in 2026, and whether your release has it is not known."
    )


def disk_controllers(facts: HardwareFacts) -> tuple[Verdict, ...]:
    """At least one disk controller with a driver; RAID cards and RAID modes told apart."""
    name = "Disk controllers"
    if facts.pci is None:
        return (_unseen(name, "Boot the machine with any live Linux and collect there."),)
    found = _sort([d for d in facts.pci if d.kind.startswith(("01", _FIBRE))], "storage")
    return (_controllers(name, found), *_raid_card(found), *_intel_raid(found))


def _controllers(name: str, found: _Sorted) -> Verdict:
    shown = found.named or "none"
    if not found.known:
        if found.modern:
            return Verdict(name, Level.UNKNOWN, shown, _modern_why(), _GIVE_LEGACY, essential=True)
        why = "SmartOS has no driver for any disk controller here, so it would see no disks."
        todo = (
            "Set SATA to AHCI in the firmware's setup, or put in a SAS host adapter of LSI or Broadcom (HBA)."
        )
        return Verdict(name, Level.NO, shown, why, todo, essential=True)
    if all(device.kind.startswith(_IDE) for device, _ in found.known):
        why = "Disks in IDE mode are slow and cannot be swapped while running."
        return Verdict(name, Level.WARNING, shown, why, "Set SATA to AHCI in the firmware's setup.", essential=True)  # fmt: skip
    newer = [driver.name for _, driver in found.known if driver.newer]
    if len(newer) == len(found.known):
        why = f"The driver {newer[0]} came to SmartOS after 2023: older releases lack it."
        return Verdict(name, Level.WARNING, shown, why, "Take the newest release.", essential=True)
    if found.strange or found.modern:
        why = "SmartOS will not see what hangs on the controllers without a driver."
        return Verdict(name, Level.WARNING, shown, why, _GIVE_LEGACY if found.modern else "", essential=True)
    return Verdict(name, Level.OK, shown, "SmartOS has the drivers.", essential=True)


def _raid_card(found: _Sorted) -> tuple[Verdict, ...]:
    """ZFS wants the disks themselves: a RAID card between hides their errors and their order to write."""
    cards = sorted({f"{driver.name} {device.ids}" for device, driver in found.known if driver.raid})
    if not cards:
        return ()
    return (
        Verdict(
            "RAID card", Level.WARNING, ", ".join(cards),
            "ZFS wants to see each disk itself. A RAID card shows what it makes of them, and a pool made on that "
            "cannot be read by another card.",
            "Switch the card to HBA mode (IT mode, JBOD, non-RAID disks) before setup; if it has none, make one "
            "single-disk RAID 0 of each disk, or put in an HBA.",
        ),
    )  # fmt: skip


def _intel_raid(found: _Sorted) -> tuple[Verdict, ...]:
    """Intel's RAID by firmware (RST) and VMD hide NVMe disks."""
    todo = "Set SATA to AHCI, and switch Intel RST and VMD off, in the firmware's setup. Windows on it must be prepared first."  # fmt: skip
    verdicts = []
    vmd = sorted({d.ids for d in found.strange if d.ids in _VMD})
    if vmd:
        why = "SmartOS has no driver for VMD: NVMe disks behind it are invisible."
        verdicts.append(Verdict("Intel VMD", Level.WARNING, f"on ({', '.join(vmd)})", why, todo))
    rst = sorted({d.ids for d, _ in found.known if d.ids in _RST and d.kind.startswith("0104")})
    if rst:
        why = "SATA disks are seen by releases of late; NVMe disks that RST has taken are invisible."
        verdicts.append(Verdict("Intel RST", Level.WARNING, f"RAID mode ({', '.join(rst)})", why, todo))
    return tuple(verdicts)


def disks(facts: HardwareFacts) -> Verdict:
    """Disks for the pool `zones`, which holds swap as large as the memory, a dump, and all data."""
    if facts.disks is None:
        return Verdict("Disks", Level.UNKNOWN, "not known", "The pool needs one disk at least.")
    fixed = [d for d in facts.disks if d.place == "fixed"]
    if not fixed:
        shown = ", ".join(map(_disk, facts.disks)) or "none"
        return Verdict(
            "Disks", Level.NO, shown, "SmartOS's setup needs a disk for its pool, and USB sticks and cards do not count.",
            "Put in a disk. If there is one, look at the disk controllers above.", essential=True,
        )  # fmt: skip
    unseen = [d for d in fixed if _hidden(facts, d)]
    seen = [d for d in fixed if d not in unseen]
    if not seen:
        modern = all(d.controller in _VIRTIO_MODERN for d in unseen)
        return Verdict(
            "Disks", Level.UNKNOWN if modern else Level.NO, ", ".join(map(_disk, unseen)),
            _modern_why() if modern else "SmartOS sees none of them: it has no driver for what they hang on.",
            _GIVE_LEGACY if modern else "Look at the disk controllers above.", essential=True,
        )  # fmt: skip
    return _pool_disks(facts, seen, unseen)


def _hidden(facts: HardwareFacts, disk: DiskFact) -> bool:
    """Whether the disk hangs on a controller that SmartOS has no driver for."""
    on = next((d for d in facts.pci or () if d.ids == disk.controller), None)
    return on is not None and driver_of(on, "storage") is None


def _pool_disks(facts: HardwareFacts, seen: list[DiskFact], unseen: list[DiskFact]) -> Verdict:
    shown = ", ".join([*map(_disk, seen), *(f"{_disk(d)}, which SmartOS does not see" for d in unseen)])
    needed = max((facts.memory or 0) + 4 * GIB, LEAST_DISK)
    if max(d.size for d in seen) < needed:
        return Verdict(
            "Disks", Level.WARNING, shown,
            "The pool must hold swap as large as the memory, a dump of 1 GiB or more, and your data.",
            f"Use a disk of {text.size(needed)} at the very least, better much more.", essential=True,
        )  # fmt: skip
    if any(d.logical != 512 for d in seen):
        return Verdict(
            "Disks", Level.WARNING, shown, "Disks with 4096-byte sectors only (4Kn) hold a pool, but SmartOS cannot be "
            "started from them: its images are made for 512-byte sectors.",
            "Start from a USB key, ISO or network with 512-byte sectors.", essential=True,
        )  # fmt: skip
    why = "The usual setup takes ALL of them, whatever is on them; choose `manual` to keep one."
    return Verdict("Disks", Level.OK, shown, why, essential=True)


def _disk(disk: DiskFact) -> str:
    kind = "SSD" if disk.solid else "disk"
    special = [] if disk.logical == 512 else ["4Kn"]
    special += [disk.place] if disk.place != "fixed" else []
    return f"{disk.name} {text.size(disk.size)} {kind}" + (f" ({', '.join(special)})" if special else "")


def usb(facts: HardwareFacts) -> Verdict:
    """A key is started by the firmware; SmartOS then wants a USB driver for it and for the keyboard."""
    if facts.pci is None:
        return Verdict("USB", Level.UNKNOWN, "not known", "A key needs a USB port.")
    ports = [d for d in facts.pci if d.kind.startswith(_USB_HOST)]
    names = Counter(driver.name for d in ports if (driver := driver_of(d, "usb")) is not None)
    if not names:
        return Verdict(
            "USB", Level.WARNING, "none", "SmartOS cannot be started from a key here.",
            "Start it from an ISO (a virtual machine) or over the network.",
        )  # fmt: skip
    shown = ", ".join(f"{name} (×{n})" if n > 1 else name for name, n in names.items())
    return Verdict("USB", Level.OK, shown, "SmartOS has the drivers: it starts from a key.")
