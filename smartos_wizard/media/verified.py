"""From a file to a VerifiedImage: which digest it must have, and whether it has it.

`expected_image` finds the digest and looks at what the file is; it proves nothing about its bytes. They
are proven either by `verify_now`, which reads the whole file, or by the writer, which hashes the file while
it decodes it and writes the boot sectors only after the digest held. `verify_image` does both steps here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from smartos_wizard.core.errors import ChecksumFailed, Refused, UsageProblem, WriteFailed
from smartos_wizard.media.images import ImageFacts, recognise, refuse_unwritable
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.releases.model import Checksum, StoredFile
from smartos_wizard.releases.names import stamp_in
from smartos_wizard.releases.sums import parse_sums

_CHUNK = 1 << 20
_LONGEST_LIST = 4 << 20


def expected_image(
    path: Path,
    *,
    sha256: str = "",
    sums: Path | None = None,
    stored: StoredFile | None = None,
    unverified: bool = False,
    platform: bool = False,
    bundle: bool = False,
    iso: bool = False,
) -> VerifiedImage:
    """The image at `path` with the digest it must have, from the first of: `sha256` (hex), the checksum
    list `sums`, the release's own list through `stored`. Its bytes have not been read yet. `platform` is
    for the platform tarball, which everything but upgrading refuses; `bundle` allows the VMware bundle too,
    `iso` an ISO.

    Raises Refused for what is no image for a key (`iso-is-no-key` and its like), ChecksumFailed `no-digest`
    where nothing vouches for it and `unverified` was not said, `sums-missing`, `sums-malformed`,
    `not-in-sums`; UsageProblem `no-such-file`, `malformed-digest`.
    """
    facts = recognise(path)
    if platform and facts.kind is not ImageKind.PLATFORM:
        raise UsageProblem(
            "not-a-platform",
            f"{path.name} is no platform tarball.",
            hint="Upgrading takes platform-*.tgz; `key write` takes USB images.",
            context=str(path),
        )
    allowed = {ImageKind.VMWARE: bundle, ImageKind.ISO: iso}
    no_key = platform or allowed.get(facts.kind, False)
    if not no_key:
        refuse_unwritable(facts, path)
    checksum, voucher, stamp = _expected(path, sha256, sums, stored)
    if checksum is None:
        if not unverified:
            raise _no_digest(path)
        if not no_key and not facts.has_table and not facts.problem:
            raise Refused(
                "not-an-image",
                f"{path.name} is no image for a key: it looks like {facts.looks_like}.",
                hint="With its digest (--sha256) it would be written as it is; unverified it is not.",
            )
        return _image(path, facts, Checksum("none", ""), "nobody: written unverified at the user's word", "")
    return _image(path, facts, checksum, voucher, stamp, stored.source if stored else "")


def verify_now(image: VerifiedImage, progress: Callable[[int], None] = lambda _done: None) -> VerifiedImage:
    """Read the whole file and return the image if its digest is the expected one.

    `progress` is called with the bytes read so far and may raise to stop. For an unverified image (`none`)
    the sha256 is computed and noted in `vouched_by`, nothing is compared. Raises ChecksumFailed
    `checksum-mismatch` with both digests, WriteFailed `image-unreadable`.
    """
    digest = hashlib.new("sha256" if image.algorithm == "none" else image.algorithm)
    done = 0
    for chunk in _chunks(image.path):
        digest.update(chunk)
        done += len(chunk)
        progress(done)
    if image.algorithm == "none":
        return replace(image, vouched_by=f"{image.vouched_by}; its sha256 is {digest.hexdigest()}")
    if digest.hexdigest() != image.digest:
        raise mismatch(image, digest.hexdigest())
    return image


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise WriteFailed(
            "image-unreadable",
            f"The image cannot be read: {error.strerror or error}.",
            context=str(path),
            hint="Check the disk it lies on, or download it again.",
        ) from error


def verify_image(
    path: Path,
    *,
    sha256: str = "",
    sums: Path | None = None,
    stored: StoredFile | None = None,
    unverified: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> VerifiedImage:
    """`expected_image`, then `verify_now`: an image whose bytes were read and are the expected ones."""
    return verify_now(
        expected_image(path, sha256=sha256, sums=sums, stored=stored, unverified=unverified), progress
    )


def mismatch(image: VerifiedImage, actual: str) -> ChecksumFailed:
    """The error for a file whose digest is not the expected one."""
    return ChecksumFailed(
        "checksum-mismatch",
        f"{image.path.name} is not what was published: its {image.algorithm} is {actual}, "
        f"{image.vouched_by} says {image.digest}.",
        hint="Download it again. If it stays so, do not use it.",
        algorithm=image.algorithm,
        expected=image.digest,
        actual=actual,
    )


def _image(
    path: Path, facts: ImageFacts, checksum: Checksum, voucher: str, stamp: str, source: str = ""
) -> VerifiedImage:
    return VerifiedImage(
        path=path,
        kind=facts.kind,
        algorithm=checksum.algorithm,
        digest=checksum.digest,
        vouched_by=voucher,
        stamp=stamp or facts.stamp,
        source=source,
        raw_size=facts.raw_size,
    )


def _expected(
    path: Path, sha256: str, sums: Path | None, stored: StoredFile | None
) -> tuple[Checksum | None, str, str]:
    """(digest, who vouches for it, stamp) or (None, "", "")."""
    if sha256:
        hexadecimal = sha256.strip().lower()
        if not re.fullmatch(r"[0-9a-f]{64}", hexadecimal):
            raise UsageProblem(
                "malformed-digest",
                "A sha256 has 64 characters, 0-9 and a-f; the one given has not.",
                hint="Copy it again, without the file name.",
            )
        return Checksum("sha256", hexadecimal), "the sha256 you gave", stored.artifact.stamp if stored else ""
    if sums is not None:
        return _from_list(path, sums), f"the list {sums.name}", stamp_in(path.name)
    if stored is not None:
        artifact = stored.artifact
        voucher = f"the {stored.verified.algorithm} list of release {artifact.stamp}"
        return stored.verified, voucher, artifact.stamp
    return None, "", ""


def _from_list(path: Path, sums: Path) -> Checksum:
    """The digest of exactly this file name; any doubt about the list is an error."""
    try:
        with sums.open("rb") as file:
            text = file.read(_LONGEST_LIST).decode("utf-8", "replace")
    except OSError as error:
        raise ChecksumFailed(
            "sums-missing",
            f"The checksum list {sums} cannot be read: {error.strerror or error}.",
            hint="Without it nothing vouches for the image. Download sha256sums.txt of the release again.",
        ) from error
    lists = [parse_sums(text, algorithm) for algorithm in ("sha256", "md5")]
    for found in lists:
        if path.name in found.digests:
            return Checksum(found.algorithm, found.digests[path.name])
    if all(found.malformed or found.spoils(path.name) for found in lists):
        raise ChecksumFailed(
            "sums-malformed",
            f"{sums.name} is no checksum list, or its line for {path.name} is damaged.",
            hint="A line is a digest, a space and a file name. Download the list again.",
        )
    raise ChecksumFailed(
        "not-in-sums",
        f"{sums.name} does not name {path.name}.",
        hint="The name must be exactly as published. Was the file renamed, or is the list of another release?",
    )


def _no_digest(path: Path) -> ChecksumFailed:
    return ChecksumFailed(
        "no-digest",
        f"Nothing vouches for {path.name}: no digest was given.",
        hint="Give --sha256 HEX or --sums FILE, or use --release. "
        "To write it all the same, say --unverified and type that word.",
    )
