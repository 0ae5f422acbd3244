"""Which image a `key` command is about: a release (downloaded first where needed) or a file of the user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smartos_wizard.core.errors import ChecksumFailed, Refused, UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.world import World

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """What the options say. Exactly one of `release` and `image` is set."""

    release: str
    image: str
    sha256: str
    sums: str
    mirror: str
    unverified: bool


def image_options(function: F) -> F:
    """The options that choose an image, for `key write` and `key check`."""
    options = (
        click.option("--release", default="", metavar="STAMP|latest", help="A release; downloaded first if need be."),
        click.option("--image", default="", metavar="FILE", type=click.Path(dir_okay=False),
                     help="An image file: .img.gz, .img.bz2 or .img."),
        click.option("--sha256", default="", metavar="HEX", help="The digest FILE must have."),
        click.option("--sums", default="", metavar="FILE", type=click.Path(dir_okay=False),
                     help="A checksum list that names FILE (sha256sums.txt, md5sums.txt)."),
        click.option("--mirror", default="", metavar="URL|DIR", help="Another mirror, or a directory shaped like one."),
        click.option("--unverified", is_flag=True,
                     help="Take FILE though nobody vouches for it; also say --confirm unverified."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def choice_of(release: str, image: str, sha256: str, sums: str, mirror: str, unverified: bool) -> ImageChoice:
    """The choice; raises UsageProblem where it is none, two, or contradicts itself."""
    if bool(release) == bool(image):
        raise UsageProblem(
            "which-image", "Say either --release or --image.", hint="--release latest is a good start."
        )
    if release and (sha256 or sums or unverified):
        raise UsageProblem(
            "release-has-digest",
            "--sha256, --sums and --unverified go with --image only: a release "
            "is always checked against its published list.",
        )
    if sha256 and sums:
        raise UsageProblem("which-digest", "Say either --sha256 or --sums.")
    if image and not Path(image).is_file():
        raise UsageProblem("no-such-image", f"There is no file {image}.", hint="Check the path.")
    return ImageChoice(release, image, sha256, sums, mirror, unverified)


def require_typed(choice: ImageChoice, confirm: tuple[str, ...]) -> None:
    """Raise ChecksumFailed where `--unverified` was said but not typed as a confirmation."""
    if choice.unverified and "unverified" not in confirm:
        raise ChecksumFailed(
            "unverified-not-confirmed",
            "Nobody vouches for this image, and that was not confirmed.",
            hint="Give --sha256 or --sums; or, knowing what you do, add --confirm unverified.",
        )


def look_at(path: Path) -> int | None:
    """Refuse what is no image for a key; return the size after decoding where it can be told at once."""
    from smartos_wizard.media.images import recognise, refuse_unwritable
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.media.source import peek_size

    facts = recognise(path)
    refuse_unwritable(facts, path)
    return peek_size(VerifiedImage(path, facts.kind, "none", "", ""))


def verified_file(
    choice: ImageChoice, world: World, *, later: bool = False, platform: bool = False, bundle: bool = False,
    iso: bool = False,
) -> VerifiedImage:  # fmt: skip
    """The user's file, read and checked against the digest given, or against the list of its release where
    it was downloaded by this program. Raises ChecksumFailed: a wrong image must not cost anybody a key.

    `platform` is for the platform tarball, `bundle` allows the VMware bundle, `iso` an ISO. `later` leaves the reading to the writer, which does it before it changes anything.
    """
    from smartos_wizard.media.verified import expected_image, verify_now
    from smartos_wizard.releases.store import Store

    path = Path(choice.image)
    given = bool(choice.sha256 or choice.sums or choice.unverified)
    image = expected_image(
        path,
        sha256=choice.sha256,
        sums=Path(choice.sums) if choice.sums else None,
        stored=None if given else Store(world.paths.store).at(path),
        unverified=choice.unverified,
        platform=platform,
        bundle=bundle,
        iso=iso,
    )
    return replace(image, checked=False) if later and image.digest else verify_now(image)


def released(choice: ImageChoice, world: World, what: str = "usb") -> tuple[Plan | None, VerifiedImage]:
    """The download that is needed first (None where the file is in the store), and the image it will give.

    `what` is the kind of artifact: `usb`, `iso`, `vmware` or `platform`. Raises NetworkFailed, and Refused where the release
    has none.
    """
    from smartos_wizard.releases.model import STAMP, ArtifactKind
    from smartos_wizard.releases.store import Store

    kind = ArtifactKind(what)
    store = Store(world.paths.store)
    if STAMP.match(choice.release):
        found = store.find(choice.release, kind)
        if found is not None:
            return None, _image(found.path, found.artifact.stamp, found.verified, found.source)
    from smartos_wizard.releases.download import plan_download, require_checksum
    from smartos_wizard.releases.listing import read_release

    mirror = world.mirror(choice.mirror)
    release = read_release(mirror, choice.release, world.paths.cache)
    artifact = release.artifact(kind)
    if artifact is None:
        names = {
            ArtifactKind.USB: "USB image",
            ArtifactKind.ISO: "ISO",
            ArtifactKind.VMWARE: "bundle for VMware",
        }
        name = names.get(kind, "platform tarball")
        raise Refused(
            f"no-{what}-image", f"Release {release.stamp} has no {name}.", hint="Choose another release."
        )
    found = store.find(release.stamp, kind)
    if found is not None:
        return None, _image(found.path, release.stamp, found.verified, found.source)
    image = _image(store.path_of(artifact), release.stamp, require_checksum(release, artifact), mirror.base)
    return plan_download(release, artifact, None, store, mirror.base), image


def _image(path: Path, stamp: str, checksum: Any, source: str) -> VerifiedImage:
    """A stored file as an image. Its digest is compared once more while it is written."""
    from smartos_wizard.media.images import recognise
    from smartos_wizard.media.model import ImageKind, VerifiedImage

    kind = (
        recognise(path).kind
        if path.is_file()
        else ImageKind.VMWARE
        if ".vmwarevm." in path.name
        else ImageKind.PLATFORM
        if path.suffix == ".tgz"
        else ImageKind.ISO
        if path.suffix == ".iso"
        else ImageKind.BZIP2
        if path.suffix == ".bz2"
        else ImageKind.GZIP
    )
    return VerifiedImage(
        path=path, kind=kind, algorithm=checksum.algorithm, digest=checksum.digest,
        vouched_by=f"the release's own {checksum.algorithm} list", stamp=stamp, source=source,
    )  # fmt: skip


def downloaded(image: VerifiedImage, world: World, what: str = "usb") -> VerifiedImage:
    """The image once its download ended well. Raises Refused where the store does not have it after all."""
    from smartos_wizard.releases.model import ArtifactKind
    from smartos_wizard.releases.store import Store

    found = Store(world.paths.store).find(image.stamp, ArtifactKind(what))
    if found is None:
        raise Refused(
            "not-in-store", f"The download of {image.stamp} is not in the store.", hint="Run it again."
        )
    return _image(found.path, image.stamp, found.verified, found.source)
