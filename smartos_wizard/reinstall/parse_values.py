"""Small readers shared by the parsers: numbers, names, tab-separated rows, JSON. None of them raises.

Imports nothing that connects or reads.
"""

from __future__ import annotations

import json
import re
from typing import Any

from smartos_wizard.core.text import tame

_POOL = re.compile(r"[A-Za-z][A-Za-z0-9_.: -]{0,254}", re.ASCII)
_DATASET = re.compile(r"[A-Za-z][A-Za-z0-9_.:%/ -]{0,254}", re.ASCII)
_DISK = re.compile(r"[A-Za-z0-9_.:/@,-]{1,255}", re.ASCII)
_SLICE = re.compile(r"(c\d+(?:t[0-9A-Fa-f]+)?d\d+)[sp]\d+", re.ASCII)
_STAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


def number(text: str) -> int | None:
    """A whole number that fits 64 bits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


def is_pool(name: str) -> bool:
    """Whether ZFS would accept it as the name of a pool (illumos: zpoolprops, zfs_namecheck.c)."""
    return _POOL.fullmatch(name) is not None


def is_dataset(name: str) -> bool:
    """Whether it can be the name of a file system or volume."""
    return _DATASET.fullmatch(name) is not None and "//" not in name


def is_disk(name: str) -> bool:
    """Whether it can be the name of a disk in a pool."""
    return _DISK.fullmatch(name) is not None


def is_stamp(text: str) -> bool:
    """Whether it is the stamp of a release."""
    return _STAMP.fullmatch(text) is not None


def whole_disk(name: str) -> str:
    """`c1t0d0` of `c1t0d0s0`, `c1t0d0p1` or `/dev/dsk/c1t0d0s0`; other names as they are."""
    short = name.rsplit("/", 1)[-1]
    match = _SLICE.fullmatch(short)
    return match[1] if match else short


def rows(lines: tuple[str, ...], columns: int) -> tuple[list[list[str]], list[str]]:
    """The tab-separated rows with exactly so many columns, and the lines that are none. Empty lines are skipped."""
    good: list[list[str]] = []
    odd: list[str] = []
    for line in lines:
        if not line.strip():
            continue
        row = line.split("\t")
        if len(row) == columns:
            good.append(row)
        else:
            odd.append(line)
    return good, odd


def odd_lines(odd: list[str]) -> str:
    """In words: so many lines were not understood, and the first of them."""
    count = f"{len(odd)} line{'s' if len(odd) != 1 else ''}"
    return f"{count} could not be read, the first: {tame(odd[0], 80)}"


def objects(text: str) -> list[dict[str, Any]] | None:
    """The objects of a JSON list; None where it is no JSON list of objects."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        return None
    return data


def words(data: dict[str, Any], *names: str) -> str:
    """The first of these keys that holds a text, tamed; empty without one."""
    for name in names:
        value = data.get(name)
        if isinstance(value, str) and value:
            return tame(value, 255)
    return ""
