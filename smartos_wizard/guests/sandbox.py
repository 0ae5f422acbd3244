"""What a sandbox asks of a guest, switch by switch, and how far the hypervisor says it is so.

Profiles: `sealed` has no way out, `lab` goes out through NAT and is reached on loopback only, `lan` is bridged.
"""

from __future__ import annotations

from smartos_wizard.guests.model import Actual, Drift, GuestSpec, Sandbox

OFF = "off"

SWITCHES: dict[str, str] = {
    "clipboard": "shared clipboard",
    "drag-and-drop": "drag and drop",
    "shared-folders": "shared folders",
    "usb": "USB pass-through",
    "audio": "sound",
    "remote-display": "remote display",
    "time-sync": "time taken from the host",
    "3d": "3D graphics",
    "vmci": "channel to the host (VMCI)",
    "uplink": "way out",
    "ssh": "ssh from this machine",
    "host-loopback": "this machine's own loopback services",
}
"""Name of a switch and what it is, in the order they are shown."""

_ALWAYS_OFF = (
    "clipboard", "drag-and-drop", "shared-folders", "usb", "audio", "remote-display", "time-sync", "3d", "vmci",
)  # fmt: skip


def asked(spec: GuestSpec) -> dict[str, str]:
    """Each switch as the profile asks for it: `off`, or a word for the way it is on."""
    found = dict.fromkeys(_ALWAYS_OFF, OFF)
    match spec.sandbox:
        case Sandbox.SEALED:
            found |= {"uplink": OFF, "ssh": _sealed_ssh(spec), "host-loopback": OFF}
        case Sandbox.LAB:
            # QEMU's own network cannot shut that one but by having no way out at all: told when it is chosen.
            loopback = "10.0.2.2" if spec.hypervisor == "qemu" else OFF
            found |= {"uplink": "nat", "ssh": "127.0.0.1", "host-loopback": loopback}
        case Sandbox.LAN:
            bridge = next((nic.bridge for nic in spec.nics if nic.network == "uplink"), "")
            found |= {
                "uplink": f"bridged {bridge}".strip(),
                "ssh": "the guest's address",
                "host-loopback": OFF,
            }
    # VMware has no forwards of a guest's own, and the bridge is VMware's, or one of its networks.
    if spec.hypervisor == "vmware":
        found["ssh"] = "the guest's address"
        if spec.sandbox is Sandbox.LAN and not found["uplink"].startswith("bridged vmnet"):
            found["uplink"] = "bridged"
    return found


def _sealed_ssh(spec: GuestSpec) -> str:
    """VirtualBox's NAT cannot be shut, so a sealed guest there has a wire to this machine only, or none at all."""
    if spec.hypervisor != "virtualbox":
        return "127.0.0.1"
    wire = next((nic.bridge for nic in spec.nics if nic.network == "uplink"), "")
    return f"host-only {wire}" if wire else OFF


def compared(spec: GuestSpec, actual: Actual) -> tuple[tuple[str, str, str, str], ...]:
    """(switch, what it is, asked, actual) for every switch; actual is `not told` where the hypervisor is silent."""
    wanted = asked(spec)
    return tuple(
        (name, words, wanted[name], actual.switches.get(name) or "not told")
        for name, words in SWITCHES.items()
    )


def drift(spec: GuestSpec, actual: Actual) -> tuple[Drift, ...]:
    """Everything that is not as asked: switches, memory, processors, cards. What is not told is no drift."""
    found = [
        Drift(words, wanted, said)
        for _name, words, wanted, said in compared(spec, actual)
        if said not in ("not told", wanted)
    ]
    for what, want, have in (
        ("memory in MiB", spec.memory, actual.memory),
        ("processors", spec.cpus, actual.cpus),
    ):
        if have is not None and have != want:
            found.append(Drift(what, str(want), str(have)))
    macs = tuple(nic.mac.lower() for nic in spec.nics)
    if actual.macs and tuple(mac.lower() for mac in actual.macs) != macs:
        found.append(Drift("network cards", ", ".join(macs), ", ".join(actual.macs)))
    if actual.disks and len(actual.disks) != len(spec.disks):
        found.append(Drift("data disks", str(len(spec.disks)), str(len(actual.disks))))
    return tuple(found)
