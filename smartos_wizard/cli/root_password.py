"""What `--root-password` of `release show` and `key show` finds and says. The password goes to stdout only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.boot.passwords import Shadow, explanation, rules
from smartos_wizard.cli.output import emit, say, tell
from smartos_wizard.core import text
from smartos_wizard.core.errors import ChecksumFailed, NetworkFailed, Refused, UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.media.images import ImageFacts
    from smartos_wizard.media.password_file import RootPassword
    from smartos_wizard.releases.mirror import Mirror
    from smartos_wizard.releases.model import Artifact, Release
    from smartos_wizard.world import World

root_password_option = click.option(
    "--root-password", is_flag=True, help="The password built into the release, and which of root's counts when."
)  # fmt: skip

_LOADER_SINCE = "20190410"
_LARGE = 64 << 20


def to_json(found: RootPassword, shadow: Shadow, *, grub: bool) -> dict[str, Any]:
    """The keys `--root-password` adds to a document."""
    return {
        "root_password": found.word,
        "root_password_from": {
            "path": found.medium,
            "member": found.member,
            "stamp": found.stamp,
            "verified": found.proof or None,
        },
        "root_password_rules": [rule.to_json() for rule in rules(shadow, grub=grub)],
    }


def show(found: RootPassword, shadow: Shadow, *, grub: bool) -> None:
    """The same for a person, on stdout."""
    of = f"release {found.stamp}" if found.stamp else "this release"
    say(f"root's password built into {of}: {found.word}")
    inside = f"{found.member} in {found.medium}" if found.member else found.medium
    proof = f", verified by {found.proof}" if found.proof else ", which was not verified"
    say(f"  read from {text.tame(inside, 400)}{proof}")
    say()
    for line in explanation(shadow, grub=grub):
        say(line)


def is_grub(stamp: str) -> bool:
    """Whether keys of that release start by GRUB (smartos-live: tools/build_iso until 2019-04)."""
    return bool(stamp) and stamp < _LOADER_SINCE


def of_this_file(world: World, path: Path, facts: ImageFacts) -> RootPassword:
    """The password in a file that the user named. Raises as `media.root_password.of_file`."""
    from smartos_wizard.media.model import ImageKind
    from smartos_wizard.media.root_password import of_file
    from smartos_wizard.releases.store import Store

    if facts.kind is not ImageKind.ISO:
        tell_of_decoding(str(path), facts.size)
    known = Store(world.paths.store).at(path)
    return replace(of_file(path, facts), proof=known.verified.algorithm if known else "")


def tell_of_decoding(path: str, size: int) -> None:
    """A line on stderr where reading may take some seconds."""
    if size > _LARGE:
        tell(f"Looking for the password in {path}; nothing is unpacked.")


def of_release(world: World, source: Mirror, release: Release) -> RootPassword:
    """The password of a release: from a verified file in the store, else as published beside the release.

    Nothing large is downloaded. Raises Refused `no-release-file` where neither is to be had, NetworkFailed, and
    ChecksumFailed where the published file is not what its checksum says.
    """
    from smartos_wizard.releases import names

    stored = of_store(world, release.stamp)
    if stored is not None:
        return stored
    published = [a for a in release.artifacts if names.is_password_file(a.name)]
    if not published:
        raise _nothing(release)
    return _published(source, min(published, key=lambda a: len(a.name)))


def of_store(world: World, stamp: str) -> RootPassword | None:
    """The password from a file of that release in the store that was verified and not touched since, or None.

    The quickest file is read; one that cannot be read is told of on stderr, and the next is tried.
    """
    from smartos_wizard.media.root_password import of_file
    from smartos_wizard.releases.model import ArtifactKind
    from smartos_wizard.releases.store import Store

    quick = [ArtifactKind.ISO, ArtifactKind.PLATFORM, ArtifactKind.USB, ArtifactKind.VMWARE]
    files = [
        f for f in Store(world.paths.store).list() if f.artifact.stamp == stamp and f.artifact.kind in quick
    ]
    for file in sorted(files, key=lambda f: quick.index(f.artifact.kind)):
        if file.artifact.kind is not ArtifactKind.ISO:
            tell_of_decoding(str(file.path), file.artifact.size or 0)
        try:
            return replace(of_file(file.path), proof=file.verified.algorithm)
        except (Refused, UsageProblem) as problem:
            tell(f"Warning: {problem.message}")
    return None


def without_mirror(world: World, stamp: str, error: NetworkFailed, *, as_json: bool) -> None:
    """Show the password alone, from the store, where the mirror cannot be reached. Raises `error` otherwise."""
    found = of_store(world, stamp)
    if found is None:
        raise error
    tell(f"Warning: {error.message} Only the root password is shown, from the store.")
    grub = is_grub(stamp)
    if as_json:
        emit({"stamp": stamp, **to_json(found, Shadow.RELEASED, grub=grub)})
        return
    show(found, Shadow.RELEASED, grub=grub)


def _published(source: Mirror, artifact: Artifact) -> RootPassword:
    import hashlib

    from smartos_wizard.media.password_file import RootPassword, password_in

    words = source.text(f"{artifact.stamp}/{artifact.name}")
    best = artifact.best
    if best is not None:
        digest = hashlib.new(best.algorithm, words.encode(), usedforsecurity=False).hexdigest()
        if digest != best.digest:
            raise ChecksumFailed(
                "checksum-mismatch",
                f"{artifact.name} of release {artifact.stamp} is not what its checksum says. It is not shown.",
                hint="Try again later, or read the password from a verified file: "
                f"smartos-wizard release download {artifact.stamp} --artifact platform",
            )
    url = f"{source.base}{artifact.stamp}/{artifact.name}"
    word = password_in("".join(words.split()[-1:]).encode(), source.base, artifact.name)
    return RootPassword(word, url, "", artifact.stamp, best.algorithm if best else "")


def _nothing(release: Release) -> Refused:
    from smartos_wizard.releases.model import ArtifactKind

    kinds = (ArtifactKind.PLATFORM, ArtifactKind.ISO, ArtifactKind.USB)
    found = [a for kind in kinds if (a := release.artifact(kind)) is not None]
    smallest = min(found, key=lambda a: (a.size is None, a.size or 0), default=None)
    hint = "It has no platform tarball, ISO or USB image either."
    if smallest is not None:
        size = "of a size the mirror does not tell" if smallest.size is None else text.size(smallest.size)
        hint = (
            f"Nothing was downloaded. Fetch {smallest.name} ({size}), then ask again: "
            f"smartos-wizard release download {release.stamp} --artifact {smallest.kind.value}"
        )
    return Refused(
        "no-release-file",
        f"No verified file of release {release.stamp} is in the store, and the release does not publish its "
        "root password on its own.",
        hint=hint,
    )
