"""Writes qcow2 files from front to back, for programs of the QEMU family. Layout: qemu docs/interop/qcow2.rst."""

from __future__ import annotations

import struct
from typing import BinaryIO

CLUSTER = 64 << 10
_PER_L2 = CLUSTER // 8
_PER_REFBLOCK = CLUSTER // 2
_COPIED = 1 << 63


class Qcow2:
    """A qcow2 (version 2, which everybody reads) without anything but its data. Pieces come in ascending order."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._l1 = [0] * max(1, -(-size // (CLUSTER * _PER_L2)))
        self._l2 = [0] * _PER_L2
        self._current = 0
        self._next = 1 + self._l1_clusters

    @property
    def _l1_clusters(self) -> int:
        return -(-len(self._l1) * 8 // CLUSTER)

    def put(self, offset: int, data: bytes) -> None:
        """Add what lies at `offset`, a multiple of 64 KiB; zeros are left out."""
        for at in range(0, len(data), CLUSTER):
            piece = data[at : at + CLUSTER]
            if not piece.strip(b"\0"):
                continue
            number = (offset + at) // CLUSTER
            if number // _PER_L2 != self._current:
                self._flush()
                self._current = number // _PER_L2
            self._l2[number % _PER_L2] = self._add(piece) | _COPIED

    def close(self) -> None:
        """Write the tables. Until then the file is nothing."""
        self._flush()
        blocks = 1
        while -(-(self._next + blocks + self._table_clusters(blocks)) // _PER_REFBLOCK) > blocks:
            blocks += 1
        total = self._next + blocks + self._table_clusters(blocks)
        first = self._next
        for number in range(blocks):
            used = min(_PER_REFBLOCK, total - number * _PER_REFBLOCK)
            self._add(struct.pack(f">{used}H", *[1] * used))
        table = self._add(struct.pack(f">{blocks}Q", *((first + n) * CLUSTER for n in range(blocks))))
        self._file.truncate(total * CLUSTER)
        self._write(1, struct.pack(f">{len(self._l1)}Q", *self._l1))
        head = struct.pack(
            ">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, self._size, 0, len(self._l1), CLUSTER, table,
            self._table_clusters(blocks), 0, 0,
        )  # fmt: skip
        self._write(0, head)

    @staticmethod
    def _table_clusters(blocks: int) -> int:
        return -(-blocks * 8 // CLUSTER)

    def _flush(self) -> None:
        if any(self._l2):
            self._l1[self._current] = self._add(struct.pack(f">{_PER_L2}Q", *self._l2)) | _COPIED
            self._l2 = [0] * _PER_L2

    def _add(self, data: bytes) -> int:
        place = self._next
        self._write(place, data)
        self._next += max(1, -(-len(data) // CLUSTER))
        return place * CLUSTER

    def _write(self, cluster: int, data: bytes) -> None:
        self._file.seek(cluster * CLUSTER)
        self._file.write(data)
