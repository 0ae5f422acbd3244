"""What the `dualboot` commands are told: the Linux, the release, the way; and what that makes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smartos_wizard.cli.key_image import ImageChoice, choice_of, released, verified_file
from smartos_wizard.core.errors import PrivilegeFailed, UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.netboot.dualboot_draft import Draft
    from smartos_wizard.netboot.dualboot_model import Setup, Volume, Way
    from smartos_wizard.netboot.dualboot_ports import Linux
    from smartos_wizard.world import World

F = TypeVar("F", bound=Callable[..., Any])
EXAMPLE_STAMP = "20260101T000000Z"
"""Shown where no release is known yet."""

root_option = click.option("--root", default="", metavar="DIR", hidden=True, type=click.Path(file_okay=False),
                           help="Another Linux, whose root directory is mounted at DIR.")  # fmt: skip
confirm_option = click.option("--confirm", multiple=True, metavar="NAME", help="This machine's name, since the way it starts is changed.")  # fmt: skip


def way_options(function: F) -> F:
    """The options that say how GRUB comes to SmartOS."""
    options = (
        click.option("--way", type=click.Choice(["unpacked", "iso"]), default=None,
                     help="The platform's files (smaller, the default), or the ISO as it is."),
        click.option("--chainload", default="", metavar="UUID",
                     help="UEFI: start SmartOS' own loader from the partition with this file system UUID."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Made:
    """What the options make: the Linux, the draft, and where SmartOS comes from. `download` comes first where it is set."""

    linux: Linux
    setup: Setup
    draft: Draft
    volume: Volume
    image: VerifiedImage | None
    download: Plan | None
    choices: BootChoices
    known: bool


def make(
    world: World, root: str, source: dict[str, Any], way_word: str | None, uuid: str, choices: BootChoices, *, need: bool
) -> Made:  # fmt: skip
    """Put it together. `need` asks for a release; without, an example stands in for one that is not known.

    Raises UsageProblem for words that make no sense, and what looking for the release raises.
    """
    from smartos_wizard.netboot.dualboot_copy import sizes_of, stamp_of
    from smartos_wizard.netboot.dualboot_draft import draft, files_of, refuse_choices
    from smartos_wizard.netboot.dualboot_judging import home_for
    from smartos_wizard.netboot.dualboot_model import HOMES, Volume, Way
    from smartos_wizard.netboot.dualboot_planning import problems_of, refuse
    from smartos_wizard.netboot.dualboot_setup import read_setup

    refuse_choices(choices)
    linux = world.linux(root)
    setup = read_setup(linux)
    way = _way(way_word, uuid)
    if need:  # before a mirror is asked
        refuse(problems_of(setup, way, choices, None, uuid))
    download, image = None, None
    if way is Way.CHAINLOAD:
        _refuse_source(source)
    else:
        download, image, way = _source(world, source, way, asked=way_word is not None, need=need)
    known = image is not None or way is Way.CHAINLOAD
    stamp = (stamp_of(image) if image else EXAMPLE_STAMP) if way is not Way.CHAINLOAD else "loader"
    files = files_of(way, stamp, sizes_of(image, way, stamp)) if image else ()
    home = home_for(setup, sum(f.size for f in files) or None) or HOMES[0]
    volume = setup.volumes[HOMES.index(home)] or Volume("/", "", "")
    made = draft(way, home, volume, stamp, files, choices, uuid)
    return Made(linux, setup, made, volume, image, download, choices, known)


def _way(word: str | None, uuid: str) -> Way:
    import re

    from smartos_wizard.netboot.dualboot_model import Way

    if not uuid:
        return Way(word) if word else Way.UNPACKED
    if word:
        raise UsageProblem("two-ways", "--chainload and --way are two ways; say one.")
    if not re.fullmatch(r"[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}", uuid):
        raise UsageProblem(
            "bad-uuid",
            "The UUID of a FAT file system looks like 1A2B-3C4D.",
            hint="`lsblk -o NAME,LABEL,UUID` shows it.",
        )
    return Way.CHAINLOAD


def _refuse_source(source: dict[str, Any]) -> None:
    if any(source.values()):
        raise UsageProblem(
            "nothing-to-copy", "With --chainload nothing is copied: SmartOS is on that key or disk.",
            hint="Leave out --release and --image.",
        )  # fmt: skip


def _source(
    world: World, source: dict[str, Any], way: Way, *, asked: bool, need: bool
) -> tuple[Plan | None, VerifiedImage | None, Way]:
    from smartos_wizard.media.images import recognise
    from smartos_wizard.media.model import ImageKind
    from smartos_wizard.netboot.dualboot_model import Way

    kind = "iso" if way is Way.ISO else "platform"
    if not source["release"] and not source["image"]:
        if need:
            raise UsageProblem(
                "which-image", "Say either --release or --image.", hint="--release latest is a good start."
            )
        if any(source.values()):
            choice_of(**source)
        found = _newest_in_store(world, kind)
        return None, found, way
    choice: ImageChoice = choice_of(**source)
    if choice.release:
        download, image = released(choice, world, kind)
        return download, image, way
    facts = recognise(Path(choice.image))
    if facts.kind not in (ImageKind.ISO, ImageKind.PLATFORM):
        raise UsageProblem(
            "not-a-platform", f"{Path(choice.image).name} is neither a platform tarball nor an ISO: it looks like {facts.looks_like}.",
            hint="Give platform-*.tgz or smartos-*.iso of a release, or --release.", context=choice.image,
        )  # fmt: skip
    is_iso = facts.kind is ImageKind.ISO
    if is_iso and not asked:
        way = Way.ISO
    elif not is_iso and way is Way.ISO:
        raise UsageProblem(
            "not-an-iso",
            "--way iso takes an ISO.",
            hint="Leave it out, or give a smartos-*.iso.",
            context=choice.image,
        )
    return None, verified_file(choice, world, later=True, platform=not is_iso, iso=is_iso), way


def _newest_in_store(world: World, kind: str) -> VerifiedImage | None:
    from smartos_wizard.releases.model import ArtifactKind
    from smartos_wizard.releases.store import Store

    held = next((f for f in Store(world.paths.store).list() if f.artifact.kind is ArtifactKind(kind)), None)
    if held is None:
        return None
    return released(ImageChoice(held.artifact.stamp, "", "", "", "", False), world, kind)[1]


def require_rights(made: Made, world: World) -> None:
    """Raise PrivilegeFailed with the one command to give, where root's rights are needed and missing."""
    if made.linux.may_change():
        return
    raise PrivilegeFailed(
        "needs-root", "Changing how this machine starts needs root's rights. Nothing was changed.",
        hint=f"Give the same command as root: {root_command(made.image, world)}",
    )  # fmt: skip


def root_command(image: VerifiedImage | None, world: World) -> str:
    """The same command for root, who has another store: a file that is here already is named with its digest."""
    words = sys.argv[1:]
    if image is not None and image.path.is_file() and "--release" in " ".join(words):
        words = _without(words, ("--release", "--mirror"))
        if image.algorithm == "sha256":
            words += ["--image", str(image.path), "--sha256", image.digest]
        else:
            words += ["--image", str(image.path), "--sha256", _sha256(image, world)]
    program = Path(sys.argv[0])
    call = (
        [str(program.resolve())]
        if program.name == "smartos-wizard" and program.exists()
        else [sys.executable, "-m", "smartos_wizard"]
    )
    return "sudo " + shlex.join([*call, *words])


def _without(words: list[str], options: tuple[str, ...]) -> list[str]:
    found, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in options:
            skip = True
        elif not word.startswith(tuple(f"{o}=" for o in options)):
            found.append(word)
    return found


def _sha256(image: VerifiedImage, world: World) -> str:  # noqa: ARG001 - of a file that the store has verified by md5
    from smartos_wizard.media.verified import verify_now
    from smartos_wizard.releases.verify import digests_of

    verify_now(image)
    return digests_of(image.path)["sha256"]
