"""Files that the `reinstall` commands take: a survey, answers for setup, the proof of a medium; and lines they say."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from smartos_wizard.cli.output import say
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame

if TYPE_CHECKING:
    from smartos_wizard.reinstall.choices import AnswersFile, Prepared
    from smartos_wizard.reinstall.model import Stop, Survey

_WIDEST = 100


def survey_from(path: str) -> Survey:
    """The survey in a file: as `reinstall survey --save` wrote it, or what the script printed (- for stdin).

    Raises UsageProblem `no-such-file`, `unreadable-file`, `not-a-survey`, `no-answers`.
    """
    from smartos_wizard.reinstall.from_files import survey_in

    return survey_in(_bytes(path), path)


def answers_from(path: str) -> AnswersFile | None:
    """The answers file for the next setup; None where none was named. Raises UsageProblem."""
    from smartos_wizard.reinstall.from_files import answers_in

    return answers_in(_bytes(path), path) if path else None


def prepared_from(path: str) -> Prepared | None:
    """The proven medium that a file speaks of; None where none was named. Raises UsageProblem."""
    from smartos_wizard.reinstall.from_files import prepared_in

    return prepared_in(_bytes(path)) if path else None


def _bytes(path: str) -> bytes:
    from smartos_wizard.reinstall.from_files import LIMIT, file_bytes

    if path != "-":
        return file_bytes(path)
    try:
        return sys.stdin.buffer.read(LIMIT + 1)
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
