"""Which product of VMware is on this machine, where its programs are, and what keeps it from working.

Places: VMware's own installers on Linux, macOS and Windows, as packer-plugin-vmware reads them too.
"""

from __future__ import annotations

import contextlib
import os
import platform
import plistlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from smartos_wizard.guests.model import Finding

FUSION = Path("/Applications/VMware Fusion.app")
HOW = (
    "VMware Workstation (Linux, Windows) and Fusion (Macs with Intel) are free since 17.6.2 and 13.6.2; "
    "Broadcom's support site has them, behind a log-in."
)
OLDEST = {"ws": 16, "player": 16, "fusion": 12}
"""First versions that know virtual hardware 19."""
_VERSION = re.compile(r"\b(\d+\.\d+(?:\.\d+)?)\b")
_WINDOWS_KEYS = (
    r"SOFTWARE\WOW6432Node\VMware, Inc.\VMware Workstation", r"SOFTWARE\VMware, Inc.\VMware Workstation",
    r"SOFTWARE\WOW6432Node\VMware, Inc.\VMware Player", r"SOFTWARE\VMware, Inc.\VMware Player",
)  # fmt: skip


def _registry(key: str, value: str) -> str:
    """A value below HKEY_LOCAL_MACHINE, empty where it is not there."""
    if sys.platform != "win32":
        return ""
    import winreg

    with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
        return str(winreg.QueryValueEx(opened, value)[0])
    return ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is asked about this machine: another one can be put in its place."""

    system: str = sys.platform
    processor: str = field(default_factory=platform.machine)
    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    registry: Callable[[str, str], str] = _registry

    def which(self, name: str) -> str | None:
        """The path of a program."""
        return shutil.which(name, path=self.environment.get("PATH", ""))

    def at(self, path: str) -> Path:
        """A path of the system."""
        return self.root / path.lstrip("/")


@dataclass(frozen=True, slots=True)
class Found:
    """A product. `flavour` is what vmrun calls it with -T: ws, player or fusion. `vmrun` is empty where it is missing."""

    title: str
    flavour: str
    version: str
    vmrun: str
    program: str
    problems: tuple[Finding, ...] = ()
    usable: bool = True
    starts: bool = True


def find(machine: Machine | None = None) -> Found | None:
    """The product on this machine, None where there is none. Never raises; asks programs for their version."""
    machine = machine or Machine()
    if machine.system == "darwin":
        found = _macos(machine)
    elif machine.system == "win32":
        found = _windows(machine)
    else:
        found = _linux(machine)
    return None if found is None else _judged(found, machine)


def _linux(machine: Machine) -> Found | None:
    for name, title, flavour in (
        ("vmware", "VMware Workstation", "ws"),
        ("vmplayer", "VMware Player", "player"),
    ):
        program = machine.which(name)
        if program is not None:
            version = _asked(program) or _asked(str(machine.at("/usr/lib/vmware/bin/vmware-vmx")))
            return Found(title, flavour, version, machine.which("vmrun") or "", program)
    return None


def _macos(machine: Machine) -> Found | None:
    app = Path(machine.environment.get("FUSION_APP_PATH") or machine.at(str(FUSION)))
    if not app.is_dir():
        return None
    version = ""
    with contextlib.suppress(OSError, ValueError, plistlib.InvalidFileException):
        version = str(
            plistlib.loads((app / "Contents/Info.plist").read_bytes()).get("CFBundleShortVersionString", "")
        )
    vmrun = next(
        (str(p) for p in (app / "Contents/Library/vmrun", app / "Contents/Public/vmrun") if p.exists()), ""
    )
    return Found("VMware Fusion", "fusion", version, vmrun or machine.which("vmrun") or "", str(app))


def _windows(machine: Machine) -> Found | None:
    for key in _WINDOWS_KEYS:
        version = _number(machine.registry(key, "ProductVersion"))
        place = machine.registry(key, "InstallPath")
        if version or place:
            player = key.endswith("Player")
            return _windows_product(machine, place, "player" if player else "ws", version)
    home = machine.environment.get("VMWARE_HOME", "")
    files = machine.environment.get("ProgramFiles(x86)", "")
    for place in (home, f"{files}/VMware/VMware Workstation" if files else ""):
        if place and Path(place, "vmrun.exe").exists():
            return _windows_product(machine, place, "ws", "")
    return None


def _windows_product(machine: Machine, place: str, flavour: str, version: str) -> Found:
    vmrun = Path(place, "vmrun.exe") if place else None
    path = str(vmrun) if vmrun is not None and vmrun.exists() else machine.which("vmrun") or ""
    title = "VMware Player" if flavour == "player" else "VMware Workstation"
    return Found(title, flavour, version, path, place or path)


def _judged(found: Found, machine: Machine) -> Found:
    """The same with what stands in its way."""
    errors: list[Finding] = []
    warnings: list[Finding] = []
    if found.flavour == "fusion" and _apple_silicon(machine):
        errors.append(
            Finding(
                "apple-silicon", "This Mac has a processor by Apple. Fusion runs only ARM systems on it, and SmartOS is for x86.",
                hint="QEMU imitates an x86 machine here, slowly: `brew install qemu`, then `--hypervisor qemu`; UTM does the same. "
                "A machine with an Intel or AMD processor is quicker.",
            )
        )  # fmt: skip
    if not found.vmrun:
        errors.append(
            Finding("vmrun-missing", f"{found.title} is here, but not its program vmrun, which guests are started with.",
                    hint="It comes with VMware Workstation and Fusion; with an old Player it is in the package VIX.")
        )  # fmt: skip
    major = re.match(r"\d+", found.version)  # 25H2 and later are named after their year
    if major is not None and int(major[0]) < OLDEST[found.flavour]:
        errors.append(
            Finding("vmware-too-old", f"{found.title} {found.version} is too old: {OLDEST[found.flavour]} is the first that works.",
                    hint=HOW)
        )  # fmt: skip
    if machine.system.startswith("linux") and not machine.at("/dev/vmmon").exists():
        warnings.append(
            Finding("vmmon-missing", "VMware's kernel module vmmon is not loaded, so no guest can be started.", "warning",
                    "`sudo vmware-modconfig --console --install-all` builds it, after each new kernel too; with Secure Boot it "
                    "must be signed as well.")
        )  # fmt: skip
    usable = not errors
    return Found(
        found.title, found.flavour, found.version or "unknown", found.vmrun, found.program,
        (*errors, *warnings), usable, usable and not warnings,
    )  # fmt: skip


def _apple_silicon(machine: Machine) -> bool:
    """Also where Python itself is one for Intel: then the system has to be asked."""
    if machine.processor in ("arm64", "aarch64"):
        return True
    sysctl = machine.which("sysctl")
    if sysctl is None:
        return False
    return _said([sysctl, "-in", "hw.optional.arm64"]).strip() == "1"


def _asked(program: str) -> str:
    """The version that a program tells with -v, empty where it does not; some tell it as an error."""
    return _number(_said([program, "-v"]))


def _number(said: str) -> str:
    dated = re.search(r"\b(\d{2}H[12](?:u\d+)?)\b", said)
    match = _VERSION.search(said)
    return dated[1] if dated else match[1] if match else ""


def _said(argv: list[str]) -> str:
    try:
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, errors="replace", timeout=20,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return f"{done.stdout}\n{done.stderr}"
