"""Block devices that fail on request: file, qemu-storage-daemon (blkdebug, throttle), NBD, FUSE, loop.

The loop device at the end is a true block device to everybody who opens it; what it does when written to is
decided by the daemon in the middle. Killing the daemon is a faithful unplug: every later read, write and sync
fails with EIO. Pausing it is a device that answers nothing. The FUSE file is nbdfuse's: QEMU's own FUSE export
(7.2) loses data when several writes are under way at once, as a loop device with direct I/O makes them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any

from tests.lab.rig.space import detach

_names = count()
FILLING = b"old data of somebody "
"""What a fresh target holds: not zeros, so that what was not written is seen."""


@dataclass(slots=True)
class Disk:
    """A loop device, the file behind it, and the daemon between the two where there is one."""

    path: str
    backing: Path
    daemon: subprocess.Popen[bytes] | None = None
    attached: Path = field(default=Path())

    def read(self, offset: int, size: int) -> bytes:
        """What lies in the backing file: past every cache of the device."""
        with self.backing.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def poke(self, offset: int, data: bytes) -> None:
        """Change the backing file behind the device's back: rot, or a fake controller."""
        with self.backing.open("r+b") as file:
            file.seek(offset)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def unplug(self) -> None:
        """Kill the daemon: from now on everything fails with EIO."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()

    def pause(self) -> None:
        """Answer nothing from now on."""
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again."""
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGCONT)


def backing_file(space: Path, size: int, filled: int = 4 << 20) -> Path:
    """A sparse file whose first and last `filled` bytes hold somebody's old data."""
    path = space / f"disk{next(_names)}.img"
    filled = min(filled, size)
    old = (FILLING * (filled // len(FILLING) + 1))[:filled]
    with path.open("wb") as file:
        file.truncate(size)
        file.write(old)
        file.seek(size - filled)
        file.write(old)
    return path


@contextmanager
def loop(backing: Path, *, sector: int = 512, read_only: bool = False, direct: bool = True) -> Iterator[Disk]:
    """`backing` as a loop device. `direct` keeps the backing file's cache out of the way."""
    path = attach(backing, sector=sector, read_only=read_only, direct=direct)
    try:
        yield Disk(path, backing, attached=backing)
    finally:
        detach(path)


def attach(
    backing: Path, *, device: str = "", sector: int = 512, read_only: bool = False, direct: bool = True
) -> str:
    """Attach to a free loop device (or to `device`) and return its path."""
    options = ["-b", str(sector), f"--direct-io={'on' if direct else 'off'}"] + (["-r"] if read_only else [])
    if device:
        subprocess.run(["losetup", *options, device, str(backing)], check=True, capture_output=True)
        return device
    words = ""
    for _ in range(20):  # another process may take the free device first
        done = subprocess.run(
            ["losetup", *options, "-f", "--show", str(backing)], check=False, capture_output=True, text=True
        )
        if done.returncode == 0:
            return done.stdout.strip()
        words = done.stderr
        time.sleep(0.1)
    raise RuntimeError(words)


@contextmanager
def faulty(
    space: Path,
    size: int,
    *,
    backing: Path | None = None,
    write_error_at: int | None = None,
    read_error_at: int | None = None,
    flush_error: bool = False,
    write_rate: int = 0,
    read_rate: int = 0,
) -> Iterator[Disk]:
    """A loop device with faults: EIO at a byte offset, failing flushes, rates in bytes per second (0: no limit)."""
    backing = backing or backing_file(space, size)
    place = space / f"{backing.name}.fuse{next(_names)}"
    place.mkdir()
    export = place / "disk"
    bus = space / f"nbd{next(_names)}"
    rules = _rules(write_error_at, read_error_at, flush_error)
    log = (space / "daemons.log").open("ab")
    with log, _daemon(backing, bus, rules, write_rate, read_rate, log) as daemon, _mounted(place, bus, log):
        _wait_until(lambda: export.exists() and export.stat().st_size == size, "the export does not come up")
        path = attach(export)
        try:
            yield Disk(path, backing, daemon, attached=export)
        finally:
            with suppress(ProcessLookupError):
                daemon.send_signal(signal.SIGCONT)
            detach(path)


def _rules(write_error_at: int | None, read_error_at: int | None, flush_error: bool) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    if write_error_at is not None:
        rules.append({"event": "none", "iotype": "write", "errno": 5, "sector": write_error_at // 512})
    if read_error_at is not None:
        rules.append({"event": "none", "iotype": "read", "errno": 5, "sector": read_error_at // 512})
    if flush_error:
        rules.append({"event": "none", "iotype": "flush", "errno": 5})
    return rules


@contextmanager
def _daemon(
    backing: Path, bus: Path, rules: list[dict[str, Any]], write_rate: int, read_rate: int, log: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    nodes: list[dict[str, Any]] = [{"driver": "file", "node-name": "n0", "filename": str(backing)}]
    if rules:
        nodes.append({"driver": "blkdebug", "node-name": "n1", "image": "n0", "inject-error": rules})
    objects: list[str] = []
    if write_rate or read_rate:
        limits = {"bps-write": write_rate, "bps-read": read_rate}
        words = [f"x-{name}={value}" for name, value in limits.items() if value]
        objects = ["--object", "throttle-group,id=limits," + ",".join(words)]
        below = nodes[-1]["node-name"]
        nodes.append({"driver": "throttle", "node-name": "n2", "throttle-group": "limits", "file": below})
    blocks = [word for node in nodes for word in ("--blockdev", json.dumps(node))]
    top = nodes[-1]["node-name"]
    server = ["--nbd-server", f"addr.type=unix,addr.path={bus}"]
    export = ["--export", f"nbd,id=out,node-name={top},name=,writable=on"]
    line = ["qemu-storage-daemon", *objects, *blocks, *server, *export]
    daemon = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_until(bus.exists, "qemu-storage-daemon does not listen")
        yield daemon
    finally:
        daemon.kill()
        daemon.wait()


@contextmanager
def _mounted(place: Path, bus: Path, log: IO[bytes]) -> Iterator[None]:
    """The export as a file of FUSE."""
    fuse = subprocess.Popen(
        ["nbdfuse", str(place / "disk"), f"nbd+unix:///?socket={bus}"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)
        fuse.kill()
        fuse.wait()


def _wait_until(condition: Callable[[], bool], words: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(words)
        time.sleep(0.02)
