"""What lies in a backup: every file with its size and sha256, the machine it is of, what was chosen, what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.text import size, tame
from smartos_wizard.reinstall.backup_choice import Group, group_from_json, group_to_json
from smartos_wizard.reinstall.parse_values import is_dataset
from smartos_wizard.reinstall.sent import (
    Sent,
    There,
    sent_from_json,
    sent_to_json,
    there_from_json,
    there_to_json,
)

VERSION, WITH_THERE = 1, 2
"""The second form is one whose datasets lie on another host."""
NAME = "manifest.json"
PART = "manifest.part.json"
"""Of a backup that is not finished yet; it lists what is finished of it."""
CONFIGURATION = "configuration.tar.gz"
SURVEY = "survey.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a backup. `kind`: `configuration`, `facts`, `instance` or `stream`; sizes are bytes, digests sha256 as hex.

    Of a stream: the `group` and `dataset` it belongs to, its snapshot, and size and digest of what is packed in the file.
    """

    path: str
    size: int
    sha256: str
    kind: str
    group: str = ""
    dataset: str = ""
    snapshot: str = ""
    stream_size: int = 0
    stream_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All of a backup. `verified` is when everything was read back and compared, None before; `host` is the survey's identity.

    `there`: its datasets were sent to that host, and `sent` says which.
    """

    host: dict[str, Any]
    stamp: str
    made: float
    program: str
    groups: tuple[Group, ...] = ()
    files: tuple[Kept, ...] = ()
    missing: tuple[str, ...] = ()
    verified: float | None = None
    there: There | None = None
    sent: tuple[Sent, ...] = ()

    def file(self, path: str) -> Kept | None:
        """The file of that name."""
        return next((kept for kept in self.files if kept.path == path), None)

    def stream(self, dataset: str) -> Kept | None:
        """The stream of that dataset."""
        return next((kept for kept in self.files if kept.kind == "stream" and kept.dataset == dataset), None)

    def place(self, dataset: str) -> Sent | None:
        """Where that dataset lies on the other host."""
        return next((sent for sent in self.sent if sent.dataset == dataset), None)

    def holds(self, dataset: str) -> bool:
        """Whether that dataset is kept, here or there."""
        return self.stream(dataset) is not None or self.place(dataset) is not None

    def with_file(self, kept: Kept) -> Manifest:
        """This one, with that file instead of one of the same name."""
        return replace(self, files=(*(f for f in self.files if f.path != kept.path), kept))

    def without(self, paths: Iterable[str]) -> Manifest:
        """This one, without those files."""
        gone = set(paths)
        return replace(self, files=tuple(f for f in self.files if f.path not in gone))

    def whole(self, group: Group) -> bool:
        """Whether every tree of the group is kept."""
        return all(self.holds(tree.dataset) for tree in group.trees)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(kept.size for kept in self.files)

    @property
    def words(self) -> str:
        """What it holds, in one line."""
        groups = [g.title for g in self.groups if g.kind != "image"]
        what = ", ".join(
            ["configuration", *groups[:6], *([f"{len(groups) - 6} more"] if len(groups) > 6 else [])]
        )
        lacks = f"; not in it: {'; '.join(self.missing[:3])}" if self.missing else ""
        place = f"; datasets in {tame(self.there.words, 160)}" if self.there else ""
        return f"{what} ({size(self.size)}{' here' if place else ''}), snapshot {self.stamp}{place}{lacks}"


def write(directory: Path, manifest: Manifest, *, final: bool = False) -> None:
    """Put it there; the final one takes the place of the unfinished one."""
    data: dict[str, Any] = {
        "smartos-wizard-backup": WITH_THERE if manifest.there else VERSION,
        "host": manifest.host, "stamp": manifest.stamp, "made": manifest.made, "program": manifest.program,
        "groups": [group_to_json(group) for group in manifest.groups],
        "files": [{name: getattr(kept, name) for name in Kept.__slots__} for kept in manifest.files],
        "missing": list(manifest.missing), "verified": manifest.verified,
    }  # fmt: skip
    if manifest.there:
        data |= {"there": there_to_json(manifest.there), "sent": [sent_to_json(each) for each in manifest.sent]}  # fmt: skip
    replace_file(directory / (NAME if final else PART), (json.dumps(data, indent=1) + "\n").encode(), 0o600)
    if final:
        (directory / PART).unlink(missing_ok=True)


def read(directory: Path, name: str = NAME) -> Manifest:
    """The manifest there. Raises UsageProblem `no-backup-there`, `not-a-backup`."""
    path = directory / name
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        unfinished = name == NAME and (directory / PART).is_file()
        hint = "A backup was begun there and not finished: give `reinstall backup` again." if unfinished else "`reinstall backup HOST --to DIR` makes one."  # fmt: skip
        raise UsageProblem("no-backup-there", f"There is no finished backup in {tame(str(directory), 255)}.", hint=hint) from None  # fmt: skip
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem("not-a-backup", f"{tame(str(path), 255)} cannot be read: {tame(str(error), 120)}") from error  # fmt: skip
    try:
        return _of(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageProblem("not-a-backup", f"{tame(str(path), 255)} is damaged, or of another program: {tame(str(error), 120)}") from error  # fmt: skip


def unfinished(directory: Path) -> Manifest | None:
    """What an interrupted backup left there. Raises Refused `backup-there` where a finished one lies there."""
    if (directory / NAME).exists():
        raise Refused("backup-there", f"{tame(str(directory), 255)} holds a finished backup already. Nothing was changed.", hint="Name another directory with --to.")  # fmt: skip
    return read(directory, PART) if (directory / PART).is_file() else None


def _of(data: Any) -> Manifest:
    if data["smartos-wizard-backup"] not in (VERSION, WITH_THERE):
        raise ValueError("it was written by another version of this program")
    files = tuple(Kept(**{name: each[name] for name in Kept.__slots__}) for each in data["files"])
    groups = tuple(group_from_json(each) for each in data["groups"])
    for kept in files:
        if not _plain(kept.path) or type(kept.size) is not int or (kept.kind == "stream" and not is_dataset(kept.dataset)):  # fmt: skip
            raise ValueError(f"an odd file: {tame(str(kept.path))}")
    for name in (tree.dataset for group in groups for tree in group.trees):
        if not is_dataset(name):
            raise ValueError(f"an odd dataset: {tame(str(name))}")
    there = there_from_json(data["there"]) if "there" in data else None
    sent = tuple(sent_from_json(each) for each in data.get("sent", ()))
    return Manifest(dict(data["host"]), str(data["stamp"]), float(data["made"]), str(data["program"]), groups, files,
                    tuple(map(str, data["missing"])), data["verified"], there, sent)  # fmt: skip


def _plain(name: str) -> bool:
    return bool(name) and "/" not in name and "\0" not in name and not name.startswith(".")


@dataclass(slots=True)
class Begun:
    """A backup that is being made: its directory and what is finished of it, kept on disk after every change."""

    directory: Path
    manifest: Manifest
    made: bool = False
    """Whether this run made the directory."""
    notes: list[str] = field(default_factory=list)

    def add(self, kept: Kept) -> None:
        """A file is finished."""
        self.manifest = self.manifest.with_file(kept)
        write(self.directory, self.manifest)

    def forget(self, paths: Iterable[str]) -> None:
        """Those files are not right, or not wanted any more."""
        self.manifest = self.manifest.without(paths)
        write(self.directory, self.manifest)

    def add_sent(self, sent: Sent) -> None:
        """A tree is whole on the other host."""
        others = tuple(each for each in self.manifest.sent if each.dataset != sent.dataset)
        self.manifest = replace(self.manifest, sent=(*others, sent))
        write(self.directory, self.manifest)

    def forget_sent(self, datasets: Iterable[str]) -> None:
        """Those trees are not whole there, or not wanted any more."""
        gone = set(datasets)
        self.manifest = replace(self.manifest, sent=tuple(s for s in self.manifest.sent if s.dataset not in gone))  # fmt: skip
        write(self.directory, self.manifest)
