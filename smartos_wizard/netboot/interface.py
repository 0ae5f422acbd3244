"""Network interfaces of this machine, and the one that was chosen: what serves machines is on one wire only."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from smartos_wizard.core.errors import DeviceLost, UsageProblem
from smartos_wizard.core.text import tame


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface with its first IPv4 address; `mac` is empty where it has none."""

    name: str
    address: str
    netmask: str
    mac: str = ""
    up: bool = True

    @property
    def network(self) -> ipaddress.IPv4Network:
        """The network it is in."""
        return ipaddress.IPv4Interface(f"{self.address}/{self.netmask}").network


def interfaces() -> tuple[Interface, ...]:
    """Every interface with an IPv4 address but loopback, by name."""
    import socket

    import psutil

    stats, found = psutil.net_if_stats(), []
    for name, addresses in sorted(psutil.net_if_addrs().items()):
        ip = next((a for a in addresses if a.family == socket.AF_INET), None)
        mac = next((a.address for a in addresses if a.family == psutil.AF_LINK), "")
        if ip is None or not ip.address or not ip.netmask or ip.address.startswith("127."):
            continue
        up = name in stats and stats[name].isup
        found.append(Interface(name, ip.address, ip.netmask, mac, up))
    return tuple(found)


def every_interface() -> tuple[Interface, ...]:
    """The same and those without an IPv4 address, whose `address` is empty, by name: to show what there is."""
    import psutil

    found = {each.name: each for each in interfaces()}
    stats, cards = psutil.net_if_stats(), psutil.net_if_addrs()
    for name in (*stats, *cards):
        local = any(a.address.startswith("127.") for a in cards.get(name, ()))
        if name not in found and not local:
            mac = next((a.address for a in cards.get(name, ()) if a.family == psutil.AF_LINK), "")
            found[name] = Interface(name, "", "", mac, name in stats and stats[name].isup)
    return tuple(found[name] for name in sorted(found))


def interface_named(name: str) -> Interface:
    """The interface of that name. Raises UsageProblem `no-such-interface` or `interface-down`."""
    every = interfaces()
    found = next((each for each in every if each.name == name), None)
    if found is None:
        there = ", ".join(f"{i.name} ({i.address})" for i in every) or "none"
        raise UsageProblem(
            "no-such-interface", f"There is no interface “{tame(name)}” with an IPv4 address.",
            hint=f"With an address there are: {there}.",
        )  # fmt: skip
    if not found.up:
        raise UsageProblem(
            "interface-down", f"{name} is not up: no machine could be reached.", hint=f"ip link set {name} up"
        )
    return found


def require_still(interface: Interface) -> None:
    """Return while it is as it was. Raises DeviceLost `interface-gone`."""
    if not any(i.name == interface.name and i.address == interface.address and i.up for i in interfaces()):
        raise DeviceLost(
            "interface-gone", f"{interface.name} is gone, down, or lost its address {interface.address}.",
            hint="Nothing is served any more. Give the command again when it is back.",
        )  # fmt: skip


def range_of(words: str, interface: Interface) -> tuple[str, str]:
    """First and last address of `FIRST-LAST` in the interface's network. Raises UsageProblem `bad-range`."""
    first, _, last = words.partition("-")
    try:
        one, other = ipaddress.IPv4Address(first.strip()), ipaddress.IPv4Address(last.strip())
    except ValueError as error:
        raise UsageProblem(
            "bad-range", f"“{tame(words)}” is no range of addresses.", hint=_like(interface)
        ) from error
    own = ipaddress.IPv4Address(interface.address)
    if one not in interface.network or other not in interface.network or one > other or one <= own <= other:
        raise UsageProblem(
            "bad-range",
            f"{one} to {other} is no range in {interface.network} beside this machine's own {own}.",
            hint=_like(interface),
        )
    return str(one), str(other)


def _like(interface: Interface) -> str:
    hosts = interface.network
    if hosts.num_addresses < 16:
        return f"The network is {hosts}."
    last = hosts.broadcast_address - 1
    return f"For example {last - 9}-{last}."
