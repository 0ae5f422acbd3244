"""Keeps an answers file on this machine: mode 0600, whole or not at all, never over something else unasked."""

from __future__ import annotations

import os
from pathlib import Path

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.text import tame


def may_keep(out: str, *, force: bool) -> None:
    """Raise Refused where `out` is something else than a new file, or with `force` an ordinary one."""
    path = Path(out)
    shown = tame(out, 200)
    if not path.parent.is_dir():
        raise Refused(
            "no-directory", f"There is no directory {tame(str(path.parent), 200)}.", hint="Make it first."
        )
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_file():
        raise Refused("no-file", f"{shown} is not an ordinary file.", hint="Give another name.")
    if not force:
        raise Refused(
            "file-exists", f"{shown} is there already.", hint="Give another name, or --force to replace it."
        )


def keep(out: str, text: str) -> None:
    """Write the file with mode 0600; raises WizardError `answers-not-written`."""
    try:
        replace_file(Path(out), text.encode(), 0o600)
    except OSError as problem:
        raise WizardError(
            "answers-not-written",
            f"{tame(out, 200)} cannot be written: {problem.strerror or problem}.",
            hint="Check the rights of the directory and the space left.",
        ) from problem
