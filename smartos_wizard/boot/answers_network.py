"""Are the network answers such that the machine will be in its network? Stricter than setup, which counts digits.

Pure; imports the reading rules and findings. Facts: smartos-live: src/smartdc/lib/smartos_prompt_config.sh (is_net,
promptnet, promptnic, ip_netmask_to_network).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network

from smartos_wizard.boot.answers_finding import Finding, error, info, warning
from smartos_wizard.boot.answers_schema import DEFAULT
from smartos_wizard.boot.answers_script import (
    CANONICAL_MAC,
    Does,
    as_read,
    does,
    is_net,
    is_static,
    value_of,
)
from smartos_wizard.core.text import tame

_ASKS = "Setup does not take it and asks."
_TAKES = "Setup takes it, and the network does not work afterwards."


def address(text: str) -> IPv4Address | None:
    """An IPv4 address of four plain decimal fields; None for anything else, leading zeros included."""
    fields = text.split(".")
    if len(fields) != 4 or not all(re.fullmatch(r"0|[1-9][0-9]{0,2}", f) and int(f) < 256 for f in fields):
        return None
    return IPv4Address(text)


def prefix(mask: str) -> int | None:
    """The length of the prefix that a netmask means; None where its ones are not all in front."""
    found = address(mask)
    if found is None:
        return None
    bits = f"{int(found):032b}"
    return None if "01" in bits else bits.count("1")


def prefix_length(text: str) -> int | None:
    """A prefix length from 0 to 32 as people write it; None for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,2}", text) and int(text) <= 32 else None


def netmask(length: int) -> str:
    """The netmask of a prefix length from 0 to 32, as four numbers."""
    return str(IPv4Network((0, length)).netmask)


def network_findings(answers: Mapping[str, str]) -> Iterator[Finding]:
    """Everything wrong with card, address, netmask, gateway and name servers."""
    yield from _nic(answers)
    yield from _ip(answers)
    if is_static(answers):
        yield from _mask(answers)
        yield from _pair(answers)
    elif "admin_netmask" in answers and value_of("admin_ip", answers) == "dhcp":
        said = "admin_netmask is not read with dhcp."
        yield info("admin_netmask", "not-read", said)
    yield from _gateway(answers)
    for name in ("dns_resolver1", "dns_resolver2"):
        yield from _server(name, answers)


def mac_suggestion(text: str) -> str:
    """A MAC address in whatever spelling, as setup compares it: small letters, two digits, colons; or nothing."""
    groups = re.split(r"[:\-. ]", text.strip())
    if len(groups) == 1 and re.fullmatch(r"[0-9A-Fa-f]{12}", text.strip()):
        groups = re.findall("..", text.strip())
    if len(groups) == 3 and all(re.fullmatch(r"[0-9A-Fa-f]{4}", g) for g in groups):
        groups = re.findall("..", "".join(groups))
    if len(groups) != 6 or not all(re.fullmatch(r"[0-9A-Fa-f]{1,2}", g) for g in groups):
        return ""
    return ":".join(g.lower().zfill(2) for g in groups)


def _nic(answers: Mapping[str, str]) -> Iterator[Finding]:
    value = as_read(answers.get("admin_nic", ""))
    if not value:
        return
    if not CANONICAL_MAC.fullmatch(value):
        better = mac_suggestion(value)
        said = "admin_nic is compared as text with addresses such as 52:54:00:2f:61:34 (small letters, two digits each)"
        end = f"; {tame(value)} never matches." + (f" Write {better}." if better else "")
        yield error("admin_nic", "bad-mac", said + end, better)
    elif value == "00:00:00:00:00:00" or int(value[:2], 16) & 1:
        yield error("admin_nic", "bad-mac", f"{value} is not the address of a network card.")


def _ip(answers: Mapping[str, str]) -> Iterator[Finding]:
    if "admin_ip" not in answers:
        return
    value = as_read(answers["admin_ip"])
    if value == "dhcp" or not value:
        return
    if value == "none":
        yield error("admin_ip", "address-none", f"none is no address. {_TAKES} Give dhcp or an address.")
        return
    found = address(value)
    if found is None:
        yield _not_an_address("admin_ip", value)
    elif found.is_loopback or found.is_multicast or found.is_reserved or int(found) >> 24 == 0:
        yield error("admin_ip", "bad-address", f"{value} cannot be the address of a machine. {_TAKES}")
    elif found.is_link_local:
        yield warning(
            "admin_ip", "link-local", f"{value} is a link-local address; no router will pass it on."
        )


def _not_an_address(name: str, value: str) -> Finding:
    """An address setup refuses, or one that it accepts although it is none."""
    lowered = value.lower()
    better = lowered if lowered in ("dhcp", "none") and name != "admin_netmask" else ""
    if "/" in value and address(value.split("/", maxsplit=1)[0]):
        better = value.split("/", maxsplit=1)[0]
    what = f"{name}: {tame(value)} is not an IPv4 address."
    if value == DEFAULT and name == "admin_ip":
        what = "admin_ip has no default."
    said = f"{what} {_TAKES if is_net(value) else _ASKS}" + (f" Write {better}." if better else "")
    return error(name, "bad-address" if is_net(value) else "not-an-address", said, better)


