"""Is a machine fit for SmartOS: the processor, memory, firmware, and the machine as a whole.

Pure: judges facts, looks at nothing. Cards and disks are judged in hardware_cards. Rules from smartos-docs
(hardware-requirements, bhyve, kvm, the pages on guests) and illumos-joyent's sources.
"""

from __future__ import annotations

from smartos_wizard.boot.cpu import AMD, HYGON, INTEL, Microarchitecture, microarchitecture
from smartos_wizard.boot.hardware_cards import disk_controllers, disks, network, usb
from smartos_wizard.boot.hardware_facts import HardwareFacts
from smartos_wizard.boot.hardware_verdict import Level, Verdict
from smartos_wizard.core import text

GIB = 1 << 30
LEAST, LITTLE, ENOUGH = GIB, 2 * GIB, 4 * GIB
"""Bytes of memory: below the first SmartOS does not start well, below the second it is tight, the third is good."""
_KEPT = 8
"""A system and its firmware keep up to one part in so many of the memory built in."""

_X86 = ("x86_64", "amd64", "i86pc", "i386", "i486", "i586", "i686")
_HYPERVISORS = (
    (("virtualbox", "innotek"), "VirtualBox"),
    (("vmware",), "VMware"),
    (("parallels",), "Parallels"),
    (("microsoft",), "Hyper-V"),
    (("xen",), "Xen"),
    (("bhyve",), "bhyve"),
    (("amazon",), "Amazon EC2"),
    (("google",), "Google Cloud"),
    (("qemu", "kvm", "red hat", "openstack", "hetzner", "ovirt"), "QEMU or KVM"),
)


def judge_hardware(facts: HardwareFacts) -> tuple[Verdict, ...]:
    """One verdict for each thing that was looked at, the essential ones first."""
    return (
        processor(facts),
        memory(facts),
        *network(facts),
        *disk_controllers(facts),
        disks(facts),
        virtualization(facts),
        firmware(facts),
        secure_boot(facts),
        usb(facts),
        *guest(facts),
    )


def generation(facts: HardwareFacts) -> Microarchitecture | None:
    """The generation of the machine's processor, or None."""
    return microarchitecture(*facts.cpu) if facts.cpu else None


def processor(facts: HardwareFacts) -> Verdict:
    """SmartOS is for 64-bit x86 only (smartos-docs: hardware-requirements)."""
    found = facts.cpu_name or facts.machine or "not known"
    machine = facts.machine.lower()
    if machine and machine not in _X86:
        return Verdict(
            "Processor", Level.NO, f"{found} ({facts.machine})", "SmartOS is for 64-bit x86 processors only.",
            "Use another machine, or emulate one with UTM or QEMU (x86_64, q35); slow, and without KVM or bhyve.",
            essential=True,
        )  # fmt: skip
    if (facts.flags is not None and "lm" in facts.flags) or machine in ("x86_64", "amd64"):
        return Verdict("Processor", Level.OK, found, "It is a 64-bit x86 processor.", essential=True)
    if facts.flags is not None and facts.system == "Linux":
        return Verdict(
            "Processor", Level.NO, found, "It has no 64-bit mode.", "Use another machine.", essential=True
        )
    return Verdict(
        "Processor", Level.UNKNOWN, found, "Whether it has a 64-bit mode could not be seen.",
        "Look for x86-64, AMD64, EM64T or Intel 64 in its maker's list.", essential=True,
    )  # fmt: skip


def memory(facts: HardwareFacts) -> Verdict:
    """All of SmartOS runs from memory; its boot archive alone takes over 300 MB of it."""
    count = facts.memory
    if count is None:
        return Verdict("Memory", Level.UNKNOWN, "not known", "SmartOS needs 1 GiB at least.", essential=True)
    built_in = count + count // (_KEPT - 1)
    found = f"{text.size(count)} usable"
    if built_in < LEAST:
        return Verdict(
            "Memory", Level.NO, found, "SmartOS runs from memory and needs 1 GiB at least.",
            "Give it 4 GiB, better more.", essential=True,
        )  # fmt: skip
    if built_in < LITTLE:
        return Verdict(
            "Memory", Level.WARNING, found, "It starts, but little is left for zones.",
            "Give it 2 GiB, better 4 GiB.", essential=True,
        )  # fmt: skip
    why = "Enough." if built_in >= ENOUGH else "Enough to start with; 4 GiB are recommended."
    return Verdict("Memory", Level.OK, found, why, essential=True)


