"""Runbooks with their check marks, kept in the state directory so that one can come back. No Textual here.

A runbook is known again by its machine, its way and its steps: the same one made again has the marks it had.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from smartos_wizard.core.files import replace_file
from smartos_wizard.core.paths import private_directory
from smartos_wizard.reinstall.runbook import Runbook
from smartos_wizard.reinstall.runbook_steps import Todo


@dataclass(frozen=True, slots=True)
class Kept:
    """A runbook and the numbers of the steps that are done. `at`: when a mark was last made, seconds since the epoch."""

    id: str
    host: str
    book: Runbook
    done: frozenset[int] = frozenset()
    at: float = 0.0

    @property
    def next(self) -> int:
        """The first step that is not done; the last one where all are."""
        left = [n for n in range(len(self.book.todos)) if n not in self.done]
        return left[0] if left else len(self.book.todos) - 1


def id_of(book: Runbook) -> str:
    """What the runbook is kept under: 16 hex digits of its machine, way and steps. When it was surveyed does not count."""
    facts = [fact for fact in book.facts if fact[0] != "Surveyed"]
    data = json.dumps([book.title, facts, [asdict(todo) for todo in book.todos]], sort_keys=True)
    return hashlib.sha256(data.encode()).hexdigest()[:16]


def kept(root: Path, book: Runbook, host: str) -> Kept:
    """The runbook with the marks it had, if it was begun before."""
    fresh = Kept(id_of(book), host, book)
    before = _read(root / f"{fresh.id}.json")
    return fresh if before is None else replace(fresh, done=before.done, at=before.at)


def mark(root: Path, one: Kept, done: frozenset[int], now: float) -> Kept:
    """The same with other marks, on the disk when it is returned. Raises OSError."""
    fresh = replace(one, done=done, at=now)
    data = {"id": fresh.id, "host": fresh.host, "at": now, "done": sorted(done), "book": asdict(fresh.book)}
    replace_file(private_directory(root) / f"{fresh.id}.json", json.dumps(data, indent=1).encode())
    return fresh


def begun(root: Path) -> tuple[Kept, ...]:
    """Every runbook with a mark, the newest first. What cannot be read is passed over."""
    try:
        found = [_read(path) for path in root.glob("*.json")]
    except OSError:
        return ()
    return tuple(sorted((each for each in found if each is not None), key=lambda each: -each.at))


def forget(root: Path, one: Kept) -> None:
    """Remove it."""
    (root / f"{one.id}.json").unlink(missing_ok=True)


def _read(path: Path) -> Kept | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        book = _book(data["book"])
        done = frozenset(n for n in data["done"] if isinstance(n, int) and 0 <= n < len(book.todos))
        return Kept(str(data["id"]), str(data["host"]), book, done, float(data["at"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _book(data: dict[str, Any]) -> Runbook:
    todos = tuple(
        Todo(
            str(each["title"]), _words(each["keys"]), _words(each["typed"]), _words(each["see"]),
            tuple((str(seen), str(act)) for seen, act in each["otherwise"]), bool(each["final"]),
        )
        for each in data["todos"]
    )  # fmt: skip
    if not todos:
        raise ValueError("no steps")
    facts = tuple((str(word), str(fact)) for word, fact in data["facts"])
    dies, lives, lost, agree = (_words(data[name]) for name in ("dies", "lives", "lost", "agree"))
    return Runbook(str(data["title"]), facts, dies, lives, lost, agree, todos, str(data["practice"]))


def _words(found: list[Any]) -> tuple[str, ...]:
    return tuple(str(each) for each in found)
