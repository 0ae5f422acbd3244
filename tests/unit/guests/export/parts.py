"""Guests to be exported, and a reader of stream-optimized VMDKs that shares nothing with the writer."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.events import Event, PlanFinished
from smartos_wizard.guests.export.qcow2 import Qcow2
from smartos_wizard.guests.model import Actual, BootKind, BootMedium, DiskSpec, Guest, GuestSpec, NicSpec
from smartos_wizard.practice.hypervisor import PracticeHypervisor
from tests.unit.guests.parts import Place

UUID = "2b7f9a3e-1111-4000-8000-00000000000a"
GIB = 1 << 30
FORMATS = {"ova": "out.ova", "libvirt": "out.xml", "utm": "out.utm"}
NAMES = ("lab", 'Zoë\'s "lab" <1> & Co', "Ünïcode, with, commas", "a/b", "x" * 63)


def spec_of(name: str = "lab", *, iso: bool = False, **changes: Any) -> GuestSpec:
    medium = (
        BootMedium(BootKind.ISO, "/nowhere/smartos.iso")
        if iso
        else BootMedium(BootKind.KEY, "/nowhere/key.img.gz")
    )
    values: dict[str, Any] = {
        "disks": (DiskSpec("zones-0", 40 * GIB), DiskSpec("zones-1", 40 * GIB)),
        "nics": (NicSpec("52:54:00:aa:bb:cc"),), **changes,
    }  # fmt: skip
    return GuestSpec(name, UUID, "practice", 4096, 2, medium, **values)


def guest_of(place: Place, spec: GuestSpec | None = None, *, data: dict[int, bytes] | None = None) -> Guest:
    """A made guest with a sparse key of an odd size and qcow2 disks; `data` goes on the first one."""
    spec = spec or spec_of()
    guest = place.guests.planned(spec)
    place.guests.begin(guest)
    place.guests.ready(guest)
    if spec.boot.kind is BootKind.KEY:
        write_key(guest.key)
    for number, disk in enumerate(spec.disks):
        write_qcow2(guest.disk(disk, "qcow2"), disk.size, data if number == 0 and data else {})
    return place.guests.find(spec.name)


def write_key(path: Path, size: int = 3_789_063 * 512) -> dict[int, bytes]:
    """A sparse image with something at its beginning, in its middle and in its last bytes."""
    held = {0: random.Random(1).randbytes(200_000), 900 << 20: b"middle" * 5000, size - 700: b"e" * 700}
    with path.open("wb") as file:
        file.truncate(size)
        for offset, data in held.items():
            file.seek(offset)
            file.write(data)
    return held


def write_qcow2(path: Path, size: int, data: dict[int, bytes]) -> None:
    with path.open("w+b") as file:
        writer = Qcow2(file, size)
        for offset, piece in sorted(data.items()):
            writer.put(offset, piece)
        writer.close()


def read_vmdk(data: bytes) -> tuple[int, dict[int, bytes]]:
    """Capacity in bytes and grains by offset, found through the footer's directory; and the marks are checked."""
    head, foot = data[:512], data[-1024:-512]
    capacity, grain, _, _, per_table, _, end = struct.unpack_from("<QQQQIQQ", head, 12)
    assert end == 2**64 - 1
    assert foot[:56] == head[:56]
    assert struct.unpack_from("<QII", data, len(data) - 1536) == (1, 0, 3)
    assert data[-512:] == bytes(512)
    directory = struct.unpack_from("<Q", foot, 56)[0]
    grains: dict[int, bytes] = {}
    tables = -(-capacity // (grain * per_table))
    for upper, table in enumerate(struct.unpack_from(f"<{tables}I", data, directory * 512)):
        if not table:
            continue
        assert struct.unpack_from("<QII", data, table * 512 - 512) == (4, 0, 1)
        for lower, sector in enumerate(struct.unpack_from(f"<{per_table}I", data, table * 512)):
            if sector:
                place, size = struct.unpack_from("<QI", data, sector * 512)
                assert place == (upper * per_table + lower) * grain
                grains[place * 512] = zlib.decompress(data[sector * 512 + 12 : sector * 512 + 12 + size])
    return capacity * 512, grains


def qemu_img(*words: object) -> subprocess.CompletedProcess[str]:
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed")
    return subprocess.run(["qemu-img", *map(str, words)], capture_output=True, text=True, check=False)


class Said(PracticeHypervisor):
    """The practice hypervisor, saying something else of its guests."""

    def __init__(self, actual: Actual) -> None:
        super().__init__()
        self.actual = actual

    def inspect(self, guest: Guest) -> Actual:
        return self.actual


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def finished(events: list[Event]) -> PlanFinished:
    assert isinstance(events[-1], PlanFinished)
    assert events[-1].error is None, events[-1].error
    return events[-1]


def refused(reference: str, plan: Any) -> WizardError:
    with pytest.raises(WizardError) as caught:
        plan()
    assert caught.value.reference == reference
    return caught.value


def uncommon(guest: Guest) -> Path:
    """Make its first disk one that only qemu-img reads; returns what it holds, as a file beside it."""
    disk = guest.disk(guest.spec.disks[0], "qcow2")
    base = guest.folder / "base.img"
    base.write_bytes(b"".join(b"%07d\n" % number for number in range(1 << 17)))
    disk.unlink()
    assert qemu_img("convert", "-c", "-O", "qcow2", base, disk).returncode == 0
    assert qemu_img("resize", disk, "40G").returncode == 0
    return base
