"""Disks as a person writes them, for a preview of a pool: `4TB`, `400GB:ssd`, `8x4TB`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import parse_size, tame

MOST_DISKS = 10_000
"""More are not looked at."""

_SPEC = re.compile(r"(?:(\d{1,6})\s*[x×*]\s*)?(.+?)(?::(ssd|hdd))?", re.IGNORECASE | re.ASCII)
_TIMES = re.compile(r"(?<=\d)\s*[x×*]\s*(?=\d)", re.IGNORECASE)
_UNIT = re.compile(r"(?<=\d)\s+(?=[kmgtpe]i?b?\b)", re.IGNORECASE)
_KIND = re.compile(r"\s*:\s*(?=ssd|hdd)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DiskSpec:
    """`count` disks of `size` bytes."""

    count: int
    size: int
    solid: bool


def spec_of(word: str) -> DiskSpec:
    """The disks of one word. Raises ValueError with a sentence where it means none."""
    match = _SPEC.fullmatch(word.strip())
    try:
        if match is None:
            raise ValueError
        count, size = int(match[1] or 1), parse_size(match[2])
    except ValueError:
        raise ValueError(f"{tame(word)!r} is no disk; write for example 4TB, 8x4TB or 400GB:ssd.") from None
    if not size or not count:
        raise ValueError(f"{tame(word)!r} means no disk at all.")
    return DiskSpec(count, size, (match[3] or "").lower() == "ssd")


def words_of(line: str) -> tuple[str, ...]:
    """The words of a line of disks, split by blanks, commas or plus signs; `8 x 4 TB` is one of them."""
    line = _KIND.sub(":", _UNIT.sub("", _TIMES.sub("x", line)))
    return tuple(re.split(r"[\s,;+]+", line.strip(" \t,;+"))) if line.strip(" \t,;+") else ()


def from_specs(specs: Sequence[DiskSpec]) -> tuple[ListedDisk, ...]:
    """The disks meant, named disk0, disk1 (disk00 where they are more than ten). Raises UsageProblem `too-many-disks`."""
    count = sum(spec.count for spec in specs)
    if count > MOST_DISKS:
        raise UsageProblem(
            "too-many-disks", f"{count} disks are more than this command looks at: {MOST_DISKS} at most."
        )
    each = [spec for spec in specs for _ in range(spec.count)]
    digits = len(str(count - 1))  # disks of one size are taken by name, so names are made to sort
    return tuple(
        ListedDisk("SCSI", f"disk{number:0{digits}}", "-", "-", str(spec.size), solid=spec.solid)
        for number, spec in enumerate(each)
    )
