"""Reads the JSON of an answers file as setup's `json` does, and remembers where each key stands.

Python's json tells the place of a syntax error but not of keys and values, and lets the last of two equal keys
win in silence; the few libraries that keep places were given up or drop the double keys as well. So the outer
object is walked here with the standard library's own scanner. What setup's tool accepts was tried with the same
tool (npm: json). Imports only findings; never quotes the file, because there is a password in it.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from json.decoder import scanstring  # type: ignore[attr-defined]  # public by use, absent from the stubs
from typing import Any

from smartos_wizard.boot.answers_finding import Finding, error, warning
from smartos_wizard.boot.answers_syntax import explain
from smartos_wizard.core.text import tame

IGNORED = "Setup would pass over the whole file and ask everything."
_BLANK = " \t\r\n"
_EXACT = 2**53
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key stands: line and column in characters, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """An answers file as read. `answers` holds text as setup would get it, in the order of the file.

    `places` tells where each key (its last mention) stands. `findings` are about the JSON itself. `readable` is
    False where setup would pass over the whole file.
    """

    answers: dict[str, str]
    places: dict[str, Place]
    findings: tuple[Finding, ...]
    readable: bool = True

    def placed(self, finding: Finding) -> Finding:
        """The finding with the place of its key, where it has none yet and the key is in the file."""
        place = self.places.get(finding.key)
        if finding.line is not None or place is None:
            return finding
        return replace(finding, line=place.line, column=place.column)


class _Number(str):
    """A JSON number, kept as it is written: converting would round, and very long ones are refused."""

    __slots__ = ()


class _Constant(ValueError):
    """NaN or Infinity, which Python reads and JSON does not have."""


def parse_bytes(data: bytes) -> Parsed:
    """The answers in the bytes of a file; says so where they are no UTF-8 or begin with a byte order mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or (b"\0" in data[:64] and b"{" in data[:64]):
        return _unreadable(
            "not-utf-8", "The file is UTF-16. Save it as UTF-8, without a byte order mark.", 1, 1
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        before = data[: problem.start].decode("utf-8")
        said = f"Byte 0x{data[problem.start]:02x} is no UTF-8. Setup would read another character there."
        place = _place(before, len(before))
        return _unreadable(
            "not-utf-8", f"{said} Save the file as UTF-8.", place.line, place.column, ignored=False
        )
    return parse_answers(text)


def parse_answers(text: str) -> Parsed:
    """The answers in the text of a file. Never raises: what is wrong is in `findings`."""
    if text.startswith("\ufeff"):
        said = "The file begins with a byte order mark, which setup cannot read. Save it as plain UTF-8."
        return _unreadable("byte-order-mark", said, 1, 1)
    if not text.strip(_BLANK):
        return _unreadable("empty-file", "The file is empty.", 1, 1)
    try:
        found = _decoder().decode(text)
    except json.JSONDecodeError as problem:
        said, at = explain(text, problem.pos, problem.msg)
        place = _place(text, at)
        return _unreadable("bad-json", said, place.line, place.column)
    except RecursionError:
        return _unreadable("bad-json", "The brackets are nested too deep to be an answers file.", 1, 1)
    except _Constant as problem:
        bare = _STRING.sub(lambda match: "." * len(match[0]), text)
        place = _place(text, max(bare.find(str(problem)), 0))
        return _unreadable("bad-json", f"JSON has no {problem}.", place.line, place.column)
    if not isinstance(found, dict):
        place = _place(text, len(text) - len(text.lstrip(_BLANK)))
        said = (
            'The file has to be one object, { "key": "value", ... }; setup finds no answer in anything else.'
        )
        return _unreadable("not-an-object", said, place.line, place.column, ignored=False)
    return _read(text)


def _read(text: str) -> Parsed:
    answers: dict[str, str] = {}
    places: dict[str, Place] = {}
    findings: list[Finding] = []
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for key, value, at in _members(text):
        line = bisect_right(starts, at)
        place = Place(line, at - starts[line - 1] + 1)
        if key in places:
            said = f"{tame(key)} stands in line {places[key].line} already; setup takes this last one."
            findings.append(replace(warning(key, "double-key", said), line=place.line, column=place.column))
            answers.pop(key, None)
        places[key] = place
        read, finding = _as_text(key, value)
        if read is not None:
            answers[key] = read
        if finding is not None:
            findings.append(replace(finding, line=place.line, column=place.column))
    return Parsed(answers, places, tuple(findings))


def _members(text: str) -> Iterator[tuple[str, Any, int]]:
    """Keys, values and the offset of each key of the outer object; `text` is known to be good JSON."""
    decoder = _decoder()
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, after = scanstring(text, at + 1, True)
        value, end = decoder.raw_decode(text, _skip(text, _skip(text, after) + 1))
        yield key, value, at
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _as_text(key: str, value: Any) -> tuple[str | None, Finding | None]:
    """What setup gets for a JSON value, and what there is to say about that."""
    match value:
        case _Number():
            said = f"{tame(key)} is a number. Put it in quotes, so that setup gets it as it stands."
            plain = value.lstrip("-").isdigit() and abs(int(value[:20])) <= _EXACT
            return str(value), (warning if plain else error)(key, "number-value", said)
        case str():
            return value, None
        case bool():
            return ("true" if value else "false"), None
        case None:
            said = f"{tame(key)} is null, which is no answer. Give a text in quotes or leave the key out."
            return None, error(key, "null-value", said)
        case _:
            said = f"{tame(key)} is a list or an object. Setup wants one text in quotes."
            return None, error(key, "nested-value", said)


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_no_constant)


def _no_constant(word: str) -> Any:
    raise _Constant(word)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _place(text: str, at: int) -> Place:
    start = text.rfind("\n", 0, at) + 1
    return Place(text.count("\n", 0, at) + 1, at - start + 1)


def _unreadable(reference: str, text: str, line: int, column: int, *, ignored: bool = True) -> Parsed:
    said = f"{text} {IGNORED}" if ignored else text
    finding = replace(error("", reference, said), line=line, column=column)
    return Parsed({}, {}, (finding,), readable=False)
