"""Says which release a file is, and whether it is whole: by its name, or by its digest alone.

For files a browser fetched. Imports core only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from smartos_wizard.core.errors import ChecksumFailed, NetworkFailed, UsageProblem
from smartos_wizard.releases import kept, names
from smartos_wizard.releases.listing import read_release, resolve
from smartos_wizard.releases.mirror import Mirror
from smartos_wizard.releases.model import Artifact, ArtifactKind, Checksum, Release, StoredFile
from smartos_wizard.releases.pins import Pins

_CHUNK = 1024 * 1024


def digests_of(path: Path, progress: Callable[[int], None] = lambda _done: None) -> dict[str, str]:
    """sha256 and md5 of a file; `progress` is told the bytes read. Raises UsageProblem where it cannot be read."""
    sums = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
    done = 0
    try:
        with path.open("rb") as file:
            while data := file.read(_CHUNK):
                for digest in sums.values():
                    digest.update(data)
                done += len(data)
                progress(done)
    except OSError as error:
        raise UsageProblem(
            "cannot-read-file", f"The file cannot be read: {error.strerror or error}.", context=str(path)
        ) from error
    return {algorithm: digest.hexdigest() for algorithm, digest in sums.items()}


def recognise_file(
    path: Path,
    mirror: Mirror,
    pins: Pins,
    cache_dir: Path,
    *,
    stamp: str = "",
    progress: Callable[[int], None] = lambda _done: None,
) -> StoredFile:
    """Which published file `path` is. `stamp` (or `latest`) says of which release it must be.

    Raises ChecksumFailed: `checksum-mismatch` where the name is known and the content is not its, `unknown-file`
    where neither is known, `republished`; NetworkFailed where nothing could be looked up.
    """
    actual = digests_of(path, progress)
    name = names.without_browser_marks(path.name)
    release, trouble = _claimed_release(mirror, stamp, name, cache_dir)
    if release is not None:
        found = _with_digest([release], actual)
        meant = found[1] if found is not None else _meant(name, release)
        pins.require((meant,) if meant is not None else ())
        pins.learn(release.artifacts)
        if found is not None:
            return _stored(path, *found)
    others = _with_digest(_known(pins, cache_dir, release), actual)
    if others is not None and not stamp:
        return _stored(path, *others)
    if release is not None:
        raise _not_it(path, name, release, actual, others)
    if trouble is not None:
        raise trouble
    raise _unknown(path, actual)


def _claimed_release(
    mirror: Mirror, stamp: str, name: str, cache_dir: Path
) -> tuple[Release | None, NetworkFailed | None]:
    """The release the user or the name speaks of, and why it could not be read."""
    wanted = stamp or names.stamp_in(name) or ("latest" if names.LATEST.match(name) else "")
    try:
        if wanted:
            return read_release(mirror, resolve(mirror, wanted, cache_dir), cache_dir), None
        return read_release(mirror, "latest", cache_dir, fresh=False), None
    except NetworkFailed as error:
        return None, error if wanted else None


def _known(pins: Pins, cache_dir: Path, but: Release | None) -> Iterable[Release]:
    """Every release whose digests were seen before, but one."""
    for stamp in pins.stamps():
        artifacts = tuple(
            Artifact(stamp, names.kind_of(name), name, None, tuple(Checksum(a, d) for a, d in sums.items()))
            for name, sums in pins.known(stamp).items()
        )
        yield Release(stamp, "", artifacts)
    yield from (r for r in kept.all_releases(cache_dir) if but is None or r.stamp != but.stamp)


def _with_digest(releases: Iterable[Release], actual: dict[str, str]) -> tuple[Release, Artifact] | None:
    """The published file whose best digest is the actual one."""
    for release in releases:
        for artifact in release.artifacts:
            best = artifact.best
            if best is not None and actual[best.algorithm] == best.digest:
                return release, artifact
    return None


def _stored(path: Path, release: Release, artifact: Artifact) -> StoredFile:
    best = artifact.best
    assert best is not None
    source = f"{release.base}{artifact.stamp}/{artifact.name}" if release.base else "digest seen before"
    return StoredFile(path, artifact, best, source)


def _not_it(
    path: Path, name: str, release: Release, actual: dict[str, str], other: tuple[Release, Artifact] | None
) -> ChecksumFailed:
    meant = _meant(name, release)
    if other is not None:
        return ChecksumFailed(
            "wrong-release",
            f"This is not a file of release {release.stamp}: it is {other[1].name}, whole and correct.",
            context=str(path),
            actual=actual["sha256"],
        )
    if meant is None:
        return _unknown(path, actual)
    if meant.best is None:
        return ChecksumFailed(
            "not-in-checksums",
            f"{meant.name} cannot be checked: the release's lists do not vouch for it.",
            context="; ".join(release.problems) or release.base,
        )
    size = path.stat().st_size
    short = meant.size is not None and size < meant.size
    words = f" It has {size:,} of {meant.size:,} bytes: the download was cut short." if short else ""
    return ChecksumFailed(
        "checksum-mismatch",
        f"This file is not the published {meant.name}.{words}\n"
        f"  published {meant.best.algorithm}: {meant.best.digest}\n"
        f"  this file:        {actual[meant.best.algorithm]}",
        context=str(path),
        hint=f"Fetch it again: smartos-wizard release download {release.stamp} --artifact {meant.kind.value}",
        expected=meant.best.digest,
        actual=actual[meant.best.algorithm],
        algorithm=meant.best.algorithm,
    )


def _meant(name: str, release: Release) -> Artifact | None:
    """The file of that release the name means; a `-latest` name stands for the one of its kind."""
    exact = next((a for a in release.artifacts if a.name == name), None)
    kind = names.kind_of(name)
    if exact is not None:
        return exact
    return release.artifact(kind) if names.LATEST.match(name) and kind is not ArtifactKind.OTHER else None


def _unknown(path: Path, actual: dict[str, str]) -> ChecksumFailed:
    return ChecksumFailed(
        "unknown-file",
        "Neither the name nor the content of this file is known: nothing vouches for it.\n"
        f"  sha256: {actual['sha256']}\n  md5:    {actual['md5']}",
        context=str(path),
        hint="If you know its release, say --stamp STAMP. See `smartos-wizard release list`.",
        actual=actual["sha256"],
    )
