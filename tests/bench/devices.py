"""Devices to measure on: a loop device over a file, and one slowed to a key's speed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SIZE = 2 << 30


@dataclass(frozen=True)
class Device:
    """A block device made here and the file behind it."""

    path: str
    backing: Path

    def foul(self) -> None:
        """Fill it with noise behind its back, so that nothing on it is right already and all must be written."""
        noise = os.urandom(4 << 20)
        with self.backing.open("r+b") as file:
            for _ in range(SIZE // len(noise)):
                file.write(noise)
            file.flush()
            os.fsync(file.fileno())
            # Pages left in the cache would have to be thrown out while the first contender writes.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def loop(where: Path, name: str) -> Iterator[Device]:
    """A loop device over a fresh file with direct I/O; gone afterwards."""
    backing = where / f"{name}.disk"
    with backing.open("wb") as file:
        file.truncate(SIZE)
    command = ["losetup", "--find", "--show", "--direct-io=on", str(backing)]
    path = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield Device(path, backing)
    finally:
        subprocess.run(["losetup", "-d", path], check=False)
        backing.unlink()


@contextlib.contextmanager
def throttled(where: Path, name: str, megabytes: int) -> Iterator[Device]:
    """A block device that writes `megabytes` MB/s and reads three times as fast, as keys do."""
    from tests.lab.rig.disks import faulty

    place = where / name
    place.mkdir(exist_ok=True)
    rates = {"write_rate": megabytes * 10**6, "read_rate": 3 * megabytes * 10**6}
    with faulty(place, SIZE, **rates) as disk:
        yield Device(disk.path, disk.backing)
    shutil.rmtree(place)
