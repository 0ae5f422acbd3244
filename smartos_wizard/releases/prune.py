"""Plans and runs the removal of old downloads. Nothing outside the store is ever touched.

A downloaded release can be fetched again, unless its mirror is gone: so this destroys, and is confirmed by
the word `prune`. Imports core only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Noted
from smartos_wizard.core.files import is_locked
from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.releases import names
from smartos_wizard.releases.ports import ReleaseWorld
from smartos_wizard.releases.store import Store

TOKEN = "prune"
"""What must be typed to confirm."""


@dataclass(frozen=True, slots=True)
class OldFile:
    """A file of the store; size in bytes."""

    path: Path
    stamp: str
    size: int


def files_of(store: Store) -> tuple[OldFile, ...]:
    """Every regular file in the store's release directories, newest release first. Links are passed over."""
    if not store.root.is_dir():
        return ()
    found = []
    for directory in sorted(store.root.iterdir(), reverse=True):
        if directory.is_symlink() or not directory.is_dir() or not names.is_stamp(directory.name):
            continue
        for path in sorted(directory.iterdir()):
            if path.is_file() and not path.is_symlink():
                found.append(OldFile(path, directory.name, path.stat().st_size))
    return tuple(found)


def plan_prune(store: Store, keep: int, used: Collection[Path] = ()) -> Plan:
    """The plan to remove the files of all but the `keep` newest stored releases, each file a step.

    A file that is being downloaded just now is left alone, and so are those in `used`: a guest starts from them.
    """
    files = files_of(store)
    kept = set(sorted({f.stamp for f in files}, reverse=True)[: max(0, keep)])
    old = [f for f in files if f.stamp not in kept and f.path not in used and not _in_use(f.path)]
    steps = tuple(
        Step(
            f"remove-{number}",
            "release-remove",
            f"Remove {file.path.name} ({text.size(file.size)})",
            Effect.DESTROYS,
            details=(str(file.path),),
            undo=f"smartos-wizard release download {file.stamp}",
            by_hand=f"rm '{file.path}'",
            params={"path": str(file.path), "size": file.size},
        )
        for number, file in enumerate(old, 1)
    )
    total = sum(f.size for f in old)
    title = f"Remove {len(old)} downloaded files, {text.size(total)}" if old else "Nothing to remove"
    untouched = (
        *(f"downloads of {stamp}" for stamp in sorted(kept, reverse=True)),
        *(
            f"{f.path.name}, from which a guest starts"
            for f in files
            if f.path in used and f.stamp not in kept
        ),
        "everything outside the store",
    )
    confirmation = Confirmation("To remove these downloads, say", (TOKEN,)) if old else None
    return Plan("release-prune", title, steps, untouched, confirmation, params={"bytes": total, "keep": keep})


def _in_use(path: Path) -> bool:
    """Whether a living process downloads into it."""
    part = path if path.name.endswith(".part") else path.with_name(path.name.removesuffix(".json"))
    return part.name.endswith(".part") and is_locked(part)


def _remove(run: Run[ReleaseWorld], step: Step) -> Work:
    store = Store(run.world.paths.store)
    path, size = Path(step.params["path"]), int(step.params["size"])
    inside = not path.is_symlink() and path.parent.resolve().parent == store.root.resolve()
    if not inside or not names.is_stamp(path.parent.name):
        raise Refused("outside-store", "This file is not one of the downloads kept here.", context=str(path))
    if not path.exists():
        yield Noted(run.clock(), step.id, f"{path.name} is gone already.")
        return {"path": str(path), "freed": 0}
    if path.stat().st_size != size or _in_use(path):
        raise Refused(
            "file-changed", "The file changed since this was planned; it is kept.", context=str(path)
        )
    store.forget(path)
    path.unlink()
    with contextlib.suppress(OSError):  # other files are still in it
        path.parent.rmdir()
    run.result["removed"] = [*run.result.get("removed", []), str(path)]
    run.result["freed"] = run.result.get("freed", 0) + size
    run.result["say"] = [
        f"{len(run.result['removed'])} files removed, {text.size(run.result['freed'])} freed"
    ]
    return {"path": str(path), "freed": size}


PRUNE_ACTIONS: Mapping[str, Action[ReleaseWorld]] = {"release-remove": Action(_remove)}
"""The code that runs plans of kind `release-prune`."""
