"""How hosts, pools and lists of things are named in a plan, so that every text of it says the same.

Names that came from a machine are made safe to print here. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from smartos_wizard.core.text import counted, size, tame
from smartos_wizard.reinstall.model import Dataset, Pool, Survey


def host_name(survey: Survey) -> str:
    """What the machine is called: its own name, else how it was reached, else `this-machine`."""
    return tame(survey.hostname) or tame(survey.host) or "this-machine"


def token_of(survey: Survey, name: str) -> str:
    """What is typed to let that pool die: `HOSTNAME:zones`."""
    return f"{host_name(survey)}:{tame(name)}"


def pool_name(pool: Pool) -> str:
    """Its name with its guid, which stays the same when the name does not: `zones (guid 123)`."""
    return f"{tame(pool.name)} (guid {tame(pool.guid) or 'not known'})"


def pool_line(pool: Pool) -> str:
    """Name, guid, size, what is on it, its disks and its health, in one line."""
    facts = [how_large(pool)]
    disks = [tame(disk.name, 32) for disk in pool.disks]
    facts.append(f"{counted(len(disks), 'disk')} {listed(disks, most=6)}" if disks else "disks not known")
    facts.append(tame(pool.health) or "health not known")
    facts += [word for word, is_so in (("on USB", pool.usb), ("encrypted", pool.encrypted), ("boots the machine", pool.bootable)) if is_so]  # fmt: skip
    if not pool.imported:
        facts.append("not imported now")
    return f"{pool_name(pool)}: {', '.join(facts)}"


def how_large(pool: Pool) -> str:
    """`1.81 TiB, 402 GiB in use`; says so where it is not known."""
    if pool.size is None:
        return "size not known"
    if pool.allocated is None:
        return size(pool.size)
    return f"{size(pool.size)}, {size(pool.allocated)} in use"


def dataset_line(dataset: Dataset) -> str:
    """`zones/data: 12.0 GiB, no snapshot`."""
    kept = counted(dataset.snapshots, "snapshot") if dataset.snapshots else "no snapshot"
    return f"{tame(dataset.name, 80)}: {size(dataset.used)}, {kept}"


def listed(names: Sequence[str], most: int = 20) -> str:
    """`a, b and c`; the rest is counted where there are more than `most`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def doomed(sure: Sequence[Pool], perhaps: Sequence[Pool]) -> str:
    """`zones (guid 1) and tank (guid 2), perhaps backup (guid 3) too`; none is left out."""
    more = f", perhaps {listed([pool_name(p) for p in perhaps], most=len(perhaps))} too" if perhaps else ""
    return f"{listed([pool_name(pool) for pool in sure], most=len(sure))}{more}"


def pools(found: Sequence[Pool]) -> str:
    """`the pool zones (guid 1)`, `the pools zones (guid 1) and tank (guid 2)`; none is left out."""
    return (
        f"the pool{'' if len(found) == 1 else 's'} {listed([pool_name(p) for p in found], most=len(found))}"
    )
