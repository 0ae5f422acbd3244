"""The address a guest was given, from the lease files of VMware's own networks (dhcpd.leases of ISC's dhcpd)."""

from __future__ import annotations

import contextlib
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_LEASE = re.compile(r"^lease\s+([0-9.]+)\s*\{(.*?)^\}", re.MULTILINE | re.DOTALL)
_MAC = re.compile(r"hardware\s+ethernet\s+([0-9a-fA-F:]+)\s*;")
_ENDS = re.compile(r"ends\s+(?:never|\d\s+(\d+/\d+/\d+\s+\d+:\d+:\d+))\s*;")
_ABANDONED = re.compile(r"^\s*abandoned\s*;", re.MULTILINE)
_FAR = datetime.max.replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Lease:
    """An address given to a card until `ends`, in seconds since the epoch."""

    address: str
    mac: str
    ends: float


def read(text: str) -> tuple[Lease, ...]:
    """Every lease of a file, oldest first. What cannot be read is left out."""
    found = []
    for address, body in _LEASE.findall(text):
        mac, ends = _MAC.search(body), _ENDS.search(body)
        if mac is None or _ABANDONED.search(body):
            continue
        found.append(Lease(address, mac[1].lower(), _time(ends[1]) if ends is not None and ends[1] else _FAR))
    return tuple(found)


def files(vnet: str, system: str = sys.platform, root: Path = Path("/")) -> tuple[Path, ...]:
    """Where the leases of a network, such as vmnet8, may lie."""
    if system == "darwin":
        return (root / f"var/db/vmware/vmnet-dhcpd-{vnet}.leases",)
    if system == "win32":
        return (Path("C:/ProgramData/VMware/vmnetdhcp.leases"),)
    return (
        root / f"etc/vmware/{vnet}/dhcpd/dhcpd.leases",
        root / f"var/lib/vmware/{vnet}/dhcpd/dhcpd.leases",
    )


def address_of(mac: str, places: tuple[Path, ...], now: float) -> str | None:
    """The address a card has now: of its leases that have not ended, the one that ends last. None where it has none."""
    held = []
    for place in places:
        with contextlib.suppress(OSError):
            held += [each for each in read(place.read_text(encoding="utf-8", errors="replace"))
                     if each.mac == mac.lower() and each.ends > now]  # fmt: skip
    return max(enumerate(held), key=lambda each: (each[1].ends, each[0]))[1].address if held else None


def _time(words: str) -> float:
    try:
        return datetime.strptime(" ".join(words.split()), "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
