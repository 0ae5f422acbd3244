"""Where guests lie: one folder each, with a mark, so that nothing else is ever changed or removed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.files import replace_file, sync_directory
from smartos_wizard.core.paths import Paths, private_directory
from smartos_wizard.guests import spec_toml
from smartos_wizard.guests.model import Guest, GuestSpec

SPEC = "guest.toml"
MARK = "smartos-wizard.json"
_ASIDE = re.compile(r"\.(?:new|gone)-(\d{1,9})-[0-9a-f]{8}\Z")
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
            guest = None if mark.parent.name.startswith(".") else self._read(mark.parent)
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
        neighbour = next(
            (g for g in self.list() if g.folder == folder and g.name.casefold() != spec.name.casefold()), None
        )
        if neighbour is not None:
            words = f"{spec.name} would lie in the same folder as the guest {neighbour.name}."
            raise Refused("name-taken", words, hint="Choose a name that differs in letters or digits, not in blanks, signs or accents only.")  # fmt: skip
        return Guest(spec, folder, self.sockets_of(spec.uuid), made=False)

    def half_made(self, spec: GuestSpec) -> Guest | None:
        """What an interrupted creation left under that name, or None."""
        return next(
            (g for g in self.list() if not g.made and g.name.casefold() == spec.name.casefold()), None
        )

    def begin(self, guest: Guest) -> None:
        """Make the folder, with its spec and the mark of something unfinished in it from the first moment on.

        A folder that is this guest's already gets the mark only. Raises Refused `name-taken`, OSError.
        """
        if self._uuid(guest.folder) == guest.spec.uuid:
            self._mark(guest, guest.folder, "making")
            return
        self._sweep()
        new = self._aside("new")
        try:
            new.mkdir(mode=0o700)
            replace_file(new / SPEC, spec_toml.dump(guest.spec).encode())
            self._mark(guest, new, "making")
            new.rename(guest.folder)
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            raise Refused(
                "name-taken", f"{guest.folder} was made by somebody else a moment ago.", hint="Look at `guest list`, and choose another name."
            ) from error  # fmt: skip
        sync_directory(self.root)

    def ready(self, guest: Guest) -> None:
        """Note that the guest is whole."""
        self._mark(guest, guest.folder, "ready")

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
        """Remove the sockets and the folder, where it carries the guest's mark. Raises Refused `not-ours`, OSError.

        Mark and spec are the last to go, and at once: what is cut short is still seen as this guest's.
        """
        there = os.path.lexists(guest.folder)
        if there:
            inside = guest.folder.parent.resolve() == self.root.resolve() and not guest.folder.is_symlink()
            if not inside or self._uuid(guest.folder) != guest.spec.uuid:
                raise Refused("not-ours", f"{guest.folder} was not made by this program; it stays as it is.")
        if guest.sockets.is_dir():
            shutil.rmtree(guest.sockets, ignore_errors=True)
            with contextlib.suppress(OSError):  # others are still in it
                guest.sockets.parent.rmdir()
        if there:
            for path in guest.folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.name not in (MARK, SPEC):
                    path.unlink(missing_ok=True)
            gone = self._aside("gone")
            guest.folder.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        self._sweep()

    def sockets_of(self, uuid: str) -> Path:
        """The directory of a guest's sockets: short, and this user's only."""
        place = self._runtime / "guests" / uuid[:8]
        if len(os.fsencode(place)) <= _LONGEST_SOCKET:
            return place
        which = hashlib.sha256(os.fsencode(self._runtime)).hexdigest()[:8]
        return Path(tempfile.gettempdir()) / f"smartos-wizard-{os.getuid()}-{which}" / uuid[:8]

    def _mark(self, guest: Guest, folder: Path, state: str) -> None:
        mark = {"owner": "smartos-wizard", "uuid": guest.spec.uuid, "state": state}
        replace_file(folder / MARK, json.dumps(mark).encode())

    def _uuid(self, folder: Path) -> str:
        """The UUID in the mark of a folder; empty where there is none."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            mark: dict[str, Any] = json.loads((folder / MARK).read_text(encoding="utf-8"))
            return str(mark.get("uuid", ""))
        return ""

    def _aside(self, why: str) -> Path:
        """A name for a folder that is not yet, or no longer, a guest's; it tells which process is at it."""
        private_directory(self.root)
        return self.root / f".{why}-{os.getpid()}-{secrets.token_hex(4)}"

    def _sweep(self) -> None:
        """Remove what processes that were killed left aside: specs and marks, no disks."""
        for path in self.root.glob(".*"):
            match = _ASIDE.match(path.name)
            if match and not path.is_symlink() and not _lives(int(match[1])):
                shutil.rmtree(path, ignore_errors=True)

    def _read(self, folder: Path) -> Guest | None:
        try:
            mark: dict[str, Any] = json.loads((folder / MARK).read_text(encoding="utf-8"))
            spec = spec_toml.load((folder / SPEC).read_text(encoding="utf-8"), str(folder / SPEC))
            return Guest(spec, folder, self.sockets_of(spec.uuid), made=mark.get("state") == "ready")
        except (OSError, ValueError, AttributeError, WizardError):
            return None


def make_sockets(guest: Guest) -> Path:
    """Make the directory of a guest's sockets and return it. Raises Refused `not-private`, OSError.

    It may lie below /tmp, where somebody else could have been first.
    """
    for place in (guest.sockets.parent, guest.sockets):
        private_directory(place)
        found = place.lstat()
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022:
            raise Refused(
                "not-private", f"{place}, for the sockets of {guest.name}, is not yours alone.", context=str(place),
                hint="Whoever it belongs to should remove it; then try again.",
            )  # fmt: skip
    return guest.sockets


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def slug(name: str) -> str:
    """A folder name for a guest's name: lower case letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "guest"
