"""Carries out a build: each release whole under another name before it takes its own, scripts last, then the proof."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused, WizardError, WriteFailed
from smartos_wizard.core.events import Advanced, Event
from smartos_wizard.core.files import replace_file, sync_directory
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.core.vault import Vault
from smartos_wizard.media.as_json import image_from_json
from smartos_wizard.media.watching import in_thread
from smartos_wizard.netboot.check_steps import check_local
from smartos_wizard.netboot.model import RELEASES, Held
from smartos_wizard.netboot.ports import NetbootWorld
from smartos_wizard.netboot.scripts import scripts_for
from smartos_wizard.netboot.tree import Tree, Wishes, read_tree
from smartos_wizard.netboot.unpacking import Watch, unpack
from smartos_wizard.releases.download import DOWNLOAD_ACTIONS
from smartos_wizard.releases.names import is_stamp

_MARGIN = 64 << 20
_EXCHANGE = 2  # linux/fs.h: RENAME_EXCHANGE
_HERE = -100  # linux/fcntl.h: AT_FDCWD


def _tree(run: Run[NetbootWorld]) -> Tree:
    """The tree as it is now, held against other builds until the end of the run."""
    found: Tree | None = run.found.get("tree")
    if found is not None:
        return found
    root = Path(run.plan.params["root"])
    try:
        root.mkdir(parents=True, exist_ok=True)
        stack = ExitStack()
        stack.enter_context(Tree(root).held())
    except OSError as error:
        raise _cannot(error, root) from error
    run.on_end.append(stack.close)
    run.on_end.append(lambda: _tidy(run))
    _sweep(root)
    tree = read_tree(root)
    run.found["tree"] = tree
    return tree


def _sweep(root: Path) -> None:
    """Take away what a build that was killed left unfinished; what it had set aside in mid-exchange comes back."""
    for left in (root / RELEASES).glob(".*.*"):
        stamp, _, kind = left.name[1:].rpartition(".")
        if not is_stamp(stamp) or kind not in ("new", "old", "gone"):
            continue
        if kind == "old" and not (root / RELEASES / stamp).exists():
            left.rename(root / RELEASES / stamp)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _room(run: Run[NetbootWorld], step: Step) -> Work:
    tree = _tree(run)
    _require_room(tree.root, int(step.params["known"]))
    yield from ()
    return {"free": shutil.disk_usage(tree.root).free}


def _require_room(root: Path, needed: int) -> None:
    free = shutil.disk_usage(root).free
    if needed + _MARGIN > free:
        raise Refused(
            "no-space",
            f"There is not enough room in {root}: {text.size(needed)} are needed, {text.size(free)} are free. "
            "Nothing was changed.",
            context=str(root), hint="Make room, or choose another directory.", needed=needed, free=free,
        )  # fmt: skip


def _unpack(run: Run[NetbootWorld], step: Step) -> Work:
    tree, stamp = _tree(run), str(step.params["stamp"])
    image = image_from_json(step.params["image"])
    tree.require_ours((), (stamp,))
    try:
        whole = image.path.stat().st_size
    except OSError as error:
        raise Refused("image-missing", f"{image.path} is gone.", context=str(image.path)) from error
    _require_room(tree.root, whole)
    new = tree.root / RELEASES / f".{stamp}.new"
    shutil.rmtree(new, ignore_errors=True)
    run.found.setdefault("staged", []).append(new)
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done = count

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, done, whole)

    watch = Watch(told, run.cancel.check)
    try:
        new.mkdir(parents=True)
        held = yield from in_thread(run, lambda: unpack(image, new, stamp, watch), tick, lambda: False)
        was = tree.releases.get(stamp)
        _put(new, tree.root / RELEASES / stamp)
    except OSError as error:
        raise _cannot(error, new) from error
    run.found.setdefault("put", {})[stamp] = was
    _note(run, replace(tree, releases={**tree.releases, stamp: held}))
    run.state = lambda: "Stopped; the tree is as it was."
    return {"stamp": stamp, "bytes": held.size}


def _put(new: Path, to: Path) -> None:
    """`new` under its name at once; what had that name is where `new` was."""
    if to.exists():
        exchange(new, to)
    else:
        new.rename(to)
    sync_directory(to.parent)


def exchange(one: Path, other: Path) -> None:
    """Let two directories change names, at once where the file system can (renameat2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        names = (os.fsencode(one), os.fsencode(other))
        if libc.renameat2(_HERE, names[0], _HERE, names[1], _EXCHANGE) == 0:
            return
    aside = other.with_name(f".{other.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    other.rename(aside)
    one.rename(other)
    aside.rename(one)


def _back(run: Run[NetbootWorld], step: Step) -> Work:
    """Undo: the release that was there comes back, or none."""
    stamp = str(step.params["stamp"])
    put: dict[str, Held | None] = run.found.get("put", {})
    if stamp not in put:
        return None
    tree: Tree = run.found["tree"]
    place = tree.root / RELEASES / stamp
    was = put[stamp]
    releases = {name: held for name, held in tree.releases.items() if name != stamp}
    if was is not None:
        exchange(tree.root / RELEASES / f".{stamp}.new", place)
        releases[stamp] = was
    else:
        place.rename(tree.root / RELEASES / f".{stamp}.new")
    _note(run, replace(tree, releases=releases))
    yield from ()
    return None


def _scripts(run: Run[NetbootWorld], _step: Step) -> Work:
    tree = _tree(run)
    after = tuple(run.plan.params["after"])
    missing = [stamp for stamp in after if not tree.is_there(stamp)]
    if missing:
        raise Refused(
            "changed-meanwhile", f"{missing[0]} is not whole in {tree.root} any more. Its scripts are as they were.",
            context=str(tree.root), hint=f"Give the command again with --release {missing[0]}.",
        )  # fmt: skip
    wishes = Wishes.unpack(Vault(run.world.paths).get(run.plan.params["wishes"]))
    new = scripts_for(after, wishes)
    tree.require_ours(tuple(new), ())
    old = {path: (tree.root / path).read_bytes() for path in tree.scripts if (tree.root / path).is_file()}
    run.found["before"] = (old, tree)
    sums: dict[str, str] = {**tree.scripts, **{path: _sum(data) for path, data in new.items()}}
    try:
        _note(run, replace(tree, scripts=sums))  # first, so that nothing of ours is ever taken for another's
        for path in sorted(
            new, key=lambda p: p.endswith(".ipxe")
        ):  # what scripts name is there before they are
            replace_file(tree.root / path, new[path], 0o644)
        for path in [p for p in sums if p not in new]:
            _drop(tree.root, path)
        _note(run, replace(tree, scripts={p: _sum(d) for p, d in new.items()}, wishes=wishes))
    except OSError as error:
        raise _cannot(error, tree.root) from error
    yield from ()
    return {"files": len(new)}


def _scripts_back(run: Run[NetbootWorld], _step: Step) -> Work:
    if "before" not in run.found:
        return None
    old, was = run.found["before"]
    tree: Tree = run.found["tree"]
    for path in [p for p in tree.scripts if p not in old]:
        _drop(tree.root, path)
    for path, data in old.items():
        replace_file(tree.root / path, data, 0o644)
    _note(run, replace(tree, scripts=was.scripts, wishes=was.wishes))
    yield from ()
    return None


def _remove(run: Run[NetbootWorld], _step: Step) -> Work:
    tree = _tree(run)
    gone = tuple(run.plan.params["gone"])
    for stamp in gone:
        place, aside = tree.root / RELEASES / stamp, tree.root / RELEASES / f".{stamp}.gone"
        try:
            if place.exists():
                place.rename(aside)
            tree = replace(tree, releases={s: h for s, h in tree.releases.items() if s != stamp})
            _note(run, tree)
            run.found.setdefault("staged", []).append(aside)
        except OSError as error:
            raise _cannot(error, place) from error
    yield from ()
    return {"removed": list(gone)}


def _prove(run: Run[NetbootWorld], step: Step) -> Work:
    tree = _tree(run)
    report = yield from check_local(run, step, tree.root)
    report.require()
    after = list(run.plan.params["after"])
    run.result.clear()
    run.result |= {
        "root": str(tree.root),
        "releases": after,
        "machines": [m.mac for m in tree.wishes.machines],
    }
    run.result["say"] = [
        f"PROVEN. {tree.root} starts {', '.join(after)}; every file was read back and is right.",
        f"To serve it: smartos-wizard netboot serve {tree.root} --interface IF",
    ]
    return {"files": report.files, "bytes": report.bytes}


def _note(run: Run[NetbootWorld], tree: Tree) -> None:
    tree.save()
    run.found["tree"] = tree


def _tidy(run: Run[NetbootWorld]) -> None:
    for place in run.found.get("staged", []):
        shutil.rmtree(place, ignore_errors=True)
    tree: Tree | None = run.found.get("tree")
    if tree is not None and not tree.releases and not tree.scripts:
        _forget_empty(tree.root)


def _forget_empty(root: Path) -> None:
    """Nothing came of it: what was made to begin with goes again."""
    shutil.rmtree(Tree(root).own, ignore_errors=True)
    for place in (root / RELEASES, root):
        with suppress(OSError):  # not empty, or not there
            place.rmdir()


def _drop(root: Path, path: str) -> None:
    place = root / path
    place.unlink(missing_ok=True)
    for above in list(place.relative_to(root).parents)[:-1]:
        try:
            (root / above).rmdir()
        except OSError:
            return


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _cannot(error: OSError, where: Path) -> WizardError:
    return WriteFailed(
        "cannot-write", f"{where} cannot be written: {error.strerror or error}.", context=str(where),
        hint="Check its rights and the room on its disk.",
    )  # fmt: skip


BUILD_ACTIONS: Mapping[str, Action[Any]] = {
    **DOWNLOAD_ACTIONS,
    "netboot-room": Action(_room),
    "netboot-unpack": Action(_unpack, _back),
    "netboot-scripts": Action(_scripts, _scripts_back),
    "netboot-remove": Action(_remove),
    "netboot-prove": Action(_prove),
}
"""The code that runs plans of kind `netboot-build`."""
