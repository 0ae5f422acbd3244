"""What is known of a machine, and the small text file that carries it from one machine to another.

The file holds no serial numbers, no network addresses and no host names. What is not known is None, which is
not the same as "none". Pure; imports core only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame

MAGIC = "smartos-wizard hardware"
VERSION = 1
LIMIT = 1 << 20
"""Bytes a file may have at most; the largest servers need 20 kB."""
FLAGS = (
    "lm", "vmx", "ept", "unrestricted_guest", "svm", "npt", "nrip_save", "decodeassists", "hypervisor",
)  # fmt: skip
"""Features of a processor that matter, by their names in Linux's /proc/cpuinfo."""
HOW_TO_COLLECT = (
    "Make one with `smartos-wizard doctor --collect --out FILE`, or without the program: "
    "`smartos-wizard doctor --script > collect.sh`, then `sh collect.sh > FILE` on the other machine."
)

_PCI = re.compile(r"([0-9a-f]{4}):([0-9a-f]{4}) ([0-9a-f]{6}) ([0-9a-f]{4}):([0-9a-f]{4})")
_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_CPU = re.compile(r"(\S+) (\d{1,6}) (\d{1,6})")
_DISK = re.compile(
    r"(\S+) (\d{1,20}) (\d{1,7}) (\d{1,7}) (hdd|ssd) (fixed|usb|removable|mmc)( [0-9a-f]{4}:[0-9a-f]{4})?"
)


@dataclass(frozen=True, slots=True)
class PciDevice:
    """A device on the PCI bus. `ids`, `board` (subsystem) are "vendor:device"; `kind` is the class, six digits."""

    ids: str
    kind: str
    board: str = "0000:0000"


@dataclass(frozen=True, slots=True)
class DiskFact:
    """A disk: size, logical and physical sector size in bytes; `place` is fixed, usb, removable or mmc.

    `controller` is the "vendor:device" of the disk controller it hangs on, where the system tells.
    """

    name: str
    size: int
    logical: int = 512
    physical: int = 512
    solid: bool = False
    place: str = "fixed"
    controller: str = ""


