"""Keys that setup does not know: misspelt ones with what was meant, and others. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from smartos_wizard.boot.answers_finding import Finding, error, warning
from smartos_wizard.boot.answers_schema import ALIASES, BY_NAME
from smartos_wizard.core.text import tame


def meant(name: str) -> tuple[str, str]:
    """The key that a wrong name probably means and why; two empty texts where nothing is near."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    if plain in BY_NAME:
        return plain, "keys are compared letter by letter"
    if plain in ALIASES:
        return ALIASES[plain]
    near = difflib.get_close_matches(plain, BY_NAME, n=1, cutoff=0.8)
    return (near[0], "it looks like a slip of the pen") if near else ("", "")


def key_findings(names: Iterable[str]) -> Iterator[Finding]:
    """One finding for each key that setup would pass over. The values are never told: one may be a password."""
    given = tuple(names)
    for name in given:
        if name in BY_NAME:
            continue
        better, why = meant(name)
        if not better:
            yield warning(name, "unknown-key", f"Setup does not know {tame(name)} and passes over it.")
        elif better in given:
            yield warning(name, "unknown-key", f"Setup passes over {tame(name)}; {better} counts.", better)
        else:
            said = f"Setup passes over {tame(name)}: {why}. Write {better}."
            yield error(name, "misspelt-key", said, better)
