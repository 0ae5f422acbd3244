"""What a guest may start from besides a copy of a release's USB image: the ISO, or a file of the user's own. No Textual."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.screens.sandbox_model import GuestAnswers
    from smartos_wizard.world import World

UNVERIFIED = "unverified"
VOUCH = f"Its sha256, or a checksum list that names it, or the word {UNVERIFIED}"
KEY_WORDS = "From a key of its own, a copy of the USB image: it can be told everything."
ISO_WORDS = "From the ISO itself, read-only: it takes no answers, password or files."


def own_image(world: World, words: str, vouch: str) -> VerifiedImage:
    """The file at `words`: a USB image, an ISO, or SmartOS's bundle for VMware.

    It is compared with its digest when the guest is made, before anything of it is used. `vouch` is a sha256, the path
    of a checksum list, `unverified`, or empty where this program downloaded the file itself.

    Raises what `guest create --image` and `--iso` raise: UsageProblem, ChecksumFailed, Refused.
    """
    from smartos_wizard.guests.iso import require_iso
    from smartos_wizard.media.model import ImageKind
    from smartos_wizard.media.verified import expected_image, verify_now
    from smartos_wizard.releases.store import Store

    path, vouch = path_of(words), vouch.strip()
    if not path.is_file():
        raise UsageProblem("no-such-image", f"There is no file {path}.", hint="Check the path.")
    digest = vouch if _is_digest(vouch) else ""
    unverified = vouch.lower() == UNVERIFIED
    image = expected_image(
        path, sha256=digest, sums=path_of(vouch) if vouch and not digest and not unverified else None,
        stored=None if vouch else Store(world.paths.store).at(path), unverified=unverified, bundle=True, iso=True,
    )  # fmt: skip
    if image.kind is ImageKind.ISO:
        require_iso(path)
    return replace(image, checked=False) if image.digest else verify_now(image)


def path_of(words: str) -> Path:
    """A path as it is typed: `~` is the home directory, quotes around it and blanks are passed over."""
    words = words.strip()
    if len(words) > 1 and words[0] == words[-1] and words[0] in "\"'":
        words = words[1:-1]
    return Path(words).expanduser().absolute()


def starting(guest: GuestAnswers, image: VerifiedImage) -> GuestAnswers:
    """The guest's answers with what kind of medium that image is."""
    from smartos_wizard.media.model import ImageKind

    return replace(guest, boot="iso" if image.kind is ImageKind.ISO else "key")


def start_flags(guest: GuestAnswers, stamp: str) -> list[str]:
    """The options of `guest create` that say what it starts from."""
    if not guest.file:
        return ["--release", stamp or "latest", *(["--boot", "iso"] if guest.boot == "iso" else [])]
    flags = ["--iso" if guest.boot == "iso" else "--image", str(path_of(guest.file))]
    vouch = guest.vouch.strip()
    if vouch.lower() == UNVERIFIED:
        return [*flags, "--unverified", "--confirm", UNVERIFIED]
    if not vouch:
        return flags
    return [*flags, "--sha256", vouch] if _is_digest(vouch) else [*flags, "--sums", str(path_of(vouch))]


def iso_console(image: VerifiedImage) -> str:
    """What SmartOS on that ISO talks on. Raises what `require_iso` raises."""
    from smartos_wizard.guests.iso import require_iso

    return require_iso(image.path).console


def quoted(flags: list[str]) -> str:
    """For a shell."""
    return " ".join(shlex.quote(flag) for flag in flags)


def _is_digest(words: str) -> bool:
    """What is meant as a digest: 64 figures, or as many characters that can be no path of this machine."""
    return len(words) >= 32 and all(c in "0123456789abcdefABCDEF" for c in words)
