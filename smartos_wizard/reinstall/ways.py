"""What each way does to every pool of a surveyed machine: destroyed, overwritten by setup afterwards, or kept.

A pool dies in one of two ways. SmartOS destroys it at boot: with A and B every pool that is imported then, and
every pool that `zpool import` sees is imported then, with force. What cannot be imported now may be by then (a disk
that was missing), so it counts too. Or setup takes its disks: its default layout is made
with `zpool create -f` of all disks that are not on USB. ZFS refuses that for disks of an *imported* pool, force or
not, and setup stops; disks of a pool that is not imported are overwritten without a word. So it matters which
pools are imported while setup runs: after C the machine boots normally and they are; where the loader was told
`zpools=zones`, setup follows in the same boot and they are not.

Pure; imports the nouns only. Facts: illumos-joyent: usr/src/cmd/svc/milestone/fs-joyent; smartos-live:
src/smartdc/lib/smartos_prompt_config.sh (promptpool, create_zpool); illumos: usr/src/cmd/zpool/zpool_vdev.c
(check_slice), usr/src/lib/libdiskmgt (DM_WHO_ZPOOL_FORCE).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from smartos_wizard.boot.disk_classes import ListedDisk, size_class
from smartos_wizard.reinstall.model import Disk, Pool, Survey, Way

LIMITS = ("zpools", "zpool")
"""Boot parameters that name the only pools to import."""
_SLICE = re.compile(r"(s\d+|p\d+)$", re.ASCII)
_NUMBER = re.compile(r"p?\d+$", re.ASCII)


class Fate(StrEnum):
    """What becomes of a pool."""

    DESTROYED = "destroyed"
    RISKED = "risked"
    """It may live: if somebody types in time at the loader, or if it cannot be imported then, as now."""
    OVERWRITTEN = "overwritten"
    """It is not destroyed, and setup's default layout takes its disks."""
    BLOCKS = "blocks"
    """It lives, and setup's default layout fails because of it."""
    KEPT = "kept"


DYING = (Fate.DESTROYED, Fate.RISKED, Fate.OVERWRITTEN)


