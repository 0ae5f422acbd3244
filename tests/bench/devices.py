"""Devices to measure on: a loop device over a file, and one slowed to a key's speed."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

SIZE = 2 << 30


@contextlib.contextmanager
def loop(where: Path, name: str) -> Iterator[str]:
    """A loop device over a fresh file with direct I/O; gone afterwards."""
    backing = where / f"{name}.disk"
    with backing.open("wb") as file:
        file.truncate(SIZE)
    command = ["losetup", "--find", "--show", "--direct-io=on", str(backing)]
    path = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield path
    finally:
        subprocess.run(["losetup", "-d", path], check=False)
        backing.unlink()


@contextlib.contextmanager
def throttled(where: Path, name: str, megabytes: int) -> Iterator[str]:
    """A block device that writes `megabytes` MB/s and reads three times as fast, as keys do."""
    from tests.lab.rig.disks import faulty

    place = where / name
    place.mkdir(exist_ok=True)
    rates = {"write_rate": megabytes * 10**6, "read_rate": 3 * megabytes * 10**6}
    with faulty(place, SIZE, **rates) as disk:
        yield disk.path
    shutil.rmtree(place)
