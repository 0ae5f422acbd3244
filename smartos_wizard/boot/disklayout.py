"""The pool that SmartOS's setup makes of given disks: the rules of its `disklayout`, and the errors it knows.

Pure. Facts: smartos-live: src/node_modules/disklayout.js, src/disklayout.js.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from smartos_wizard.boot.disk_classes import ListedDisk, Roles, roles_of
from smartos_wizard.boot.disk_numbers import number_text

LAYOUTS = ("single", "mirror", "raidz1", "raidz2", "raidz3")
"""What may be asked for."""
LARGE = 1500e9
"""Bytes above which more than seven disks become raidz2."""
_PRIMES = (17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67)
_RAIDZ2_WIDTHS = range(7, 13)


class NoLayoutError(Exception):
    """There is no such layout; the text is what `disklayout` says after `fatal error: `."""


@dataclass(frozen=True, slots=True)
class Vdev:
    """A group of disks that stand in for each other: `mirror`, `raidz`, `raidz2`, `raidz3`; empty for one disk."""

    kind: str
    disks: tuple[ListedDisk, ...]

    @property
    def may_fail(self) -> int:
        """How many of its disks may fail at the same time without loss."""
        if self.kind == "mirror":
            return len(self.disks) - 1
        return {"raidz": 1, "raidz2": 2, "raidz3": 3}.get(self.kind, 0)


@dataclass(frozen=True, slots=True)
class Layout:
    """A pool. `name` is one of LAYOUTS; `capacity` in bytes is what `disklayout` says can be stored.

    `left` are disks of the storage class that are used for nothing; `ignored` are removable, too small, or
    would have been cache where no cache is wanted.
    """

    name: str
    vdevs: tuple[Vdev, ...]
    capacity: float
    spares: tuple[ListedDisk, ...] = ()
    logs: tuple[ListedDisk, ...] = ()
    cache: tuple[ListedDisk, ...] = ()
    left: tuple[ListedDisk, ...] = ()
    ignored: tuple[ListedDisk, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cut:
    """How storage is cut: disks a vdev, and spares. Only a width that was asked for leaves disks over."""

    width: int
    spares: int
    exact: bool = False


def excluded(disks: Iterable[ListedDisk], names: str) -> tuple[ListedDisk, ...]:
    """The disks but for those named in `names`, separated by commas; upper and lower case are the same."""
    out = names.lower().split(",")
    return tuple(disk for disk in disks if disk.name.lower() not in out)


def lay_out(
    disks: Iterable[ListedDisk],
    layout: str = "",
    *,
    spares: int | None = None,
    width: int | None = None,
    cache: bool = True,
) -> Layout:
    """The pool made of `disks`. `layout` is one of LAYOUTS, empty for SmartOS's own choice.

    `spares` and `width` (disks in a vdev) are chosen where they are None. Raises NoLayoutError.
    """
    roles = roles_of(disks, cache=cache)
    if not roles.storage:
        raise NoLayoutError("no primary storage disks available")
    _check_spares(len(roles.storage), spares)
    name = layout or _choice(roles.storage, spares, width)
    if name not in LAYOUTS:
        raise NoLayoutError(f"unknown layout {name}")
    if name == "single":
        return _single(roles, spares)
    if name == "mirror":
        return _built(roles, name, "mirror", _mirror_cut(len(roles.storage), spares, width))
    kind = "raidz" if name == "raidz1" else name
    return _built(roles, name, kind, _raidz_cut(kind, len(roles.storage), spares, width))


def _shown(count: int) -> str:
    return number_text(float(count))


def _check_spares(count: int, spares: int | None) -> None:
    if spares is None:
        return
    if spares > 0 and count - spares < 2:
        raise NoLayoutError(f"too many spares ({_shown(spares)}) for this disk configuration")
    if count - spares in _PRIMES:
        raise NoLayoutError(f"invalid number of spares ({_shown(spares)}) for this disk configuration")


def _choice(storage: tuple[ListedDisk, ...], spares: int | None, width: int | None) -> str:
    """The layout where none was asked for."""
    left = len(storage) - (spares or 0)
    if left == 1:
        return "single"
    if left == 2:
        return "mirror"
    if left <= 4:
        return "raidz1"
    if left <= 6:
        return "raidz1" if storage[0].solid or spares is not None else "raidz2"
    if width is not None:
        return "mirror" if width <= 2 else "raidz1" if width <= 6 else "raidz2" if width <= 12 else "raidz3"
    return _choice_of_many(storage[0], left, fixed=spares is not None)


def _choice_of_many(first: ListedDisk, left: int, *, fixed: bool) -> str:
    """The layout for seven disks and more; `fixed` says that the number of spares was asked for."""
    if left > 16 or (left > 7 and first.bytes > LARGE):
        if not fixed or any(left % width == 0 for width in _RAIDZ2_WIDTHS):
            return "raidz2"
        return "raidz3" if left == 13 else "raidz1"
    if left < 12 and first.solid:
        return "raidz2"
    if left % 2 == 0 or not fixed:
        return "mirror"
    return {15: "raidz1", 13: "raidz3"}.get(left, "raidz2")


def _single(roles: Roles, spares: int | None) -> Layout:
    if spares:
        raise NoLayoutError("spares are not allowed for a single disk pool")
    first, *left = roles.storage
    vdevs = (Vdev("", (first,)),)
    return Layout("single", vdevs, first.bytes, (), roles.logs, roles.cache, tuple(left), roles.ignored)


def _mirror_cut(count: int, spares: int | None, width: int | None) -> _Cut:
    if count < 2:
        raise NoLayoutError("at least 2 disks are required for mirroring")
    if width is None:
        if spares is not None:
            return _Cut(2, spares)
        if count in (2, 4):
            return _Cut(2, 0)
        some = math.ceil(count / 16)
        return _Cut(2, some + (count - some) % 2)
    there = count - (spares or 0)
    if not 2 <= width <= there:
        raise NoLayoutError(f"{_shown(width)} is an invalid width for mirroring and {there} disks")
    return _Cut(width, count % width if spares is None else spares, exact=True)


@dataclass(frozen=True, slots=True)
class _Raidz:
    """Widths of one kind of raidz, the numbers of disks that become one vdev all the same, and disks a spare."""

    parity: int
    least: int
    most: int
    narrow: tuple[int, ...]
    spare_for: int


_RAIDZ = {
    "raidz": _Raidz(1, 3, 6, (), 7),
    "raidz2": _Raidz(2, 7, 12, (5, 6), 12),
    "raidz3": _Raidz(3, 9, 20, (7, 8), 15),
}


def _raidz_cut(kind: str, count: int, spares: int | None, width: int | None) -> _Cut:
    rule = _RAIDZ[kind]
    least, most = (count, count) if count in rule.narrow else (rule.least, rule.most)
    if width is None:
        return _searched_cut(kind, count, spares, range(least, most + 1))
    if not least <= width <= count:
        raise NoLayoutError(
            f"{_shown(width)} is an invalid width for {kind} and {count} disks "
            f"(min: {least}, default max: {most})"
        )
    if spares is not None and count - spares < width:
        raise NoLayoutError(f"{_shown(width)} is an invalid width for {kind} and {_shown(spares)} spares")
    return _Cut(width, count % width if spares is None else spares, exact=True)


def _searched_cut(kind: str, count: int, spares: int | None, widths: range) -> _Cut:
    """The narrowest width that divides the disks, with as few spares above the usual number as it takes."""
    aside = min(2, count // _RAIDZ[kind].spare_for) if spares is None else spares
    while count - aside >= widths.start:
        for width in widths:
            if (count - aside) % width == 0:
                return _Cut(width, aside)
        if spares is not None:
            many = "spare" if aside == 1 else "spares"
            raise NoLayoutError(
                f"no acceptable {kind} layout is possible with {count} disks and {aside} {many}"
            )
        aside += 1
    raise NoLayoutError(f"no acceptable {kind} layout is possible with {count} disks")


def _built(roles: Roles, name: str, kind: str, cut: _Cut) -> Layout:
    """The vdevs, smallest disks first; the largest disks become spares, since they can stand in for any."""
    used = len(roles.storage) - cut.spares
    end = used - used % cut.width if cut.exact else used
    vdevs = tuple(Vdev(kind, roles.storage[at : min(at + cut.width, end)]) for at in range(0, end, cut.width))
    share = 1 if kind == "mirror" else cut.width - _RAIDZ[kind].parity
    capacity = 0.0
    for vdev in vdevs:  # one after the other: sum() would add more exactly than JavaScript does
        capacity += share * vdev.disks[0].bytes
    return Layout(
        name,
        vdevs,
        capacity,
        roles.storage[used:],
        roles.logs,
        roles.cache,
        roles.storage[end:used],
        roles.ignored,
    )
