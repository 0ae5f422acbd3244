"""What this program, or its user, told a key: the answers on it, a kept platform, a change that was cut short."""

from __future__ import annotations

from typing import Protocol

from smartos_wizard.boot.answers_json import parse_bytes
from smartos_wizard.boot.answers_traps import asked
from smartos_wizard.boot.model import ANSWERS
from smartos_wizard.core.text import tame
from smartos_wizard.media.fat import FatVolume
from smartos_wizard.media.fat_journal_place import in_reserved
from smartos_wizard.media.partitions import Pread

UNFINISHED = (
    "A change of it was cut short. It boots as before or as asked; the next `key configure`, `key upgrade` or "
    "`key rollback` finishes it."
)
_KEPT = "previous/platform/etc/version/platform"


class Told(Protocol):
    """Where it is noted."""

    previous: str
    answers: tuple[str, ...] | None
    asks: tuple[str, ...]
    unfinished: bool
    problems: list[str]


def told(volume: FatVolume, pread: Pread, first: int, inside: Told) -> None:
    """Note what the volume at byte `first` was told. Raises FatProblem, OSError."""
    kept = (volume.read(_KEPT) or b"").decode("ascii", "replace").strip()
    inside.previous = tame(kept.splitlines()[0]) if kept else ""
    data = volume.read(ANSWERS)
    if data is not None:
        parsed = parse_bytes(data)
        if parsed.readable:
            inside.answers = tuple(tame(name) for name in parsed.answers)
            inside.asks = asked(parsed.answers)
        else:
            inside.answers = ()
            inside.problems.append(f"Setup cannot read {ANSWERS}: see `smartos-wizard answers check`.")
    if in_reserved(pread, first):
        inside.unfinished = True
        inside.problems.append(UNFINISHED)
