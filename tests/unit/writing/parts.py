"""Images, worlds and devices that fail on request, for the promises of writing and proving."""

from __future__ import annotations

import contextlib
import errno
import functools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import Event, PlanCancelled, PlanFinished
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.media.checking import CHECK_ACTIONS, plan_check
from smartos_wizard.media.configuring import CONFIGURE_ACTIONS
from smartos_wizard.media.model import Disk, Fingerprint, Target, VerifiedImage
from smartos_wizard.media.ports import BlockDevice
from smartos_wizard.media.restoring import RESTORE_ACTIONS
from smartos_wizard.media.upgrading import ROLLBACK_ACTIONS, UPGRADE_ACTIONS
from smartos_wizard.media.writing import WRITE_ACTIONS, plan_write

MIB = 1 << 20
OLD = 0xA5


class MemoryDevice:
    """A device in memory, full of old bytes. `faults` are called before each act and may raise or answer."""

    sector = 512

    def __init__(self, size: int, name: str = "/dev/key1") -> None:
        self.name = name
        self.size = size
        self.data = bytearray(bytes([OLD]) * size)
        self.on_write: Callable[[memoryview, int], int | None] = lambda data, offset: None
        self.on_read: Callable[[memoryview, int], int | None] = lambda into, offset: None
        self.on_sync: Callable[[], None] = lambda: None
        self.on_drop: Callable[[], None] = lambda: None
        self.writes: list[tuple[int, int]] = []
        self.reads: list[tuple[int, int]] = []
        self.acts: list[str] = []
        self.closed = False
        self.serial = "SERIAL-" + name[-1]

    def pwrite(self, data: memoryview, offset: int) -> int:
        answer = self.on_write(data, offset)
        count = len(data) if answer is None else answer
        self.put(data[:count], offset)
        self.writes.append((offset, count))
        self.acts.append("write")
        return count

    def put(self, data: memoryview, offset: int) -> None:
        if offset + len(data) > self.size:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.data[offset : offset + len(data)] = data

    def pread(self, into: memoryview, offset: int) -> int:
        answer = self.on_read(into, offset)
        count = min(len(into), max(0, self.size - offset)) if answer is None else answer
        into[:count] = self.get(offset, count)
        self.reads.append((offset, count))
        self.acts.append("read")
        return count

    def get(self, offset: int, count: int) -> bytes:
        return bytes(self.data[offset : offset + count])

    def sync(self) -> None:
        self.acts.append("sync")
        self.on_sync()

    def drop_cache(self) -> None:
        self.acts.append("drop")
        self.on_drop()

    def reread_partitions(self) -> None:
        self.acts.append("reread")

    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self.name, self.size, serial=self.serial)

    def close(self) -> None:
        self.closed = True

    @property
    def boots(self) -> bool:
        """Whether anything of boot code or a partition table is in its first MiB."""
        return any(self.data[:MIB])


@dataclass
class Shelf:
    """An opener that hands out devices by path."""

    devices: dict[str, BlockDevice] = field(default_factory=dict)
    before_open: Callable[[], None] = lambda: None
    ejected: list[str] = field(default_factory=list)

    def open(
        self, target: Target, *, write: bool, notify: Callable[[str, dict[str, str]], None]
    ) -> BlockDevice:
        self.before_open()
        return self.devices[target.path]

    def eject(self, path: str) -> str:
        self.ejected.append(path)
        return f"{path} can be pulled"


@dataclass
class Place:
    """A world with nothing in it but a shelf of devices."""

    paths: Paths
    opener: Shelf = field(default_factory=Shelf)
    practice: bool = False
    disks: Any = None
    awake: list[str] = field(default_factory=list)

    def now(self) -> float:
        return time.time()

    @contextlib.contextmanager
    def stay_awake(self, why: str) -> Iterator[None]:
        self.awake.append("begin")
        yield
        self.awake.append("end")

    def add(self, device: MemoryDevice) -> Target:
        self.opener.devices[device.name] = device
        disk = Disk(device.name, device.size, model="Key", serial=device.serial, removable=True)
        return Target(disk, device.fingerprint())

    def write(
        self, image: VerifiedImage, *devices: MemoryDevice, delta: bool = True, cancel: Cancel | None = None
    ) -> Outcome:
        targets = [self.add(device) for device in devices]
        return self.run(plan_write(image, targets, self, delta=delta), cancel)

    def check(self, image: VerifiedImage, *devices: MemoryDevice) -> Outcome:
        return self.run(plan_check(image, [self.add(device) for device in devices]))

    def run(self, plan: Plan, cancel: Cancel | None = None) -> Outcome:
        actions: Any = {
            "key-write": WRITE_ACTIONS,
            "key-check": CHECK_ACTIONS,
            "key-restore": RESTORE_ACTIONS,
            "key-configure": CONFIGURE_ACTIONS,
            "key-upgrade": UPGRADE_ACTIONS,
            "key-rollback": ROLLBACK_ACTIONS,
        }
        plan = Plan.from_json(plan.to_json())
        return Outcome(list(execute(plan, actions[plan.kind], self, cancel)))


@dataclass
class Outcome:
    """The events of a run, and the questions a test asks of them."""

    events: list[Event]

    @property
    def last(self) -> PlanFinished | PlanCancelled:
        found = self.events[-1]
        assert isinstance(found, PlanFinished | PlanCancelled)
        return found

    @property
    def code(self) -> int:
        return self.last.exit_code

    @property
    def error(self) -> Any:
        assert isinstance(self.last, PlanFinished)
        return self.last.error

    @property
    def keys(self) -> list[dict[str, Any]]:
        keys: list[dict[str, Any]] = self.last.result["keys"]
        return keys

    @property
    def claims_success(self) -> bool:
        words = str(self.last.result).lower()
        return "proven." in words or "'state': 'proven'" in words


@functools.cache
def picture(size: int, seed: int = 1) -> bytes:
    """Bytes like an image's: something that boots, files, then zeros, and a last sector that is not zero."""
    rand = random.Random(seed)
    some = rand.randbytes(size * 2 // 3)
    end = rand.randbytes(min(512, size - len(some)))
    return some + bytes(size - len(some) - len(end)) + end
