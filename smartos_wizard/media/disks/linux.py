"""The disks of a Linux machine, from sysfs, mountinfo, swaps and udev's notes. Opens no device.

sysfs is the source of everything safety rests on; lsblk and zpool may add words. See `use.py` for what
makes a disk the system's, and `judge.py` for who may be written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from smartos_wizard.core.text import tame
from smartos_wizard.media.disks.asking import Ask, ask, lsblk_facts, pool_devices
from smartos_wizard.media.disks.hardware import (
    kind_of,
    name_of,
    read_udev,
    serial_of,
    transport_of,
    wwn_of,
)
from smartos_wizard.media.disks.mounts import MountLine, read_mounts, read_swaps
from smartos_wizard.media.disks.nodes import Node, read_nodes
from smartos_wizard.media.disks.reader import FileReader, Reader
from smartos_wizard.media.disks.reasons import is_users
from smartos_wizard.media.disks.stack import Reach, Stack
from smartos_wizard.media.disks.usb import address_of, ask_pyusb, merged, read_usb
from smartos_wizard.media.disks.use import System, holders_of, is_system_point, loops_on, system_of
from smartos_wizard.media.disks.watch import Watch
from smartos_wizard.media.model import Disk, Mount, Partition, UsbFacts

UsbBus = Callable[[], Mapping[tuple[int, int], UsbFacts]]


class LinuxDisks:
    """Implements `ports.Disks`. `root` and `reader` are for recorded machines; `run` asks other programs."""

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        reader: Reader | None = None,
        run: Ask = ask,
        usb_bus: UsbBus = ask_pyusb,
        used: Callable[[str], int | None] | None = None,
    ) -> None:
        self._reader = reader or FileReader(root)
        self._run = run
        self._usb_bus = usb_bus
        self._used = used or used_bytes
        self._watch = Watch(self._reader)

    def list(self) -> tuple[Disk, ...]:
        """Every disk with its facts, by name. Raises WizardError `cannot-list-disks`."""
        return Survey(self._reader, self._run, self._usb_bus, self._used).disks()

    def changed(self, seconds: float) -> bool:
        """Wait up to `seconds` for a disk, medium or mount to come or go; True when one did."""
        return self._watch.changed(seconds)


class Survey:
    """One look at the machine: everything is read once and then put together."""

    def __init__(self, reader: Reader, run: Ask, usb_bus: UsbBus, used: Callable[[str], int | None]) -> None:
        self.reader = reader
        self.run = run
        self.used = used
        self._asked: dict[str, tuple[str, ...] | None] = {}
        self.nodes = read_nodes(reader)
        self.mounts = read_mounts(reader)
        self.udev = {name: read_udev(reader, node) for name, node in self.nodes.items()}
        self.lsblk = self._ask_lsblk()
        self.pools = self._pools()
        self.stack = Stack(reader, self.nodes, self.mounts or (), self._pool_members)
        self.system: System = system_of(self.stack, self.mounts, read_swaps(reader))
        self.loops = loops_on(self.stack)
        on_usb = any(address_of(reader, n.home) for n in self.nodes.values() if n.whole)
        self.bus = usb_bus() if on_usb else {}

    def disks(self) -> tuple[Disk, ...]:
        """All whole disks; loop and RAM devices without content are left out, there are always some."""
        whole = [n for n in self.nodes.values() if n.whole]
        kept = (
            n
            for n in whole
            if n.size != 0 or not n.name.startswith(("loop", "ram", "zram", "nbd", "md", "dm-"))
        )
        return tuple(self._disk(node) for node in kept)

    def _ask_lsblk(self) -> dict[str, dict[str, str]]:
        """Only where udev has left something untold."""
        parts = [n for n in self.nodes.values() if not n.whole]
        return lsblk_facts(self.run) if any(self.udev[p.name] is None for p in parts) else {}

    def _fs(self, node: Node) -> tuple[str, str]:
        """(type, label) of the file system on a device."""
        udev = self.udev[node.name] or {}
        more = self.lsblk.get(node.path, {})
        return (
            udev.get("ID_FS_TYPE") or more.get("fstype", ""),
            udev.get("ID_FS_LABEL") or more.get("label", ""),
        )

    def _pools(self) -> dict[str, str]:
        """The ZFS pool of each device that is a member of one."""
        found = {}
        for node in self.nodes.values():
            fstype, label = self._fs(node)
            if fstype == "zfs_member":
                found[node.name] = label
        for line in self.mounts or ():
            if line.fstype == "zfs":
                pool = line.source.split("/")[0]
                for path in self._ask_zpool(pool) or ():
                    name = self.reader.resolve(path).removeprefix("/dev/")
                    if name in self.nodes:
                        found[name] = pool
        return found

    def _ask_zpool(self, pool: str) -> tuple[str, ...] | None:
        if pool not in self._asked:
            self._asked[pool] = pool_devices(self.run, pool)
        return self._asked[pool]

    def _pool_members(self, pool: str) -> Reach:
        """The devices of an imported pool: as zpool says, else as udev labelled them.

        zpool's word is complete when each device is known here. udev's is complete only when it has looked
        at every device, since a member it did not look at carries no label.
        """
        reach = Reach()
        for name, label in self.pools.items():
            if label == pool:
                reach |= self.stack.below_node(name)
        told = self._ask_zpool(pool)
        if told is not None:
            complete = all(self.reader.resolve(p).removeprefix("/dev/") in self.nodes for p in told)
        else:
            complete = all(self.udev[n.name] is not None for n in self.nodes.values())
        return reach | Reach(complete=complete and bool(reach.names))

    def _disk(self, node: Node) -> Disk:
        reader, udev = self.reader, self.udev[node.name] or {}
        usb = read_usb(reader, node.home)
        if usb is not None:
            address = address_of(reader, node.home)
            usb = merged(usb, self.bus.get(address) if address else None)
        vendor, model = name_of(reader, node, udev)
        holders, unread = holders_of(self.stack, node.name, self.pools)
        mounts, hidden = self._mounts(node)
        uses = self.system.uses.get(node.name)
        lost = (*unread, *(() if uses else self.system.lost))
        partitions = () if node.name.startswith("loop") and not node.partitions else node.partitions or ()
        return Disk(
            path=node.path,
            size=node.size,
            model=model or (usb.product if usb else "") or tame(node.dm_name),
            vendor=vendor,
            serial=serial_of(reader, node, udev, usb.serial if usb else ""),
            wwn=wwn_of(reader, node, udev),
            transport=transport_of(reader, node),
            kind=kind_of(reader, node),
            removable=node.removable,
            read_only=node.read_only,
            sector=node.sector,
            diskseq=node.diskseq,
            rdev=node.dev,
            partitions=tuple(self._partition(self.nodes[name], mounts) for name in partitions),
            mounts=mounts,
            holders=(*holders, *self.loops.get(node.name, ()), *hidden),
            system_use=tuple(uses) if uses else None if lost else (),
            usb=usb,
            sysfs=node.home,
            unknown=lost,
        )

    def _mounts(self, node: Node) -> tuple[tuple[Mount, ...], tuple[str, ...]]:
        """(what of the disk is mounted here, what is mounted where we cannot unmount it)."""
        mine = {node.name, *(node.partitions or ())}
        here: list[Mount] = []
        hidden: list[str] = []
        for line in self.mounts or ():
            for name in sorted(mine.intersection(self._members(line))):
                if line.elsewhere:
                    hidden.append(f"a mount at {tame(line.point, 120)} outside this container")
                elif not is_system_point(line.point):
                    here.append(Mount(self.nodes[name].path, line.point, line.fstype))
        return tuple(here), tuple(hidden)

    def _members(self, line: MountLine) -> tuple[str, ...]:
        return self.stack.members(line) if line.fstype not in ("overlay", "zfs", "tmpfs", "proc") else ()

    def _partition(self, node: Node, mounts: tuple[Mount, ...]) -> Partition:
        fstype, label = self._fs(node)
        mount = next((m for m in mounts if m.device == node.path), None)
        used = self.used(mount.point) if mount and is_users(mount) else None
        fstype = fstype or (mount.fstype if mount else "")
        return Partition(node.path, node.size or 0, tame(fstype, 20), tame(label), used)


def used_bytes(point: str) -> int | None:
    """Bytes in use in a mounted file system; None where it does not tell."""
    try:
        found = os.statvfs(point)
    except OSError:
        return None
    return (found.f_blocks - found.f_bfree) * found.f_frsize
