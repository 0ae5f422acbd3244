"""Datasets of make-believe machines, as far as they are sent from one to another: names, snapshots, what is set on them.

With a file, which processes share, what was sent can be brought back by another command.
"""

from __future__ import annotations

import json
import re
import shlex
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from smartos_wizard.core.errors import DeviceLost
from smartos_wizard.core.files import replace_file
from smartos_wizard.practice.host_answers import GIB
from smartos_wizard.reinstall.backup_stream import MAGIC, RECORD, head_of
from smartos_wizard.reinstall.sent import MARK

_LIST = re.compile(r"^if zfs get -Ho name type (\S+) .* then zfs list ")
_FREE = 900 * GIB


@dataclass(slots=True)
class PracticeTrees:
    """What was received on one machine, by name: its snapshots, a token where it broke off, and what is set on it."""

    host: str
    file: Path | None = None
    known: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)

    def read(self) -> dict[str, dict[str, object]]:
        """All datasets that were made here by receiving."""
        if self.file is not None and self.file.exists():
            self.known = json.loads(self.file.read_text())
        return self.known.setdefault(self.host, {})

    def write(self) -> None:
        """Keep it for the next command."""
        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.file, json.dumps(self.known).encode())


def told(trees: PracticeTrees, there: set[str], pools: dict[str, str], words: str) -> bytes | None:
    """The answer to a command about such datasets, which is done; None for another command. `there`: what else exists."""
    here = trees.read()
    listed = _LIST.match(words)
    if listed:
        return _listing(here, there, shlex.split(listed[1])[0])
    if words.startswith("zpool list -Ho name,guid"):
        return "".join(f"{name}\t{guid}\n" for name, guid in pools.items()).encode()
    if words.startswith("for n in "):
        words = words.partition("said=$(")[2].partition(" 2>&1)")[0]
        return _done(trees, here, words) or b""
    name = next((w for w in shlex.split(words.partition(" 2>/dev/null")[0].partition(";")[0])[::-1] if "/" in w or w in pools), "")  # fmt: skip
    if "value available" in words:
        return f"{_FREE}\n".encode() if name in here or name in there | set(pools) else b""
    if f"value {MARK}" in words:
        return f"{_set(here, name).get(MARK, '-')}\n".encode() if name in here else b"-\n" if name in there else b""  # fmt: skip
    if words.startswith("zfs get -rHp"):
        rows = [f"{n}\t{p}\t{v}\n" for n in here if n == name or n.startswith((name + "/", name + "@")) for p, v in _set(here, n).items()]  # fmt: skip
        return "".join(rows).encode()
    return _done(trees, here, words)


def _done(trees: PracticeTrees, here: dict[str, dict[str, object]], words: str) -> bytes | None:
    if words.startswith("zfs set "):
        for line in words.split("; "):
            row = shlex.split(line)
            if len(row) > 3 and row[3] in here:
                what, _, value = row[2].partition("=")
                _set(here, row[3])[what] = value
    elif words.startswith("zfs create "):
        row = shlex.split(words)
        here[row[-1]] = {"set": dict(each.split("=", 1) for each in row if "=" in each)}
    elif words.startswith("zfs destroy") and shlex.split(words)[-1].split("@")[0] in here:
        gone = shlex.split(words)[-1]
        for name in [n for n in here if n == gone or n.startswith(gone + "/")]:
            del here[name]
        top, _, mark = gone.partition("@")
        for name, each in here.items():
            if mark and (name == top or name.startswith(top + "/")):
                each["snapshots"] = [s for s in _marks(each) if s != mark]
    else:
        return None
    trees.write()
    return b""


def _listing(here: dict[str, dict[str, object]], there: set[str], top: str) -> bytes:
    rows = []
    inside = sorted(n for n in {*here, *there} if n.split("@")[0] == top or n.startswith(top + "/"))
    for name in inside:
        rows.append(f"{name}\t{guid_of(name)}\t-\t{('-' if '@' in name else here.get(name, {}).get('token') or '-')}")  # fmt: skip
        rows += [f"{name}@{mark}\t{guid_of('@' + mark)}\t-\t-" for mark in _marks(here.get(name, {}))]
    return "".join(f"{row}\n" for row in rows).encode()


def _marks(known: dict[str, object]) -> list[str]:
    found = known.get("snapshots", [])
    return [str(each) for each in found] if isinstance(found, list) else []


def _set(here: dict[str, dict[str, object]], name: str) -> dict[str, str]:
    found = here[name].setdefault("set", {})
    assert isinstance(found, dict)
    return found


def guid_of(name: str) -> str:
    """The guid of a snapshot, wherever it lies: what stands after the `@` makes it."""
    return str(10**18 + zlib.crc32(name.partition("@")[2].encode() or name.encode()))


def name_sent(words: str) -> str:
    """The snapshot that a `zfs send` of pieces is of."""
    row = shlex.split(words)
    return row[row.index("-t") + 1] if "-t" in row else row[-1]


def received(trees: PracticeTrees, words: str, chunks: Iterable[bytes]) -> int:
    """Take a stream into the dataset that the command names; broken off, a token stays. The bytes that came."""
    here, target, count, name = trees.read(), shlex.split(words)[-1], 0, ""
    known = here.setdefault(target, {})
    try:
        for chunk in chunks:
            name = name or head_of(chunk[:RECORD], words).name
            count += len(chunk)
    except DeviceLost:
        known["token"] = name
        trees.write()
        raise
    known["token"] = ""
    known["snapshots"] = [*_marks(known), name.partition("@")[2]]
    trees.write()
    return count


def ends(name: str) -> tuple[bytes, bytes]:
    """The first and the last record of a stream."""
    first = struct.pack("<IIQQQIIQQ", 0, 0, MAGIC, 2, 0, 0, 0, 0, 0) + name.encode()[:255]
    return first.ljust(RECORD, b"\0"), struct.pack("<I", 5).ljust(RECORD, b"\0")