@dataclass(frozen=True, slots=True)
class PoolFate:
    """A pool, what becomes of it, and why, as half a sentence. `spared_by_hand`: a new pool made by hand could save it."""

    pool: Pool
    fate: Fate
    why: str
    spared_by_hand: bool = False

    @property
    def dies(self) -> bool:
        """Whether it has to be named before."""
        return self.fate in DYING


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a way does here. `limited`: only the system pool is imported; `by_hand`: the new pool is made with
    `manual`; `strays` are disks in no pool that the default layout takes as well.
    """

    way: Way
    limited: bool
    by_hand: bool
    fates: tuple[PoolFate, ...]
    strays: tuple[Disk, ...] = ()

    @property
    def dying(self) -> tuple[PoolFate, ...]:
        """Every pool that has to be named, the system pool first."""
        return tuple(each for each in self.fates if each.dies)

    @property
    def destroyed(self) -> tuple[Pool, ...]:
        """The pools that die in the wipe itself."""
        return self.of(Fate.DESTROYED, Fate.RISKED)

    @property
    def alive_if_by_hand(self) -> tuple[Pool, ...]:
        """The pools whose disks stay out of a new pool that is made by hand: those that live, or may."""
        return self.of(Fate.KEPT, Fate.BLOCKS, Fate.RISKED)

    @property
    def wants_by_hand(self) -> bool:
        """Whether a pool that could live needs the new one to be made by hand."""
        return any(each.spared_by_hand for each in self.fates)

    def of(self, *fates: Fate) -> tuple[Pool, ...]:
        """The pools with one of these fates."""
        return tuple(each.pool for each in self.fates if each.fate in fates)


def outcome_of(survey: Survey, way: Way, *, limited: bool = False, by_hand: bool = False) -> Outcome:
    """What becomes of every pool. `limited` means nothing for C, which takes one pool only."""
    limited = limited and way is not Way.RESCUE
    target = target_of(survey)
    fates = [_fate(survey, pool, target, way, limited, by_hand) for pool in survey.pools]
    fates.sort(key=lambda each: (each.pool is not target, not each.dies))
    return Outcome(way, limited, by_hand, tuple(fates), () if by_hand else strays_of(survey))


def target_of(survey: Survey) -> Pool | None:
    """The system pool, which is what a re-install is about; None where it was not found."""
    return survey.pool(survey.system_pool)


def _fate(
    survey: Survey, pool: Pool, target: Pool | None, way: Way, limited: bool, by_hand: bool
) -> PoolFate:
    if pool is target:
        return PoolFate(pool, Fate.DESTROYED, "this is the pool that is to go")
    reached = in_reach(survey, pool) and not by_hand
    if way is Way.RESET and limited:
        then = ", and the new pool is made by hand" if reached else ""
        return PoolFate(pool, Fate.RISKED, f"it lives only if zpools= is typed at the loader within its ten seconds{then}", reached)  # fmt: skip
    if way is not Way.RESCUE and not limited:
        told = standing_limit(survey)
        if told and pool.name not in told:
            then = ", and setup's default layout overwrites its disks" if reached else ""
            return PoolFate(pool, Fate.RISKED, f"this boot was told to import other pools only; if the next is not, it is destroyed, and if it is, it is not imported{then}", reached)  # fmt: skip
        if pool.imported or pool.importable:
            return PoolFate(pool, Fate.DESTROYED, "every pool that can be imported is imported at boot, and destroyed")  # fmt: skip
        then = "; if not, setup's default layout overwrites its disks" if reached else ""
        return PoolFate(pool, Fate.RISKED, f"it cannot be imported now, but if it can at that boot, it is destroyed{then}", reached)  # fmt: skip
    if by_hand and in_reach(survey, pool):
        return PoolFate(pool, Fate.KEPT, "it is not touched, and its disks stay out of the pool that you make by hand")  # fmt: skip
    if not reached:
        return PoolFate(pool, Fate.KEPT, "it is not touched, and setup leaves its disks out: they are on USB or removable")  # fmt: skip
    if way is Way.RESCUE and imported_by_itself(survey, pool):
        return PoolFate(pool, Fate.BLOCKS, "it is not destroyed, but setup's default layout counts its disks in; ZFS refuses them while it is imported, and setup stops", True)  # fmt: skip
    return PoolFate(pool, Fate.OVERWRITTEN, "it is not imported while setup runs, and setup's default layout overwrites its disks", True)  # fmt: skip


def imported_by_itself(survey: Survey, pool: Pool) -> bool:
    """Whether a normal boot imports it: it can be, no other has its name, and no boot parameter leaves it out."""
    limit = standing_limit(survey)
    alone = not twins_of(survey, pool)
    return (pool.imported or pool.importable) and alone and (not limit or pool.name in limit)


def standing_limit(survey: Survey) -> tuple[str, ...]:
    """The pools that this boot was limited to; empty where it was not."""
    said = [value for name, value in survey.boot_parameters if name in LIMITS]
    return tuple(name for value in said for name in value.split(",") if name)


def twins_of(survey: Survey, pool: Pool) -> tuple[Pool, ...]:
    """Other pools of the same name: none of them can be imported by name."""
    return tuple(other for other in survey.pools if other.name == pool.name and other is not pool)


def others_of(survey: Survey) -> tuple[Pool, ...]:
    """Every pool but the system pool."""
    target = target_of(survey)
    return tuple(pool for pool in survey.pools if pool is not target)


def in_reach(survey: Survey, pool: Pool) -> bool:
    """Whether setup may take one of its disks. Where that cannot be told, it may."""
    if not pool.disks:
        return True
    if pool.usb and len(pool.disks) == 1:
        return False
    there = [member.name for member in pool.disks if not member.name.isdigit()]
    found = [disk_of(survey, name) for name in there]  # digits alone are the guid of a disk that is missing
    return not found or any(disk is None or setup_takes(disk) for disk in found)


def setup_takes(disk: Disk) -> bool:
    """Whether setup's list holds it: not on USB, not removable, not tiny. (It leaves out SmartOS's own key, too.)"""
    return disk.kind.upper() != "USB" and not disk.removable and size_class(disk.size) > 0


def disk_of(survey: Survey, member: str) -> Disk | None:
    """The disk that a pool's member lies on: `c1t0d0` for `c1t0d0s0` and `/dev/dsk/c1t0d0p1`, `vda` for `vda1`."""
    known = {disk.name: disk for disk in survey.disks}
    name = member.rsplit("/", 1)[-1]
    for candidate in (name, _SLICE.sub("", name), _NUMBER.sub("", name)):
        if candidate in known:
            return known[candidate]
    return None


def strays_of(survey: Survey) -> tuple[Disk, ...]:
    """The disks that setup takes and that are in no pool: another system may be on them."""
    members = {
        disk.name for p in survey.pools for member in p.disks if (disk := disk_of(survey, member.name))
    }
    return tuple(disk for disk in survey.disks if setup_takes(disk) and disk.name not in members)


def as_setup_lists(survey: Survey, without: tuple[Pool, ...] = ()) -> tuple[ListedDisk, ...]:
    """The surveyed disks as setup hands them to `disklayout`, but for those of some pools."""
    out = {disk.name for pool in without for member in pool.disks if (disk := disk_of(survey, member.name))}
    return tuple(
        ListedDisk(disk.kind, disk.name, disk.vendor, disk.model, str(disk.size), disk.removable, disk.ssd)
        for disk in survey.disks
        if disk.kind.upper() != "USB" and disk.name not in out
    )


def way_title(way: Way, limited: bool = False) -> str:
    """What the way is called in a sentence."""
    words = {
        Way.RESET: "A, the factory-reset mark and a reboot",
        Way.LOADER: "B, destroy_zpools at the loader",
        Way.RESCUE: "C, Rescue Mode and `zpool destroy`",
    }
    return words[way] + (", limited to one pool" if limited and way is not Way.RESCUE else "")
