"""What the screens about guests that are there may ask of the engine. No Textual here; each call may take seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smartos_wizard.core.plan import Plan
    from smartos_wizard.guests.console_line import ConsoleLine
    from smartos_wizard.guests.looking import Look
    from smartos_wizard.guests.model import Guest
    from smartos_wizard.world import World


@dataclass(frozen=True, slots=True)
class DataDisk:
    """A data disk of a guest: its file, its full size and the bytes it takes now; `kept` where its spec says keep."""

    name: str
    size: int
    path: Path
    taken: int
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """The files of a guest with the bytes they take, the largest first, and the sum."""

    files: tuple[tuple[Path, int], ...]

    @property
    def whole(self) -> int:
        """Bytes of all of them."""
        return sum(size for _path, size in self.files)


class GuestsDesk:
    """Asks the room of guests. Every plan is that of the command of the same name."""

    def __init__(self, world: World) -> None:
        self.world = world

    # ------------------------------------------------------------------ what there is

    def all(self) -> tuple[Guest, ...]:
        """The guests of this user, half-made ones too; no hypervisor is asked."""
        return self.world.guests.list()

    def find(self, name: str) -> Guest:
        """The guest of that name. Raises Refused."""
        return self.world.guests.find(name)

    def look(self, guest: Guest) -> Look:
        """What its hypervisor says of it."""
        from smartos_wizard.guests.looking import look

        return look(self.world, guest)

    def look_at(self, name: str) -> Look:
        """The same by name. Raises Refused where there is none."""
        return self.look(self.find(name))

    def room(self, guest: Guest) -> Room:
        """Its files and the room they take."""
        from smartos_wizard.guests.looking import room_of

        return Room(tuple(sorted(room_of(self.world, guest), key=lambda each: -each[1])))

    def title(self, guest: Guest) -> str:
        """The name of its hypervisor as its makers write it."""
        return next(
            (each.title for each in self.world.hypervisors() if each.id == guest.spec.hypervisor),
            guest.spec.hypervisor,
        )

    def ssh(self, guest: Guest) -> str:
        """What to type to log in by ssh; empty where nobody knows the way now."""
        from smartos_wizard.core.errors import WizardError
        from smartos_wizard.guests.ports import driver

        try:
            where = driver(self.world, guest.spec.hypervisor).ssh(guest)
        except WizardError:
            return ""
        return f"ssh -p {where.port} {where.user}@{where.host}" if where is not None else ""

    def disks(self, guest: Guest) -> tuple[DataDisk, ...]:
        """Its data disks with their files. Raises WizardError."""
        from smartos_wizard.guests.ports import driver

        hypervisor = driver(self.world, guest.spec.hypervisor)
        sizes = dict(self.room(guest).files)
        found = []
        for disk in guest.spec.disks:
            path = Path(hypervisor.disk_step(guest, disk).params["path"])
            found.append(DataDisk(disk.name, disk.size, path, sizes.get(path, 0), disk.keep))
        return tuple(found)

    def snapshots(self, guest: Guest) -> tuple[str, ...]:
        """The names of its snapshots. Raises WizardError."""
        from smartos_wizard.guests.ports import driver

        return driver(self.world, guest.spec.hypervisor).snapshot(guest, "list", "")

    # ------------------------------------------------------------------ its console

    def console(self, guest: Guest) -> ConsoleLine:
        """A line to its console, to be started and closed by who asked for it."""
        from smartos_wizard.guests.console_line import ConsoleLine, console_of

        return ConsoleLine(console_of(self.world, guest))

    def said(self, guest: Guest) -> tuple[list[str], int]:
        """The last lines of its console's log, and how many bytes come before them."""
        from smartos_wizard.guests.console_text import said_so_far

        return said_so_far(guest.console.log)

    # ------------------------------------------------------------------ plans

    def start_plan(self, name: str) -> Plan:
        """The plan to start it. Raises Refused."""
        from smartos_wizard.guests.planning import plan_start

        return plan_start(self.find(name))

    def stop_plan(self, name: str, *, force: bool) -> Plan:
        """The plan to stop it, or to switch it off. Raises Refused."""
        from smartos_wizard.guests.planning import plan_stop

        return plan_stop(self.find(name), force=force)

    def delete_plan(self, name: str) -> Plan:
        """The plan to remove it with every file. Raises Refused."""
        from smartos_wizard.guests.planning import plan_delete

        return plan_delete(self.find(name), self.world)

    def reinstall_plan(self, name: str, keep: Sequence[str], *, snapshot: bool) -> Plan:
        """The plan to empty its disks but those kept. Raises Refused."""
        from smartos_wizard.guests.planning import plan_reinstall

        return plan_reinstall(self.find(name), self.world, keep, snapshot=snapshot)

    def snapshot_plan(self, name: str, act: str, snapshot: str) -> Plan:
        """The plan to take, restore or delete a snapshot. Raises Refused."""
        from smartos_wizard.guests.planning import plan_snapshot

        return plan_snapshot(self.find(name), act, snapshot)

    def export_plan(self, name: str, kind: str, target: Path, manifest: str) -> Plan:
        """The plan to export it as `ova`, `libvirt` or `utm`. Raises Refused, UsageProblem."""
        from smartos_wizard.guests.export.planning import plan_export

        return plan_export(self.find(name), kind, target, self.world, manifest)

    def why_no_snapshot(self, guest: Guest) -> str:
        """Why no snapshot can be taken before a re-install; empty where it can."""
        from smartos_wizard.core.errors import WizardError
        from smartos_wizard.guests.ports import driver

        hypervisor = driver(self.world, guest.spec.hypervisor)
        try:
            if "snapshots" not in hypervisor.detect().can:
                return f"{hypervisor.title} takes none here."
            self.reinstall_plan(guest.name, (), snapshot=True)
        except WizardError as error:
            return "" if error.reference == "nothing-to-wipe" else error.message
        return ""