@dataclass(frozen=True, slots=True)
class HardwareFacts:
    """A machine. None and "" mean: not known. `memory` is in bytes, as far as the system may use it.

    `machine` is what `uname -m` says, `cpu` maker, family and model of the processor, `kvm` whether Linux
    offers /dev/kvm, `usb_nics` are ids of network adapters on USB.
    """

    system: str = ""
    machine: str = ""
    maker: str = ""
    product: str = ""
    cpu: tuple[str, int, int] | None = None
    cpu_name: str = ""
    flags: frozenset[str] | None = None
    kvm: bool | None = None
    memory: int | None = None
    firmware: str = ""
    secure_boot: bool | None = None
    pci: tuple[PciDevice, ...] | None = None
    usb_nics: tuple[str, ...] = ()
    disks: tuple[DiskFact, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """The facts as a JSON object; what is not known is null or empty."""
        return {
            "system": self.system,
            "machine": self.machine,
            "maker": self.maker,
            "product": self.product,
            "cpu": list(self.cpu) if self.cpu else None,
            "cpu_name": self.cpu_name,
            "flags": sorted(self.flags) if self.flags is not None else None,
            "kvm": self.kvm,
            "memory": self.memory,
            "firmware": self.firmware,
            "secure_boot": self.secure_boot,
            "pci": [[d.ids, d.kind, d.board] for d in self.pci] if self.pci is not None else None,
            "usb_nics": list(self.usb_nics),
            "disks": [
                {"name": d.name, "size": d.size, "logical": d.logical, "physical": d.physical,
                 "solid": d.solid, "place": d.place, "controller": d.controller}
                for d in self.disks
            ] if self.disks is not None else None,
        }  # fmt: skip


def write_facts(facts: HardwareFacts) -> str:
    """The file. `read_facts` gives the same facts back."""
    lines = [
        f"{MAGIC} {VERSION}",
        "# What this machine has, for `smartos-wizard doctor --target FILE`.",
        "# No serial numbers, network addresses or host names are in here.",
    ]
    words = {
        "system": facts.system,
        "machine": facts.machine,
        "maker": facts.maker,
        "product": facts.product,
        "cpu": " ".join(map(str, facts.cpu)) if facts.cpu else "",
        "cpu-name": facts.cpu_name,
    }
    lines += [f"{key} {tame(value, 200)}" for key, value in words.items() if value]
    if facts.flags is not None:
        lines.append(" ".join(["cpu-flags", *(f for f in FLAGS if f in facts.flags)]))
    if facts.kvm is not None:
        lines.append(f"kvm {'yes' if facts.kvm else 'no'}")
    if facts.memory is not None:
        lines.append(f"memory {facts.memory}")
    if facts.firmware:
        lines.append(f"firmware {facts.firmware}")
    if facts.secure_boot is not None:
        lines.append(f"secure-boot {'on' if facts.secure_boot else 'off'}")
    if facts.pci is not None:
        lines += ["pci-list", *(f"pci {d.ids} {d.kind} {d.board}" for d in facts.pci)]
    lines += [f"usb-nic {ids}" for ids in facts.usb_nics]
    if facts.disks is not None:
        lines += ["disk-list", *map(_disk_line, facts.disks)]
    return "\n".join([*lines, "end", ""])


def _disk_line(disk: DiskFact) -> str:
    kind = "ssd" if disk.solid else "hdd"
    line = f"disk {disk.name} {disk.size} {disk.logical} {disk.physical} {kind} {disk.place}"
    return f"{line} {disk.controller}".rstrip()


def read_facts(text: str) -> HardwareFacts:
    """The facts in such a file. Lines with words this version does not know are passed over.

    Raises UsageProblem: `not-hardware-facts`, `newer-hardware-facts`, `damaged-hardware-facts` (with `line`),
    `truncated-hardware-facts`.
    """
    lines = text.removeprefix("\ufeff")[: LIMIT + 1].splitlines()
    while lines and not lines[0].strip():
        del lines[0]
    _check_head(lines[0].strip() if lines else "", text)
    facts = HardwareFacts()
    for number, line in enumerate(lines[1:], 2):
        key, _, value = line.strip().partition(" ")
        if key == "end":
            return facts
        if key not in _READERS:
            continue
        try:
            facts = _READERS[key](facts, value.strip())
        except ValueError:
            raise UsageProblem(
                "damaged-hardware-facts",
                f"Line {number} of the hardware file cannot be read: {tame(line)}",
                hint=HOW_TO_COLLECT,
                line=number,
            ) from None
    raise UsageProblem(
        "truncated-hardware-facts",
        "The hardware file is cut off: its last line, `end`, is missing.",
        hint="Copy it again as a whole. " + HOW_TO_COLLECT,
    )


def _check_head(head: str, text: str) -> None:
    if not head.startswith(MAGIC + " ") or len(text) > LIMIT:
        shown = f"It starts with: {tame(head)}" if tame(head) else "It is empty."
        shown = "It is far too large." if len(text) > LIMIT else shown
        raise UsageProblem("not-hardware-facts", f"This is no hardware file. {shown}", hint=HOW_TO_COLLECT)
    version = head.removeprefix(MAGIC + " ")
    if version != str(VERSION):
        raise UsageProblem(
            "newer-hardware-facts",
            f"The hardware file has the format {tame(version)}; this program reads {VERSION}.",
            hint="Use the newest SmartOS Wizard on both machines.",
        )


def _cpu(facts: HardwareFacts, value: str) -> HardwareFacts:
    maker, family, model = _matched(_CPU, value)
    return replace(facts, cpu=(tame(maker), int(family), int(model)))


def _flags(facts: HardwareFacts, value: str) -> HardwareFacts:
    return replace(facts, flags=frozenset(value.split()) & frozenset(FLAGS))


def _memory(facts: HardwareFacts, value: str) -> HardwareFacts:
    (count,) = _matched(re.compile(r"(\d{1,20})"), value)
    return replace(facts, memory=int(count))


def _pci(facts: HardwareFacts, value: str) -> HardwareFacts:
    vendor, device, kind, sub_vendor, sub_device = _matched(_PCI, value)
    found = PciDevice(f"{vendor}:{device}", kind, f"{sub_vendor}:{sub_device}")
    return replace(facts, pci=(*(facts.pci or ()), found))


def _usb_nic(facts: HardwareFacts, value: str) -> HardwareFacts:
    _matched(_USB, value)
    return replace(facts, usb_nics=(*facts.usb_nics, value))


def _disk(facts: HardwareFacts, value: str) -> HardwareFacts:
    name, size, logical, physical, kind, place, on = _matched(_DISK, value)
    sizes = (int(size), int(logical), int(physical))
    found = DiskFact(tame(name), *sizes, kind == "ssd", place, (on or "").strip())
    return replace(facts, disks=(*(facts.disks or ()), found))


def _matched(pattern: re.Pattern[str], value: str) -> tuple[Any, ...]:
    match = pattern.fullmatch(value)
    if match is None:
        raise ValueError(value)
    return match.groups()


def _one_of(name: str, **words: Any) -> Callable[[HardwareFacts, str], HardwareFacts]:
    """A reader for a line that may say these words only."""

    def read(facts: HardwareFacts, value: str) -> HardwareFacts:
        if value not in words:
            raise ValueError(value)
        return replace(facts, **{name: words[value]})

    return read


def _text(name: str) -> Callable[[HardwareFacts, str], HardwareFacts]:
    def read(facts: HardwareFacts, value: str) -> HardwareFacts:
        words: dict[str, Any] = {name: tame(value, 200)}
        return replace(facts, **words)

    return read


_READERS: dict[str, Callable[[HardwareFacts, str], HardwareFacts]] = {
    "system": _text("system"),
    "machine": _text("machine"),
    "maker": _text("maker"),
    "product": _text("product"),
    "cpu": _cpu,
    "cpu-name": _text("cpu_name"),
    "cpu-flags": _flags,
    "kvm": _one_of("kvm", yes=True, no=False),
    "memory": _memory,
    "firmware": _one_of("firmware", uefi="uefi", bios="bios"),
    "secure-boot": _one_of("secure_boot", on=True, off=False),
    "pci-list": lambda facts, _: replace(facts, pci=facts.pci or ()),
    "pci": _pci,
    "usb-nic": _usb_nic,
    "disk-list": lambda facts, _: replace(facts, disks=facts.disks or ()),
    "disk": _disk,
}
