"""How large a guest may be on this machine, and what its pool must hold. Pure over facts.

Facts: smartos-docs, running SmartOS in VirtualBox and UTM (2 GiB and more, 20 GiB and more); smartos-live,
smartos_prompt_config.sh (swap as large as the memory, a dump of at least 1 GiB, no check of sizes).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smartos_wizard.boot import disk_specs
from smartos_wizard.boot.pool_preview import preview_of
from smartos_wizard.core import text
from smartos_wizard.guests.model import DiskSpec, Finding, GuestSpec

GIB = 1 << 30
LEAST_MEMORY = 1024
RECOMMENDED_MEMORY = 2048
LEAST_DISK = 20 * GIB
RESERVE = 2048
"""MiB that this machine keeps for itself."""
MOST_DISKS = 16
_NAME = re.compile(r"[A-Za-z0-9À-ÖØ-öø-ɏ][A-Za-z0-9 ._()'\-À-ÖØ-öø-ɏ]{0,62}\Z")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}\Z")


@dataclass(frozen=True, slots=True)
class HostSize:
    """This machine: memory in MiB, processors, free bytes where guests lie."""

    memory: int
    cpus: int
    free: int


def default_memory(host: HostSize) -> int:
    """MiB for a guest when nobody says: 4 GiB where half of the machine is more, 2 GiB otherwise."""
    return 4096 if host.memory - RESERVE >= 8192 else RECOMMENDED_MEMORY


def default_cpus(host: HostSize) -> int:
    """Processors for a guest when nobody says: two, one where the machine has no more."""
    return max(1, min(2, host.cpus))


def least_pool(memory: int) -> int:
    """Bytes a pool should hold for a guest with `memory` MiB: swap and dump, and room to work."""
    return 2 * memory * 1024 * 1024 + 8 * GIB


def usable(disks: Sequence[DiskSpec]) -> int:
    """Bytes of data that the pool of these disks holds, with the layout setup takes by itself."""
    listed = disk_specs.from_specs([disk_specs.DiskSpec(1, disk.size, solid=False) for disk in disks])
    return preview_of(listed).capacity


def check_size(spec: GuestSpec, host: HostSize) -> tuple[Finding, ...]:
    """All that speaks against the sizes of a spec on this machine, before anything is made."""
    found: list[Finding] = []
    found += _check_names(spec)
    found += _check_machine(spec, host)
    found += _check_disks(spec, host)
    return tuple(found)


def _check_names(spec: GuestSpec) -> list[Finding]:
    found = []
    if not _NAME.match(spec.name) or spec.name.rstrip(" .") != spec.name:
        found.append(
            Finding(
                "bad-name", f"“{text.tame(spec.name)}” cannot be the name of a guest.",
                hint="Letters, digits, blanks and . _ - ( ) ', beginning with a letter or digit, 63 at most.",
            )
        )  # fmt: skip
    macs = [nic.mac.lower() for nic in spec.nics]
    for mac in macs:
        if not _MAC.match(mac) or int(mac[:2], 16) & 1:
            found.append(
                Finding(
                    "bad-mac",
                    f"“{text.tame(mac)}” is no address of a network card.",
                    hint="For example 52:54:00:12:34:56.",
                )
            )
    if len(set(macs)) != len(macs):
        found.append(
            Finding("same-mac-twice", "Two network cards have the same address.", hint="Give each its own.")
        )
    return found


def _check_machine(spec: GuestSpec, host: HostSize) -> list[Finding]:
    found = []
    if spec.memory < LEAST_MEMORY:
        found.append(
            Finding(
                "too-little-memory", f"SmartOS does not start with {spec.memory} MiB: it needs {LEAST_MEMORY}.",
                hint=f"Give it {RECOMMENDED_MEMORY} or more.",
            )
        )  # fmt: skip
    elif spec.memory < RECOMMENDED_MEMORY:
        found.append(
            Finding(
                "little-memory",
                f"{spec.memory} MiB are little; {RECOMMENDED_MEMORY} are recommended.",
                "warning",
            )
        )
    most = host.memory - RESERVE
    if spec.memory > most:
        found.append(
            Finding(
                "too-much-memory",
                f"This machine has {host.memory:,} MiB and keeps {RESERVE:,} for itself: a guest may have {max(0, most):,}, "
                f"not {spec.memory:,}. With more both would come to a halt.",
                hint="Give it less.",
            )
        )  # fmt: skip
    if spec.memory % 4:
        found.append(Finding("odd-memory", "Memory comes in multiples of 4 MiB.", hint="Round it."))
    if not 1 <= spec.cpus <= host.cpus:
        found.append(
            Finding(
                "bad-cpus", f"{spec.cpus} processors: this machine has {host.cpus}.", hint="Give it 1 or 2."
            )
        )
    return found


def _check_disks(spec: GuestSpec, host: HostSize) -> list[Finding]:
    found = []
    if not 1 <= len(spec.disks) <= MOST_DISKS:
        found.append(
            Finding(
                "bad-disks",
                f"A guest has 1 to {MOST_DISKS} data disks, not {len(spec.disks)}.",
                hint="Fewer and larger ones make the same pool.",
            )
        )
        return found
    for disk in spec.disks:
        if disk.size < LEAST_DISK:
            found.append(
                Finding(
                    "disk-too-small", f"Disk {disk.name} has {text.size(disk.size)}; SmartOS wants {text.size(LEAST_DISK)} or more.",
                    hint="Disks grow as they are used: a large one costs nothing at first.",
                )
            )  # fmt: skip
        if disk.size % 512:
            found.append(
                Finding("odd-disk", f"The size of {disk.name} is no multiple of 512 bytes.", hint="Round it.")
            )
    if found:
        return found
    holds, least = usable(spec.disks), least_pool(spec.memory)
    if holds < least:
        found.append(
            Finding(
                "pool-too-small",
                f"The pool of these disks holds {text.size(holds)}. Swap takes as much as the memory, a dump half of it: "
                f"with {spec.memory:,} MiB of memory it should be {text.size(least)}.",
                hint="Give it larger disks or less memory.",
            )
        )  # fmt: skip
    if host.free < 3 * GIB:
        found.append(
            Finding(
                "disk-full",
                f"Where guests lie only {text.size(host.free)} are free; 3 GiB are the least.",
                hint="Make room.",
            )
        )
    return found
