"""What a check of a machine says: one verdict for each thing looked at, and one for the whole.

Pure; imports nothing of this program.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """`no` keeps SmartOS from running, `warning` is worth knowing, `unknown` could not be seen."""

    OK = "ok"
    WARNING = "warning"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing: what was found, why that matters, what to do about it.

    `essential` means that SmartOS does not run without it: not knowing it leaves the whole unknown.
    """

    name: str
    level: Level
    found: str
    why: str = ""
    todo: str = ""
    essential: bool = False

    def to_json(self) -> dict[str, Any]:
        """The verdict as a JSON object."""
        return {**asdict(self), "level": self.level.value}


class Fitness(StrEnum):
    """The whole. A machine with something essential unknown is never called fit."""

    FIT = "fit"
    WARNINGS = "fit with warnings"
    UNKNOWN = "unknown"
    NOT_FIT = "not fit"


def overall(verdicts: Iterable[Verdict]) -> Fitness:
    """What all verdicts together say."""
    all_of_them = tuple(verdicts)
    levels = {v.level for v in all_of_them}
    if Level.NO in levels:
        return Fitness.NOT_FIT
    if not all_of_them or any(v.level is Level.UNKNOWN and v.essential for v in all_of_them):
        return Fitness.UNKNOWN
    return Fitness.WARNINGS if levels & {Level.WARNING, Level.UNKNOWN} else Fitness.FIT


def sentence(verdicts: tuple[Verdict, ...]) -> str:
    """The whole in one sentence, with the names of what speaks against it."""

    def named(*levels: Level, essential: bool = False) -> str:
        return ", ".join(v.name for v in verdicts if v.level in levels and (v.essential or not essential))

    match overall(verdicts):
        case Fitness.FIT:
            return "This machine is fit for SmartOS."
        case Fitness.WARNINGS:
            return f"This machine is fit for SmartOS, with warnings: {named(Level.WARNING, Level.UNKNOWN)}."
        case Fitness.NOT_FIT:
            return f"As it is now, this machine is not fit for SmartOS: {named(Level.NO)}."
        case Fitness.UNKNOWN:
            return (
                "Whether this machine is fit for SmartOS is not known, because this could not be seen: "
                f"{named(Level.UNKNOWN, essential=True)}."
            )
