"""Reads the checksum lists of a release.

A line is `HASH filename` with one space (smartos-live: tools/generate-sums); two spaces, the ` *` of
binary mode and CRLF are accepted too. Imports the model only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LISTS = {"sha256": "sha256sums.txt", "md5": "md5sums.txt"}
"""Algorithm and the name of its list, best first. sha256 is published since August 2025 (OS-8679)."""

_LENGTH = {"sha256": 64, "md5": 32}
_LINE = re.compile(r"^([0-9A-Fa-f]+)(?: \*|[ \t]{1,2})(\S.*)$")


@dataclass(frozen=True, slots=True)
class Sums:
    """A checksum list: digest by exact file name, and every line that is none."""

    algorithm: str
    digests: dict[str, str] = field(default_factory=dict)
    broken: tuple[str, ...] = ()

    @property
    def malformed(self) -> bool:
        """Whether nothing in it is a checksum line: an error page, an empty file, another algorithm."""
        return not self.digests

    def spoils(self, name: str) -> bool:
        """Whether a broken line seems to speak of `name`, so that its digest cannot be trusted."""
        return any(line.split()[-1:] == [name] for line in self.broken)


def parse_sums(text: str, algorithm: str) -> Sums:
    """The list in `text`. Never raises: lines that make no sense, or contradict another, are `broken`."""
    digests: dict[str, str] = {}
    broken: list[str] = []
    for raw in text.replace("\r\n", "\n").split("\n"):
        line = raw.strip("\r\n\ufeff")
        if not line.strip():
            continue
        match = _LINE.match(line.rstrip())
        well_formed = match is not None and len(match[1]) == _LENGTH[algorithm]
        if (
            match is None
            or not well_formed
            or digests.setdefault(match[2], match[1].lower()) != match[1].lower()
        ):
            broken.append(line)
    return Sums(algorithm, digests, tuple(broken))
