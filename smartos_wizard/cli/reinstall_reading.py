"""Files that the `reinstall` commands take: a survey, answers for setup, the proof of a medium; and lines they say."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.cli.output import say
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame

if TYPE_CHECKING:
    from smartos_wizard.reinstall.choices import AnswersFile, Prepared
    from smartos_wizard.reinstall.model import Stop, Survey

_LIMIT = 64 << 20
_WIDEST = 100


def survey_from(path: str) -> Survey:
    """The survey in a file: as `reinstall survey --save` wrote it, or what the script printed (- for stdin).

    Raises UsageProblem `no-such-file`, `unreadable-file`, `not-a-survey`, `no-answers`.
    """
    from smartos_wizard.reinstall.as_json import survey_from_json
    from smartos_wizard.reinstall.survey import from_answers, read_file_text

    text = read_file_text(_bytes(path))
    if not text.lstrip().startswith("{"):
        return from_answers(text)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageProblem("not-a-survey", f"{tame(path, 200)} is no survey.", hint="`reinstall survey HOST --save FILE` makes one.") from None  # fmt: skip
    return survey_from_json(data)


def answers_from(path: str) -> AnswersFile | None:
    """The answers file for the next setup; None where none was named. Raises UsageProblem."""
    if not path:
        return None
    from smartos_wizard.boot.answers_json import parse_bytes
    from smartos_wizard.reinstall.choices import AnswersFile

    data = _bytes(path)
    parsed = parse_bytes(data)
    if not parsed.readable:
        raise UsageProblem("answers-unreadable", f"{tame(path, 200)} is no answers file that setup can read.", hint="`smartos-wizard answers check` says what is wrong.")  # fmt: skip
    return AnswersFile(path, hashlib.sha256(data).hexdigest(), dict(parsed.answers))


def prepared_from(path: str) -> Prepared | None:
    """The proven medium that a file speaks of; None where none was named. Raises UsageProblem."""
    if not path:
        return None
    from smartos_wizard.reinstall.choices import prepared_of

    return prepared_of(_bytes(path).decode("utf-8", "replace"))


def _bytes(path: str) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read(_LIMIT + 1)
        if not Path(path).is_file():
            raise UsageProblem("no-such-file", f"There is no file {tame(path, 255)}.")
        with Path(path).open("rb") as stream:
            return stream.read(_LIMIT + 1)
    except OSError as error:
        raise UsageProblem("unreadable-file", f"{tame(path, 255)}: {error.strerror}") from error


def width() -> int:
    """How wide to write."""
    return max(40, min(_WIDEST, shutil.get_terminal_size((80, 24)).columns))


def paragraph(text: str, head: str = "", *, ascii_only: bool = False) -> None:
    """A text in lines, the later ones below the first word after `head`."""
    indent = " " * len(head)
    for line in textwrap.wrap(text, width(), initial_indent=head, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False):  # fmt: skip
        say(plain(line) if ascii_only else line)


def plain(line: str) -> str:
    """The line in ASCII."""
    return line.translate({ord("“"): '"', ord("”"): '"', ord("…"): "..."}).encode("ascii", "replace").decode()


def show_stops(stops: Iterable[Stop], *, ascii_only: bool = False) -> None:
    """Stops, consents and notes, each with what to do."""
    for stop in stops:
        head = {"stop": "STOP     ", "consent": "agree?   ", "note": "note     "}[stop.level]
        paragraph(f"{stop.text} ({stop.reference})", head, ascii_only=ascii_only)
        if stop.hint:
            paragraph(stop.hint, " " * 9, ascii_only=ascii_only)
        if stop.token:
            say(f"{' ' * 9}--consent {quoted(stop.token)}")


def quoted(token: str) -> str:
    """A token as it is typed in a shell."""
    import shlex

    return shlex.quote(token)
