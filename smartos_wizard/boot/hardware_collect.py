"""Reads the facts of this machine: on Linux from /proc and /sys, elsewhere by assets/collect.sh. Changes nothing."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from smartos_wizard.boot.hardware_facts import FLAGS, DiskFact, HardwareFacts, PciDevice, read_facts
from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.text import tame

_SECURE_BOOT = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_ADDRESS = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
"""A PCI device of the machine itself. Those behind Intel's VMD have five digits in front."""
_NO_DISK = re.compile(r"sr\d|fd\d|mmcblk.*(boot\d|rpmb|gp\d)")


def script() -> str:
    """The shell script that writes the same file on a machine without this program."""
    return files("smartos_wizard").joinpath("assets", "collect.sh").read_text(encoding="utf-8")


def collect() -> HardwareFacts:
    """The facts of this machine. Raises WizardError `collect-failed` where the system's own tools fail."""
    if sys.platform.startswith("linux"):
        return collect_linux(Path("/"), platform.machine())
    try:
        done = subprocess.run(
            ["/bin/sh", "-s"], input=script(), capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise WizardError(
            "collect-failed",
            "This system's hardware could not be read.",
            hint="Boot the machine with any live Linux and run `doctor --target` there.",
            context=str(error),
        ) from error
    return read_facts(done.stdout)


def collect_linux(root: Path, machine: str) -> HardwareFacts:
    """The facts of the Linux whose /proc, /sys and /dev lie below `root`; `machine` is what `uname -m` says."""
    cpu, cpu_name, flags = _processor(_read(root / "proc/cpuinfo"))
    firmware, secure_boot = _firmware(root, machine)
    return HardwareFacts(
        system="Linux",
        machine=machine,
        maker=tame(_read(root / "sys/class/dmi/id/sys_vendor"), 200),
        product=tame(_read(root / "sys/class/dmi/id/product_name"), 200),
        cpu=cpu,
        cpu_name=cpu_name,
        flags=flags,
        kvm=_there(root / "dev/kvm"),
        memory=_memory(_read(root / "proc/meminfo")),
        firmware=firmware,
        secure_boot=secure_boot,
        pci=_pci(root / "sys/bus/pci/devices"),
        usb_nics=tuple(sorted(_usb_nics(root / "sys/class/net"))),
        disks=_disks(root / "sys/block"),
    )


def _read(path: Path) -> str:
    """A small file's text without white space around it; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # it lies where this user may not look
        return False


def _listed(path: Path) -> list[Path] | None:
    try:
        return sorted(path.iterdir())
    except OSError:
        return None


def _processor(cpuinfo: str) -> tuple[tuple[str, int, int] | None, str, frozenset[str] | None]:
    """Maker, family and model, name and features of the first processor in /proc/cpuinfo."""
    first: dict[str, str] = {}
    for line in cpuinfo.split("\n\n", maxsplit=1)[0].splitlines():
        name, _, value = line.partition(":")
        first.setdefault(name.strip(), value.strip())
    cpu = None
    with suppress(KeyError, ValueError):  # not an x86: other words stand there
        cpu = (tame(first["vendor_id"]), int(first["cpu family"]), int(first["model"]))
    flags = None
    if "flags" in first:
        words = f"{first['flags']} {first.get('vmx flags', '')}".split()
        flags = frozenset(words) & frozenset(FLAGS)
    return cpu, tame(first.get("model name", ""), 200), flags


def _memory(meminfo: str) -> int | None:
    match = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def _firmware(root: Path, machine: str) -> tuple[str, bool | None]:
    """How the machine was started, and whether Secure Boot is on. Without UEFI there is no Secure Boot."""
    if not _there(root / "sys/firmware/efi"):
        x86 = machine in ("x86_64", "i386", "i486", "i586", "i686")
        return ("bios", False) if x86 and _there(root / "sys/firmware") else ("", None)
    try:
        value = (root / "sys/firmware/efi/efivars" / _SECURE_BOOT).read_bytes()
    except FileNotFoundError:
        there = bool(_listed(root / "sys/firmware/efi/efivars"))
        return "uefi", False if there else None  # no such variable: firmware without Secure Boot
    except OSError:
        return "uefi", None
    return "uefi", value[-1] == 1 if len(value) == 5 else None


def _pci(directory: Path) -> tuple[PciDevice, ...] | None:
    """Every device, without those that SmartOS cannot see because they hide behind another (VMD)."""
    listed = _listed(directory)
    if listed is None:
        return None
    found = []
    for device in listed:
        if not _ADDRESS.fullmatch(device.name):
            continue
        vendor, model, kind = (_hex(device / name) for name in ("vendor", "device", "class"))
        board = (_hex(device / "subsystem_vendor"), _hex(device / "subsystem_device"))
        if vendor and model and len(kind) == 6:
            found.append(PciDevice(f"{vendor}:{model}", kind, ":".join(part or "0000" for part in board)))
    return tuple(found)


def _hex(path: Path) -> str:
    """`0x8086` as `8086`; empty where it is no such number."""
    match = re.fullmatch(r"0x([0-9a-f]{4}|[0-9a-f]{6})", _read(path))
    return match[1] if match else ""


def _usb_nics(directory: Path) -> Iterator[str]:
    """Ids of the USB devices that are network adapters; a network interface hangs below the USB device's."""
    for link in _listed(directory) or []:
        try:
            device = (link / "device").resolve(strict=True).parent
        except OSError:
            continue
        vendor, product = _read(device / "idVendor"), _read(device / "idProduct")
        if re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", f"{vendor}:{product}"):
            yield f"{vendor}:{product}"


def _disks(directory: Path) -> tuple[DiskFact, ...] | None:
    listed = _listed(directory)
    if listed is None:
        return None
    found = []
    for block in listed:
        size = _number(block / "size") * 512  # the kernel counts in 512 bytes whatever the disk does
        if size == 0 or not _there(block / "device") or _NO_DISK.match(block.name):
            continue
        if _read(block / "hidden") == "1":  # one path of several to the same NVMe
            continue
        logical = _number(block / "queue/logical_block_size") or 512
        physical = _number(block / "queue/physical_block_size") or logical
        solid = _read(block / "queue/rotational") == "0"
        real = _real(block / "device")
        controller = _controller(directory.parent / "bus/pci/devices", real)
        found.append(DiskFact(block.name, size, logical, physical, solid, _place(block, real), controller))
    return tuple(found)


def _number(path: Path) -> int:
    text = _read(path)
    return int(text) if text.isascii() and text.isdigit() else 0


def _real(path: Path) -> str:
    """Where a link of /sys leads to; empty where that is nowhere."""
    try:
        return str(path.resolve(strict=True))
    except OSError:
        return ""


def _place(block: Path, real: str) -> str:
    """Where a disk is: one that may go away is not for the pool."""
    if "/usb" in real:
        return "usb"
    if block.name.startswith("mmcblk"):
        return "mmc"
    return "removable" if _read(block / "removable") == "1" else "fixed"


def _controller(devices: Path, real: str) -> str:
    """The first disk controller on the way to a disk, as "vendor:device"; empty where there is none to see."""
    for part in real.split("/"):
        if _ADDRESS.fullmatch(part) and _hex(devices / part / "class").startswith("01"):
            return f"{_hex(devices / part / 'vendor')}:{_hex(devices / part / 'device')}"
    return ""
