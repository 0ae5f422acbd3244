"""The nouns of the room: a host as it was found, and what a clean re-install of it is.

Sizes are bytes, times are seconds since the epoch. A fact that could not be read is None (or an empty tuple) and
stands in `Survey.gaps`; whoever decides something by that fact must look there first. Imports nothing that
connects or reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SCHEMA = 1
"""Version of the survey as it is written."""
SYSTEM_POOL = "zones"
"""Name of the system pool where no pool holds `/.system_pool` (illumos-joyent: fs-joyent)."""


class BootedFrom(StrEnum):
    """Where the running SmartOS was started from."""

    USB = "usb"
    ISO = "iso"
    NETWORK = "network"
    POOL = "pool"
    UNKNOWN = "unknown"


class Mode(StrEnum):
    """How it was started: normally, without importing any pool (Rescue Mode), or not as a standalone SmartOS."""

    NORMAL = "normal"
    RESCUE = "rescue"
    OTHER = "other"


class Way(StrEnum):
    """The three ways to a clean machine (smartos-live: sdc-factoryreset.sh; illumos-joyent: fs-joyent)."""

    RESET = "A"
    """Factory-reset property on the system pool and a reboot: destroys every pool imported then."""
    LOADER = "B"
    """`destroy_zpools=true` at the loader: destroys every pool imported in that boot."""
    RESCUE = "C"
    """Rescue Mode, and `zpool destroy` of the one pool."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was asked and not answered. `probe` is the name of the question, `why` in words."""

    probe: str
    why: str


@dataclass(frozen=True, slots=True)
class PoolDisk:
    """A disk of a pool. `role` is the vdev it belongs to (`raidz1-0`, `mirror-1`, empty: by itself), or `logs`, `cache`, `spares`."""

    name: str
    role: str
    health: str


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool: imported, or seen by `zpool import` only.

    `usb` says that one of its disks hangs on USB, `bootable` that the machine can start from it (piadm),
    `encrypted` that its root dataset is, `problem` is what `zpool status` or `zpool import` complains of.
    `size`, `allocated`: None where it is not imported. What is in such a pool was not seen: `encrypted` and
    `bootable` say nothing there.
    """

    name: str
    guid: str
    imported: bool
    health: str
    size: int | None = None
    allocated: int | None = None
    system: bool = False
    bootable: bool = False
    encrypted: bool = False
    usb: bool = False
    importable: bool = True
    disks: tuple[PoolDisk, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file system or volume. `newest` is when its newest snapshot was made, None without one."""

    name: str
    kind: str
    used: int
    referenced: int
    origin: str = ""
    mountpoint: str = ""
    encryption: str = "off"
    snapshots: int = 0
    newest: int | None = None

    @property
    def pool(self) -> str:
        """The pool it lies in."""
        return self.name.split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class Instance:
    """A zone or virtual machine, as `vmadm` knows it. `memory` in MiB, `datasets` hold its data."""

    uuid: str
    alias: str
    brand: str
    state: str
    owner: str = ""
    memory: int | None = None
    datasets: tuple[str, ...] = ()
    autoboot: bool = False

    @property
    def running(self) -> bool:
        """Whether stopping it would be noticed."""
        return self.state not in ("stopped", "installed", "configured", "incomplete", "destroyed", "failed")

    @property
    def title(self) -> str:
        """Its alias, with the beginning of its UUID."""
        return f"{self.alias or 'unnamed'} ({self.uuid[:8]})"


@dataclass(frozen=True, slots=True)
class Image:
    """An image that instances are made from."""

    uuid: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of the machine as `diskinfo` lists it, or seen beside it."""

    name: str
    size: int
    kind: str = ""
    vendor: str = ""
    model: str = ""
    removable: bool = False
    ssd: bool = False


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file below /usbkey or /opt/custom."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Nic:
    """A network card with the tags that SmartOS gave it."""

    mac: str
    link: str
    tags: tuple[str, ...] = ()
    state: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """A host as it was found at one moment.

    `how` is `ssh` or `file`; `host_key` is the fingerprint of its ssh key (empty from a file). `medium` names the
    release of a SmartOS key or ISO that is attached to the machine, empty where there is none. `reset_pending`
    is the state of the factory-reset property. `boot_parameters` as `bootparams` says them.
    """

    taken: float
    how: str
    host: str
    hostname: str
    hostid: str
    host_key: str = ""
    port: int = 22
    smartos: bool = False
    zone: str = ""
    root: bool = False
    stamp: str = ""
    booted_from: BootedFrom = BootedFrom.UNKNOWN
    mode: Mode = Mode.OTHER
    triton: str = ""
    memory: int | None = None
    manufacturer: str = ""
    product: str = ""
    serial: str = ""
    boot_parameters: tuple[tuple[str, str], ...] = ()
    reset_pending: bool = False
    medium: str = ""
    system_pool: str = SYSTEM_POOL
    pools: tuple[Pool, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    instances: tuple[Instance, ...] = ()
    images: tuple[Image, ...] = ()
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    usbkey: tuple[KeptFile, ...] = ()
    custom: tuple[KeptFile, ...] = ()
    firewall_rules: int | None = None
    troubled_services: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    schema: int = SCHEMA

    def pool(self, name: str) -> Pool | None:
        """The pool of that name; an imported one before one that is only seen."""
        found = [pool for pool in self.pools if pool.name == name]
        return min(found, key=lambda pool: not pool.imported, default=None)

    @property
    def imported(self) -> tuple[Pool, ...]:
        """The pools that are imported now."""
        return tuple(pool for pool in self.pools if pool.imported)

    def missing(self, *probes: str) -> tuple[Gap, ...]:
        """The gaps among these probes."""
        return tuple(gap for gap in self.gaps if gap.probe in probes)


@dataclass(frozen=True, slots=True)
class Stop:
    """A reason not to go on (`stop`), something that must be consented to by name (`consent`), or to be known (`note`).

    `token` is what is typed to consent.
    """

    reference: str
    text: str
    level: str = "stop"
    hint: str = ""
    token: str = ""
