"""The files downloaded before, and the proof that each was verified. Imports core only.

A record holds size and time of the file beside its digest: a file touched since is not trusted any more.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartos_wizard.core.files import replace_file
from smartos_wizard.releases.model import Artifact, ArtifactKind, Checksum, StoredFile


@dataclass(frozen=True, slots=True)
class Store:
    """Downloaded releases below a directory: `STAMP/FILE`, and records of files elsewhere too."""

    root: Path

    def path_of(self, artifact: Artifact) -> Path:
        """Where that file belongs."""
        return self.root / artifact.stamp / artifact.name

    def find(self, stamp: str, kind: ArtifactKind) -> StoredFile | None:
        """A file of that release and kind that was downloaded, verified, and not touched since."""
        return next((f for f in self.list() if f.artifact.stamp == stamp and f.artifact.kind is kind), None)

    def list(self) -> tuple[StoredFile, ...]:
        """All such files, newest release first; those in the store before those elsewhere."""
        found = [f for f in map(_read, self._records().glob("*.json")) if f is not None]
        found.sort(key=lambda f: (f.artifact.stamp, self.holds(f.path), f.path), reverse=True)
        return tuple(found)

    def at(self, path: Path) -> StoredFile | None:
        """What is recorded of the file at `path`, if it is untouched since it was verified."""
        return _read(self._record(path))

    def holds(self, path: Path) -> bool:
        """Whether the file lies inside the store."""
        return path.resolve().is_relative_to(self.root.resolve())

    def record(self, file: StoredFile) -> None:
        """Remember that `file` was verified as it is now."""
        info = file.path.stat()
        artifact = file.artifact
        data: dict[str, Any] = {
            "path": str(file.path.resolve()),
            "stamp": artifact.stamp,
            "kind": artifact.kind.value,
            "name": artifact.name,
            "checksums": {c.algorithm: c.digest for c in artifact.checksums},
            "algorithm": file.verified.algorithm,
            "digest": file.verified.digest,
            "source": file.source,
            "size": info.st_size,
            "mtime_ns": info.st_mtime_ns,
            "inode": info.st_ino,
        }
        replace_file(self._record(file.path), json.dumps(data, indent=1).encode())

    def forget(self, path: Path) -> None:
        """Drop what is remembered of a file."""
        self._record(path).unlink(missing_ok=True)

    def _records(self) -> Path:
        return self.root / ".records"

    def _record(self, path: Path) -> Path:
        return self._records() / (hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:24] + ".json")


def _read(record: Path) -> StoredFile | None:
    try:
        data = json.loads(record.read_text(encoding="utf-8"))
        path = Path(data["path"])
        info = path.stat()
        if (info.st_size, info.st_mtime_ns, info.st_ino) != (data["size"], data["mtime_ns"], data["inode"]):
            return None
        sums = tuple(Checksum(str(k), str(v)) for k, v in data["checksums"].items())
        artifact = Artifact(data["stamp"], ArtifactKind(data["kind"]), data["name"], data["size"], sums)
        return StoredFile(path, artifact, Checksum(data["algorithm"], data["digest"]), str(data["source"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
