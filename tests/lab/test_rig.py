"""The rigs themselves: what they promise to the other lab tests is true of this machine."""

from __future__ import annotations

import errno
import mmap
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.rig import disks
from tests.lab.rig.images import MIB
from tests.lab.rig.parts import CHECKOUT
from tests.lab.rig.space import sweep

pytestmark = pytest.mark.lab


def write_direct(path: str, offset: int, size: int = MIB) -> None:
    """One aligned O_DIRECT write and a sync, as the writer does it."""
    buffer = mmap.mmap(-1, size)
    buffer.write(b"\x5a" * size)
    fd = os.open(path, os.O_RDWR | os.O_DIRECT)
    try:
        assert os.pwrite(fd, buffer, offset) == size
        os.fdatasync(fd)
    finally:
        os.close(fd)
        buffer.close()


def read_direct(path: str, offset: int, size: int = MIB) -> bytes:
    with mmap.mmap(-1, size) as buffer:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
        try:
            got = os.preadv(fd, [buffer], offset)
        finally:
            os.close(fd)
        return buffer[:got]


def failing_write(path: str, offset: int) -> int:
    with pytest.raises(OSError) as caught:
        write_direct(path, offset)
    assert caught.value.errno is not None
    return caught.value.errno


def test_a_loop_device_reaches_its_file_past_the_cache(fault_rig: Path) -> None:
    with disks.loop(disks.backing_file(fault_rig, 16 * MIB)) as disk:
        write_direct(disk.path, 2 * MIB)
        assert disk.read(2 * MIB, 4) == b"ZZZZ"
        disk.poke(2 * MIB, b"rot")
        assert read_direct(disk.path, 2 * MIB)[:4] == b"rotZ"


def test_write_and_read_errors_come_at_the_sector_asked_for(fault_rig: Path) -> None:
    with disks.faulty(fault_rig, 32 * MIB, write_error_at=8 * MIB, read_error_at=20 * MIB) as disk:
        write_direct(disk.path, 4 * MIB)
        assert failing_write(disk.path, 8 * MIB) == errno.EIO
        write_direct(disk.path, 16 * MIB)
        assert len(read_direct(disk.path, 16 * MIB)) == MIB
        write_direct(disk.path, 20 * MIB)  # a hole would be answered without reading it
        with pytest.raises(OSError):
            read_direct(disk.path, 20 * MIB)


def test_many_writes_at_once_all_arrive(fault_rig: Path) -> None:
    with disks.faulty(fault_rig, 32 * MIB) as disk:
        wanted = os.urandom(32 * MIB)
        source = fault_rig / "noise"
        source.write_bytes(wanted)
        words = [f"if={source}", f"of={disk.path}", "bs=4M", "oflag=direct", "conv=fsync", "status=none"]
        subprocess.run(["dd", *words], check=True)
        assert disk.read(0, 32 * MIB) == wanted


def test_flush_errors_reach_fdatasync(fault_rig: Path) -> None:
    with disks.faulty(fault_rig, 16 * MIB, flush_error=True) as disk:
        assert failing_write(disk.path, MIB) == errno.EIO


def test_an_unplugged_disk_fails_everything_and_hangs_nothing(fault_rig: Path) -> None:
    with disks.faulty(fault_rig, 16 * MIB) as disk:
        write_direct(disk.path, MIB)
        disk.unplug()
        begun = time.monotonic()
        assert failing_write(disk.path, 2 * MIB) == errno.EIO
        assert time.monotonic() - begun < 5


def test_a_slow_disk_is_as_slow_as_asked(fault_rig: Path) -> None:
    with disks.faulty(fault_rig, 64 * MIB, write_rate=20_000_000) as disk:
        write_direct(disk.path, 0, 4 * MIB)
        begun = time.monotonic()
        for slot in range(1, 6):
            write_direct(disk.path, slot * 4 * MIB, 4 * MIB)
        rate = 20 * MIB / (time.monotonic() - begun)
        assert 12_000_000 < rate < 30_000_000


def test_what_a_killed_session_left_is_undone_and_nothing_else(fault_rig: Path) -> None:
    code = (
        "import sys, os, signal\n"
        "from tests.lab.rig import disks, space\n"
        "a = space.private_space(); own = a.__enter__()\n"
        "b = disks.faulty(own, 1 << 24); disk = b.__enter__()\n"
        "print(own, disk.path, disk.daemon.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with disks.loop(disks.backing_file(fault_rig, MIB)) as mine:
        dead = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=CHECKOUT
        )
        left, device, daemon = dead.stdout.split()
        assert Path("/proc", daemon).exists() and Path(left).is_dir()
        sweep()
        assert not Path(left).exists()
        assert not Path("/sys/block", Path(device).name, "loop/backing_file").exists()
        assert left not in Path("/proc/self/mounts").read_text()
        assert read_direct(mine.path, 0)[:8] == disks.FILLING[:8]
        assert fault_rig.is_dir()
