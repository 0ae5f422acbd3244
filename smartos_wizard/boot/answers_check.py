"""Is an answers file good? The one door to the checks of this room: text in, findings out. Pure.

`parse_answers` and `parse_bytes` read, `check_answers` judges values, `check_file` does both and says where each
finding stands. `asked`, `stops` and `trap_warnings` tell what setup will do, `render` writes the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from smartos_wizard.boot.answers_finding import ERROR, LEVELS, Finding, Stop
from smartos_wizard.boot.answers_json import Parsed, Place, parse_answers, parse_bytes
from smartos_wizard.boot.answers_keys import key_findings
from smartos_wizard.boot.answers_network import network_findings
from smartos_wizard.boot.answers_schema import KEYS
from smartos_wizard.boot.answers_text import masked, render
from smartos_wizard.boot.answers_traps import asked, stops, trap_warnings
from smartos_wizard.boot.answers_values import value_findings

__all__ = [
    "Checked",
    "Finding",
    "Parsed",
    "Place",
    "Stop",
    "asked",
    "check_answers",
    "check_file",
    "has_errors",
    "masked",
    "parse_answers",
    "parse_bytes",
    "render",
    "stops",
    "trap_warnings",
]

_ORDER = {key.name: at for at, key in enumerate(KEYS)}


@dataclass(frozen=True, slots=True)
class Checked:
    """An answers file as read, and everything found in it, sorted by line."""

    parsed: Parsed
    findings: tuple[Finding, ...]


def check_answers(answers: Mapping[str, str]) -> tuple[Finding, ...]:
    """Everything wrong with these answers, in the order in which setup asks; unknown keys come last.

    Keys that are missing are no finding: see `asked`. No text holds a secret.
    """
    found = [*network_findings(answers), *value_findings(answers), *key_findings(answers)]
    return tuple(sorted(found, key=lambda f: (_ORDER.get(f.key, len(_ORDER)), LEVELS.index(f.level))))


def check_file(data: bytes) -> Checked:
    """Read and judge the bytes of an answers file; every finding carries the line and column of its key."""
    parsed = parse_bytes(data)
    found = [*parsed.findings, *(parsed.placed(f) for f in check_answers(parsed.answers))]
    return Checked(parsed, tuple(sorted(found, key=lambda f: (f.line or 0, f.column or 0))))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether anything has to be put right."""
    return any(f.level == ERROR for f in findings)