def _mask(answers: Mapping[str, str]) -> Iterator[Finding]:
    if "admin_netmask" not in answers:
        return
    value = as_read(answers["admin_netmask"])
    if value in ("", DEFAULT):
        return
    short = prefix_length(value.removeprefix("/"))
    if short is not None:
        better = netmask(short)
        said = f"admin_netmask is written as four numbers. {_ASKS} Write {better}."
        yield error("admin_netmask", "bad-netmask", said, better)
        return
    length = prefix(value)
    if value in ("dhcp", "none"):
        yield error("admin_netmask", "bad-netmask", f"{value} is not a netmask. {_TAKES}")
    elif address(value) is None:
        how = _TAKES if is_net(value) else _ASKS
        yield error("admin_netmask", "bad-netmask", f"{tame(value)} is not a netmask. {how}")
    elif length is None:
        said = f"{value} is not a netmask: the ones have to stand in front, as in 255.255.255.0. {_TAKES}"
        yield error("admin_netmask", "netmask-with-holes", said)
    elif not 1 <= length <= 30:
        yield error("admin_netmask", "bad-netmask", f"{value} (/{length}) leaves no room for a network.")
    elif length < 8:
        yield warning(
            "admin_netmask", "wide-netmask", f"{value} (/{length}) is wider than any private network."
        )


def own_network(answers: Mapping[str, str]) -> IPv4Network | None:
    """The machine's own network where address and netmask are sound, with the default netmask where none is given."""
    ip = address(value_of("admin_ip", answers) or "")
    mask = value_of("admin_netmask", answers) if "admin_netmask" in answers else "255.255.255.0"
    length = prefix(mask or "")
    if ip is None or length is None:
        return None
    return IPv4Network((ip, length), strict=False)


def _pair(answers: Mapping[str, str]) -> Iterator[Finding]:
    """The address in its network: setup loops for ever at the broadcast address and takes the network address."""
    net = own_network(answers)
    ip = tame(value_of("admin_ip", answers) or "")
    if does("admin_ip", answers) is Does.LOOPS:
        said = f"{ip} is the broadcast address of its network. Setup would ask itself the same question for ever."
        yield error("admin_ip", "broadcast-address", said)
    elif net is None or net.prefixlen > 30:
        return
    elif ip == str(net.broadcast_address):
        yield error("admin_ip", "broadcast-address", f"{ip} is the broadcast address of {net}.")
    elif ip == str(net.network_address):
        said = f"{ip} is the address of the network {net} itself, not of a machine in it. {_TAKES}"
        yield error("admin_ip", "network-address", said)


def _gateway(answers: Mapping[str, str]) -> Iterator[Finding]:
    name = "headnode_default_gateway"
    if name not in answers:
        return
    value = as_read(answers[name])
    if value in ("", "none", DEFAULT):
        return
    found = address(value)
    if value == "dhcp":
        said = "dhcp passes as a gateway and is none. Write none: with dhcp the router comes with the lease."
        yield error(name, "bad-gateway", said, "none")
    elif found is None:
        yield _not_an_address(name, value)
    elif value_of("admin_ip", answers) == "dhcp":
        said = (
            f"With dhcp the router comes with the lease; {value} would be a second one. none is right here."
        )
        yield warning(name, "gateway-with-dhcp", said, "none")
    else:
        yield from _gateway_in_network(name, found, answers)


def _gateway_in_network(name: str, found: IPv4Address, answers: Mapping[str, str]) -> Iterator[Finding]:
    net = own_network(answers)
    if str(found) == value_of("admin_ip", answers):
        yield error(
            name, "gateway-is-self", f"{found} is the machine's own address; the router has another one."
        )
    elif net is not None and found not in net:
        said = (
            f"The gateway {found} is outside the machine's network {net}, so it cannot be reached. {_TAKES}"
        )
        yield error(name, "gateway-outside", said)
    elif net is not None and net.prefixlen <= 30 and found in (net.network_address, net.broadcast_address):
        yield error(
            name, "bad-gateway", f"{found} is the network or broadcast address of {net}, not a router."
        )


def _server(name: str, answers: Mapping[str, str]) -> Iterator[Finding]:
    value = as_read(answers.get(name, ""))
    if value in ("", DEFAULT):
        return
    found = address(value)
    if found is None:
        said = f"{name}: {tame(value)} is not an IPv4 address. Setup takes it as it stands, and no name is found then."
        yield error(name, "bad-name-server", said)
    elif found.is_multicast or found.is_reserved or int(found) >> 24 == 0:
        yield error(name, "bad-name-server", f"{name}: {value} cannot be a name server.")
    else:
        yield from _reach(name, found, answers)


def _reach(name: str, found: IPv4Address, answers: Mapping[str, str]) -> Iterator[Finding]:
    net = own_network(answers) if is_static(answers) else None
    if net is not None and found not in net and value_of("headnode_default_gateway", answers) == "none":
        said = f"{name}: {found} is outside {net} and there is no gateway, so it cannot be reached."
        yield warning(name, "unreachable-name-server", said)
    if found.is_loopback:
        yield warning(
            name, "loopback-name-server", f"{name}: {found} is the machine itself, which runs no name server."
        )
