"""What lies on what: from a mount, a swap file or a mapping down to the disks below it.

Partitions, LVM, LUKS, multipath and md through `slaves`; loop devices through the mount their file lies on;
btrfs, bcachefs and ZFS through their members; overlays through their layers. Whatever cannot be followed
makes the answer incomplete, and an incomplete answer is never read as "nothing else".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smartos_wizard.media.disks.mounts import MountLine, mount_at
from smartos_wizard.media.disks.nodes import Node
from smartos_wizard.media.disks.reader import Reader, words

NO_DISK = frozenset(
    (
        "tmpfs",
        "ramfs",
        "rootfs",
        "devtmpfs",
        "devpts",
        "proc",
        "sysfs",
        "nfs",
        "nfs4",
        "9p",
        "virtiofs",
        "cifs",
        "smb3",
        "ceph",
        "afs",
        "autofs",
        "cgroup",
        "cgroup2",
        "efivarfs",
        "securityfs",
        "debugfs",
        "tracefs",
        "configfs",
        "pstore",
        "bpf",
        "mqueue",
        "hugetlbfs",
        "fusectl",
        "binfmt_misc",
        "nsfs",
        "rpc_pipefs",
        "selinuxfs",
    )
)
"""File systems that lie in memory or on another machine."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Every block device below something, whether that is all of them, and the layers passed in words."""

    names: frozenset[str] = frozenset()
    complete: bool = True
    through: tuple[str, ...] = ()

    def __or__(self, other: Reach) -> Reach:
        through = tuple(dict.fromkeys((*self.through, *other.through)))
        return Reach(self.names | other.names, self.complete and other.complete, through)


LOST = Reach(complete=False)


@dataclass(frozen=True, slots=True)
class Stack:
    """The block devices and mounts of a machine, for following. `pool_members` names a ZFS pool's devices."""

    reader: Reader
    nodes: dict[str, Node]
    mounts: tuple[MountLine, ...]
    pool_members: Callable[[str], Reach]

    def below_node(self, name: str, trail: frozenset[str] = frozenset()) -> Reach:
        """A block device and everything below it."""
        node = self.nodes.get(name)
        if node is None or name in trail:
            return LOST
        trail |= {name}
        reach = Reach(frozenset({name}), through=_layer(node))
        if node.parent:
            reach |= self.below_node(node.parent, trail)
        if node.slaves is None or (name.startswith(("dm-", "md")) and not node.parent and not node.slaves):
            reach |= Reach(complete=_needs_no_disk(node))
        for slave in node.slaves or ():
            reach |= self.below_node(slave, trail)
        if node.backing:
            reach |= self._below_backing(node.backing, trail)
        return reach

    def _below_backing(self, backing: str, trail: frozenset[str]) -> Reach:
        """What lies below the file of a loop device (or the device of a compressed RAM disk)."""
        if backing.startswith("/dev/"):
            name = self.named(backing)
            if name:
                return self.below_node(name, trail)
        if not backing.startswith("/"):
            return LOST
        path = backing.removesuffix(" (deleted)")
        line = mount_at(path, self.mounts)
        if line is None:
            return LOST
        return self.below_mount(line, trail) | Reach(complete=self._is_there(path, line))

    def _is_there(self, path: str, line: MountLine) -> bool:
        """Whether the file really is on that mount.

        The kernel tells a loop device's file by a path that may have been true only while the machine
        started; a live system's medium is often hidden from it later.
        """
        device = self.reader.device_of(path)
        if device is None:
            return False
        return device == line.dev or (device[0] == 0 and line.fstype in ("btrfs", "overlay"))

    def below_path(self, path: str, trail: frozenset[str] = frozenset()) -> Reach:
        """The disks a file or directory lies on."""
        line = mount_at(path, self.mounts)
        return LOST if line is None else self.below_mount(line, trail)

    def below_mount(self, line: MountLine, trail: frozenset[str] = frozenset()) -> Reach:
        """The disks a mounted file system lies on."""
        key = f"mount {line.point} {line.dev}"
        if key in trail:
            return LOST
        trail |= {key}
        reach = self._external(line, trail)
        for name in self.members(line):
            reach |= self.below_node(name, trail)
        if line.fstype == "overlay":
            return reach | self._below_overlay(line, trail)
        if line.fstype == "zfs":
            return reach | self.pool_members(line.source.split("/")[0]) | Reach(through=("ZFS",))
        if line.fstype == "btrfs" and not reach.names:
            return self._all_btrfs(trail)
        return reach if reach.names or line.fstype in NO_DISK else LOST

    def members(self, line: MountLine) -> tuple[str, ...]:
        """The block devices a file system lies on directly; none for overlays and ZFS."""
        if line.dev[0] != 0:
            # A major number is the truth; the source may be an old name or /dev/root.
            return tuple(n.name for n in self.nodes.values() if n.dev == line.dev)
        sources = line.source.split(":") if line.fstype == "bcachefs" else [line.source]
        named = [self.named(s) for s in sources]
        if line.fstype == "bcachefs" and "" in named:
            return ()
        if line.fstype == "btrfs":
            for devices in self._btrfs():
                if named[0] in devices:
                    return devices
            return ()
        return tuple(n for n in named if n)

    def named(self, path: str) -> str:
        """The block device a path in /dev means; empty where that is none."""
        if not path.startswith("/dev/"):
            return ""
        short = path.removeprefix("/dev/").replace("/", "!")
        if short in self.nodes:
            return short
        mapped = path.removeprefix("/dev/mapper/")
        lvm = "-".join(part.replace("-", "--") for part in path.removeprefix("/dev/").split("/"))
        for node in self.nodes.values():
            if node.dm_name and node.dm_name in (mapped, lvm):
                return node.name
        real = self.reader.resolve(path).removeprefix("/dev/").replace("/", "!")
        return real if real in self.nodes else ""

    def _external(self, line: MountLine, trail: frozenset[str]) -> Reach:
        """Devices named in the options: the log of an XFS, the journal of an ext4."""
        reach = Reach()
        for key, value in line.options:
            if value.startswith("/dev/") and key not in ("lowerdir", "upperdir", "workdir"):
                name = self.named(value)
                reach |= self.below_node(name, trail) if name else LOST
        return reach

    def _below_overlay(self, line: MountLine, trail: frozenset[str]) -> Reach:
        lower = [p for v in line.option("lowerdir") + line.option("lowerdir+") for p in _split_layers(v)]
        upper = line.option("upperdir")
        reach = Reach(complete=bool(lower), through=("an overlay",))
        for path in lower + upper:
            if path.startswith("/"):
                reach |= self._below_layer(path, path in upper, trail)
            else:
                reach |= LOST
        return reach

    def _below_layer(self, path: str, writable: bool, trail: frozenset[str]) -> Reach:
        line = mount_at(path, self.mounts)
        if line is not None and line.fstype in ("tmpfs", "ramfs") and not writable:
            # Nobody boots from an empty directory in memory: the layer's own mount is hidden from us.
            return LOST
        if line is not None and f"mount {line.point} {line.dev}" not in trail:
            return self.below_mount(line, trail)
        if writable and path.startswith("/cow/") and self._cow_in_memory():
            return Reach()
        # Ubuntu's live system names a layer after the squashfs file that holds it.
        file = path.rsplit("/", 1)[-1]
        for node in self.nodes.values():
            if node.backing.rsplit("/", 1)[-1] == file and node.backing:
                return self.below_node(node.name, trail)
        return LOST

    def _cow_in_memory(self) -> bool:
        said = words(self.reader, "/proc/cmdline").split()
        return "boot=casper" in said and not any(w.startswith("persist") for w in said)

    def _btrfs(self) -> list[tuple[str, ...]]:
        """The devices of every btrfs in use (Linux: /sys/fs/btrfs/UUID/devices)."""
        found = []
        try:
            for uuid in self.reader.names("/sys/fs/btrfs") or ():
                devices = self.reader.names(f"/sys/fs/btrfs/{uuid}/devices")
                if devices:
                    found.append(devices)
        except OSError:
            return []
        return found

    def _all_btrfs(self, trail: frozenset[str]) -> Reach:
        """Where a btrfs cannot be told from the others, all of them are meant."""
        reach = Reach()
        for devices in self._btrfs():
            for name in devices:
                reach |= self.below_node(name, trail)
        return reach if reach.names else LOST


