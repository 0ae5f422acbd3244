"""Snapshots: each keeps what was attached, and differences grow on top."""

from __future__ import annotations

import uuid
from typing import Any

from vboxapi_stub import media
from vboxapi_stub.faces import Face, Progress
from vboxapi_stub.store import BAD_STATE, NOT_FOUND, OBJECT_STATE, constants, refuse, store


class Snapshot(Face):
    interface = "ISnapshot"

    @classmethod
    def of(cls, machine: dict[str, Any], number: str) -> Snapshot:
        one = next(each for each in machine["snapshots"] if each["id"] == number)
        return cls(one, owner=machine)

    def see_parent(self) -> Snapshot | None:
        return Snapshot.of(self.owner, self._data["parent"]) if self._data["parent"] else None

    def do_getChildren(self) -> list[Snapshot]:
        return [Snapshot.of(self.owner, each["id"]) for each in _children(self.owner, self.id)]


def find(machine: dict[str, Any], which: str) -> Snapshot:
    """By name or UUID; "" is the first."""
    for each in machine["snapshots"]:
        if which in (each["name"], each["id"]) or (not which and not each["parent"]):
            return Snapshot.of(machine, each["id"])
    return refuse(NOT_FOUND, f"Could not find a snapshot named '{which}'")


def take(machine: Any, name: str, description: str, pause: bool) -> tuple[Progress, str]:
    """Keep what is attached, and go on with differences."""
    if not pause and not machine._data["run"]:
        refuse(BAD_STATE, "Cannot take a live snapshot of a virtual machine unless it is running.")
    number = str(uuid.uuid4())
    data = machine._data
    kept = [dict(each) for each in data["attachments"]]
    data["snapshots"].append(
        {"id": number, "name": name, "description": description, "parent": data["current"], "attachments": kept, "online": False}
    )  # fmt: skip
    data["current"] = number
    _grow(machine, kept)
    machine.saveSettings()
    return Progress(), number


def restore(machine: Any, number: str) -> Progress:
    """Throw the differences of now away, and go on from the snapshot."""
    data = machine._data
    data["current"] = number
    _grow(machine, Snapshot.of(data, number)._data["attachments"])
    machine.saveSettings()
    return Progress()


def delete(machine: Any, number: str) -> Progress:
    """Forget it; its differences are merged."""
    data = machine._data
    one, children = Snapshot.of(data, number)._data, _children(data, number)
    if (children and data["current"] == number) or len(children) > 1:
        words = (
            f"Snapshot '{one['name']}' of the machine '{data['name']}' cannot be deleted, because it is the current snapshot and has "
            "one child snapshot" if len(children) == 1 else f"Hard disk has more than one child hard disk ({len(children)})"
        )  # fmt: skip
        refuse(OBJECT_STATE, words)
    for child in children:
        child["parent"] = one["parent"]
    data["snapshots"].remove(one)
    if data["current"] == number:
        data["current"] = one["parent"]
    if not data["snapshots"]:
        for each in data["attachments"]:
            _merge(each)
    machine.saveSettings()
    for each in one["attachments"]:
        media.drop(each["medium"])
    store().save()
    return Progress()


def _children(machine: dict[str, Any], number: str) -> list[dict[str, Any]]:
    return [each for each in machine["snapshots"] if each["parent"] == number]


def _grow(machine: Any, kept: list[dict[str, Any]]) -> None:
    hard = constants().DeviceType_HardDisk
    machine._data["attachments"] = [
        each | {"medium": media.child(each["medium"], machine.snapshotFolder)}
        if each["type"] == hard
        else dict(each)
        for each in kept
    ]


def _merge(each: dict[str, Any]) -> None:
    """Back to the base, or to one difference where the base is immutable."""
    number = each["medium"]
    while number and (parent := store().media[number]["parent"]):
        if store().media[parent]["type"] == constants().MediumType_Immutable:
            break
        number = parent
    each["medium"] = number
