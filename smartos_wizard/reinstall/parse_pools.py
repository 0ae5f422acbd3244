"""Pools, from `zpool list`, `zpool status` and `zpool import`.

A pool whose name could not be typed safely is not taken into the survey; it makes a gap. Imports nothing that connects
or reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.answers import Answer, Answers
from smartos_wizard.reinstall.model import Gap, Pool, PoolDisk
from smartos_wizard.reinstall.parse_values import is_disk, is_pool, number, odd_lines, rows, whole_disk

_KEY = re.compile(r" *([a-z]+): ?(.*)")
_GROUP = re.compile(r"(mirror|raidz\d?|draid\S*|replacing|spare|indirect|missing|root)-\d+.*")
_CLASSES = ("logs", "cache", "spares", "special", "dedup")
_NO_POOLS = ("no pools available", "no pools available to import")
_NO_ERRORS = "No known data errors"


@dataclass(slots=True)
class _Said:
    """What `zpool status` or `zpool import` says of one pool."""

    name: str
    words: dict[str, list[str]] = field(default_factory=dict)
    tree: list[str] = field(default_factory=list)

    def text(self, key: str) -> str:
        return tame(" ".join(self.words.get(key, [])), 400)


def read_pools(answers: Answers, usb: frozenset[str]) -> tuple[tuple[Pool, ...], tuple[Gap, ...]]:
    """Every pool, imported ones first, and what is not known of them. `usb`: names of the disks that hang on USB."""
    gaps: list[Gap] = []
    listed = _listed(answers, gaps)
    said = _said_of(answers, listed, gaps)
    imported = [_with_disks(pool, said.get(pool.name), usb) for pool in listed]
    return (*imported, *_importable(answers, usb, gaps)), tuple(gaps)


def _listed(answers: Answers, gaps: list[Gap]) -> list[Pool]:
    answer = answers.whole("pools")
    if answer is None:
        gaps.append(answers.gap("pools"))
        return []
    good, odd = rows(tuple(line for line in answer.lines if line.strip() not in _NO_POOLS), 6)
    pools: list[Pool] = []
    for row in good:
        name, guid, health, size, allocated, bootfs = (cell.strip() for cell in row)
        if not is_pool(name) or number(guid) is None or any(pool.name == name for pool in pools):
            odd.append("\t".join(row))
            continue
        pools.append(Pool(name, guid, True, tame(health), number(size), number(allocated), bootable=bootfs not in ("-", "")))  # fmt: skip
    if odd:
        gaps.append(Gap("pools", odd_lines(odd)))
    return pools


def _said_of(answers: Answers, listed: list[Pool], gaps: list[Gap]) -> dict[str, _Said]:
    answer = answers.whole("status")
    if answer is None:
        if listed or answers.whole("pools") is None:
            gaps.append(answers.gap("status"))
        return {}
    said = {each.name: each for each in _blocks(answer)}
    for pool in listed:
        if pool.name not in said or not _disks(said[pool.name]):
            gaps.append(Gap("status", f"nothing is said of the disks of {pool.name}"))
    for name in sorted(set(said) - {pool.name for pool in listed}):
        gaps.append(Gap("status", f"a pool {tame(name)} has a status, and is not in the list of pools"))
    return said


def _with_disks(pool: Pool, said: _Said | None, usb: frozenset[str]) -> Pool:
    if said is None:
        return pool
    disks = _disks(said)
    errors = said.text("errors")
    problem = " ".join(filter(None, [said.text("status"), "" if errors.startswith(_NO_ERRORS) else errors]))
    return Pool(
        pool.name, pool.guid, True, pool.health, pool.size, pool.allocated,
        bootable=pool.bootable, usb=_on_usb(disks, usb), disks=disks, problem=problem,
    )  # fmt: skip


def _importable(answers: Answers, usb: frozenset[str], gaps: list[Gap]) -> list[Pool]:
    answer = answers.get("import")
    nothing = answer is not None and any(
        line.strip() in _NO_POOLS for line in (*answer.lines, *answer.complaints)
    )
    if answer is None or answer.status is None or (answer.status != 0 and not nothing):
        gaps.append(answers.gap("import"))
        return []
    pools: list[Pool] = []
    for said in _blocks(answer):
        guid = said.text("id").split(" ")[0]
        if not is_pool(said.name) or number(guid) is None:
            gaps.append(Gap("import", f"a pool that can be imported could not be read: {tame(said.name)}"))
            continue
        action = said.text("action")
        state = said.text("state")
        disks = _disks(said)
        blocked = "cannot be imported" in action or state in ("UNAVAIL", "FAULTED")
        problem = " ".join(filter(None, [said.text("status"), action if blocked else ""]))
        pools.append(Pool(
            said.name, guid, False, state.split(" ")[0], usb=_on_usb(disks, usb), importable=not blocked,
            disks=disks, problem=problem,
        ))  # fmt: skip
    if not pools and not nothing and any(line.strip() for line in answer.lines):
        gaps.append(Gap("import", odd_lines([line for line in answer.lines if line.strip()])))
    return pools


def _on_usb(disks: tuple[PoolDisk, ...], usb: frozenset[str]) -> bool:
    return any(whole_disk(disk.name) in usb for disk in disks)


def _blocks(answer: Answer) -> list[_Said]:
    """One per `pool:`; the lines below `config:` make its tree, other lines that begin with a tab go on with the key above."""
    found: list[_Said] = []
    key = ""
    for line in answer.lines:
        match = None if line.startswith("\t") else _KEY.fullmatch(line)
        if match:
            key = match[1]
            if key == "pool":
                found.append(_Said(match[2].strip()))
            elif found:
                found[-1].words[key] = [match[2].strip()] if match[2].strip() else []
        elif found and key == "config" and line.startswith("\t"):
            found[-1].tree.append(line[1:])
        elif found and key and line.strip():
            found[-1].words.setdefault(key, []).append(line.strip())
    return found


def _disks(said: _Said) -> tuple[PoolDisk, ...]:
    """The leaves of the tree. A line's depth is half its indentation; the pool and the classes stand at depth 0."""
    disks: list[PoolDisk] = []
    section = group = ""
    for line in said.tree:
        cells = line.split()
        if not cells or cells[:2] == ["NAME", "STATE"]:
            continue
        depth = (len(line) - len(line.lstrip(" "))) // 2
        name = cells[0]
        health = cells[1] if len(cells) > 1 else ""
        if depth == 0:
            section, group = (name if name in _CLASSES else ""), ""
        elif _GROUP.fullmatch(name):
            group = name if depth == 1 else group
        elif is_disk(name):
            if depth == 1:
                group = ""
            disks.append(PoolDisk(name, section or group, tame(health)))
    return tuple(disks)
