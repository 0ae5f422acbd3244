"""Where guests lie: one folder each, with a mark, so that nothing else is ever changed or removed."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.paths import Paths, private_directory
from smartos_wizard.guests import spec_toml
from smartos_wizard.guests.model import Guest, GuestSpec

SPEC = "guest.toml"
MARK = "smartos-wizard.json"
_LONGEST_SOCKET = 90
"""Bytes of the path of a socket's directory; the whole may have 104 on macOS, 108 on Linux."""


class GuestStore:
    """The guests of this user below one directory."""

    def __init__(self, paths: Paths, root: Path | None = None) -> None:
        self.root = root or paths.state / "guests"
        self._runtime = paths.runtime

    def list(self) -> tuple[Guest, ...]:
        """All guests, half-made ones too, by name. What cannot be read as one is left out."""
        found = []
        for mark in sorted(self.root.glob(f"*/{MARK}")):
            guest = self._read(mark.parent)
            if guest is not None:
                found.append(guest)
        return tuple(sorted(found, key=lambda guest: guest.name.casefold()))

    def find(self, name: str) -> Guest:
        """The guest of that name, or whose UUID begins so. Raises Refused `no-such-guest`."""
        for guest in self.list():
            if name in (guest.name, guest.spec.uuid) or (len(name) >= 8 and guest.spec.uuid.startswith(name)):
                return guest
        raise Refused(
            "no-such-guest", f"There is no guest called {name}.",
            hint="`smartos-wizard guest list` shows those made by this program.", context=name,
        )  # fmt: skip

    def planned(self, spec: GuestSpec) -> Guest:
        """The guest a spec will be. Raises Refused `name-taken`, `folder-left`."""
        for guest in self.list():
            if guest.name.casefold() == spec.name.casefold() and guest.made:
                raise Refused(
                    "name-taken", f"There is a guest called {guest.name} already.",
                    hint="Choose another name, or remove it with `smartos-wizard guest delete`.",
                )  # fmt: skip
        folder = self.root / slug(spec.name)
        if folder.exists() and not (folder / MARK).exists():
            raise Refused(
                "folder-left", f"{folder} is there already and was not made by this program.",
                hint="Choose another name, or move it away.",
            )  # fmt: skip
        return Guest(spec, folder, self.sockets_of(spec.uuid), made=False)

    def half_made(self, spec: GuestSpec) -> Guest | None:
        """What an interrupted creation left under that name, or None."""
        return next(
            (g for g in self.list() if not g.made and g.name.casefold() == spec.name.casefold()), None
        )

    def begin(self, guest: Guest) -> None:
        """Make the folder and put the mark of something unfinished into it. Raises OSError."""
        private_directory(guest.folder)
        self._mark(guest, "making")
        self.save(guest)

    def ready(self, guest: Guest) -> None:
        """Note that the guest is whole."""
        self._mark(guest, "ready")

    def save(self, guest: Guest) -> None:
        """Write the spec into its folder."""
        replace_file(guest.folder / SPEC, spec_toml.dump(guest.spec).encode())

    def files(self, guest: Guest) -> tuple[Path, ...]:
        """Every file in its folder and of its sockets."""
        found = [
            p for place in (guest.folder, guest.sockets) if place.is_dir() for p in sorted(place.rglob("*"))
        ]
        return tuple(path for path in found if path.is_symlink() or not path.is_dir())

    def remove(self, guest: Guest) -> None:
        """Remove the folder and the sockets, where they carry the mark. Raises Refused `not-ours`, OSError."""
        if guest.folder.exists():
            if not (guest.folder / MARK).is_file() or guest.folder.parent.resolve() != self.root.resolve():
                raise Refused("not-ours", f"{guest.folder} was not made by this program; it stays as it is.")
            shutil.rmtree(guest.folder)
        if guest.sockets.is_dir():
            shutil.rmtree(guest.sockets, ignore_errors=True)

    def sockets_of(self, uuid: str) -> Path:
        """The directory of a guest's sockets: short, and this user's only."""
        place = self._runtime / "guests" / uuid[:8]
        if len(os.fsencode(place)) <= _LONGEST_SOCKET:
            return place
        return Path(tempfile.gettempdir()) / f"smartos-wizard-{os.getuid()}" / uuid[:8]

    def _mark(self, guest: Guest, state: str) -> None:
        mark = {"owner": "smartos-wizard", "uuid": guest.spec.uuid, "state": state}
        replace_file(guest.folder / MARK, json.dumps(mark).encode())

    def _read(self, folder: Path) -> Guest | None:
        try:
            mark: dict[str, Any] = json.loads((folder / MARK).read_text(encoding="utf-8"))
            spec = spec_toml.load((folder / SPEC).read_text(encoding="utf-8"), str(folder / SPEC))
            return Guest(spec, folder, self.sockets_of(spec.uuid), made=mark.get("state") == "ready")
        except (OSError, ValueError, AttributeError, WizardError):
            return None


def slug(name: str) -> str:
    """A folder name for a guest's name: lower case letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "guest"
