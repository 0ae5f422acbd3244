"""Plans a tree: which releases come, which go, what is written beside them. Pure over facts already read."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step
from smartos_wizard.media.as_json import image_to_json
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.netboot.model import MACHINES, RELEASES
from smartos_wizard.netboot.scripts import has_password, scripts_for
from smartos_wizard.netboot.tree import Tree, Wishes

KIND = "netboot-build"


@dataclass(frozen=True, slots=True)
class Source:
    """A release to be put in: the file it comes from, the download that is needed first, its unpacked size if told."""

    stamp: str
    image: VerifiedImage
    download: Plan | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a build is asked for. `keep` is the number of releases afterwards (None: all), `again` unpacks what is there."""

    sources: tuple[Source, ...]
    wishes: Wishes
    secret: str
    keep: int | None = None
    again: bool = False


def plan_build(tree: Tree, asked: Asked) -> Plan:
    """The plan for the directory of `tree`; `asked.secret` names the wishes in the vault.

    Raises UsageProblem `no-release`, `same-release-twice`; Refused `not-ours`, `changed-by-hand`.
    """
    stamps = [source.stamp for source in asked.sources]
    if len(set(stamps)) != len(stamps):
        raise UsageProblem("same-release-twice", "The same release is asked for twice.", hint="Give it once.")
    new = [s for s in asked.sources if asked.again or not tree.is_there(s.stamp)]
    after = after_build(tree, tuple(stamps), asked.keep)
    gone = tuple(stamp for stamp in tree.stamps if stamp not in after)
    scripts = scripts_for(after, asked.wishes)
    tree.require_ours(tuple(scripts), tuple(s.stamp for s in new))
    steps = [*_downloads(new), *([_room(new)] if new else []), *(_unpack(tree.root, s, tree) for s in new)]
    steps += [_write(tree, scripts, asked)]
    steps += [_prove(tree.root)]
    steps += [_remove(tree.root, gone)] if gone else []
    return Plan(
        KIND, f"Build a netboot tree in {tree.root}", tuple(steps),
        untouched=("everything else in that directory", "every other directory of this machine"),
        confirmation=Confirmation("Releases leave the tree", gone) if gone else None,
        locks=(str(tree.root),),
        params={"root": str(tree.root), "wishes": asked.secret, "after": list(after), "gone": list(gone)},
    )  # fmt: skip


def after_build(tree: Tree, stamps: tuple[str, ...], keep: int | None) -> tuple[str, ...]:
    """The releases in the tree afterwards, newest first: those asked for, and the newest others up to `keep`."""
    others = [stamp for stamp in tree.stamps if stamp not in stamps]
    room = len(others) if keep is None else max(0, keep - len(stamps))
    return tuple(sorted({*stamps, *others[:room]}, reverse=True))


def _downloads(new: list[Source]) -> list[Step]:
    return [
        replace(step, id=f"{step.id}-{source.stamp}")
        for source in new
        if source.download is not None
        for step in source.download.steps
    ]


def _room(new: list[Source]) -> Step:
    known = sum(source.size or 0 for source in new)
    return Step(
        "room", "netboot-room", "whether there is room for it", Effect.READS,
        (f"at least {text.size(known)}",) if known else (), params={"known": known},
    )  # fmt: skip


def _unpack(root: Path, source: Source, tree: Tree) -> Step:
    where = root / RELEASES / source.stamp
    there = source.stamp in tree.releases
    image = source.image
    words = f"{image.algorithm} {image.digest[:4]}…{image.digest[-4:]}" if image.digest else "no checksum"
    by_hand = f"mkdir -p {shlex.quote(str(where))} && tar xzf {shlex.quote(str(image.path))} -C {shlex.quote(str(where))}"
    by_hand += f" && mv {shlex.quote(str(where))}/platform-{source.stamp} {shlex.quote(str(where))}/platform"
    return Step(
        f"unpack-{source.stamp}", "netboot-unpack", f"{source.stamp} as {where}", Effect.CHANGES if there else Effect.CREATES,
        (
            f"from {image.path.name}: {words}: {image.vouched_by or 'nobody vouches for it'}",
            "its boot archive against the SHA-1 beside it; whole and synced before it takes its name",
        ),
        undo="the one that was there comes back" if there else f"remove {where}",
        by_hand=by_hand, params={"stamp": source.stamp, "image": image_to_json(image)},
    )  # fmt: skip


def _write(tree: Tree, scripts: dict[str, bytes], asked: Asked) -> Step:
    machines = [m.mac.replace("-", ":") for m in asked.wishes.machines]
    details = [f"scripts for iPXE, PXELINUX and GRUB: {len(scripts)} files"]
    if machines:
        details.append(f"of their own: {', '.join(machines[:8])}{' and more' if len(machines) > 8 else ''}")
    if has_password(asked.wishes):
        details.append("A password or its hash is among them: whoever reaches the server can read it.")
    old = [
        path
        for path in tree.scripts
        if path not in scripts and path.startswith((f"{MACHINES}/", "pxelinux.cfg/", "all/"))
    ]
    if old:
        details.append(f"{len(old)} files of machines that are no longer named go")
    return Step(
        "scripts", "netboot-scripts", f"what machines are told, in {tree.root}",
        Effect.CHANGES if tree.scripts else Effect.CREATES, tuple(details), undo="the scripts of before come back",
    )  # fmt: skip


def _remove(root: Path, gone: tuple[str, ...]) -> Step:
    return Step(
        "remove", "netboot-remove", f"{', '.join(gone)} out of the tree", Effect.DESTROYS,
        ("Machines cannot start it from here any more; building it in again brings it back.",),
        by_hand="rm -r " + " ".join(shlex.quote(str(root / RELEASES / stamp)) for stamp in gone),
    )  # fmt: skip


def _prove(root: Path) -> Step:
    return Step(
        "prove", "netboot-prove", "every file that a script names back, and compares it with its hash", Effect.READS,
        by_hand=f"smartos-wizard netboot check {shlex.quote(str(root))}",
    )  # fmt: skip
