"""What was last read from a mirror, kept for use without one. Imports core and the model only."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

from smartos_wizard.core.files import replace_file
from smartos_wizard.releases.model import Artifact, ArtifactKind, Checksum, Listing, Release, ReleaseEntry


def save_listing(cache: Path, listing: Listing, now: float) -> None:
    """Keep a good listing. A cache that cannot be written is no reason to fail."""
    data = {
        "base": listing.base,
        "read": now,
        "latest": listing.latest,
        "releases": [[r.stamp, r.published.timestamp() if r.published else None] for r in listing.releases],
    }
    _save(_place(cache, listing.base) / "listing.json", data)


def load_listing(cache: Path, base: str) -> Listing | None:
    """The last good listing of that mirror, with `offline_since` set to when it was read."""
    data = _load(_place(cache, base) / "listing.json")
    try:
        if data is None or data["base"] != base:
            return None
        entries = tuple(ReleaseEntry(str(s), None if t is None else _time(t)) for s, t in data["releases"])
        return Listing(base, entries, str(data["latest"]), _time(data["read"]))
    except (KeyError, TypeError, ValueError):
        return None


def save_release(cache: Path, release: Release) -> None:
    """Keep what a release's own lists told."""
    data = {
        "stamp": release.stamp,
        "base": release.base,
        "algorithms": list(release.algorithms),
        "problems": list(release.problems),
        "published": release.published.timestamp() if release.published else None,
        "artifacts": [
            {
                "name": a.name,
                "kind": a.kind.value,
                "size": a.size,
                "sums": {c.algorithm: c.digest for c in a.checksums},
            }
            for a in release.artifacts
        ],
    }
    _save(_place(cache, release.base) / f"{release.stamp}.json", data)


def load_release(cache: Path, base: str, stamp: str) -> Release | None:
    """A release of that mirror as it was last read."""
    return _release(_load(_place(cache, base) / f"{stamp}.json"))


def all_releases(cache: Path) -> tuple[Release, ...]:
    """Every release kept, of every mirror, newest first."""
    found = [_release(_load(path)) for path in (cache / "mirrors").glob("*/*Z*.json")]
    return tuple(sorted((r for r in found if r is not None), key=lambda r: r.stamp, reverse=True))


def _place(cache: Path, base: str) -> Path:
    return cache / "mirrors" / hashlib.sha256(base.encode()).hexdigest()[:16]


def _time(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(float(seconds), dt.UTC)


def _release(data: dict[str, Any] | None) -> Release | None:
    try:
        if data is None:
            return None
        stamp = str(data["stamp"])
        artifacts = tuple(
            Artifact(
                stamp,
                ArtifactKind(a["kind"]),
                str(a["name"]),
                a["size"],
                tuple(Checksum(str(k), str(v)) for k, v in a["sums"].items()),
            )
            for a in data["artifacts"]
        )
        published = None if data["published"] is None else _time(data["published"])
        return Release(
            stamp, str(data["base"]), artifacts, tuple(data["algorithms"]), published, tuple(data["problems"])
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _save(path: Path, data: dict[str, Any]) -> None:
    try:
        replace_file(path, json.dumps(data, separators=(",", ":")).encode())
    except OSError:
        return


def _load(path: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None
