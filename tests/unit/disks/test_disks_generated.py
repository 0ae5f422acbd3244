"""Ten thousand generated machines: the disks the system lies on are never targets, whatever lies between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartos_wizard.media.disks.judge import judge
from smartos_wizard.media.disks.linux import LinuxDisks
from smartos_wizard.media.model import Target
from tests.machines.build import Machine, MemoryReader

_LAYERS = ("luks", "lvm", "md", "multipath", "bcache")
_FILESYSTEMS = ("ext4", "xfs", "btrfs", "zfs", "overlay", "loop", "/dev/root", "fuseblk")
_FILES = ("dev", "size", "ro", "removable", "holders", "slaves", "dm/uuid", "dm/name", "loop/backing_file", "device/type",
          "queue/logical_block_size")  # fmt: skip


@dataclass
class Built:
    """A machine, the disks its system lies on by construction, and keys nothing uses."""

    told: dict[str, Any]
    system: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    certain: bool = True


class Builder:
    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.told: dict[str, Any] = {
            "disks": [], "stacked": [], "loops": [], "mounts": ["0:20 /run tmpfs tmpfs"], "swaps": [], "btrfs": {}, "gone": [], "locked": [], "hidden": []
        }  # fmt: skip
        self.below: dict[str, set[str]] = {}
        self.free: list[str] = []
        self.built = Built(self.told)
        self.udev = draw(st.booleans())

    def build(self) -> Built:
        draw = self.draw
        for number in range(draw(st.integers(1, 5))):
            self.disk(number)
        for _ in range(draw(st.integers(0, 4))):
            if self.free:
                self.layer()
        points = [
            "/",
            *draw(st.sets(st.sampled_from(["/usr", "/var", "/home", "/boot", "/boot/efi"]), max_size=2)),
        ]
        for point in points:
            if self.free:
                self.filesystem(point)
        if self.free and draw(st.booleans()):
            name = self.take()
            self.told["swaps"].append(f"/dev/{name}")
            self.built.system |= self.below[name]
        for index in range(draw(st.integers(0, 2))):
            self.key(index)
        return self.built

    def disk(self, number: int) -> None:
        bus = self.draw(st.sampled_from(["usb", "sata", "nvme", "virtio", "mmc"]))
        name = {"nvme": f"nvme{number}n1", "mmc": f"mmcblk{number}"}.get(bus, f"sd{'abcdefgh'[number]}")
        parts = self.draw(st.integers(0, 3))
        told = {"name": name, "bus": bus, "uas": self.draw(st.booleans()), "udev": self.udev, "type": "SD",
                "removable": self.draw(st.booleans()), "parts": [{} for _ in range(parts)]}  # fmt: skip
        self.told["disks"].append(told)
        between = "p" if name[-1].isdigit() else ""
        mine = [f"{name}{between}{i}" for i in range(1, parts + 1)] or [name]
        for leaf in mine:
            self.below[leaf] = {f"/dev/{name}"}
        self.free += mine

    def key(self, index: int) -> None:
        name = f"sd{'yz'[index]}"
        self.told["disks"].append(
            {"name": name, "bus": "usb", "uas": self.draw(st.booleans()), "udev": self.udev}
        )
        self.built.keys.add(f"/dev/{name}")

    def take(self) -> str:
        return self.free.pop(self.draw(st.integers(0, len(self.free) - 1)))

    def layer(self) -> None:
        kind = self.draw(st.sampled_from(_LAYERS))
        most = 1 if kind == "luks" else 3
        under = [self.take() for _ in range(min(len(self.free), self.draw(st.integers(1, most))))]
        number = len(self.told["stacked"])
        name = {"md": f"md{number}", "bcache": f"bcache{number}"}.get(kind, f"dm-{number}")
        uuid = {"luks": "CRYPT-LUKS2-x", "lvm": "LVM-x", "multipath": "mpath-x"}.get(kind, "")
        self.told["stacked"].append(
            {"name": name, "dm": f"map-{number}", "uuid": uuid, "on": under, "udev": self.udev}
        )
        self.below[name] = set().union(*(self.below[u] for u in under)) | {f"/dev/{name}"}
        self.free.append(name)

    def filesystem(self, point: str) -> None:
        kind = self.draw(st.sampled_from(_FILESYSTEMS))
        name = self.take()
        self.built.system |= self.below[name]
        if kind in ("ext4", "xfs", "fuseblk"):
            self.mount(name, point, kind, f"/dev/{name}")
        elif kind == "/dev/root":
            self.mount(name, point, "ext4", "/dev/root")
        elif kind == "btrfs":
            self.btrfs(name, point)
        elif kind == "zfs":
            self.zfs(name, point)
        else:
            self.indirect(kind, name, point)

    def mount(self, dev: str, point: str, fstype: str, source: str, options: str = "rw") -> None:
        self.told["mounts"].append(f"{dev} {point} {fstype} {source} {options}")

    def btrfs(self, name: str, point: str) -> None:
        more = [self.take()] if self.free and self.draw(st.booleans()) else []
        for other in more:
            self.built.system |= self.below[other]
        self.told["btrfs"][f"uuid-{name}"] = [name, *more]
        self.mount("0:50", point, "btrfs", f"/dev/{name}")

    def zfs(self, name: str, point: str) -> None:
        pool = f"pool-{name}"
        self.mount("0:51", point, "zfs", f"{pool}/ROOT/x")
        notes = {"ID_FS_TYPE": "zfs_member", "ID_FS_LABEL": pool}
        if not self.udev or not self.annotate(name, notes):
            self.built.certain = False

    def annotate(self, name: str, notes: dict[str, str]) -> bool:
        for told in self.told["disks"]:
            between = "p" if told["name"][-1].isdigit() else ""
            for number, part in enumerate(told["parts"], 1):
                if f"{told['name']}{between}{number}" == name:
                    part["notes"] = notes
                    return True
            if told["name"] == name:
                told["notes"] = notes
                return True
        for told in self.told["stacked"]:
            if told["name"] == name:
                told["notes"] = notes
                return True
        return False

    def indirect(self, kind: str, name: str, point: str) -> None:
        medium = f"/run/medium-{name}"
        hidden = self.draw(st.booleans()) and kind != "loop"
        if hidden:
            self.built.certain = False
            self.told["hidden"].append(f"{medium}/live/loop{len(self.told['loops'])}.squashfs")
        else:
            self.mount(name, medium, "iso9660", f"/dev/{name}")
        loop = f"loop{len(self.told['loops'])}"
        self.told["loops"].append({"name": loop, "file": f"{medium}/live/{loop}.squashfs", "udev": self.udev})
        if kind == "loop":
            self.mount(loop, point, "ext4", f"/dev/{loop}")
            return
        self.mount(loop, f"/run/layer-{loop}", "squashfs", f"/dev/{loop}")
        self.mount(
            "0:52",
            point,
            "overlay",
            "overlay",
            f"rw,lowerdir=/run/layer-{loop},upperdir=/run/up,workdir=/run/work",
        )


@st.composite
def machines(draw: Any) -> Built:
    return Builder(draw).build()


@st.composite
def broken_machines(draw: Any) -> Built:
    """The same with some files locked or gone: less is known, and nothing must become free by that."""
    built = Builder(draw).build()
    names = [d["name"] for d in built.told["disks"] + built.told["stacked"] + built.told["loops"]]
    for _ in range(draw(st.integers(1, 3))):
        place = "gone" if draw(st.booleans()) else "locked"
        name, file = draw(st.sampled_from(names)), draw(st.sampled_from(_FILES))
        built.told[place].append(f"/sys/block/{name}/{file}")
    if draw(st.integers(0, 9)) == 0:
        built.told["locked"].append(
            draw(st.sampled_from(["/proc/self/mountinfo", "/proc/swaps", "/sys/fs/btrfs"]))
        )
    return built


def targets(built: Built) -> set[str]:
    """What would be offered at all, with --allow-fixed and for the smallest image."""
    reader = MemoryReader(Machine(built.told))
    disks = LinuxDisks(reader=reader, run=lambda _: None, usb_bus=dict, used=lambda _: None).list()
    offered = {d.path for d in disks if isinstance(judge(d, 1, allow_fixed=True), Target)}
    assert {d.path for d in disks if isinstance(judge(d, 1), Target)} <= offered
    return offered


_many = settings(
    max_examples=2_500, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)  # four shares of each, so that two cores can work on them


@pytest.mark.slow
@pytest.mark.parametrize("share", range(4))
@_many
@given(built=machines())
def test_the_systems_disks_are_never_targets_and_an_unused_key_is_one(share: int, built: Built) -> None:
    offered = targets(built)
    assert not offered & built.system
    if built.certain:
        assert built.keys <= offered


@pytest.mark.slow
@pytest.mark.parametrize("share", range(2))
@_many
@given(built=broken_machines())
def test_what_cannot_be_read_never_makes_the_systems_disks_targets(share: int, built: Built) -> None:
    assert not targets(built) & built.system
