"""Releases in words and in JSON, for the `release` commands. Prints nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smartos_wizard.core import text
from smartos_wizard.core.errors import WizardError
from smartos_wizard.releases.model import Artifact, ArtifactKind, Listing, Release, ReleaseEntry, StoredFile
from smartos_wizard.releases.store import Store
from smartos_wizard.world import World

Details = Mapping[str, Release | WizardError]


def listing_to_json(
    listing: Listing, shown: tuple[ReleaseEntry, ...], details: Details, world: World
) -> list[dict[str, Any]]:
    """One object per release, newest first; what was not looked up is null."""
    stored = {
        f.artifact.stamp for f in Store(world.paths.store).list() if f.artifact.kind is ArtifactKind.USB
    }
    return [
        _entry_to_json(listing, entry, details.get(entry.stamp), entry.stamp in stored, world)
        for entry in shown
    ]


def _entry_to_json(
    listing: Listing, entry: ReleaseEntry, detail: Release | WizardError | None, stored: bool, world: World
) -> dict[str, Any]:
    release = detail if isinstance(detail, Release) else None
    usb = release.artifact(ArtifactKind.USB) if release else None
    sums = {c.algorithm: c.digest for c in usb.checksums} if usb else {}
    since = listing.offline_since
    return {
        "stamp": entry.stamp,
        "latest": entry.stamp == _latest(listing),
        "built": entry.built.isoformat(),
        "age_days": int((world.now() - entry.built.timestamp()) // 86400),
        "published": entry.published.isoformat() if entry.published else None,
        "name": usb.name if usb else None,
        "size": usb.size if usb else None,
        "sha256": "sha256" in release.algorithms if release else None,
        "md5": "md5" in release.algorithms if release else None,
        "digests": sums,
        "artifacts": sorted({a.kind.value for a in release.artifacts} - {"other"}) if release else None,
        "downloaded": stored,
        "offline_since": since.isoformat() if since else None,
        "problem": detail.message
        if isinstance(detail, WizardError)
        else "; ".join(release.problems)
        if release
        else "",
    }


def listing_rows(
    listing: Listing, shown: tuple[ReleaseEntry, ...], details: Details, world: World
) -> Iterator[tuple[str, ...]]:
    """Rows for a person: stamp, age, size of the USB image, checksums, marks."""
    stored = {f.artifact.stamp for f in Store(world.paths.store).list()}
    for entry in shown:
        detail = details.get(entry.stamp)
        marks = [
            w
            for w, on in (("latest", entry.stamp == _latest(listing)), ("downloaded", entry.stamp in stored))
            if on
        ]
        if isinstance(detail, WizardError):
            size, sums = "?", "?"
            marks.append(f"not readable: {detail.reference}")
        elif detail is None:
            size, sums = "", ""
        else:
            usb = detail.artifact(ArtifactKind.USB)
            size = "none" if usb is None else "?" if usb.size is None else text.size(usb.size)
            sums = "+".join(detail.algorithms) or "NONE"
            marks += ["malformed checksums"] if detail.problems and detail.algorithms else []
        yield entry.stamp, text.age(world.now() - entry.built.timestamp()), size, sums, ", ".join(marks)


def release_to_json(release: Release, world: World) -> dict[str, Any]:
    """A release as one object."""
    built = ReleaseEntry(release.stamp).built
    return {
        "stamp": release.stamp,
        "mirror": release.base,
        "built": built.isoformat(),
        "age_days": int((world.now() - built.timestamp()) // 86400),
        "published": release.published.isoformat() if release.published else None,
        "algorithms": list(release.algorithms),
        "problems": list(release.problems),
        "offline": release.offline,
        "artifacts": [_artifact_to_json(a) for a in release.artifacts],
    }


def _artifact_to_json(artifact: Artifact) -> dict[str, Any]:
    sums = {c.algorithm: c.digest for c in artifact.checksums}
    return {
        "kind": artifact.kind.value,
        "name": artifact.name,
        "size": artifact.size,
        "sha256": sums.get("sha256"),
        "md5": sums.get("md5"),
    }


def release_lines(release: Release, world: World) -> Iterator[str]:
    """A release for a person."""
    built = ReleaseEntry(release.stamp).built
    yield f"SmartOS {release.stamp}, built {built:%Y-%m-%d %H:%M} UTC ({text.age(world.now() - built.timestamp())})"
    yield f"from {release.base}"
    yield f"checksums: {' and '.join(release.algorithms) or 'NONE: nothing of this release can be checked'}"
    others = [a.name for a in release.artifacts if a.kind is ArtifactKind.OTHER]
    for artifact in release.artifacts:
        if artifact.kind is ArtifactKind.OTHER:
            continue
        size = (
            "size unknown"
            if artifact.size is None
            else f"{text.size(artifact.size)} ({text.exact(artifact.size)})"
        )
        best = artifact.best
        yield ""
        yield f"{artifact.kind.value:<9} {artifact.name}"
        yield f"          {size}"
        yield f"          {best.algorithm} {best.digest}" if best else "          no checksum"
    if others:
        yield ""
        yield f"and {len(others)} more: {', '.join(others)} (--json gives their sizes and digests)"


def stored_to_json(file: StoredFile) -> dict[str, Any]:
    """A verified file as one object."""
    return {
        "ok": True,
        "path": str(file.path),
        "stamp": file.artifact.stamp,
        "artifact": file.artifact.kind.value,
        "name": file.artifact.name,
        "size": file.path.stat().st_size,
        "algorithm": file.verified.algorithm,
        "digest": file.verified.digest,
        "source": file.source,
    }


def _latest(listing: Listing) -> str:
    """What the mirror calls latest; the newest where it says nothing or names what it does not have."""
    stamps = [entry.stamp for entry in listing.releases]
    return listing.latest if listing.latest in stamps else stamps[0]