def virtualization(facts: HardwareFacts) -> Verdict:
    """bhyve needs VT-x with EPT or AMD-V with NPT; KVM is the older choice, and safe on Intel only."""
    named = generation(facts)
    flags = facts.flags
    maker = facts.cpu[0] if facts.cpu else ""
    if flags is None or maker not in (INTEL, AMD, HYGON):
        return Verdict(
            "Virtual machines", Level.UNKNOWN, named.name if named else "not known",
            "bhyve and KVM need VT-x with EPT or AMD-V with NPT, and this could not be seen. Zones need neither.",
        )  # fmt: skip
    first, second = ("vmx", "ept") if maker == INTEL else ("svm", "npt")
    name = named.name if named else f"family {facts.cpu[1]} model {facts.cpu[2]}" if facts.cpu else ""
    if first not in flags:
        return _switched_off(facts, named, name)
    # Only Linux and FreeBSD name EPT and NPT; elsewhere the generation tells.
    told = second in flags or (facts.system not in ("Linux", "FreeBSD") and bool(named and named.nested))
    if not told:
        return _without_second(facts, named, name)
    return _virtual(facts, named, name, maker)


def _words(maker: str) -> tuple[str, str]:
    return ("VT-x", "EPT") if maker == INTEL else ("AMD-V", "NPT")


def _virtual(facts: HardwareFacts, named: Microarchitecture | None, name: str, maker: str) -> Verdict:
    first, second = _words(maker)
    found = f"{first} with {second} ({name})"
    more = {"unrestricted_guest"} if maker == INTEL else {"nrip_save", "decodeassists"}
    has_more = more <= (facts.flags or frozenset())
    # Linux before 5.11 does not name unrestricted guest, illumos and macOS name none of these.
    silent = facts.system not in ("Linux", "FreeBSD") or (maker == INTEL and not _hypervisor(facts))
    if not has_more and silent:
        has_more = named is not None and named.bhyve
    if not has_more:
        return _without_more(found, maker)
    why = "bhyve works. SmartOS's KVM is safe on Intel only: take bhyve."
    if maker == INTEL:
        why = "bhyve and KVM work."
    todo = ""
    if facts.kvm is False and facts.system == "Linux":
        todo = (
            f"Should SmartOS say it cannot, switch {first} on in the firmware: Linux makes no use of it here."
        )
    return Verdict("Virtual machines", Level.OK, found, why, todo)


def _without_more(found: str, maker: str) -> Verdict:
    """What illumos's bhyve asks for beyond nested paging: see `Microarchitecture.bhyve`."""
    if maker == INTEL:
        return Verdict(
            "Virtual machines", Level.WARNING, found + ", but no unrestricted guest to be seen",
            "KVM works. bhyve will not: it asks for unrestricted guest, which came with Westmere in 2010.",
            "Use KVM here, or a newer processor for bhyve.",
        )  # fmt: skip
    return Verdict(
        "Virtual machines", Level.WARNING, found + ", but no decode assists",
        "bhyve may refuse: it asks for NRIP save and decode assists, both there since Bulldozer (2011). "
        "SmartOS's KVM is safe on Intel only. Zones and LX zones work without.",
        "Use a newer processor for virtual machines.",
    )  # fmt: skip


def _switched_off(facts: HardwareFacts, named: Microarchitecture | None, name: str) -> Verdict:
    first, second = _words(facts.cpu[0] if facts.cpu else "")
    zones = "Zones and LX zones work without."
    if "hypervisor" in (facts.flags or ()):
        return Verdict(
            "Virtual machines", Level.WARNING, f"no {first} inside this virtual machine ({name})",
            f"bhyve and KVM will not work in here. {zones}",
            f"Switch nested virtualization on in the hypervisor if its processor has {first} with {second}.",
        )  # fmt: skip
    if named is not None and not named.nested:
        return Verdict(
            "Virtual machines", Level.WARNING, f"no {first} with {second} ({name})",
            f"bhyve and KVM will not work: {_since(first)}. {zones}",
        )  # fmt: skip
    return Verdict(
        "Virtual machines", Level.WARNING, f"no {first} to be seen ({name})",
        f"bhyve and KVM will not work. Processors of this kind have {first} as a rule: it is switched off in "
        f"the firmware, or left out of this model. {zones}",
        f"Look in the firmware's setup for {'Intel Virtualization Technology' if first == 'VT-x' else 'SVM Mode'} "
        "and switch it on.",
    )  # fmt: skip


