"""Media: files, their parents and children, and who uses them."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import xpcom

from vboxapi_stub.faces import Face, Progress
from vboxapi_stub.store import FAILURE, FILE, IN_USE, NOT_FOUND, constants, refuse, store


class Medium(Face):
    interface = "IMedium"

    def see_parent(self) -> Medium | None:
        return of(self._data["parent"]) if self._data["parent"] else None

    def see_base(self) -> Medium:
        return self.parent.base if self.parent else self

    def see_name(self) -> str:
        return Path(self._data["location"]).name

    def do_getChildren(self) -> list[Medium]:
        return [of(each["id"]) for each in store().media.values() if each["parent"] == self.id]

    def do_getMachineIds(self) -> list[str]:
        return users(self.id)

    def do_createBaseStorage(self, size: int, variants: list[int]) -> Progress:
        assert isinstance(size, int)
        assert isinstance(variants, list)
        path, why = Path(self.location), ""
        if store().fault("disk-full"):
            why = "VERR_DISK_FULL"
        elif path.exists():
            why = "VERR_ALREADY_EXISTS"
        if why:
            words = f"Could not create the medium storage unit '{path}'.\nVDI: cannot create image '{path}' ({why})"
            return Progress(FILE, words)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"<<< Oracle VM VirtualBox Disk Image >>>\n" + self.id.encode())
        self._data.update(logicalSize=size, state=constants().MediumState_Created)
        store().media[self.id] = self._data
        store().save()
        return Progress()

    def do_deleteStorage(self) -> Progress:
        self._free()
        Path(self.location).unlink(missing_ok=True)
        store().media.pop(self.id, None)
        store().save()
        return Progress()

    def do_close(self) -> None:
        self._free()
        store().media.pop(self.id, None)
        store().save()

    def _free(self) -> None:
        if count := len(users(self.id)):
            refuse(
                IN_USE,
                f"Medium '{self.location}' cannot be closed because it is still attached to {count} virtual machines",
            )
        if count := len(self.getChildren()):
            refuse(IN_USE, f"Cannot close medium '{self.location}' because it has {count} child media")


def of(number: str) -> Medium:
    return Medium(store().media[number])


def new(path: str, form: str, device: int, *, parent: str = "", size: int = 0) -> dict[str, Any]:
    """A medium that is not known yet."""
    c = constants()
    return {
        "id": str(uuid.uuid4()), "location": path, "format": form, "deviceType": device, "type": c.MediumType_Normal,
        "state": c.MediumState_Created, "parent": parent, "logicalSize": size,
    }  # fmt: skip


def opened(path: str, device: int) -> Medium:
    """The medium of a file, known from now on."""
    for each in store().media.values():
        if each["location"] == path:
            return of(each["id"])
    if not Path(path).is_file():
        refuse(
            NOT_FOUND,
            "Object corresponding to the supplied arguments does not exist (VBOX_E_OBJECT_NOT_FOUND)",
        )
    form = {".vmdk": "VMDK", ".vdi": "VDI", ".iso": "RAW"}.get(Path(path).suffix.lower(), "")
    if not form or (form == "VDI" and not Path(path).read_bytes().startswith(b"<<< ")):
        refuse(0x80BB0005, f"Could not get the storage format of the medium '{path}' (VERR_NOT_SUPPORTED)")
    if form == "VMDK":
        _check_extent(Path(path))
    made = new(path, form, device)
    store().media[made["id"]] = made
    store().save()
    return Medium(made)


def _check_extent(path: Path) -> None:
    extent = re.search(rb'^RW (\d+) FLAT "(.*)"', path.read_bytes(), re.MULTILINE)
    if extent and int(extent[1]) * 512 != (path.parent / extent[2].decode()).stat().st_size:
        raise xpcom.Exception(FAILURE, f"VMDK: incorrect size of the extent in '{path}'")


def child(parent: str, folder: str) -> str:
    """A difference on top of a medium; its UUID."""
    number = str(uuid.uuid4())
    over = store().media[parent]
    made = new(f"{folder}/{{{number}}}.vdi", "VDI", over["deviceType"], parent=parent, size=over["logicalSize"]) | {"id": number}  # fmt: skip
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(made["location"]).write_bytes(b"<<< difference >>>\n")
    store().media[number] = made
    return number


def drop(number: str) -> None:
    """A difference that nobody needs any more, with its file."""
    known = store().media.get(number)
    if (
        known
        and known["parent"]
        and not users(number)
        and not any(m["parent"] == number for m in store().media.values())
    ):
        Path(known["location"]).unlink(missing_ok=True)
        del store().media[number]
        drop(known["parent"])


def users(number: str) -> list[str]:
    """Machines that have it attached, now or in a snapshot."""
    found = []
    for who, machine in store().machines.items():
        lists = [machine["attachments"], *(snapshot["attachments"] for snapshot in machine["snapshots"])]
        if any(each["medium"] == number for attachments in lists for each in attachments):
            found.append(who)
    return found
