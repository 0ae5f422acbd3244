"""Snapshots inside the disks, of all of them together: a pool is consistent over its disks or not at all."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import WizardError
from smartos_wizard.guests.alike import require_snapshot
from smartos_wizard.guests.model import Guest

Call = Callable[[tuple[str, ...]], str]
IMAGES = "qemu-img"


def names(call: Call, guest: Guest) -> tuple[str, ...]:
    """The snapshots that every disk has."""
    found = [names_in(call, path) for path in paths(guest)]
    return tuple(sorted(set.intersection(*found))) if found else ()


def names_in(call: Call, path: Path) -> set[str]:
    """The snapshots of one disk; none where it cannot be read."""
    if path.is_file():
        with contextlib.suppress(WizardError, ValueError, KeyError):
            info: dict[str, Any] = json.loads(call((IMAGES, "info", "-U", "--output=json", str(path))))
            return {each["name"] for each in info.get("snapshots", ())}
    return set()


def paths(guest: Guest) -> list[Path]:
    """The files of the guest's disks."""
    return [guest.disk(disk, "qcow2") for disk in guest.spec.disks]


def act(call: Call, guest: Guest, what: str, name: str) -> None:
    """`take`, `restore` or `delete`; the guest must be off. Raises Refused `snapshot-name`, WizardError.

    Taking is whole or not at all. What an interrupted taking or deleting left on some disks is no snapshot: it is
    taken anew, and it can be deleted.
    """
    has = {path: name in names_in(call, path) for path in paths(guest)}
    whole = all(has.values())
    require_snapshot(what, name, known=any(has.values()) if what == "delete" else whole)
    if what == "take":
        _take(call, has, name)
        return
    for path, there in has.items():
        if there:
            call((IMAGES, "snapshot", "-a" if what == "restore" else "-d", name, str(path)))


def _take(call: Call, has: dict[Path, bool], name: str) -> None:
    done: list[Path] = []
    try:
        for path, there in has.items():
            if there:
                call((IMAGES, "snapshot", "-d", name, str(path)))
            done.append(path)
            call((IMAGES, "snapshot", "-c", name, str(path)))
    except BaseException:
        for path in done:
            with contextlib.suppress(WizardError):
                call((IMAGES, "snapshot", "-d", name, str(path)))
        raise
