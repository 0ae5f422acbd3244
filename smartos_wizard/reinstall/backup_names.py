"""How the parts of a backup are called, here and on another host. Pure."""

from __future__ import annotations

import hashlib


def file_of(dataset: str) -> str:
    """The file that the stream of a dataset is kept in; no two have the same."""
    return f"{flat(dataset)}.zfs.gz"


def flat(dataset: str) -> str:
    """One word for a dataset; no two have the same."""
    words = "".join(c if c.isalnum() or c in "-_." else "_" for c in dataset)[:120].lstrip(".") or "_"
    return f"{words}-{hashlib.sha256(dataset.encode()).hexdigest()[:8]}"


def place_of(dataset: str, container: str) -> str:
    """Where a dataset is received on another host."""
    return f"{container}/{flat(dataset)}"
