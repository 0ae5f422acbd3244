"""Which disks the running system lies on, and who holds the others. The safety of the whole program is here.

`System.uses` names what of the system is on each device; `System.lost` says in words what could not be
followed, and then every device that is not named is of unknown use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from smartos_wizard.core.text import tame
from smartos_wizard.media.disks.mounts import MountLine
from smartos_wizard.media.disks.reader import words
from smartos_wizard.media.disks.stack import NO_DISK, Reach, Stack, holder_words

_VITAL = frozenset(
    ["/", "/usr", "/var", "/home", "/etc", "/opt", "/nix", "/nix/store", "/gnu/store",
     "/boot", "/boot/efi", "/efi", "/sysroot"]
)  # fmt: skip
"""Mount points without which the system does not run or start; failing to follow one taints everything."""
_SYSTEM = ("/usr/", "/var/", "/etc/", "/opt/", "/nix/", "/boot/", "/efi/", "/sysroot/", "/srv", "/root", "/tmp",
           "/run/live", "/lib/live", "/usr/lib/live", "/cdrom", "/rofs", "/run/initramfs", "/run/archiso",
           "/run/miso", "/run/rootfsbase", "/run/overlayfs", "/isodevice", "/iso", "/host", "/boot")  # fmt: skip
"""Beginnings of further points that belong to the system, those of live systems among them."""


@dataclass(slots=True)
class System:
    """Uses by device name, and what could not be followed."""

    uses: dict[str, list[str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def add(self, what: str, reach: Reach, vital: bool) -> None:
        """Note that `what` lies on everything in `reach`."""
        through = f" through {_and(reach.through)}" if reach.through else ""
        for name in sorted(reach.names):
            sentences = self.uses.setdefault(name, [])
            if what + through not in sentences:
                sentences.append(what + through)
        if vital and not reach.complete:
            self.lost.append(f"{what} could not be followed to its disks")


def is_system_point(point: str) -> bool:
    """Whether a mount point belongs to the running system and not to a user's files."""
    return point in _VITAL or point.startswith(_SYSTEM)


def system_of(stack: Stack, mounts: tuple[MountLine, ...] | None, swaps: tuple[str, ...] | None) -> System:
    """What the running system lies on."""
    system = System()
    if mounts is None:
        system.lost.append("the list of mounts could not be read")
    if swaps is None:
        system.lost.append("the list of swap areas could not be read")
    _add_mounts(system, stack, mounts or ())
    for path in swaps or ():
        name = stack.named(path)
        reach = stack.below_node(name) if name else stack.below_path(path)
        system.add("swap" if name else f"the swap file {tame(path)}", reach, True)
    _add_hibernation(system, stack)
    _add_mmc_parts(system, stack)
    return system


def _add_mounts(system: System, stack: Stack, mounts: Iterable[MountLine]) -> None:
    rooted = False
    for line in mounts:
        if not is_system_point(line.point) or (line.fstype in NO_DISK and line.point != "/"):
            continue
        rooted = rooted or line.point == "/"
        system.add(tame(line.point), stack.below_mount(line), line.point in _VITAL)
    device = stack.reader.device_of("/")
    if device is not None and device[0] != 0:
        name = next((n.name for n in stack.nodes.values() if n.dev == device), "")
        system.add("/", stack.below_node(name), True)
    elif not rooted:
        system.lost.append("what / lies on is hidden from this program")


def _add_hibernation(system: System, stack: Stack) -> None:
    """The device the machine wakes up from (Linux: /sys/power/resume, and resume= of the boot line)."""
    device = words(stack.reader, "/sys/power/resume")
    major, _, minor = device.partition(":")
    if major.isdigit() and minor.isdigit() and int(major):
        dev = (int(major), int(minor))
        for node in stack.nodes.values():
            if node.dev == dev:
                system.add("hibernation", stack.below_node(node.name), False)
    said = re.search(r"(?:^|\s)resume=(/dev/\S+)", words(stack.reader, "/proc/cmdline"))
    name = stack.named(said[1]) if said else ""
    if name:
        system.add("hibernation", stack.below_node(name), False)


def _add_mmc_parts(system: System, stack: Stack) -> None:
    """The boot areas of a soldered memory chip belong to the system that runs from the chip."""
    for node in stack.nodes.values():
        if node.whole and node.parent in system.uses and node.name not in system.uses:
            system.uses[node.name] = list(system.uses[node.parent])


def holders_of(stack: Stack, disk: str, pools: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(who holds the disk or a part of it, what about that could not be read), in sentences.

    `pools` names the ZFS pool each member device belongs to: ZFS leaves no trace in `holders`, and a pool
    that is not imported here may be somebody's only copy (a SmartOS machine's `zones`).
    """
    node = stack.nodes[disk]
    found: list[str] = []
    unread: list[str] = []
    if node.partitions is None:
        unread.append("its partitions could not be read")
    for name in (disk, *(node.partitions or ())):
        part = stack.nodes[name]
        on = f" (on {part.path})" if name != disk else ""
        if part.holders is None:
            unread.append(f"who holds {part.path} could not be read")
        for holder in part.holders or ():
            above = stack.nodes.get(holder)
            found.append(tame(holder_words(above) if above else holder, 80) + on)
        if name in pools:
            found.append(f"ZFS pool {tame(pools[name]) or 'of unknown name'}{on}")
    return tuple(dict.fromkeys(found)), tuple(unread)


def loops_on(stack: Stack) -> dict[str, list[str]]:
    """For each device, the loop devices whose file lies on it, in sentences."""
    found: dict[str, list[str]] = {}
    for node in stack.nodes.values():
        if not node.backing or node.parent:
            continue
        for name in stack.below_node(node.name).names - {node.name}:
            found.setdefault(name, []).append(f"{node.path} (file {tame(node.backing, 80)})")
    return found


def _and(parts: tuple[str, ...]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
