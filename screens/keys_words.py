"""Words of the screens about one key: the rows of its list, root's password."""

from __future__ import annotations

import textwrap

from textual.content import Content

from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.keys_desk import Password


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
