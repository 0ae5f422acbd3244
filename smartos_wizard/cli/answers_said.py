"""What the `answers` commands say of a file: findings, traps and stops, for people and as JSON. No secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from smartos_wizard.boot.answers_check import Finding, masked, stops
from smartos_wizard.boot.answers_finding import ERROR, WARNING
from smartos_wizard.boot.model import Warned
from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.text import tame

MOST = 1 << 16
"""An answers file is a page of text; what is larger than this is something else."""


def read_file(path: str) -> bytes:
    """The bytes of an answers file, or of stdin for `-`; raises WizardError `answers-unreadable`."""
    import click

    try:
        with click.open_file(path, "rb") as file:
            data: bytes = file.read(MOST + 1)
    except OSError as problem:
        raise WizardError(
            "answers-unreadable",
            f"{tame(path, 200)} cannot be read: {problem.strerror or problem}.",
            hint="Check the name and the rights of the file.",
        ) from problem
    if len(data) > MOST:
        raise WizardError(
            "answers-unreadable",
            f"{tame(path, 200)} is larger than 64 KiB; that is no answers file.",
            hint="Name the file that shall become private/answers.json.",
        )
    return data


def readable_by_others(path: str) -> bool:
    """Whether somebody else on this machine may read the file."""
    try:
        return path != "-" and bool(Path(path).stat().st_mode & 0o077)
    except OSError:
        return False


def count(number: int, what: str) -> str:
    """`1 answer`, `2 answers`, `no answer`."""
    return f"{number or 'no'} {what}{'s' if number > 1 else ''}"


def sum_up(levels: list[str]) -> str:
    """How bad it is: `2 errors and 1 warning`."""
    if not levels.count(ERROR) and not levels.count(WARNING):
        return "nothing has to be put right"
    return f"{count(levels.count(ERROR), 'error')} and {count(levels.count(WARNING), 'warning')}"


def finding_line(finding: Finding) -> str:
    """One finding in one line."""
    where = f"line {finding.line}, column {finding.column}: " if finding.line is not None else ""
    return f"  {finding.level:<8} {where}{finding.text} ({finding.reference})"


def stop_lines(answers: Mapping[str, str]) -> list[str]:
    """Where setup will stop, one line each, or that it will not."""
    certain = [f"  {stop.text} ({stop.key})" for stop in stops(answers) if not stop.maybe]
    perhaps = [f"  {stop.text} ({stop.key})" for stop in stops(answers) if stop.maybe]
    lines = ["Setup will stop and", *certain] if certain else ["Setup will not stop: nobody has to be there."]
    return lines + (["It may", *perhaps] if perhaps else [])


def trap_lines(traps: Iterable[Warned]) -> list[str]:
    """The traps, one line each."""
    lines = [f"  {trap.level:<8} {trap.text} ({trap.reference})" for trap in traps]
    return ["Know before", *lines] if lines else []


def document(
    answers: Mapping[str, str], findings: Iterable[Finding], traps: Iterable[Warned]
) -> dict[str, Any]:
    """The same as one document; secrets are masked."""
    return {
        "answers": masked(answers),
        "findings": [finding.to_json() for finding in findings],
        "asked": [asdict(stop) for stop in stops(answers)],
        "traps": [asdict(trap) for trap in traps],
    }
