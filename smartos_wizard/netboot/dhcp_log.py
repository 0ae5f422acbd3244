"""Reads what dnsmasq logs of machines (`log-dhcp`, TFTP) as it comes, line by line. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DHCP = re.compile(r"dnsmasq-dhcp(?:\[\d+\])?: (?:(\d+) )?(.*)")
_TFTP = re.compile(r"dnsmasq-tftp(?:\[\d+\])?: (.*)")
_SEEN = re.compile(
    r"(PXE|DHCPDISCOVER|DHCPREQUEST|DHCPACK|DHCPOFFER)\([^)]*\) (?:(\d+\.\d+\.\d+\.\d+) )?((?:[0-9a-f]{2}:){5}[0-9a-f]{2})"
)
_ARCH = re.compile(r"PXEClient:Arch:(\d{5})")
_SENT = re.compile(r"sent (\S+) to (\d+\.\d+\.\d+\.\d+)")
_FAILED = re.compile(r"(?:failed sending|file) (\S+) (?:to|not found for|for) (\d+\.\d+\.\d+\.\d+)")
_TROUBLE = ("dnsmasq: ", "failed to", "cannot", "bad option", "unknown user")
_MOST = 256
ARCHES = {0: "BIOS", 6: "UEFI", 7: "UEFI", 9: "UEFI", 10: "UEFI", 11: "UEFI", 15: "UEFI", 16: "UEFI"}
"""Kinds of firmware by DHCP's client architecture (RFC 4578; IANA, processor architecture types)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A machine asked for an address or a boot file. `firmware` is `BIOS`, `UEFI` or empty, `ipxe` whether iPXE asks."""

    mac: str
    firmware: str = ""
    ipxe: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A machine was sent a file by TFTP, or (`whole` false) was not."""

    address: str
    file: str
    whole: bool = True


class DhcpLog:
    """Puts together the lines that belong to one request."""

    def __init__(self) -> None:
        self._requests: dict[str, tuple[str, bool]] = {}

    def read(self, line: str) -> Asked | Loaded | None:
        """What the line tells of a machine; None for any other."""
        if tftp := _TFTP.search(line):
            return _loaded(tftp[1])
        match = _DHCP.search(line)
        if match is None:
            return None
        xid, words = match[1] or "", match[2]
        firmware, ipxe = self._requests.get(xid, ("", False))
        if arch := _ARCH.search(words):
            firmware = ARCHES.get(int(arch[1]), f"architecture {int(arch[1])}")
        elif words.startswith("user class: iPXE") or (
            words.startswith("tags:") and "ipxe" in words.replace(",", " ").split()
        ):
            ipxe = True
        if xid:
            if len(self._requests) >= _MOST:
                self._requests.pop(next(iter(self._requests)))
            self._requests[xid] = (firmware, ipxe)
        seen = _SEEN.match(words)
        if seen is not None and (firmware or ipxe or seen[1] in ("DHCPACK", "PXE")):
            return Asked(seen[3], firmware, ipxe, seen[2] or "")
        return None


def trouble_in(line: str) -> str:
    """dnsmasq's own complaint, where the line is one; else empty."""
    return (
        line.partition("dnsmasq: ")[2].strip()
        if line.startswith("dnsmasq: ")
        and ("failed" in line or "unknown" in line or "bad " in line or "cannot" in line)
        else ""
    )


def _loaded(words: str) -> Loaded | None:
    if sent := _SENT.search(words):
        return Loaded(sent[2], sent[1].rsplit("/", 1)[-1])
    if failed := _FAILED.search(words):
        return Loaded(failed[2], failed[1].rsplit("/", 1)[-1], whole=False)
    return None
