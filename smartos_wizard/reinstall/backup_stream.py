"""What a stream of `zfs send` looks like from outside: how it begins, and how it ends. Not what is in it.

From illumos, usr/src/uts/common/fs/zfs/sys/zfs_ioctl.h: a stream is a row of `dmu_replay_record`s of 312 bytes, the first
of type DRR_BEGIN with the magic number 0x2F5bacbac, the last of type DRR_END. Imports nothing that connects or reads.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from smartos_wizard.core.errors import ProofFailed

RECORD = 312
MAGIC = 0x2F5BACBAC
_BEGIN, _END = 0, 5
_COMPOUND = 2


@dataclass(frozen=True, slots=True)
class StreamHead:
    """The first record: the snapshot the stream is of, and its guid (0 in a stream of several datasets).

    `compound` says that several datasets or snapshots are in it, as `zfs send -R` makes it.
    """

    name: str
    guid: int
    compound: bool


def head_of(data: bytes, what: str) -> StreamHead:
    """What the first RECORD bytes of a stream say. Raises ProofFailed `not-a-zfs-stream`."""
    for order in "<>":
        if len(data) < RECORD:
            break
        kind, _, magic, version = struct.unpack_from(order + "IIQQ", data)
        if kind == _BEGIN and magic == MAGIC:
            (guid,) = struct.unpack_from(order + "Q", data, 40)
            name = data[56:RECORD].split(b"\0", 1)[0].decode("utf-8", "replace")
            return StreamHead(name, guid, version & 3 == _COMPOUND)
    raise ProofFailed("not-a-zfs-stream", f"{what} does not begin as a stream of `zfs send` does.", hint="Make this part of the backup again.", offset=0)  # fmt: skip


def check_end(data: bytes, what: str, length: int) -> None:
    """Raise ProofFailed `zfs-stream-cut` unless the last RECORD bytes of the stream end it; `length` is that of the whole."""
    if len(data) == RECORD and (data[:4] in (struct.pack("<I", _END), struct.pack(">I", _END))):
        return
    raise ProofFailed("zfs-stream-cut", f"{what} does not end as a stream of `zfs send` does: it was cut off.", hint="Make this part of the backup again.", offset=length)  # fmt: skip
