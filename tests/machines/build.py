"""Lays out the system files of a machine from a compact description, in memory or on disk.

A description is a JSON object: `disks`, `stacked` (mappings and arrays), `loops`, `mounts` (lines
"MAJ:MIN POINT FSTYPE SOURCE OPTIONS", a device name standing for its number), `swaps`, `files`, `gone`
(paths that do not exist), `locked` (paths that cannot be read), `hidden` (files of loop devices that are not to be seen).
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smartos_wizard.media.disks.mounts import mount_at, parse_mountinfo

HERE = Path(__file__).parent

_PLACES = {
    "usb": "pci0000:00/0000:00:14.0/usb2/2-{n}/2-{n}:1.0/host{n}/target{n}:0:0/{n}:0:0:0/block",
    "sata": "pci0000:00/0000:00:17.0/ata{n}/host{n}/target{n}:0:0/{n}:0:0:0/block",
    "nvme": "pci0000:00/0000:00:1d.0/0000:0{n}:00.0/nvme/nvme{n}",
    "virtio": "pci0000:00/0000:00:02.0/virtio{n}/block",
    "mmc": "pci0000:00/0000:00:1a.0/mmc_host/mmc{n}/mmc{n}:0001/block",
    "fc": "pci0000:00/0000:00:03.0/host{n}/rport-{n}:0-0/target{n}:0:0/{n}:0:0:1/block",
    "virtual": "virtual/block",
}
GB = 1_000_000_000


class MemoryReader:
    """A Reader over a dictionary of files; directories follow from them."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def _real(self, path: str) -> str:
        if not path.startswith("/sys/block/"):
            return path
        link = "/".join(path.split("/", 4)[:4])
        return self.machine.links.get(link, link) + path[len(link) :]

    def _check(self, path: str) -> None:
        if path in self.machine.locked:
            raise PermissionError(13, "Permission denied", path)

    def text(self, path: str) -> str | None:
        self._check(path)
        return self.machine.files.get(self._real(path))

    def names(self, path: str) -> tuple[str, ...] | None:
        self._check(path)
        inside = self.machine.directories.get(self._real(path))
        return None if inside is None else tuple(sorted(inside))

    def resolve(self, path: str) -> str:
        return self._real(posixpath.normpath(path))

    def device_of(self, path: str) -> tuple[int, int] | None:
        """Files of loop devices are where their path says, but for those told to be hidden."""
        if path == "/" or path in self.machine.told.get("hidden", ()):
            return None
        lines = parse_mountinfo(self.machine.files["/proc/self/mountinfo"])
        line = mount_at(path, lines or ())
        return line.dev if line else None


