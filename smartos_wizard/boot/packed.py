"""Boot choices and changes of files as bytes and back: what a plan leaves in the vault for who executes it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from smartos_wizard.boot.model import BootChoices, FileChange, Kmdb, Module


def pack_choices(choices: BootChoices) -> bytes:
    """The choices as JSON; `unpack_choices` is the inverse."""
    return json.dumps(asdict(choices), default=_coded).encode()


def unpack_choices(data: bytes) -> BootChoices:
    """The inverse of `pack_choices`."""
    found: dict[str, Any] = json.loads(data)
    found["pools"] = tuple(found["pools"])
    found["kmdb"] = Kmdb(found["kmdb"]) if found["kmdb"] is not None else None
    found["modules"] = tuple(Module(m["name"], m["path"], _bytes(m["data"])) for m in found["modules"])
    found["files"] = {path: _bytes(data) for path, data in found["files"].items()}
    return BootChoices(**found)


def pack_changes(changes: Sequence[FileChange]) -> bytes:
    """Changes of files as JSON; `unpack_changes` is the inverse."""
    return json.dumps([asdict(change) for change in changes], default=_coded).encode()


def unpack_changes(data: bytes) -> tuple[FileChange, ...]:
    """The inverse of `pack_changes`."""
    return tuple(
        FileChange(row["path"], _maybe(row["old"]), _maybe(row["new"]), row["secret"])
        for row in json.loads(data)
    )


def _coded(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be packed")


def _maybe(text: str | None) -> bytes | None:
    return None if text is None else _bytes(text)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
