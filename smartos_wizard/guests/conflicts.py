"""Who uses the processor's virtualisation, which two hypervisors can seldom share, and what to do about it.

Facts: linux, virt/kvm (a machine in use holds its module and a file called kvm-vm; Linux 6.12 switches virtualisation on
when KVM is loaded, kvm.enable_virt_at_load); VirtualBox/virtualbox#81 (6.12 to 6.15), VirtualBox 7.2 for 6.16 and later.
"""

from __future__ import annotations

import contextlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.guests.model import Finding

LET_GO = (
    "Shut the guests of VirtualBox and VMware down first; if none runs, "
    "`sudo modprobe -r vboxnetflt vboxnetadp vboxdrv` lets go of it."
)
"""What to do where another hypervisor uses the processor."""
_VIRTUALBOX = ("VBoxHeadless", "VirtualBoxVM")
_VMWARE = ("vmware-vmx",)
_KVM = ("qemu-system", "qemu-kvm", "kvm", "firecracker", "cloud-hyperviso", "crosvm")
_IN_USE = re.compile(
    r"device or resource busy|KVM_CREATE_VM\) failed: 16|VMX_IN_VMX_ROOT_MODE|SVM_IN_USE", re.I
)
_NO_RIGHTS = re.compile(r"permission denied", re.I)
_MISSING = re.compile(r"no such file or directory|No such device", re.I)


@dataclass(frozen=True, slots=True)
class Users:
    """Running guests by whose they are, each as its process is called with its number."""

    kvm: tuple[str, ...] = ()
    virtualbox: tuple[str, ...] = ()
    vmware: tuple[str, ...] = ()


def users(root: Path = Path("/")) -> Users:
    """What runs on this Linux just now; nothing elsewhere. Of other users' processes only the name can be seen."""
    found: dict[str, list[str]] = {"kvm": [], "virtualbox": [], "vmware": []}
    counted = _counted(root)
    for place in _processes(root):
        with contextlib.suppress(OSError):  # it ended meanwhile
            name = (place / "comm").read_text(encoding="utf-8", errors="replace").strip()
            shown = f"{name} (process {place.name})"
            if name.startswith(_VIRTUALBOX):
                found["virtualbox"].append(shown)
            elif name.startswith(_VMWARE):
                found["vmware"].append(shown)
            elif name.startswith(_KVM) and _has_machine(place, otherwise=counted):
                found["kvm"].append(shown)
    return Users(**{who: tuple(names) for who, names in found.items()})


def for_virtualbox(root: Path = Path("/"), release: str = "") -> tuple[Finding, ...]:
    """What keeps VirtualBox from starting guests on this Linux just now."""
    if shared(release):
        return ()
    running = users(root)
    found = running.kvm + running.vmware
    if not found:
        return ()
    whose = "KVM" if running.kvm else "VMware"
    return (
        Finding(
            "virtualbox-conflict",
            f"A guest of {whose} runs and holds the processor's virtualisation: {', '.join(found)}. "
            "VirtualBox starts none meanwhile.",
            "warning", "Shut that guest down first. Or use QEMU, which works beside other guests of KVM.",
        ),
    )  # fmt: skip


def for_qemu(accelerator: str, note: str, root: Path = Path("/"), release: str = "") -> tuple[Finding, ...]:
    """What QEMU's guests suffer from here: another hypervisor at work, missing rights, no acceleration at all.

    `accelerator` and `note` are what the probe found: what works, and what was said of what does not.
    """
    fast = accelerator != "tcg"
    if fast and shared(release):
        return ()
    running = users(root)
    found = running.virtualbox + running.vmware
    if (found and fast) or (not fast and _IN_USE.search(note)):
        whose = "VMware" if running.vmware else "VirtualBox"
        who = f"a guest of {whose} runs ({', '.join(found)})" if found else "another hypervisor uses it"
        what = (
            "does not start with KVM meanwhile" if fast else "imitates the processor meanwhile, which is slow"
        )
        return (
            Finding("kvm-conflict", f"The processor's virtualisation is taken: {who}. QEMU {what}.", "warning",
                    LET_GO),
        )  # fmt: skip
    return () if fast else (_slow(note, release),)


def shared(release: str = "") -> bool:
    """Whether this Linux lets hypervisors share the processor, as 6.16 and later do with VirtualBox 7.2."""
    version = re.match(r"(\d+)\.(\d+)", release or platform.release())
    return version is not None and (int(version[1]), int(version[2])) >= (6, 16)


def passing(said: str) -> bool:
    """Whether what QEMU says is that somebody else uses the processor, which passes and should not be remembered."""
    return _IN_USE.search(said) is not None


def _slow(note: str, release: str) -> Finding:
    why = f" ({note})" if note else ""
    words = f"The processor is imitated, which is slow: no acceleration works here{why}."
    hint = "On Linux it takes KVM: rights on /dev/kvm, and virtualisation switched on in the firmware."
    if "microsoft" in (release or platform.release()).lower():
        hint = ("In the Linux inside Windows (WSL) it takes Windows 11 with nestedVirtualization=true under [wsl2] in "
                ".wslconfig, then `wsl --shutdown`.")  # fmt: skip
    elif _NO_RIGHTS.search(note):
        hint = "Your user may not use /dev/kvm: `sudo usermod -aG kvm $USER`, then log in anew."
    elif _MISSING.search(note):
        hint = ("KVM is not loaded: `sudo modprobe kvm_intel` or `kvm_amd`. If that fails, switch VT-x or AMD-V on in the "
                "machine's firmware.")  # fmt: skip
    return Finding("no-acceleration", words, "warning", hint)


def _processes(root: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted((p for p in (root / "proc").iterdir() if p.name.isdigit()), key=lambda p: int(p.name))
    return []


def _has_machine(process: Path, *, otherwise: bool) -> bool:
    """Whether a process has a machine of KVM, which QEMU has not where it imitates; `otherwise` where it cannot be seen."""
    try:
        for each in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if "kvm-vm" in str(each.readlink()):
                    return True
    except OSError:
        return otherwise
    return False


def _counted(root: Path) -> bool:
    """Whether anybody uses KVM, as its module counts."""
    for name in ("kvm_intel", "kvm_amd"):
        with contextlib.suppress(OSError, ValueError):
            if int((root / "sys/module" / name / "refcnt").read_text(encoding="ascii")):
                return True
    return False