def holder_words(node: Node) -> str:
    """What a device is to the one it lies on: `LVM volume group vg0`, `LUKS mapping secret`."""
    if node.dm_uuid.startswith("LVM-"):
        group = node.dm_name.replace("--", "\0").split("-")[0].replace("\0", "-")
        return f"LVM volume group {group}"
    if node.dm_uuid.startswith("CRYPT-"):
        return f"LUKS mapping {node.dm_name}"
    if node.dm_uuid.startswith("mpath-"):
        return f"multipath device {node.dm_name}"
    if node.name.startswith("dm-"):
        return f"device-mapper {node.dm_name or node.name}"
    if node.name.startswith("md"):
        return f"md array {node.name}"
    if node.name.startswith("bcache"):
        return f"bcache device {node.name}"
    return node.path


def _layer(node: Node) -> tuple[str, ...]:
    kinds = {"LVM-": "LVM", "CRYPT-": "LUKS", "mpath-": "multipath"}
    for prefix, word in kinds.items():
        if node.dm_uuid.startswith(prefix):
            return (word,)
    if node.name.startswith("dm-"):
        return ("device-mapper",)
    if node.parent:
        return ()
    for prefix, word in (("md", "RAID"), ("loop", "a loop device"), ("bcache", "bcache")):
        if node.name.startswith(prefix):
            return (word,)
    return ()


def _needs_no_disk(node: Node) -> bool:
    """A mapping without any table entry on a device (dm-zero, an array just stopped) has size 0 or holds nothing."""
    return node.slaves is not None and node.size == 0


def _split_layers(value: str) -> list[str]:
    """The directories of a `lowerdir`; a colon in a name is escaped, `::` begins data-only layers."""
    marked = value.replace("\\:", "\0").replace("\\\\", "\\")
    return [part.replace("\0", ":") for part in marked.split(":") if part]
