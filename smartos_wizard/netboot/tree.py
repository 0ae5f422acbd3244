"""What in a directory is ours: kept beside the tree in a place of this user's own, and the only thing ever changed.

`.smartos-wizard/tree.json` names releases and scripts with their digests, `choices.json` (never served) what the menu
and single machines are told, so that a later build says the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.boot.packed import pack_choices, unpack_choices
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.files import exclusive, replace_file
from smartos_wizard.netboot.model import RELEASES, File, Held, Machine

OURS = ".smartos-wizard"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Wishes:
    """What machines are told: all of them by the menu, and some of them otherwise."""

    menu: BootChoices = field(default_factory=BootChoices)
    machines: tuple[Machine, ...] = ()

    def pack(self) -> bytes:
        """As bytes; `unpack` is the inverse. They may hold secrets."""
        rows = {m.mac: _coded(m.choices) for m in self.machines}
        return json.dumps({"format": VERSION, "menu": _coded(self.menu), "machines": rows}).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Wishes:
        """The inverse of `pack`. Raises ValueError, KeyError, TypeError."""
        found: dict[str, Any] = json.loads(data)
        rows = sorted(found["machines"].items())
        return cls(_decoded(found["menu"]), tuple(Machine(mac, _decoded(row)) for mac, row in rows))

    def with_machines(self, machines: tuple[Machine, ...], without: tuple[str, ...] = ()) -> Wishes:
        """The same with these machines in the place of those of their addresses."""
        new = {m.mac: m for m in self.machines if m.mac not in without} | {m.mac: m for m in machines}
        return replace(self, machines=tuple(new[mac] for mac in sorted(new)))


@dataclass(frozen=True, slots=True)
class Tree:
    """A directory and what of it is ours: releases by stamp, newest first, and scripts with their SHA-256."""

    root: Path
    releases: dict[str, Held] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    wishes: Wishes = field(default_factory=Wishes)

    @property
    def stamps(self) -> tuple[str, ...]:
        """The releases, newest first."""
        return tuple(sorted(self.releases, reverse=True))

    @property
    def own(self) -> Path:
        """Where this is kept."""
        return self.root / OURS

    def is_there(self, stamp: str) -> bool:
        """Whether that release is in the tree with every file of the size it had."""
        held = self.releases.get(stamp)
        if held is None:
            return False
        place = self.root / RELEASES / stamp
        return all(_size(place / path) == file.size for path, file in held.files.items())

    def require_ours(self, paths: tuple[str, ...], stamps: tuple[str, ...]) -> None:
        """Raise Refused `not-ours` or `changed-by-hand` where a path to be written, or a release, is somebody else's."""
        for stamp in stamps:
            if stamp not in self.releases and (self.root / RELEASES / stamp).exists():
                raise _foreign(self.root / RELEASES / stamp)
        for path in paths:
            there = self.root / path
            if not there.exists() and not there.is_symlink():
                continue
            known = self.scripts.get(path)
            if known is None:
                raise _foreign(there)
            if not there.is_file() or hashlib.sha256(there.read_bytes()).hexdigest() != known:
                raise Refused(
                    "changed-by-hand",
                    f"{there} was changed since this program wrote it. Nothing was changed.",
                    context=str(there),
                    hint="Move it away, and give the command again; then put your lines into the new one.",
                )

    def save(self) -> None:
        """Write what is ours. Raises OSError."""
        releases = {
            s: {"source": h.source, "files": {p: [f.size, f.sha1] for p, f in h.files.items()}}
            for s, h in self.releases.items()
        }
        data = {"format": VERSION, "releases": releases, "scripts": self.scripts}
        self.own.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self.own / "choices.json", self.wishes.pack(), 0o600)
        replace_file(self.own / "tree.json", json.dumps(data, indent=1).encode(), 0o600)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other builds of this tree away. Raises Refused `tree-busy`."""
        busy = Refused(
            "tree-busy", f"Another SmartOS Wizard is building {self.root}.", hint="Wait for it.", context=str(self.root)
        )  # fmt: skip
        self.own.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(self.own / "lock", busy):
            yield


def read_tree(root: Path) -> Tree:
    """What of the directory is ours; nothing where it is new. Raises Refused `tree-unreadable`, UsageProblem."""
    if root.exists() and not root.is_dir():
        raise UsageProblem("not-a-directory", f"{root} is no directory.", context=str(root))
    path = root / OURS / "tree.json"
    if not path.exists():
        return Tree(root)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != VERSION:
            raise ValueError(f"it is of version {data['format']}")
        releases = {str(stamp): _held(str(stamp), row) for stamp, row in data["releases"].items()}
        scripts = {str(k): str(v) for k, v in data["scripts"].items()}
        return Tree(root, releases, scripts, Wishes.unpack((root / OURS / "choices.json").read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(
            "tree-unreadable",
            f"What this program noted of {root} cannot be read: {error}. Nothing was changed.",
            context=str(path),
            hint="Build into a new directory.",
        ) from error


def _held(stamp: str, row: dict[str, Any]) -> Held:
    files = {str(path): File(int(size), str(sha1)) for path, (size, sha1) in row["files"].items()}
    return Held(stamp, str(row["source"]), files)


def _foreign(path: Path) -> Refused:
    return Refused(
        "not-ours",
        f"{path} is there already and was not made by this program. Nothing was changed.",
        context=str(path),
        hint="Choose another directory, or move it away.",
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:
        return -1


def _coded(choices: BootChoices) -> str:
    return base64.b64encode(pack_choices(choices)).decode()


def _decoded(text: str) -> BootChoices:
    return unpack_choices(base64.b64decode(text, validate=True))
