"""The rows of the step “Options” that mean something beside Linux, in its words. Pure; the line-by-line wizard shares them."""

from __future__ import annotations

from dataclasses import replace

from smartos_wizard.boot.model import Kmdb
from smartos_wizard.screens.options_list import BY_NAME, RELEASED, Offer, Option

_NAMES = (
    "console",
    "speed",
    "pools",
    "root_shadow",
    "answers",
    "hostname",
    "verbose",
    "kmdb",
    "etc_system",
    "load",
)
ZONES = "zones"
_UNSAID = Offer("", RELEASED, "The entry says nothing of it.")
_MINE = {
    "console": replace(
        BY_NAME["console"],
        offers=tuple(Offer("", "on the screen", o.more) if not o.value else o for o in BY_NAME["console"].offers if o.value != "text"),
    ),
    "pools": replace(
        BY_NAME["pools"],
        help="Pools to take at each start, with commas. Without this SmartOS takes every ZFS pool it sees, this Linux's too.",
        example=ZONES,
    ),
    "verbose": replace(BY_NAME["verbose"], offers=(_UNSAID, *(o for o in BY_NAME["verbose"].offers if o.value))),
    "kmdb": replace(
        BY_NAME["kmdb"], offers=(_UNSAID, *(o for o in BY_NAME["kmdb"].offers if o.value not in ("", Kmdb.OFF.value)))
    ),
    "root_shadow": replace(
        BY_NAME["root_shadow"], help="Root's password in the entry “rescue”. It is: root. Only a hash is kept, for root alone to read."
    ),
    "answers": replace(
        BY_NAME["answers"], help="A file with what setup shall not ask. One that accepts the pool layout is refused: it would erase Linux."
    ),
}  # fmt: skip
OPTIONS = tuple(_MINE.get(name, BY_NAME[name]) for name in _NAMES)


def option_of(name: str) -> Option:
    """The row of that name."""
    return _MINE.get(name, BY_NAME[name])
