"""What has still to be sent of a tree of datasets until another pool holds it too, decided from what both sides list. Pure.

`zfs send -R` puts a whole tree into one stream, and such a stream, broken off, can be taken up again only to the end
of the snapshot that it broke in (illumos: lib/libzfs/common/libzfs_sendrecv.c). So the same is sent in pieces: each
dataset's oldest snapshot whole, or as what differs from the one it is a clone of, then all later ones (`-I`).
Properties are kept beside it, so that a pool of backups mounts, shares and reserves nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from smartos_wizard.reinstall.sent import MARK, Guids

_ONCE = {
    "volblocksize", "encryption", "keyformat", "pbkdf2iters", "casesensitivity", "normalization", "utf8only", "encryptionroot",
}  # fmt: skip
"""Set when a dataset is made, and part of its stream."""
_FIRST, _LAST = ("canmount", "mountpoint"), ("readonly", "zoned")
_SCRIPT = 60_000
"""A command may be so long, in bytes."""


@dataclass(slots=True)
class Lying:
    """A dataset as it lies on one side. `token`: a receive into it broke off, and can be taken up with it."""

    origin: str = ""
    token: str = ""
    snapshots: list[tuple[str, str]] = field(default_factory=list)


Listing = dict[str, Lying]
"""A tree, by the name below its top (empty for the top itself)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One stream: how it is sent, and how it is received. `resumes` says that it takes up one that broke off."""

    send: str
    receive: str
    target: str
    resumes: bool = False


class Stale(Exception):
    """What lies in the target cannot become the source's: its newest snapshot is none of the source's."""

    def __init__(self, dataset: str) -> None:
        super().__init__(dataset)
        self.dataset = dataset


def list_tree(top: str) -> str:
    """Everything below a dataset, oldest snapshot first; nothing where it does not exist."""
    name = shlex.quote(top)
    asked = (
        "zfs list -rHp -t filesystem,volume,snapshot -s createtxg -o name,guid,origin,receive_resume_token"
    )
    return f"if zfs get -Ho name type {name} >/dev/null 2>&1; then {asked} {name}; fi"


def tree_of(said: str, top: str) -> Listing:
    """What `list_tree` printed."""
    found: Listing = {}
    for line in said.splitlines():
        row = line.split("\t")
        if len(row) == 4 and row[0].startswith(top):
            name, _, mark = row[0].removeprefix(top).partition("@")
            lying = found.setdefault(name, Lying())
            if mark:
                lying.snapshots.append((mark, row[1]))
            else:
                lying.origin, lying.token = row[2].strip("-"), "" if row[3] == "-" else row[3]
    return found


def kept(tree: Listing, until: str) -> dict[str, Guids]:
    """The snapshots up to and with `until` of each dataset that has it."""
    found = {}
    for name, lying in tree.items():
        names = [mark for mark, _ in lying.snapshots]
        if until in names:
            found[name] = tuple(lying.snapshots[: names.index(until) + 1])
    return found


def next_piece(
    source: Listing, target: Listing, top: str, place: str, until: str, *, raw: bool, moved: Callable[[str], str]
) -> Piece | None:  # fmt: skip
    """The next stream that is needed; None where all is there. `moved` gives an origin's name in the target.

    Raises Stale.
    """
    wanted = kept(source, until)
    for name in _ordered(source, top, list(wanted)):
        snapshots, at = wanted[name], place + name
        there = target.get(name)
        if there is None:
            return _first(source[name].origin, f"{top}{name}@{snapshots[0][0]}", at, raw=raw, moved=moved)
        if there.token:
            return Piece(f"zfs send -t {shlex.quote(there.token)}", receive(at), at, resumes=True)
        newest = there.snapshots[-1] if there.snapshots else ("", "")
        if newest not in source[name].snapshots:
            raise Stale(at)
        if snapshots[-1] not in there.snapshots:
            words = f"-I {shlex.quote('@' + newest[0])} {shlex.quote(f'{top}{name}@{until}')}"
            return Piece(f"zfs send {'-w ' if raw else ''}{words}", receive(at), at)
    return None


def _first(origin: str, name: str, at: str, *, raw: bool, moved: Callable[[str], str]) -> Piece:
    flag = "-w " if raw else ""
    if not origin:
        return Piece(f"zfs send {flag}{shlex.quote(name)}", receive(at), at)
    there = moved(origin)
    return Piece(
        f"zfs send {flag}-i {shlex.quote(origin)} {shlex.quote(name)}", receive(at, origin=there), at
    )


def moved_by(places: dict[str, str]) -> Callable[[str], str]:
    """Where a snapshot of those trees lies, by where the trees lie; empty for one of another tree."""

    def moved(name: str) -> str:
        dataset, at, mark = name.partition("@")
        for top, place in places.items():
            if dataset == top or dataset.startswith(top + "/"):
                return place + dataset.removeprefix(top) + at + mark
        return ""

    return moved


def _ordered(source: Listing, top: str, names: list[str]) -> list[str]:
    """Parents before what lies below them, and each after what it is a clone of."""
    done: list[str] = []

    def add(name: str, above: frozenset[str]) -> None:
        if name in done or name in above:
            return
        origin = source[name].origin.split("@")[0]
        inside = origin.removeprefix(top) if origin == top or origin.startswith(top + "/") else None
        for other in (name.rpartition("/")[0] if name else None, inside):
            if other is not None and other in names:
                add(other, above | {name})
        done.append(name)

    for name in sorted(names):
        add(name, frozenset())
    return done


def receive(dataset: str, *, origin: str = "") -> str:
    """Receive into a dataset, keeping what came where it breaks off (`-s`); nothing is mounted, nothing rolled back (no -F)."""
    made_of = f"-o {shlex.quote('origin=' + origin)} " if origin else ""
    return f"zfs recv -s -u {made_of}{shlex.quote(dataset)}"


def forget_half(dataset: str) -> str:
    """Give up what a receive that broke off left; whole snapshots stay."""
    return f"zfs recv -A {shlex.quote(dataset)}"


def container(dataset: str, mark: str) -> str:
    """Make the dataset that holds a backup: nothing below it is mounted, or changed by accident."""
    return f"zfs create -o canmount=off -o mountpoint=none -o readonly=on -o {shlex.quote(f'{MARK}={mark}')} {shlex.quote(dataset)}"


def marked(dataset: str) -> str:
    """Which backup the dataset holds; empty where there is none, `-` where it holds something else."""
    return f"zfs get -Ho value {MARK} {shlex.quote(dataset)} 2>/dev/null || true"


def available(dataset: str) -> str:
    """The bytes that fit below it."""
    return f"zfs get -Hpo value available {shlex.quote(dataset)}"


def used(datasets: Iterable[str]) -> str:
    """The bytes that each of them takes, as far as they exist."""
    words = " ".join(map(shlex.quote, datasets))
    return f'for each in {words}; do zfs get -Hpo value used "$each" 2>/dev/null; done; true'


def properties(top: str) -> str:
    """What was set on a tree, and on its snapshots."""
    return f"zfs get -rHp -s local,received -o name,property,value all {shlex.quote(top)}"


def properties_of(said: str, top: str) -> dict[str, dict[str, str]]:
    """What `properties` printed, without what is part of the stream or belongs to this program."""
    found: dict[str, dict[str, str]] = {}
    for line in said.splitlines():
        row = line.split("\t")
        if len(row) != 3 or not row[0].startswith(top) or row[1] in _ONCE or row[1] == MARK:
            continue
        if "@" not in row[0] or ":" in row[1]:  # of a snapshot only a user's own can be set
            found.setdefault(row[0].removeprefix(top), {})[row[1]] = row[2]
    return found


def set_all(top: str, wanted: dict[str, dict[str, str]]) -> list[str]:
    """The commands that set them again; one that cannot be set is passed over, so compare afterwards."""
    lines = []
    for name, values in sorted(wanted.items()):
        for each in sorted(values, key=_rank):
            lines.append(
                f"zfs set {shlex.quote(f'{each}={values[each]}')} {shlex.quote(top + name)} 2>/dev/null"
            )
    scripts, script = [], ""
    for line in lines:
        if len(script) + len(line) > _SCRIPT:
            scripts.append(script + "true")
            script = ""
        script += line + "; "
    return [*scripts, script + "true"] if script else scripts


def _rank(name: str) -> tuple[int, str]:
    return (0 if name in _FIRST else 2 if name in _LAST else 1, name)


def differing(wanted: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """`NAME: PROPERTY` for each that is not as wanted."""
    return [
        f"{name or '(top)'}: {each}"
        for name, values in sorted(wanted.items())
        for each, value in sorted(values.items())
        if now.get(name, {}).get(each) != value
    ]
