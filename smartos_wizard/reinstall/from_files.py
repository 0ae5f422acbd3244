"""Files that a re-install begins from: a survey, answers for setup, the proof of a medium. Reads; connects to nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.choices import AnswersFile, Prepared, prepared_of
from smartos_wizard.reinstall.model import Survey

LIMIT = 64 << 20
"""Bytes of a file that are read; more is none of these."""


def file_bytes(path: str) -> bytes:
    """What is in the file. Raises UsageProblem `no-such-file`, `unreadable-file`."""
    try:
        if not Path(path).is_file():
            raise UsageProblem("no-such-file", f"There is no file {tame(path, 255)}.")
        with Path(path).open("rb") as stream:
            return stream.read(LIMIT + 1)
    except OSError as error:
        raise UsageProblem("unreadable-file", f"{tame(path, 255)}: {error.strerror}") from error


def survey_in(data: bytes, name: str) -> Survey:
    """The survey in a file of that name: as `reinstall survey --save` wrote it, or what the script printed.

    Raises UsageProblem `not-a-survey`, `no-answers`, `answers-too-large`, `other-survey-version`.
    """
    from smartos_wizard.reinstall.as_json import survey_from_json
    from smartos_wizard.reinstall.survey import from_answers, read_file_text

    text = read_file_text(data)
    if not text.lstrip().startswith("{"):
        return from_answers(text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageProblem("not-a-survey", f"{tame(name, 200)} is no survey.", hint="`reinstall survey HOST --save FILE` makes one.") from None  # fmt: skip
    return survey_from_json(found)


def answers_in(data: bytes, name: str) -> AnswersFile:
    """The answers for the next setup. Raises UsageProblem `answers-unreadable`."""
    from smartos_wizard.boot.answers_json import parse_bytes

    parsed = parse_bytes(data)
    if not parsed.readable:
        raise UsageProblem("answers-unreadable", f"{tame(name, 200)} is no answers file that setup can read.", hint="`smartos-wizard answers check` says what is wrong.")  # fmt: skip
    return AnswersFile(name, hashlib.sha256(data).hexdigest(), dict(parsed.answers))


def prepared_in(data: bytes) -> Prepared:
    """The proven medium that a file speaks of. Raises UsageProblem `no-proof`."""
    return prepared_of(data.decode("utf-8", "replace"))
