"""What is remembered of a write that did not end, for telling the user and for reading before writing.

Resuming needs no trust in this record: the next write of the same image reads and compares, slot by slot,
and skips what is there. The record only says how much to expect. Its key is the device's serial, size and
model (`diskseq` and the node change with each plugging in), or the path of a file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from smartos_wizard.core.files import replace_file
from smartos_wizard.core.paths import Paths
from smartos_wizard.media.model import Target


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A write that was interrupted. `durable` is in bytes from the beginning, `at` in seconds since the epoch."""

    path: str
    digest: str
    durable: int
    at: float


def identity(target: Target) -> str:
    """A file name for this very device, the same after it was pulled and plugged in again."""
    print_ = target.fingerprint
    if target.regular_file or not print_.serial:
        facts = str(Path(target.path).absolute())
    else:
        facts = f"{print_.serial}\0{print_.size}\0{print_.model}"
    return hashlib.sha256(facts.encode()).hexdigest()[:24]


def file_of(paths: Paths, target: Target) -> Path:
    """Where the record of `target` is kept."""
    return paths.state / "resume" / f"{identity(target)}.json"


def remember(paths: Paths, target: Target, digest: str, durable: int, at: float) -> None:
    """Write the record, atomically. A full disk is no reason to fail a key."""
    with contextlib.suppress(OSError):
        record = Unfinished(target.path, digest, durable, at)
        replace_file(file_of(paths, target), json.dumps(asdict(record)).encode())


def recall(paths: Paths, target: Target, digest: str) -> Unfinished | None:
    """The record of `target`, where it is about the image with this digest."""
    try:
        record = Unfinished(**json.loads(file_of(paths, target).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return record if record.digest == digest else None


def forget(paths: Paths, target: Target) -> None:
    """Remove the record: the key is proven, or nothing on it is to be trusted."""
    with contextlib.suppress(OSError):
        file_of(paths, target).unlink(missing_ok=True)
