"""What a backup asks of the machine, word for word. Imports nothing that connects or reads.

`piadm` and `fwadm` are left out, as in the survey: they write. Firewall rules are files below /var/fw.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

PLACES = ("usbkey", "opt/custom", "root/.ssh/authorized_keys", "var/fw", "etc/zones", "var/imgadm/images")
"""What is kept of the global zone: /usbkey whole, own services and programs, root's keys, firewall rules, zones, images."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PREFIX = "smartos-wizard-"
"""How every snapshot made for a backup begins."""


def is_uuid(text: str) -> bool:
    """Whether it is the UUID of an instance or image."""
    return _UUID.fullmatch(text) is not None


def configuration() -> str:
    """One tar stream of PLACES, as far as they are there."""
    places = " ".join(PLACES)
    return f'cd / && set -- && for each in {places}; do if [ -e "$each" ]; then set -- "$@" "$each"; fi; done && tar cf - "$@"'  # fmt: skip


def facts() -> str:
    """Pools, datasets, cards and tags as the machine's own commands print them, for a person to read."""
    asked = (
        "uname -a", "zpool list -v", "zpool status", "zpool get all", "zfs list -o name,used,refer,quota,origin,mountpoint",
        "zfs get -s local,received all", "dladm show-phys -m", "dladm show-link", "nictagadm list", "svcs -a", "diskinfo",
    )  # fmt: skip
    return "; ".join(f"echo '### {each}'; {each} 2>&1" for each in asked) + "; true"


def identity() -> str:
    """By what the machine is known: hostid, then a line for each imported pool."""
    return "hostid && zpool list -Ho name,guid"


def vmadm_get(uuid: str) -> str:
    """An instance as vmadm knows it; its metadata too."""
    return f"vmadm get {shlex.quote(uuid)}"


def zonecfg(uuid: str) -> str:
    """The zone behind it, as commands of zonecfg."""
    return f"zonecfg -z {shlex.quote(uuid)} export"


def snapshot_name(dataset: str, stamp: str) -> str:
    """The snapshot that a backup makes of a dataset."""
    return f"{dataset}@{PREFIX}{stamp}"


def there(names: Iterable[str]) -> str:
    """Print those of the datasets and snapshots that exist."""
    words = " ".join(shlex.quote(name) for name in names)
    return f'for each in {words}; do zfs get -Ho name type "$each" 2>/dev/null; done; true'


def snapshot(names: Iterable[str]) -> str:
    """Make these snapshots at one moment, of everything below too."""
    return "zfs snapshot -r " + " ".join(shlex.quote(name) for name in names)


def destroy_snapshot(name: str) -> str:
    """Destroy exactly this snapshot, with those of the same name below it. Refuses what is no snapshot of a backup."""
    if f"@{PREFIX}" not in name:
        raise ValueError(name)
    return f"zfs destroy -r {shlex.quote(name)}"


def send(name: str, *, raw: bool, dry: bool = False) -> str:
    """The stream of a snapshot with all below it; encrypted ones stay encrypted (`-w`). `dry` only counts its bytes."""
    flags = "-R" + ("w" if raw else "")
    return f"zfs send {'-nP ' if dry else ''}{flags} {shlex.quote(name)}"


def estimate_of(said: str) -> int | None:
    """The bytes that `send(dry=True)` announced."""
    sizes = [line.split()[-1] for line in said.splitlines() if line.startswith("size")]
    return int(sizes[-1]) if sizes and sizes[-1].isdigit() else None


def rehearse(pool: str, stamp: str) -> str:
    """Read a stream as if to receive it; nothing is made of it."""
    return f"zfs recv -nvu {shlex.quote(f'{pool}/{PREFIX}{stamp}')}"


def images() -> str:
    """The images, as imgadm lists them."""
    return "imgadm list -j"
