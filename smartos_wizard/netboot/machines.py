"""The table of machines: who asked, what it fetched, how far and how fast, and whether it has all it needs to start.

A pure reducer; it reads no clock. Nothing tells a server that a kernel runs: "starting" means that a machine took
kernel, archive and everything else its script names, whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from smartos_wizard.netboot.dhcp_log import Asked, Loaded
from smartos_wizard.netboot.http_server import Fetched
from smartos_wizard.netboot.model import ARCHIVE, FIRST_SCRIPT, HASH, KERNEL

ASKS, LOADER, MENU, KERNEL_, ARCHIVE_, STARTING = "asks", "loader", "menu", "kernel", "archive", "starting"
BROKE_OFF, NOT_BY_UEFI, MISSING = "broke-off", "not-by-uefi", "missing-file"
WORDS = {
    ASKS: "asks for its boot file",
    LOADER: "loads iPXE",
    MENU: "is in the menu",
    KERNEL_: "loads the kernel",
    ARCHIVE_: "loads the boot archive",
    STARTING: "has everything: SmartOS starts",
    BROKE_OFF: "broke off",
    NOT_BY_UEFI: "starts by UEFI, and iPXE starts SmartOS by BIOS only",
    MISSING: "asked for what is not there",
}
"""What the states say to a person."""


@dataclass(frozen=True, slots=True)
class Row:
    """A machine. `mac` is empty where it is not known; sizes in bytes, `rate` in bytes per second."""

    key: str
    mac: str = ""
    address: str = ""
    firmware: str = ""
    state: str = ASKS
    file: str = ""
    done: int = 0
    total: int = 0
    rate: float = 0.0
    since: float = 0.0
    release: str = ""
    starts: int = 0

    def to_json(self) -> dict[str, Any]:
        """As one flat object."""
        return {
            "mac": self.mac, "address": self.address, "firmware": self.firmware, "state": self.state, "file": self.file,
            "done": self.done, "total": self.total, "rate": round(self.rate), "release": self.release,
            "starts": self.starts,
        }  # fmt: skip

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.mac or self.address


@dataclass(frozen=True, slots=True)
class Table:
    """All machines seen, in the order in which they came."""

    rows: dict[str, Row] = field(default_factory=dict)

    def row(self, key: str) -> Row:
        """The machine of that key."""
        return self.rows[key]


def reduce(table: Table, what: Asked | Loaded | Fetched, at: float, mac: str = "") -> tuple[Table, str]:
    """The table after `what` at time `at`, and the key of the machine concerned. `mac` is of its address, if known."""
    mac = what.mac if isinstance(what, Asked) else mac
    key = _key(table, mac, what.address)
    row = table.rows.get(key, Row(key))
    row = replace(row, mac=mac or row.mac, address=what.address or row.address)
    match what:
        case Asked():
            row = _asked(row, what)
        case Loaded():
            row = replace(
                row, state=LOADER if what.whole else MISSING, file=what.file, done=0, total=0, rate=0.0
            )
        case Fetched():
            row = _fetched(row, what, at)
    return Table({**table.rows, key: row}), key


def _key(table: Table, mac: str, address: str) -> str:
    if mac:
        known = next((k for k, row in table.rows.items() if row.mac == mac), "")
        return known or next(
            (k for k, row in table.rows.items() if not row.mac and address and row.address == address), mac
        )
    return next((k for k, row in table.rows.items() if row.address == address), address)


def _asked(row: Row, what: Asked) -> Row:
    firmware = what.firmware or row.firmware
    state = NOT_BY_UEFI if firmware == "UEFI" else ASKS
    if what.ipxe and row.state in (LOADER, MENU):
        state = row.state
    return replace(row, firmware=firmware, state=state, file="", done=0, total=0, rate=0.0)


def _fetched(row: Row, what: Fetched, at: float) -> Row:
    if what.ended and what.status not in (0, 404) and what.path != row.file and what.total:
        return row  # news of a file before this one, which was acknowledged a moment ago
    begins = what.path != row.file or what.done < row.done or row.state in (BROKE_OFF, STARTING)
    since = at if begins or not row.since else row.since
    done = what.done if begins else max(what.done, row.done)
    spent = at - since
    rate = done / spent if spent > 0.2 else row.rate if not begins else 0.0
    row = replace(row, file=what.path, done=done, total=what.total, since=since, rate=rate)
    if what.status == 404:
        return replace(row, state=MISSING)
    if what.ended and what.status == 0:
        return replace(row, state=BROKE_OFF)
    parts = what.path.split("/")
    release = parts[1] if len(parts) > 2 and parts[0] == "os" else row.release
    row = replace(row, release=release)
    if what.path == FIRST_SCRIPT or what.path.endswith(".ipxe"):
        return row if row.state == NOT_BY_UEFI else replace(row, state=MENU)
    if what.path.endswith(KERNEL):
        return replace(row, state=KERNEL_)
    if what.path.endswith(ARCHIVE):
        return replace(row, state=ARCHIVE_)
    if what.path.endswith(HASH) and what.ended and row.state == ARCHIVE_:
        return replace(row, state=STARTING, starts=row.starts + 1)
    return row
