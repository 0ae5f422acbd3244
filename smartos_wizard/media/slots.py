"""Page-aligned pieces of an image, and the small pool of them that bounds the memory of a whole job.

Direct I/O wants buffers that begin on a page: anonymous memory maps do, `bytearray` does not.
"""

from __future__ import annotations

import mmap
import queue
import threading
from dataclasses import dataclass, field

import xxhash

SLOT = 4 * 1024 * 1024
"""Bytes per slot: large enough that a key's own block size does not show, small enough to cancel on."""


def aligned(length: int) -> memoryview:
    """A zeroed, writable buffer of `length` bytes that begins on a page boundary."""
    pages = -(-max(length, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
    return memoryview(mmap.mmap(-1, pages))[:length]


def digest(data: memoryview) -> bytes:
    """xxh3-128 of a slot: 16 bytes, faster than memory, and kept in the receipt."""
    return xxhash.xxh3_128_digest(data)


@dataclass(slots=True, eq=False)
class Slot:
    """One piece of the image. `index` counts from 0; `last` is known before it is handed out."""

    view: memoryview = field(default_factory=lambda: aligned(SLOT))
    index: int = 0
    length: int = 0
    digest: bytes = b""
    last: bool = False
    users: int = 0

    @property
    def offset(self) -> int:
        """Where it begins in the image."""
        return self.index * SLOT

    @property
    def data(self) -> memoryview:
        """The bytes in it."""
        return self.view[: self.length]


class Pool:
    """A fixed number of slots, shared by one decoder and any number of writers."""

    def __init__(self, count: int) -> None:
        self._free: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        self._lock = threading.Lock()
        for _ in range(count):
            self._free.put(Slot())

    def take(self, timeout: float) -> Slot | None:
        """A free slot, or None when none came free in `timeout` seconds."""
        try:
            return self._free.get(timeout=timeout)
        except queue.Empty:
            return None

    def share(self, slot: Slot, users: int) -> None:
        """Say how many will call `release` for it; with none it is free at once."""
        slot.users = users
        if users == 0:
            self._free.put(slot)

    def release(self, slot: Slot) -> None:
        """One user less; the last one makes it free."""
        with self._lock:
            slot.users -= 1
            free = slot.users == 0
        if free:
            self._free.put(slot)
