"""The first digests seen for a file are remembered: who republishes under the same stamp is found out.

One small JSON file per release in the state directory. Imports core only.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.core.errors import ChecksumFailed, Refused
from smartos_wizard.core.files import exclusive, replace_file
from smartos_wizard.releases.model import Artifact, Checksum

_PATIENCE = 100  # looks at a taken lock, 50 ms apart


@dataclass(frozen=True, slots=True)
class Pins:
    """Remembered digests below a directory."""

    root: Path

    def known(self, stamp: str) -> dict[str, dict[str, str]]:
        """Digest by algorithm by file name. Raises ChecksumFailed where the memory itself is damaged."""
        path = self._file(stamp)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return {str(n): {str(a): str(d) for a, d in sums.items()} for n, sums in data.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError, OSError) as error:
            raise ChecksumFailed(
                "pins-damaged",
                "The remembered digests of this release cannot be read.",
                context=f"{path}: {error}",
                hint="Remove that file if nobody can have tampered with it; it is made again.",
            ) from error

    def stamps(self) -> tuple[str, ...]:
        """Releases of which digests are remembered, newest first."""
        if not self.root.is_dir():
            return ()
        return tuple(sorted((p.stem for p in self.root.glob("*.json")), reverse=True))

    def changed(self, artifact: Artifact) -> tuple[Checksum, Checksum] | None:
        """The remembered digest and today's where they differ."""
        known = self.known(artifact.stamp).get(artifact.name, {})
        for today in artifact.checksums:
            first = known.get(today.algorithm, today.digest)
            if first != today.digest:
                return Checksum(today.algorithm, first), today
        return None

    def require(self, artifacts: tuple[Artifact, ...]) -> None:
        """Remember what is new; raise ChecksumFailed `republished` where a digest is not the first one seen."""
        for artifact in artifacts:
            found = self.changed(artifact)
            if found is not None:
                raise self._republished(artifact, *found)
        self.learn(artifacts)

    def learn(self, artifacts: tuple[Artifact, ...]) -> None:
        """Remember digests not yet known; what is known is never changed."""
        for stamp in {a.stamp for a in artifacts if a.checksums}:
            mine = tuple(a for a in artifacts if a.stamp == stamp)
            if _merged(self.known(stamp), mine) != self.known(stamp):
                with self._turn(stamp):
                    data = _merged(self.known(stamp), mine)
                    replace_file(self._file(stamp), json.dumps(data, indent=1, sort_keys=True).encode())

    @contextlib.contextmanager
    def _turn(self, stamp: str) -> Iterator[None]:
        """One writer at a time; the others wait a moment for it."""
        busy = Refused(
            "pins-busy", "Another process keeps noting digests.", context=str(self.root), hint="Try again."
        )
        with contextlib.ExitStack() as held:
            for attempt in range(_PATIENCE):
                try:
                    held.enter_context(exclusive(self.root / f".{stamp}.lock", busy))
                    break
                except Refused:
                    if attempt == _PATIENCE - 1:
                        raise
                    time.sleep(0.05)
            yield

    def _file(self, stamp: str) -> Path:
        return self.root / f"{stamp}.json"

    def _republished(self, artifact: Artifact, first: Checksum, today: Checksum) -> ChecksumFailed:
        return ChecksumFailed(
            "republished",
            f"{artifact.name} was published again under the same stamp with other content. It is not used.\n"
            f"  first seen {first.algorithm}: {first.digest}\n"
            f"  published now:     {today.digest}",
            hint="Ask where the release came from why it changed. If that is in order, remove "
            f"{self._file(artifact.stamp)} to accept the new one.",
            first=first.digest,
            now=today.digest,
            algorithm=first.algorithm,
        )


def _merged(known: dict[str, dict[str, str]], artifacts: tuple[Artifact, ...]) -> dict[str, dict[str, str]]:
    """What is known and, where nothing is known yet, what is published now."""
    merged = {name: dict(sums) for name, sums in known.items()}
    for artifact in artifacts:
        for checksum in artifact.checksums:
            merged.setdefault(artifact.name, {}).setdefault(checksum.algorithm, checksum.digest)
    return merged


def pins_of(state: Path) -> Pins:
    """The pins in a state directory."""
    return Pins(state / "pins")
