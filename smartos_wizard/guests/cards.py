"""The network cards of this machine that a guest may be bridged to."""

from __future__ import annotations

_NOT = (
    "lo",
    "docker",
    "veth",
    "virbr",
    "br-",
    "vmnet",
    "vboxnet",
    "tun",
    "tap",
    "utun",
    "awdl",
    "llw",
    "gif",
    "stf",
)
"""What names of interfaces begin with that are no cards."""


def cards() -> tuple[str, ...]:
    """The names of cards that are up, as the system calls them, sorted."""
    import psutil

    return tuple(
        sorted(
            name for name, about in psutil.net_if_stats().items() if about.isup and not name.startswith(_NOT)
        )
    )
