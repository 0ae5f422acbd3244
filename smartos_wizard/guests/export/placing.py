"""Where an export is written: under another name until it is whole, and never over anything."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused, WriteFailed
from smartos_wizard.core.files import exclusive
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run
from smartos_wizard.guests.export.sources import NotPlain
from smartos_wizard.guests.ports import GuestWorld


def part_of(target: Path) -> Path:
    """Where an export lies until it is whole."""
    return target.with_name(f".{target.name}.part")


def claim(run: Run[GuestWorld], step: Step) -> Path:
    """Where to write; nobody else exports to the same place until this run ends. What a cut left there goes."""
    target = Path(step.params["target"])
    busy = Refused("export-busy", f"{target} is being written by another process of this program.")
    lock = f"export-{hashlib.sha256(os.fsencode(target)).hexdigest()[:24]}.lock"
    stack = contextlib.ExitStack()
    run.on_end.append(stack.close)
    stack.enter_context(exclusive(run.world.paths.state / "locks" / lock, busy))
    require_free(target)
    run.found["export-claimed"] = True
    run.state = lambda: (
        f"{target.name} was not written; what was begun is removed, and the guest is as it was."
    )
    remove_part(part_of(target))
    return part_of(target)


def remove_part(part: Path) -> None:
    """Remove what was begun. Raises OSError."""
    for path in (part, raw_of(part)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def raw_of(part: Path) -> Path:
    """Where a disk lies that `qemu-img` had to convert, while it is read."""
    return part.with_name(f"{part.name}.raw")


def require_free(target: Path) -> None:
    """Raise Refused `export-exists` where anything has that name, also a link to nowhere."""
    if os.path.lexists(target):
        raise Refused(
            "export-exists", f"{target} is there already; nothing is overwritten.", context=str(target),
            hint="Choose another name, or move it away.",
        )  # fmt: skip


def link_new(part: Path, target: Path) -> None:
    """Name a file without ever replacing one; where there are no links, look before."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        require_free(target)
        part.rename(target)
    else:
        part.unlink()


def new_file(path: Path) -> Any:
    """A new file for this user alone: a key may hold the hash of a password."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w+b")


def in_words(work: Callable[[], None], part: Path) -> None:
    """Do `work`; an OSError of it becomes WriteFailed, and so does a disk that is another than when it was planned."""
    try:
        work()
    except NotPlain as why:
        raise WriteFailed(
            "export-disk-changed", f"A disk changed since the export was planned: {why.message}.", hint="Export it again."
        ) from why  # fmt: skip
    except OSError as error:
        raise not_written(error, part) from error


def not_written(error: OSError, place: Path) -> WriteFailed:
    """`export-not-written`, with what the system said."""
    return WriteFailed(
        "export-not-written", f"The export cannot be written: {error.strerror or error}.", context=str(place),
        hint="Is there room, and does that file system take files of this size?",
    )  # fmt: skip
