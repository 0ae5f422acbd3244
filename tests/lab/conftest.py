"""The rigs as fixtures. One private directory per session; what hangs on it is undone at the end and after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.lab.rig import fatkey, images, kernel, keychange, parts
from tests.lab.rig.guest import Guest, running
from tests.lab.rig.space import private_space

_homes = count()
_IN_TREES = ("virtualbox", "vboxapi", "zfs", "vmware", "ovf", "netboot", "generated")
"""Words in the names of the files whose tests live in trees or networks of their own; they go on beside the others."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook; later they count for nothing
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes at most: one has the loop devices, the USB bus and the terminals, the other the trees."""
    for item in items:
        group = "trees" if any(word in item.path.name for word in _IN_TREES) else "devices"
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Two processes that share loop devices break each other's tests: better none than those."""
    if getattr(session.config.option, "loadgroup", False) and any("@" not in i.nodeid for i in session.items):
        raise pytest.UsageError(
            "this pytest and this pytest-xdist do not keep groups of tests in one process"
        )


@pytest.fixture(scope="session")
def space() -> Iterator[Path]:
    """The session's private directory."""
    parts.need_root()
    with private_space() as directory:
        yield directory


@pytest.fixture(scope="session")
def fault_rig(space: Path) -> Path:
    """The directory in which failing block devices can be made."""
    parts.need_files(["/dev/fuse", "/dev/loop-control"])
    parts.need_programs(["qemu-storage-daemon", "nbdfuse", "losetup", "fusermount3", "sfdisk"])
    return space


@pytest.fixture(scope="session")
def image(space: Path) -> images.Image:
    """A small image of 32 MiB with a true partition table."""
    parts.need_programs(["sfdisk"])
    return images.build(space, "small")


@pytest.fixture(scope="session")
def jobs(space: Path) -> dict[str, keychange.Job]:
    """The commands that change files on a key, a key for each, and what it is to become."""
    parts.need_files(["/dev/loop-control"])
    parts.need_programs([*fatkey.PROGRAMS, "strace", "losetup"])
    place = space / "jobs"
    place.mkdir()
    return keychange.jobs(place, place / "home")


@pytest.fixture
def home(space: Path) -> Path:
    """Fresh directories for the program's settings, state and cache."""
    path = space / f"home{next(_homes)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(scope="session")
def machine(fault_rig: Path) -> Iterator[Guest]:
    """The small machine with a USB bus, started once."""
    parts.need_programs(["qemu-system-x86_64"])
    with running(fault_rig, kernel.prepare()) as guest:
        yield guest


@pytest.fixture
def guest(machine: Guest) -> Iterator[Guest]:
    """The machine with an empty bus; what a test plugged is pulled afterwards."""
    machine.fresh_home()
    yield machine
    machine.unplug_all()
