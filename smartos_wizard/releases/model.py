"""The nouns of the room: release, artifact, checksum, stored file."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

OFFICIAL_MIRROR = "https://us-central.manta.mnx.io/Joyent_Dev/public/SmartOS/"
"""Base of the official mirror (smartos-live: src/piadm.sh, DEFAULT_URL_PREFIX)."""

STAMP = re.compile(r"^\d{8}T\d{6}Z(?:_[A-Za-z0-9]+)?$")
"""Name of a release: the build's UTC time; very old ones may carry a suffix. Sorts by time as text."""


class ArtifactKind(StrEnum):
    """What of a release a user may want."""

    USB = "usb"
    ISO = "iso"
    PLATFORM = "platform"
    VMWARE = "vmware"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Checksum:
    """A published digest. `algorithm` is `sha256` or `md5`, `digest` lower-case hex."""

    algorithm: str
    digest: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a release. `size` is in bytes, None where the mirror has not told it."""

    stamp: str
    kind: ArtifactKind
    name: str
    size: int | None = None
    checksums: tuple[Checksum, ...] = ()

    @property
    def best(self) -> Checksum | None:
        """sha256 where published, md5 otherwise, None where there is neither."""
        by_name = {c.algorithm: c for c in self.checksums}
        return by_name.get("sha256") or by_name.get("md5")


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """A line of the mirror's listing."""

    stamp: str
    published: dt.datetime | None = None

    @property
    def built(self) -> dt.datetime:
        """The time in the stamp, UTC."""
        return dt.datetime.strptime(self.stamp[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Release:
    """A release with everything its own lists tell. `algorithms` are the checksum lists it publishes.

    `problems` are sentences on lists that are missing or make no sense; files those should vouch for have
    no checksum here and are not used. `offline` is set where the mirror could not be reached and this is what
    was read of it earlier.
    """

    stamp: str
    base: str
    artifacts: tuple[Artifact, ...]
    algorithms: tuple[str, ...] = ()
    published: dt.datetime | None = None
    problems: tuple[str, ...] = ()
    offline: bool = False

    def artifact(self, kind: ArtifactKind) -> Artifact | None:
        """The artifact of that kind."""
        return next((a for a in self.artifacts if a.kind is kind), None)


@dataclass(frozen=True, slots=True)
class Listing:
    """The releases of a mirror, newest first.

    `offline_since` is set when the mirror could not be reached and this is the last good listing kept:
    the time it was read. `latest` is what the mirror's `latest` object names, empty where it has none.
    """

    base: str
    releases: tuple[ReleaseEntry, ...]
    latest: str = ""
    offline_since: dt.datetime | None = None
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A downloaded file whose digest was computed while it arrived (or read again to check it)."""

    path: Path
    artifact: Artifact
    verified: Checksum
    source: str
