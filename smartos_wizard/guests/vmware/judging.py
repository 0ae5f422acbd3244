"""What of a spec VMware cannot do, or does in its own way; and what it can do here at all."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.guests.alike import missing_iso
from smartos_wizard.guests.model import Detection, Finding, GuestSpec, Sandbox
from smartos_wizard.guests.vmware import find, vmdk, words

_MAC = re.compile(r"00:50:56:[0-3][0-9a-f]:[0-9a-f]{2}:[0-9a-f]{2}\Z")
_CARDS = 10
_CAN = frozenset(("serial-log", "serial-socket", "inner-network", "immutable-boot", "sealed"))


def abilities(found: find.Found, machine: find.Machine) -> frozenset[str]:
    """What this product can do on this machine. Forwards on loopback it has none that belong to a guest."""
    more = set()
    if found.flavour != "player":
        more.add("snapshots")
    if _nests(machine):
        more.add("nested")
    return _CAN | more


def judge(spec: GuestSpec, detection: Detection, machine: find.Machine) -> tuple[Finding, ...]:
    """All that speaks against a spec, and what should be known."""
    found = [*_machine(spec, detection), *_network(spec, machine)]
    for disk in spec.disks:
        if disk.size > vmdk.LARGEST:
            found.append(
                Finding("disk-too-large", f"Disk {disk.name} has {text.size(disk.size)}; VMware lets one file grow to "
                        f"{text.size(vmdk.LARGEST)}.", hint="Give the guest several smaller disks.")
            )  # fmt: skip
    return (*found, *missing_iso(spec))


def quoted(path: Path) -> str:
    """A path for a shell."""
    return shlex.quote(str(path))


def descriptor_by_hand(path: Path, raw: Path) -> str:
    """A shell command that writes the description around a raw image, with the size the image has by then."""
    template = vmdk.descriptor_around(raw.name, 16 * 63 * vmdk.SECTOR, 0x5D0C5D0C)
    counted = template.replace(" 1008 FLAT", " $s FLAT").replace(
        'cylinders = "1"', 'cylinders = "$((s/1008))"'
    )
    return f"s=$(( $(wc -c < {quoted(raw)}) / 512 )); cat > {quoted(path)} <<END\n{counted}END"


def _machine(spec: GuestSpec, detection: Detection) -> list[Finding]:
    """That memory comes in multiples of 4 MiB is asked of every guest: see `sizing`."""
    found = []
    if spec.nested and "nested" not in detection.can:
        found.append(
            Finding("no-nesting", "Virtual machines inside this guest are not possible here.",
                    hint="The processor needs VT-x with EPT, or SVM with nested pages, switched on in the firmware.")
        )  # fmt: skip
    return found


def _network(spec: GuestSpec, machine: find.Machine) -> list[Finding]:
    found = [
        Finding("vmware-mac", f"VMware takes fixed addresses from 00:50:56:00:00:00 to 00:50:56:3f:ff:ff only, not {text.tame(nic.mac)}.",
                hint="Leave the address away: one is chosen.")
        for nic in spec.nics if not _MAC.match(nic.mac.lower())
    ]  # fmt: skip
    if len(spec.nics) > _CARDS:
        found.append(
            Finding("too-many-cards", f"VMware gives a guest {_CARDS} network cards at most, not {len(spec.nics)}.",
                    hint="Leave some of --inner away.")
        )  # fmt: skip
    if spec.ssh_port:
        found.append(
            Finding("no-forward", "VMware forwards ports for all guests of the machine only, in a file that is not touched.",
                    hint="Leave --ssh-port away: `smartos-wizard guest ssh` finds the guest at its own address.")
        )  # fmt: skip
    if spec.sandbox is Sandbox.LAN:
        bridges = [nic.bridge for nic in spec.nics if nic.network == "uplink"]
        strange = [name for name in bridges if not words.VNET.match(name)]
        if strange:
            found.append(
                Finding("bridge-of-vmware", f"To which card a guest is bridged is set in VMware for all guests (vmnet0), not here: {strange[0]} "
                        "is not used.", "warning", "VMware's Virtual Network Editor sets it; --bridge vmnet2 takes another of its networks.")
            )  # fmt: skip
    return found + _promiscuous(spec, machine)


def _promiscuous(spec: GuestSpec, machine: find.Machine) -> list[Finding]:
    """Zones have addresses of their own, and VMware passes only the card's own to users without more rights."""
    if spec.sandbox is Sandbox.SEALED:
        return []
    level = "warning" if spec.sandbox is Sandbox.LAN else "info"
    if machine.system == "darwin":
        return [
            Finding("promiscuous-asks", "Fusion asks for a password when zones with addresses of their own use the network; "
                    "without a window nobody sees the question.", level,
                    "Fusion's settings, Network: do not require authentication to enter promiscuous mode.")
        ]  # fmt: skip
    if not machine.system.startswith("linux"):
        return []
    device = machine.at("/dev/vmnet8" if spec.sandbox is Sandbox.LAB else "/dev/vmnet0")
    if not device.exists() or os.access(device, os.W_OK):
        return []
    return [
        Finding("promiscuous-rights", f"Zones with addresses of their own get no answers from the network: you may not write {device}.",
                level, f"sudo chgrp $(id -gn) {device} && sudo chmod g+rw {device}, each time VMware's network starts.")
    ]  # fmt: skip


def _nests(machine: find.Machine) -> bool:
    if machine.system == "darwin":
        return machine.processor == "x86_64"
    if machine.system == "win32":
        return True  # VMware says no when the guest starts, where it is so
    with contextlib.suppress(OSError):
        flags = machine.at("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        words_of = set(re.findall(r"\b(vmx|ept|svm|npt)\b", flags))
        return {"vmx", "ept"} <= words_of or {"svm", "npt"} <= words_of
    return False
