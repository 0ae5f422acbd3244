"""Words of the screens about one key: the rows of its list, root's password."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import pairwise

from textual.content import Content

from smartos_wizard.core.plan import Step
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.keys_desk import Password

_SIGNS = {"+": "$success", "-": "$error", " ": "$dim"}


def entry(name: str, words: str) -> Content:
    """A row of that list."""
    return Content.assemble("  ", (f"{name:<29}", "bold"), (words, "$dim"))


def about_to_show() -> Asking:
    """The question before a password is on the screen."""
    words = (
        "The password that is built into the release on this key is read from it and shown on the screen. "
        "Whoever sees the screen can read it. It is kept nowhere."
    )
    return Asking("Show root's password?", words, (("no", "No"), ("show", "Show it")))


def password_words(found: Password, width: int = 66) -> Content:
    """The password, where it was read, and which of root's counts when; wrapped to `width`."""
    of = f"release {found.stamp}" if found.stamp else "this release"
    parts = [
        Content.assemble(f"Built into {of}:   ", (found.word, "bold $accent")),
        *(
            Content.assemble((line, "$dim"))
            for line in textwrap.wrap(f"Read from {found.place}; not verified.", width)
        ),
        Content.assemble(("\nWhich of root's passwords counts", "bold")),
    ]
    for rule in found.rules:
        parts += [Content(line) for line in textwrap.wrap(f"{rule.when}:", width)]
        words = textwrap.wrap(rule.password, width, initial_indent="   ", subsequent_indent="   ")
        parts += [Content.assemble((line, "$dim")) for line in words]
    return Content("\n").join(parts)


def difference(step: Step, width: int) -> Iterator[Content]:
    """The details of a step that changes files: a heading for each file, then its lines with their signs coloured."""
    room = max(20, width - 4)
    heads = dict(_heads(step.details))
    begun = False
    for line, after in zip(step.details, (*step.details[1:], ""), strict=True):
        if line in heads.values() or (line.startswith("+++ ") and not begun):
            continue  # it stands above its lines already
        if line.startswith("--- ") and after.startswith("+++ "):
            begun = False
            yield Content.assemble(("\n" + heads[_path(line, after)], "bold"))
        elif line.startswith("@@"):
            if begun:
                yield Content.assemble(("    …", "$dim"))
            begun = True
        elif line[:1] in _SIGNS and begun:
            shown = line if len(line) <= room else line[: room - 1] + "…"
            yield Content.assemble("    ", (shown, _SIGNS[line[0]]))
        else:
            yield from (Content.assemble((part, "bold")) for part in textwrap.wrap(line, width))


def _heads(details: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Path and heading of each file whose lines are shown."""
    for line, after in pairwise(details):
        if line.startswith("--- ") and after.startswith("+++ "):
            path = _path(line, after)
            told = (d for d in details if d.startswith(f"{path}: ") or d == f"takes away {path}")
            yield path, next(told, path)


def _path(before: str, after: str) -> str:
    """The path that the two names of a difference mean."""
    name = before[4:] if after == "+++ /dev/null" else after[4:]
    return name.partition("/")[2]
