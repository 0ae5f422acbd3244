"""The marked block that this program keeps in a user's `boot/loader.conf.local`, and what is the user's around it.

Pure text; knows nothing of settings. The marks are comments to the loader (illumos: loader.conf(5)).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from smartos_wizard.core.errors import Refused

BEGIN = "# >>> written by SmartOS Wizard: change it there, or remove this block"
END = "# <<< written by SmartOS Wizard"
_FILES = "# files:"
_NO_NEWLINE = "# the line above this block had no end of line"


def with_block(text: str, lines: Sequence[str], files: Sequence[str] = ()) -> str:
    """`text` with one block at its end that holds these lines and notes these files; with neither, without a block.

    Raises Refused `broken-block` where a block begins and never ends, so that nobody could say what is whose.
    """
    own, _, whole = _parts(text)
    if not whole:
        raise Refused(
            "broken-block",
            "The settings of the wizard in this file have a beginning and no end; nothing was changed.",
            hint=f"Remove the line “{BEGIN}”, and below it what you do not want.",
        )
    inside = [f"{_FILES} {'|'.join(sorted(files))}"] if files else []
    inside += lines
    if not inside:
        return own
    if own and not own.endswith("\n"):
        own += "\n"
        inside.insert(0, _NO_NEWLINE)
    return "\n".join([own + BEGIN, *inside, END, ""])


def _parts(text: str) -> tuple[str, str, bool]:
    """The user's own part, byte for byte; our lines without marks; whether every block that begins also ends.

    Where one does not end, everything from its beginning counts as the user's. A file that was saved with Windows
    line ends still holds our block.
    """
    own: list[str] = []
    ours: list[str] = []
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    marks = [each.rstrip("\r\n") for each in lines]
    at = 0
    while at < len(lines):
        if marks[at] != BEGIN:
            own.append(lines[at])
            at += 1
            continue
        end = next((i for i in range(at + 1, len(lines)) if marks[i] in (BEGIN, END)), None)
        if end is None or marks[end] == BEGIN:
            return "".join([*own, *lines[at:]]), "".join(ours), False
        ours += lines[at + 1 : end]
        if _NO_NEWLINE in marks[at + 1 : end] and end + 1 == len(lines) and own:
            own[-1] = own[-1].removesuffix("\n")
        at = end + 1
    return "".join(own), "".join(ours), True


def without_block(text: str) -> str:
    """The user's own part of the file, byte for byte."""
    return _parts(text)[0]


def block_of(text: str) -> str:
    """Our block without its marks; empty where there is none."""
    return _parts(text)[1]


def files_of(text: str) -> tuple[str, ...]:
    """The files our block says it put on the medium."""
    for each in block_of(text).split("\n"):
        if each.startswith(_FILES):
            return tuple(each.removeprefix(_FILES).strip().split("|"))
    return ()
