"""Surveyed machines for tests: one that can be re-installed at once, and every other that hypothesis can think of."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from smartos_wizard.reinstall.model import (
    BootedFrom,
    Dataset,
    Disk,
    Gap,
    Image,
    Instance,
    KeptFile,
    Mode,
    Pool,
    PoolDisk,
    Survey,
)

NOW = 1_790_000_000.0
TB = 10**12


def disk(name: str, size: int = 4 * TB, kind: str = "SATA", **more: Any) -> Disk:
    return Disk(name, size, kind, "ATA", "disk", **more)


def pool(name: str, guid: str, *disks: str, **more: Any) -> Pool:
    facts: dict[str, Any] = {"size": 4 * TB, "allocated": TB} | more
    members = tuple(PoolDisk(each, "mirror-0" if len(disks) > 1 else "", "ONLINE") for each in disks)
    return Pool(
        name, guid, facts.pop("imported", True), facts.pop("health", "ONLINE"), disks=members, **facts
    )


ZONES = pool("zones", "1111", "c1t0d0", "c1t1d0", system=True)
TANK = pool("tank", "2222", "c2t0d0", "c2t1d0")
BACKUP = pool("backup", "3333", "c9t0d0", usb=True)
DISKS = (disk("c1t0d0"), disk("c1t1d0"))
TANK_DISKS = (disk("c2t0d0"), disk("c2t1d0"))
USB_DISK = disk("c9t0d0", kind="USB")


def survey(**more: Any) -> Survey:
    """A machine booted from a key, with one healthy pool."""
    plain = Survey(
        taken=NOW - 60, how="ssh", host="192.0.2.7", hostname="box", hostid="4d2a0001", host_key="SHA256:abc",
        smartos=True, root=True, stamp="20260903T001557Z", booted_from=BootedFrom.USB, mode=Mode.NORMAL,
        memory=64 << 30, medium="20260903T001557Z", pools=(ZONES,), disks=DISKS,
        datasets=(
            Dataset("zones", "filesystem", TB, 0), Dataset("zones/var", "filesystem", 1 << 30, 1 << 30),
            Dataset("zones/precious", "filesystem", 5 << 30, 5 << 30, snapshots=2, newest=int(NOW) - 86400),
        ),
        images=(Image("9aa48095-da9d-41ca-a094-31d1fb476b98", "base-64-lts", "21.4.0"),),
        usbkey=(KeptFile("/usbkey/config", 500), KeptFile("/usbkey/shadow", 560)),
    )  # fmt: skip
    return replace(plain, **more)


def two_pools(**more: Any) -> Survey:
    """With a second pool on disks of its own that setup would take as well."""
    return survey(pools=(ZONES, TANK), disks=(*DISKS, *TANK_DISKS), **more)


def with_backup_disk(**more: Any) -> Survey:
    """With a USB disk attached that holds a pool."""
    return survey(**{"pools": (ZONES, BACKUP), "disks": (*DISKS, USB_DISK), **more})


RUNNING = Instance("6b7c1d5e-0000-4000-8000-000000000001", "web", "joyent", "running", datasets=("zones/6b7c1d5e-0000-4000-8000-000000000001",))  # fmt: skip

_NAMES = ("zones", "tank", "backup", "data", "old", "rpool", "a.b-c_d:e", "ZONES")
_ODD = ("two words", "x;reboot", "$(id)", "\u043d\u043e", "a\u202eb", "", "a\nb")
_HEALTH = ("ONLINE",) * 8 + ("DEGRADED", "FAULTED", "UNAVAIL", "")
_GAPS = ("",) * 8 + ("images", "services", "pools", "disks", "import", "unheard-of")
_PARAMETERS: tuple[tuple[tuple[str, str], ...], ...] = ((),) * 8 + (
    (("zpools", "zones"),), (("zpool", "zones,tank"),), (("destroy_zpools", "true"),),
)  # fmt: skip


def _often(chance: Random) -> bool:
    return chance.random() < 0.2


def _seldom(chance: Random) -> bool:
    return chance.random() < 0.02


def _pools(chance: Random) -> tuple[list[Pool], list[Disk]]:
    """Pools with disks of their own, some of which nobody listed."""
    made: list[Pool] = []
    disks: list[Disk] = []
    for number in range(chance.choice((1, 1, 2, 2, 3, 4))):
        members = [f"c{number}t{n}d0" for n in range(chance.randint(0 if number else 1, 3))]
        usb = number > 0 and _often(chance)
        imported = chance.random() < 0.5 if number else not _seldom(chance)
        facts = {
            "size": chance.choice((None, 0, 4 * TB, 90 * TB)), "allocated": chance.choice((None, 0, TB)),
            "importable": imported or chance.random() < 0.6, "encrypted": _seldom(chance),
            "bootable": _seldom(chance), "usb": usb, "health": chance.choice(_HEALTH), "imported": imported,
            "system": number == 0,
        }  # fmt: skip
        name = (
            "zones"
            if not number and not _seldom(chance)
            else chance.choice(_ODD if _seldom(chance) else _NAMES)
        )
        made.append(pool(name, str(10_000_000_000 + number * 7919), *members, **facts))
        disks += [
            disk(m, chance.choice((4 * TB, 4 * TB, 400 * 10**9, 10**8)), "USB" if usb else "SATA")
            for m in members
            if not _seldom(chance)
        ]
    chance.shuffle(made)
    return made, disks


def any_survey(chance: Random) -> Survey:
    """Any machine; about half of them are fit for some way."""
    made, disks = _pools(chance)
    extra = [disk(f"c8t{n}d0", removable=_seldom(chance)) for n in range(chance.choice((0, 0, 1, 2)))]
    gap = chance.choice(_GAPS)
    return survey(
        hostname=chance.choice(("box", "box.example.com", "two words", "\u202eevil<b>`id`", "")),
        pools=tuple(made), disks=(*disks, *extra),
        booted_from=chance.choice((BootedFrom.USB, BootedFrom.USB, *BootedFrom)),
        medium=chance.choice(("20260903T001557Z", "20260903T001557Z", "20260903T001557Z", "")),
        mode=chance.choice((Mode.NORMAL,) * 6 + (Mode.RESCUE, Mode.OTHER)),
        smartos=not _seldom(chance), root=not _seldom(chance), zone="inner" if _seldom(chance) else "",
        triton="compute node" if _seldom(chance) else "", reset_pending=_seldom(chance),
        taken=NOW - chance.choice((0, 60, 60, 60, 60, 800, 901, 10**6, -500)),
        memory=chance.choice((None, 64 << 30)), boot_parameters=chance.choice(_PARAMETERS),
        instances=(RUNNING,) if _often(chance) else (), gaps=(Gap(gap, "it failed"),) if gap else (),
        hostid="" if _seldom(chance) else "4d2a0001", how=chance.choice(("ssh", "file")),
    )  # fmt: skip


def surveys() -> st.SearchStrategy[Survey]:
    """Such machines. One draw each: a hundred draws a machine would make 5,000 of them slow."""
    return st.integers(0, 2**64 - 1).map(lambda seed: any_survey(Random(seed)))
