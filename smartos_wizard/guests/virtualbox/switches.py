"""The switches of the sandbox as VirtualBox says they are."""

from __future__ import annotations

from collections.abc import Mapping

from smartos_wizard.guests.model import GuestSpec, Sandbox, State
from smartos_wizard.guests.virtualbox import argv, info

RUNNING = (State.RUNNING, State.PAUSED, State.STARTING, State.STOPPING)
_USB = ("usb", "ohci", "ehci", "xhci")


def switches_of(
    facts: Mapping[str, str], extra: Mapping[str, str], spec: GuestSpec, line: tuple[int, int]
) -> dict[str, str | None]:
    """Every switch; None where VirtualBox says nothing of it. VMCI it does not have."""
    audio = facts.get("audio")
    return {
        "clipboard": _off_if(facts.get("clipboard"), "disabled"),
        "drag-and-drop": _off_if(facts.get("draganddrop"), "disabled"),
        "shared-folders": "on" if any(key.startswith("SharedFolderName") for key in facts) else "off",
        "usb": None if "usb" not in facts else "on" if any(facts.get(k) == "on" for k in _USB) else "off",
        "audio": _off_if(audio, "none"),
        "remote-display": _off_if(facts.get("vrde"), "off"),
        "time-sync": "off" if extra.get(argv.HOST_TIME) == "1" else "on",
        "3d": _off_if(facts.get("accelerate3d"), "off"),
        "vmci": "off",
        **_network(facts, spec, line),
    }


def ssh_port(facts: Mapping[str, str]) -> int | None:
    """The port on 127.0.0.1 that leads to the guest's port 22."""
    for _name, protocol, host, port, _guest, inner in info.forwards(facts):
        if protocol == "tcp" and host == "127.0.0.1" and inner == "22" and port.isdigit():
            return int(port)
    return None


def _network(facts: Mapping[str, str], spec: GuestSpec, line: tuple[int, int]) -> dict[str, str | None]:
    number = next((n for n, nic in enumerate(spec.nics, 1) if nic.network == "uplink"), 1)
    match facts.get(f"nic{number}"):
        case "nat":
            return {"uplink": "nat", "ssh": _ssh(facts), "host-loopback": _loopback(facts, line)}
        case "bridged":
            name = facts.get(f"bridgeadapter{number}", "")
            return {
                "uplink": f"bridged {name}".strip(),
                "ssh": "the guest's address",
                "host-loopback": "off",
            }
        case "hostonly" | "hostonlynet" as kind:
            name = facts.get(f"hostonlyadapter{number}") or facts.get(f"hostonly-network{number}") or kind
            return {"uplink": "off", "ssh": f"host-only {name}", "host-loopback": "off"}
        case "intnet" | "null" | "none" | None:
            return {"uplink": "off", "ssh": "off", "host-loopback": "off"}
        case other:
            return {"uplink": other, "ssh": None, "host-loopback": None}


def _ssh(facts: Mapping[str, str]) -> str:
    hosts = [rule[2] for rule in info.forwards(facts) if rule[5] == "22"]
    if not hosts:
        return "off"
    return next((host or "every address" for host in hosts if host != "127.0.0.1"), "127.0.0.1")


def _loopback(facts: Mapping[str, str], line: tuple[int, int]) -> str | None:
    if line < (7, 0):
        return "10.0.2.2"  # before 7.0 there is no switch for it, and it is open
    told = {"0": "off", "1": "10.0.2.2"}.get(facts.get("localhostReachable", ""))
    return told if told == "off" or info.state_of(facts) in RUNNING else None


def forgotten(facts: Mapping[str, str], spec: GuestSpec, line: tuple[int, int]) -> tuple[str, ...]:
    """What VirtualBox forgot of a guest that is off: 7.2 does not keep that the host's loopback is shut."""
    if line < (7, 0) or spec.sandbox is not Sandbox.LAB or facts.get("localhostReachable") != "1":
        return ()
    if info.state_of(facts) in RUNNING:
        return ()
    return (
        "VirtualBox forgets that this machine's loopback services are shut to the guest. `guest start` shuts them "
        "each time; started in VirtualBox itself the guest reaches them at 10.0.2.2.",
    )


def _off_if(value: str | None, word: str) -> str | None:
    return None if value is None else "off" if value == word else value
