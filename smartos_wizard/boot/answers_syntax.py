"""What is wrong with bad JSON, in words for somebody who does not write JSON every day. Pure; imports nothing."""

from __future__ import annotations

import re

_BLANK = " \t\r\n"
_AT_THE_CHARACTER = {
    "'": "JSON wants double quotes, not single ones.",
    "/": "JSON has no comments.",
    "#": "JSON has no comments.",
    "“": "This is a typographic quote; JSON wants the plain double quote.",
    "”": "This is a typographic quote; JSON wants the plain double quote.",
    "„": "This is a typographic quote; JSON wants the plain double quote.",
    "=": "JSON wants a colon between key and value.",
    ";": "JSON wants a comma between two lines.",
}
_BY_MESSAGE = {
    "Unterminated string": "A quote is opened here and never closed.",
    "Invalid control character": "There is a line break or a tab within quotes. Write \\n or \\t, or close the quote.",
    "Invalid \\escape": "There is a single backslash. Write two: \\\\.",
    "Invalid \\uXXXX escape": "After \\u four digits or letters from a to f are needed.",
    "Extra data": "There is something after the closing bracket. An answers file is one object.",
    "Expecting ',' delimiter": "A comma is missing before this place.",
    "Expecting ':' delimiter": "A colon is missing between key and value.",
    "Expecting property name": "A key in double quotes is missing here.",
    "Expecting value": "A value is missing here, or it is not in double quotes.",
}


def explain(text: str, at: int, message: str) -> tuple[str, int]:
    """What is wrong and at which offset of `text`, from where Python's json stopped and what it said.

    Nothing of the text is quoted: a password may be next to the mistake.
    """
    if message.startswith(("Unterminated", "Invalid")):
        return _by_message(message), at
    at = min(_next(text, at), len(text))
    before = text[:at].rstrip(_BLANK)
    if at >= len(text) and not message.startswith("Extra data"):
        return "The file ends too early: a quote or a closing bracket is missing.", at
    if message.startswith("Illegal trailing comma") or (text[at] in "}]" and before.endswith(",")):
        comma = at if text[at] == "," else len(before) - 1
        return "There is a comma too many before the closing bracket.", comma
    if text[at].isdigit() and text[at - 1 : at] in ("0", "-"):
        return "A number must not begin with 0. Put it in quotes.", at
    if text[at] in _AT_THE_CHARACTER:
        return _AT_THE_CHARACTER[text[at]], at
    if message.startswith("Expecting property name") and text[at] == ",":
        return "There is a comma too many.", at
    if message.startswith("Expecting value") and re.match(r"(?i)(true|false|null|none)\b", text[at:]):
        return "true, false and null are written in small letters, without quotes.", at
    return _by_message(message), at


def _by_message(message: str) -> str:
    return next((said for start, said in _BY_MESSAGE.items() if message.startswith(start)), f"{message}.")


def _next(text: str, at: int) -> int:
    """The next character that is not blank, since the parsers of different Pythons stop before or after blanks."""
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at
