"""Whether a guest's files have room where guests lie: their names, and the disks once they are full."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.guests.model import Finding, GuestSpec
from smartos_wizard.guests.ports import GuestWorld
from smartos_wizard.guests.store import slug

_SNAPSHOT = "Snapshots/{00000000-0000-0000-0000-000000000000}.vdi"
_PATH_MAX, _NAME_MAX = 1024, 255


def check_room(spec: GuestSpec, world: GuestWorld) -> tuple[Finding, ...]:
    """What speaks against the place where guests lie. Nothing is read but what the file system says of itself."""
    return (*_check_paths(spec, world.guests.root), *_check_growth(spec, world.host_size().free))


def longest_path(spec: GuestSpec, root: Path) -> Path:
    """The longest path that a guest will have below `root`; VirtualBox makes folders of its own in the guest's."""
    folder = root / slug(spec.name)
    if spec.hypervisor == "virtualbox":
        return folder / "SmartOS-Wizard" / spec.name.replace("/", "_") / _SNAPSHOT
    return folder / "zones-15-000015-s001.vmdk.lck" / "M00000.lck"


def _check_paths(spec: GuestSpec, root: Path) -> list[Finding]:
    longest = longest_path(spec, root)
    most, name = _limits(root)
    length = len(os.fsencode(longest))
    if length < most and all(len(os.fsencode(part)) <= name for part in longest.parts):
        return []
    return [
        Finding(
            "path-too-long", f"The guest's files would have paths of {length:,} bytes, and this system takes {most - 1:,} "
            f"(in one name {name}).",
            hint="Give the guest a shorter name, or let guests lie elsewhere: SMARTOS_WIZARD_HOME is a directory of your choice.",
        )
    ]  # fmt: skip


def _limits(root: Path) -> tuple[int, int]:
    """Bytes of a path with its closing zero, bytes of a name, as the file system of `root` has them (pathconf(3))."""
    for place in (root, *root.parents):
        with contextlib.suppress(OSError, ValueError):
            return os.pathconf(place, "PC_PATH_MAX"), os.pathconf(place, "PC_NAME_MAX")
    return _PATH_MAX, _NAME_MAX


def _check_growth(spec: GuestSpec, free: int) -> list[Finding]:
    most = sum(disk.size for disk in spec.disks)
    if most <= free:
        return []
    return [
        Finding(
            "disks-may-outgrow", f"Once full the disks take {text.size(most)}, and where guests lie {text.size(free)} are free. "
            "They begin empty and grow as the guest writes.", "info", "Keep an eye on it: a guest whose disks cannot grow stops.",
        )
    ]  # fmt: skip
