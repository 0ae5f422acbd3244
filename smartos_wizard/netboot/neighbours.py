"""Which card is behind an address on the wire: the kernel's table of neighbours (Linux: /proc/net/arp)."""

from __future__ import annotations

from pathlib import Path

_TABLE = Path("/proc/net/arp")


def mac_at(address: str, table: Path = _TABLE) -> str:
    """The Ethernet address, lower-case with colons; empty where it is not known."""
    try:
        rows = table.read_text(encoding="ascii").splitlines()[1:]
    except (OSError, ValueError):
        return ""
    for row in rows:
        words = row.split()
        if len(words) >= 4 and words[0] == address and words[3] != "00:00:00:00:00:00":
            return words[3].lower()
    return ""
