"""What of this machine stands in VirtualBox's way, and what networks it offers."""

from __future__ import annotations

import contextlib
import platform
import re
import sys
from pathlib import Path

from smartos_wizard.core.errors import WizardError
from smartos_wizard.guests.conflicts import for_virtualbox
from smartos_wizard.guests.model import Finding
from smartos_wizard.guests.virtualbox.info import blocks
from smartos_wizard.guests.virtualbox.said import CONFLICT, NO_MODULE
from smartos_wizard.guests.virtualbox.talk import Ask, ask, insist

BEYOND = Finding(
    "virtualbox-of-windows",
    "VirtualBox is installed in Windows, and this program runs in the Linux inside Windows (WSL): "
    "VirtualBox cannot use files that lie there.",
    hint="Use QEMU in WSL, or `guest export` and run the script in Windows. Beside WSL, VirtualBox runs on Hyper-V, which is slow.",
)


def problems(system: str = sys.platform, machine: str = "", warning: str = "") -> tuple[Finding, ...]:
    """What stands in its way: another architecture, a missing kernel module, KVM holding the processor."""
    found = []
    if (machine or platform.machine()).lower() in ("arm64", "aarch64"):
        found.append(
            Finding("virtualbox-on-arm", "On this processor VirtualBox runs no PC guests, and SmartOS needs a PC.",
                    hint="Use QEMU, which can imitate one, or another machine.")
        )  # fmt: skip
    if warning or (system == "linux" and not Path("/dev/vboxdrv").exists()):
        found.append(Finding("virtualbox-no-module", NO_MODULE[0], "warning", NO_MODULE[1]))
    elif system == "linux" and kvm_holds():
        found.append(Finding("virtualbox-conflict", CONFLICT[0], "warning", CONFLICT[1]))
    elif system == "linux":
        found += for_virtualbox()
    return tuple(found)


def kvm_holds(root: Path = Path("/"), release: str = "") -> bool:
    """Whether KVM switched the processor's virtualisation on when it was loaded, as Linux does since 6.12.

    From 6.16 on VirtualBox (7.2) can share it, so that is no conflict.
    """
    version = re.match(r"(\d+)\.(\d+)", release or platform.release())
    numbers = (int(version[1]), int(version[2])) if version else (0, 0)
    if not (6, 12) <= numbers < (6, 16):
        return False
    if not any((root / "sys/module" / name).is_dir() for name in ("kvm_intel", "kvm_amd")):
        return False
    switch = root / "sys/module/kvm/parameters/enable_virt_at_load"
    with contextlib.suppress(OSError):
        return switch.read_text(encoding="ascii").strip() in ("Y", "1")
    return True


def bridges(program: str, asking: Ask = ask) -> tuple[str, ...]:
    """The cards of this machine that a guest can be bridged to."""
    return _names(program, "bridgedifs", asking)


def host_only(program: str, asking: Ask = ask) -> tuple[str, ...]:
    """The networks between this machine and guests that VirtualBox has; macOS has others since 7.0."""
    return _names(program, "hostonlyifs", asking) + (
        _names(program, "hostonlynets", asking) if sys.platform == "darwin" else ()
    )


def _names(program: str, what: str, asking: Ask) -> tuple[str, ...]:
    with contextlib.suppress(WizardError):
        found = blocks(insist((program, "-q", "list", what), asking).out)
        return tuple(block["Name"] for block in found if block.get("Name"))
    return ()
