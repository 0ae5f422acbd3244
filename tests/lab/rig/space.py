"""A private directory per test session, and the way back to a clean machine after a crash.

Everything a rig makes - backing files, FUSE mounts, loop devices, sockets - lies in or leads to one directory,
its processes carry that directory's name in their environment, and nothing else is a record: `sweep` undoes what
hangs on directories whose owner is gone. So it can never touch a loop device or a process no rig made.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(os.environ.get("SMARTOS_WIZARD_LAB_DIR", "/tmp/smartos-wizard-lab"))
MARK = "SMARTOS_WIZARD_LAB_SPACE"


@contextmanager
def private_space() -> Iterator[Path]:
    """A directory of this session's own; on leaving, everything that hangs on it is undone."""
    ROOT.mkdir(parents=True, exist_ok=True)
    with (ROOT / "begin").open("w") as alone:  # no sweep between the making of a space and its lock
        fcntl.flock(alone, fcntl.LOCK_EX)
        sweep()
        space = Path(tempfile.mkdtemp(prefix="s", dir=ROOT))
        space.chmod(0o755)  # the guest's ordinary user reads images in it
        lock = os.open(space / "owner", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
    os.environ[MARK] = str(space)
    atexit.register(undo, space)
    try:
        yield space
    finally:
        undo(space)
        atexit.unregister(undo)
        os.close(lock)


def sweep() -> None:
    """Undo what sessions that ended without cleaning up left behind."""
    for space in ROOT.iterdir():
        if space.is_dir() and not _owned(space):
            undo(space)


def undo(space: Path) -> None:
    """End the processes, detach the loop devices, unmount the mounts, and delete the files of one space."""
    if not space.is_dir():
        return
    for pid in _processes(space):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for device in loops_below(space):
        detach(device)
    for point in mounts_below(space):
        subprocess.run(["umount", "-l", point], check=False, capture_output=True)
    shutil.rmtree(space, ignore_errors=True)


def detach(device: str, seconds: float = 10) -> None:
    """Detach a loop device and wait until it is free."""
    backing = Path("/sys/block") / Path(device).name / "loop/backing_file"
    deadline = time.monotonic() + seconds
    while backing.exists():
        subprocess.run(["losetup", "-d", device], check=False, capture_output=True)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{device} stays attached")
        time.sleep(0.05)


def loops_below(space: Path) -> list[str]:
    """The loop devices whose backing file lies in the space."""
    found = []
    for name in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):
            if name.read_text().startswith(f"{space}/"):
                found.append(f"/dev/{name.parts[3]}")
    return found


def mounts_below(space: Path) -> list[str]:
    """The mount points in the space, or of loop devices of the space, innermost first."""
    loops = tuple(loops_below(space))
    points = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        device, point = line.split()[:2]
        if point.startswith(f"{space}/") or (loops and device.startswith(loops)):
            points.append(point)
    return points[::-1]


def _owned(space: Path) -> bool:
    try:
        fd = os.open(space / "owner", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _processes(space: Path) -> list[int]:
    """Living processes that were started with the mark of the space."""
    mark = f"{MARK}={space}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found
