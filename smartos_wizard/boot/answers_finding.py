"""What the checker says of an answers file: findings, and the places where setup will stop. Pure nouns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ERROR, WARNING, INFO = "error", "warning", "info"
LEVELS = (ERROR, WARNING, INFO)
"""From worst to mildest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know of an answers file.

    `key` is empty where it concerns the whole file. `level` is `error` (setup would loop, fail, or not do what
    the file says), `warning` or `info`. `reference` is a kebab-case name that never changes. `line` and `column`
    count from 1, in characters, and are None where no file was read. `suggestion` is a key or value that would
    be right. No finding ever holds the value of a secret key.
    """

    key: str
    level: str
    reference: str
    text: str
    line: int | None = None
    column: int | None = None
    suggestion: str = ""

    def to_json(self) -> dict[str, Any]:
        """This finding as one flat object; places and suggestions only where there are any."""
        data: dict[str, Any] = {
            "key": self.key,
            "level": self.level,
            "reference": self.reference,
            "text": self.text,
        }
        if self.line is not None:
            data |= {"line": self.line, "column": self.column}
        if self.suggestion:
            data["suggestion"] = self.suggestion
        return data


@dataclass(frozen=True, slots=True)
class Stop:
    """A place where setup will stop and wait for a person.

    `text` completes "setup will stop and …". `maybe` is true where it depends on the machine or the network,
    `silent` where nothing on the screen says so.
    """

    key: str
    text: str
    maybe: bool = False
    silent: bool = False


def error(key: str, reference: str, text: str, suggestion: str = "") -> Finding:
    """A finding that must be put right."""
    return Finding(key, ERROR, reference, text, suggestion=suggestion)


def warning(key: str, reference: str, text: str, suggestion: str = "") -> Finding:
    """A finding that the user should think about."""
    return Finding(key, WARNING, reference, text, suggestion=suggestion)


def info(key: str, reference: str, text: str, suggestion: str = "") -> Finding:
    """A finding that is good to know."""
    return Finding(key, INFO, reference, text, suggestion=suggestion)