def _without_second(facts: HardwareFacts, named: Microarchitecture | None, name: str) -> Verdict:
    first, second = _words(facts.cpu[0] if facts.cpu else "")
    zones = "Zones and LX zones work without."
    if named is not None and not named.nested:
        why = f"bhyve and KVM will not work: {_since(first)}. {zones}"
        return Verdict("Virtual machines", Level.WARNING, f"{first} without {second} ({name})", why)
    if named is None:
        return Verdict(
            "Virtual machines", Level.UNKNOWN, f"{first}; {second} could not be seen ({name})",
            f"bhyve and KVM need {second} too. {zones}",
        )  # fmt: skip
    if "hypervisor" in (facts.flags or ()):
        todo = f"Have the hypervisor pass {second} on to this virtual machine."
    else:
        todo = "Ask its maker's list; an old Linux does not always name it."
    return Verdict(
        "Virtual machines", Level.WARNING, f"{first}, but no {second} to be seen ({name})",
        f"bhyve and KVM need {second}. {zones}", todo,
    )  # fmt: skip


def _since(first: str) -> str:
    if first == "VT-x":
        return "EPT came with Nehalem in 2008, and with Silvermont to Atoms"
    return "NPT came with K10 (Barcelona) in 2007"


def firmware(facts: HardwareFacts) -> Verdict:
    """Keys since April 2019 start by BIOS and UEFI; older ones, with GRUB, by BIOS only (smartos-live)."""
    old = "Releases before April 2019 start by BIOS only (or UEFI's compatibility mode, CSM)."
    match facts.firmware:
        case "bios":
            return Verdict(
                "Firmware",
                Level.OK,
                "BIOS, or UEFI in its compatibility mode (CSM)",
                "Keys of any year start.",
            )
        case "uefi" if _hypervisor(facts):
            return Verdict(
                "Firmware", Level.WARNING, "UEFI", "Guests with UEFI are a weak spot: some hypervisors do not start the ISO.",
                "Give this virtual machine BIOS firmware.",
            )  # fmt: skip
        case "uefi":
            return Verdict("Firmware", Level.OK, "UEFI", f"Keys since April 2019 start by it. {old}")
    return Verdict("Firmware", Level.UNKNOWN, "not known", f"BIOS and UEFI both do. {old}")


def secure_boot(facts: HardwareFacts) -> Verdict:
    """SmartOS's loader is not signed (smartos-live: build_boot_image has no such step)."""
    why = "SmartOS's boot loader is not signed."
    todo = "Switch Secure Boot off in the firmware's setup; mind that Windows with BitLocker will ask for its key."
    match facts.secure_boot:
        case True:
            return Verdict("Secure Boot", Level.NO, "on", why + " The firmware will not start it.", todo)
        case False:
            return Verdict("Secure Boot", Level.OK, "off", "As SmartOS needs it.")
        case _ if facts.system == "SunOS":
            return Verdict("Secure Boot", Level.OK, "not in the way", "illumos was started on this machine.")
    return Verdict(
        "Secure Boot", Level.UNKNOWN, "not known", why, "Look in the firmware's setup: it must be off."
    )


def _hypervisor(facts: HardwareFacts) -> str:
    """The hypervisor this machine runs in, "" where it is a machine of its own."""
    if "hypervisor" not in (facts.flags or ()):
        return ""
    words = f"{facts.maker} {facts.product}".lower()
    for signs, name in _HYPERVISORS:
        if any(sign in words for sign in signs):
            return name
    return "a hypervisor"


_GUEST_RULES = {
    "VirtualBox": "Type Solaris 11 64-bit, network card Intel PRO/1000 MT Desktop (82540EM), bridged, promiscuous mode Allow All, no audio.",
    "VMware": "Let the port group take promiscuous mode and forged transmits; network card e1000 or vmxnet3.",
    "QEMU or KVM": "Machine q35 or pc, plain `-smp 4`, virtio devices on the root bus (or e1000 and SATA).",
}


def guest(facts: HardwareFacts) -> tuple[Verdict, ...]:
    """What matters where this is a virtual machine (smartos-docs: the pages on guests)."""
    name = _hypervisor(facts)
    if not name:
        return ()
    rules = "Attach the ISO for good, as SmartOS always starts from it, and one empty disk; BIOS firmware."
    return (
        Verdict(
            "Guest", Level.OK, f"runs inside {name}",
            "Zones have network addresses of their own: the hypervisor must pass those on, or zones reach nothing.",
            " ".join(filter(None, [rules, _GUEST_RULES.get(name, "")])),
        ),
    )  # fmt: skip
