"""The log of a serial console, as text."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])"
)


def said_so_far(log: Path | None, most: int = 1 << 20) -> tuple[list[str], int]:
    """The last lines of a console's log without colours and cursor movements, and how many bytes come before them."""
    size = size_of(log)
    if log is None or not size:
        return [], 0
    start = line_start(log, max(0, size - most))
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(start)
        return plain_lines(file.read(most)), start
    return [], 0


def plain_lines(data: bytes) -> list[str]:
    """What a console said as lines of text: as on paper, with what was typed over taken back."""
    words = _ESCAPES.sub(b"", data).decode("utf-8", "replace").replace("\r\n", "\n")
    return [_typed_over(line) for line in words.split("\n")]


def _typed_over(line: str) -> str:
    if line.isprintable():
        return line
    shown: list[str] = []
    for piece in line.split("\r"):
        at = 0
        for char in piece:
            if char == "\b":
                at = max(0, at - 1)
            elif char == "\t":
                grown = at + 8 - at % 8
                shown += [" "] * (grown - len(shown))
                at = grown
            elif char.isprintable():
                shown[at : at + 1] = [char]
                at += 1
    return "".join(shown).rstrip()


def size_of(log: Path | None) -> int:
    """Bytes of a file; 0 where it is not there."""
    try:
        return log.stat().st_size if log is not None else 0
    except OSError:
        return 0


def line_start(log: Path, at: int) -> int:
    """The beginning of the first line at or after `at`, so that no colour or word is cut in two."""
    if at <= 0:
        return 0
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(at)
        found = file.read(4096).find(b"\n")
        return at + found + 1 if found >= 0 else at
    return at
