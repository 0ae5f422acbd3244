"""Answers as text: the file itself in one canonical form, and a form without secrets for people. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from smartos_wizard.boot.answers_schema import BY_NAME, KEYS, SECRETS

MASK = "••••"
HOW_TO_CHANGE = (
    "umount /etc/shadow",
    "cp /usbkey/shadow /etc/shadow",
    "passwd root",
    "cp /etc/shadow /usbkey/shadow",
    "rm -f /var/log/prompt-config.log",
)
"""How root's password is changed on SmartOS so that it stays (smartos-docs: changing-the-root-password-in-the-global-
zone), and how the trace of setup goes, in which the first one stands."""


def ordered(answers: Mapping[str, str]) -> dict[str, str]:
    """The answers in the order in which setup asks; keys setup does not know follow as they came."""
    known = {key.name: answers[key.name] for key in KEYS if key.name in answers}
    return known | {name: value for name, value in answers.items() if name not in BY_NAME}


def render(answers: Mapping[str, str]) -> str:
    """The answers file: keys in setup's order, two blanks of indent, ASCII only, a line end at the end.

    Every value is a text in quotes. Holds secrets: for files with mode 0600 only.
    """
    return json.dumps(ordered(answers), indent=2, ensure_ascii=True) + "\n"


def masked(answers: Mapping[str, str]) -> dict[str, str]:
    """The answers in setup's order with secrets replaced, for showing. Unknown keys are masked as well:

    one of them may be a misspelt root_password.
    """
    return {
        name: MASK if value and (name in SECRETS or name not in BY_NAME) else value
        for name, value in ordered(answers).items()
    }
