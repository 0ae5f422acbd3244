"""What the script printed, taken out of its frame. Strange input raises nothing: it makes gaps.

Imports nothing that connects or reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.model import Gap
from smartos_wizard.reinstall.probes import NAMES
from smartos_wizard.reinstall.script import FIRST, LAST

LIMIT = 64 << 20
"""Bytes of answers that are read; more is no survey."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question got: its output, what it complained of, and its exit status (None: the answer was cut off)."""

    lines: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()
    status: int | None = None

    @property
    def whole(self) -> bool:
        """Whether the answer came to its end and the command succeeded."""
        return self.status == 0

    @property
    def text(self) -> str:
        """The output as one text."""
        return "\n".join(self.lines)

    @property
    def first(self) -> str:
        """The first line that is not empty, without white space around it."""
        return next((line.strip() for line in self.lines if line.strip()), "")

    @property
    def why(self) -> str:
        """Why there is nothing to go by, in words."""
        if self.status is None:
            return "the answer is cut off"
        said = next((tame(line, 120) for line in self.complaints if line.strip()), "")
        return said or f"the command failed with status {self.status}"


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers by the name of the question. `framed`: the script's first line was there; `complete`: its last."""

    given: Mapping[str, Answer]
    framed: bool
    complete: bool

    def get(self, name: str) -> Answer | None:
        """The answer to that question, whole or not; None where it was not reached."""
        return self.given.get(name)

    def whole(self, name: str) -> Answer | None:
        """The answer where it can be gone by."""
        answer = self.given.get(name)
        return answer if answer is not None and answer.whole else None

    def gap(self, name: str) -> Gap:
        """Why that question has no answer."""
        answer = self.given.get(name)
        return Gap(name, "it was not asked" if answer is None else answer.why)


def read_answers(text: str) -> Answers:
    """Take the answers out of the text, wherever in it the script's first line stands."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    start = next((number for number, line in enumerate(lines) if line.strip() == FIRST), None)
    if start is None:
        return Answers({}, framed=False, complete=False)
    given: dict[str, Answer] = {}
    asked: list[str] = []
    complete = False
    for name, block in _blocks(lines[start + 1 :]):
        if name == LAST:
            complete = bool(block) and block[0] == str(len(asked))
            break
        asked.append(name)
        if name in NAMES and name not in given:
            given[name] = _answer(block)
    return Answers(given, framed=True, complete=complete)


def _blocks(lines: list[str]) -> list[tuple[str, list[str]]]:
    blocks: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("? "):
            blocks.append((line[2:].strip(), []))
        elif line.startswith(LAST + " "):
            blocks.append((LAST, [line[len(LAST) :].strip()]))
        elif blocks:
            blocks[-1][1].append(line)
    return blocks


def _answer(block: list[str]) -> Answer:
    output = [line[2:] for line in block if line.startswith("| ")]
    if output and not output[-1]:
        output.pop()  # the empty line with which the script ends every output
    complaints = [line[2:] for line in block if line.startswith("! ")]
    status = None
    for line in block:
        if re.fullmatch(r"= \d{1,3}", line, re.ASCII):
            status = int(line[2:])
    return Answer(tuple(output), tuple(complaints), status)
