"""The disks of this machine as SmartOS's setup would list them. They are not opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.media.ports import Disks

if TYPE_CHECKING:
    from smartos_wizard.boot.hardware_facts import HardwareFacts
    from smartos_wizard.media.model import Disk


class _World(Protocol):
    disks: Disks

    def hardware(self) -> HardwareFacts: ...


@dataclass(frozen=True, slots=True)
class Host:
    """The disks of this machine that setup would look at; those it leaves out, each with the reason; the RAM.

    `system` are names of disks that hold the system which runs now.
    """

    disks: tuple[ListedDisk, ...]
    out: tuple[tuple[str, str], ...]
    system: tuple[str, ...]
    ram: int | None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of them, in sentences."""
        said = []
        if self.out:
            said.append(f"Left out by setup: {', '.join(f'{name} ({why})' for name, why in self.out)}.")
        if self.system:
            verb = "holds" if len(self.system) == 1 else "hold"
            said.append(
                f"{', '.join(self.system)} {verb} what runs on this machine now; setup would erase it."
            )
        return tuple(said)


def from_host(world: _World) -> Host:
    """The disks of this machine as `diskinfo` would list them, under the names they have here.

    Setup leaves out disks on USB and those with a partition named SMARTOSBOOT (smartos-live:
    src/smartdc/lib/smartos_prompt_config.sh, promptpool).
    """
    facts = world.hardware()
    solid = {(disk.name, disk.size): disk.solid for disk in facts.disks or ()}
    taken, out, system = [], [], []
    for disk in world.disks.list():
        if disk.kind != "disk":
            continue
        name = Path(disk.path).name
        if why := _left_out(disk):
            out.append((name, why))
            continue
        known = solid.get((name, disk.size or 0), _looks_solid(disk))
        kind = "NVME" if disk.transport == "nvme" else "SCSI"
        removable = bool(disk.removable)
        taken.append(ListedDisk(kind, name, disk.vendor, disk.model, str(disk.size), removable, known))
        if disk.system_use:
            system.append(name)
    return Host(tuple(taken), tuple(out), tuple(system), facts.memory)


def _left_out(disk: Disk) -> str:
    if disk.transport == "usb":
        return "on USB"
    if disk.size is None:
        return "of unknown size"
    if any(part.label == "SMARTOSBOOT" for part in disk.partitions):
        return "SmartOS boots from it"
    return ""


def _looks_solid(disk: Disk) -> bool:
    return disk.transport == "nvme" or "SSD" in disk.name.upper()