class Machine:
    """The files, links and directories of one described machine."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.files: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.directories: dict[str, set[str]] = {}
        self.locked = set(told.get("locked", ()))
        self.numbers: dict[str, str] = {}
        self.homes: dict[str, str] = {}
        self._minor = 0
        self._dir("/sys/block")
        for index, disk in enumerate(told.get("disks", ()), 1):
            self._disk(disk, index)
        for node in told.get("stacked", ()):
            self._stacked(node)
        for loop in told.get("loops", ()):
            self._disk({"bus": "virtual", "gb": 1, "udev": False, **loop}, 0)
            self.put(f"{self.homes[loop['name']]}/loop/backing_file", loop["file"])
        self._lists()
        for path, text in told.get("files", {}).items():
            self.put(path, text)
        for path in told.get("gone", ()):
            self._remove(self._at(path))

    def put(self, path: str, text: str = "") -> None:
        self.files[path] = text.strip()
        above, _, name = path.rpartition("/")
        self._dir(above or "/")
        self.directories[above or "/"].add(name)

    def _dir(self, path: str) -> None:
        while path not in self.directories:
            self.directories[path] = set()
            if path == "/":
                return
            above, name = posixpath.split(path)
            self._dir(above)
            self.directories[above].add(name)
            path = above

    def _at(self, path: str) -> str:
        return MemoryReader(self)._real(path)

    def _remove(self, path: str) -> None:
        for known in [k for k in self.files if k == path or k.startswith(path + "/")]:
            del self.files[known]
        for known in [k for k in self.directories if k == path or k.startswith(path + "/")]:
            del self.directories[known]
        self.directories.get(posixpath.dirname(path), set()).discard(posixpath.basename(path))

    def _node(self, name: str, home: str, told: dict[str, Any], size: int) -> None:
        self._minor += 1
        major = 259 if name.startswith("nvme") else 7 if name.startswith("loop") else 8
        self.numbers[name], self.homes[name] = f"{major}:{self._minor}", home
        self.put(f"{home}/dev", self.numbers[name])
        self.put(f"{home}/size", str(size // 512))
        self.put(f"{home}/ro", str(int(told.get("ro", False))))
        self._dir(f"{home}/holders")
        if told.get("udev", True):
            notes = {
                "ID_FS_TYPE": told.get("fstype"),
                "ID_FS_LABEL": told.get("label"),
                **told.get("notes", {}),
            }
            lines = [f"E:{k}={v}" for k, v in notes.items() if v]
            self.put(f"/run/udev/data/b{self.numbers[name]}", "\n".join(["I:1", *lines]))

    def _disk(self, told: dict[str, Any], index: int) -> None:
        name, bus = told["name"], told.get("bus", "sata")
        home = f"/sys/devices/{_PLACES[bus].format(n=index)}/{told.get('inside', '')}/{name}".replace(
            "//", "/"
        )
        size = int(told.get("size", told.get("gb", 500) * GB))
        self.links[f"/sys/block/{name}"] = home
        self.directories["/sys/block"].add(name)
        self._node(name, home, told, size)
        movable = told.get("removable", bus in ("usb",) and not told.get("uas"))
        for path, value in (
            ("removable", int(movable)),
            ("queue/logical_block_size", told.get("sector", 512)),
            ("diskseq", index + 10),
            ("device/model", told.get("model", "Model " + name)),
            ("device/vendor", told.get("vendor", "")),
            ("device/type", told.get("type", 0)),
        ):
            self.put(f"{home}/{path}", str(value))
        self._dir(f"{home}/slaves")
        if bus == "usb":
            port = home[: home.index(f"/2-{index}/")] + f"/2-{index}"
            usb = {
                "serial": f"USB{index:04}",
                "speed": "5000",
                "version": " 3.20",
                "idVendor": "0781",
                "idProduct": "5581",
                "manufacturer": "Maker",
                "product": "Stick",
                "busnum": "2",
                "devnum": str(index),
                **told.get("usb", {}),
            }
            for key, value in usb.items():
                self.put(f"{port}/{key}", value)
        elif "serial" in told:
            self.put(f"{home}/device/serial", told["serial"])
        between = "p" if name[-1].isdigit() else ""
        for number, part in enumerate(told.get("parts", ()), 1):
            self._node(
                f"{name}{between}{number}",
                f"{home}/{name}{between}{number}",
                {**part, "udev": told.get("udev", True)},
                int(part.get("gb", 1) * GB),
            )
            self.put(f"{home}/{name}{between}{number}/partition", str(number))

    def _stacked(self, told: dict[str, Any]) -> None:
        name, home = told["name"], f"/sys/devices/virtual/block/{told['name']}"
        self._disk({"bus": "virtual", "gb": 100, **told}, 0)
        for key in ("name", "uuid") if name.startswith("dm-") else ():
            self.put(f"{home}/dm/{key}", told.get("dm" if key == "name" else "uuid", ""))
        for below in told["on"]:
            self.put(f"{home}/slaves/{below}")
            self.put(f"{self.homes[below]}/holders/{name}")

    def _lists(self) -> None:
        lines = []
        for number, text in enumerate(self.told.get("mounts", ()), 30):
            dev, point, fstype, source, options = [*text.split(" "), "rw"][:5]
            lines.append(
                f"{number} 1 {self.numbers.get(dev, dev)} / {point} rw - {fstype} {source} {options}"
            )
        self.put("/proc/self/mountinfo", "\n".join(lines))
        swaps = [f"{path} partition 1 0 -2" for path in self.told.get("swaps", ())]
        self.put("/proc/swaps", "\n".join(["Filename Type Size Used Priority", *swaps]))
        for uuid, names in self.told.get("btrfs", {}).items():
            for name in names:
                self.put(f"/sys/fs/btrfs/{uuid}/devices/{name}")

    def lay_out(self, root: Path) -> None:
        """Write it all below `root`, as real files and relative links."""
        for path in self.directories:
            (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for path, text in self.files.items():
            (root / path.lstrip("/")).write_text(text + "\n", encoding="utf-8", errors="surrogateescape")
        for link, to in self.links.items():
            place = root / link.lstrip("/")
            if place.is_dir() and not place.is_symlink():
                place.rmdir()
            place.symlink_to(os.path.relpath(to, posixpath.dirname(link)))


def recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every machine recorded here, with its name."""
    for path in sorted(HERE.glob("*.json")):
        yield path.stem, json.loads(path.read_text())
