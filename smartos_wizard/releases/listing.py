"""What a mirror offers, and what each release's own lists tell. Imports core only.

Facts: a Manta directory listing is newline-separated JSON, oldest first, in pages; `latest` is a text object
with the path of the newest release (smartos-live: tools/smartos-release, src/piadm.sh).
"""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import NetworkFailed, UsageProblem, WizardError
from smartos_wizard.releases import kept, names
from smartos_wizard.releases.mirror import Mirror, entries
from smartos_wizard.releases.model import Artifact, Checksum, Listing, Release, ReleaseEntry
from smartos_wizard.releases.sums import LISTS, Sums, parse_sums

_AT_ONCE = 4  # polite, and enough to hide the way to the mirror


def list_releases(mirror: Mirror, cache_dir: Path, now: float) -> Listing:
    """The releases of `mirror`, newest first; the last good listing where it cannot be reached.

    `now` is in seconds since the epoch. Raises NetworkFailed where there is neither.
    """
    try:
        found = entries(mirror)
        latest = _read_latest(mirror)
    except NetworkFailed as error:
        old = kept.load_listing(cache_dir, mirror.base)
        if old is None or not error.details.get("passing"):
            raise
        return Listing(old.base, old.releases, old.latest, old.offline_since, (error.message,))
    releases = sorted(
        (ReleaseEntry(str(e["name"]), _published(e)) for e in found if _is_release(e)),
        key=lambda entry: entry.stamp,
        reverse=True,
    )
    if not releases:
        raise NetworkFailed(
            "no-releases",
            "There are no releases at this address.",
            context=mirror.base,
            hint="A mirror has one directory per release, named like 20260903T001557Z.",
        )
    listing = Listing(mirror.base, tuple(releases), latest)
    kept.save_listing(cache_dir, listing, now)
    return listing


def resolve(mirror: Mirror, stamp: str, cache_dir: Path) -> str:
    """The stamp meant by `stamp` or `latest`. Raises UsageProblem for what is neither, NetworkFailed."""
    if names.is_stamp(stamp):
        return stamp
    if stamp != "latest":
        raise UsageProblem(
            "no-stamp",
            f"“{stamp}” is not the name of a release.",
            hint="Releases are named like 20260903T001557Z, or `latest`; see `smartos-wizard release list`.",
        )
    try:
        found = _read_latest(mirror)
        return found or max(str(e["name"]) for e in entries(mirror) if _is_release(e))
    except ValueError:
        raise NetworkFailed(
            "no-releases", "There are no releases at this address.", context=mirror.base
        ) from None
    except NetworkFailed as error:
        old = kept.load_listing(cache_dir, mirror.base)
        if old is None or not old.releases or not error.details.get("passing"):
            raise
        return old.latest or old.releases[0].stamp


def read_release(mirror: Mirror, stamp: str, cache_dir: Path, *, fresh: bool = True) -> Release:
    """The release of that stamp (`latest` is understood) as its own lists tell it.

    What was last read is used where the mirror cannot be reached, and at once where not `fresh`. Raises
    NetworkFailed `no-such-release`. Lists that are missing or malformed are `problems`, not errors.
    """
    stamp = resolve(mirror, stamp, cache_dir)
    old = kept.load_release(cache_dir, mirror.base, stamp)
    if old is not None and not fresh:
        return old
    try:
        release = _read(mirror, stamp)
    except NetworkFailed as error:
        if old is None or error.reference == "no-such-release" or not error.details.get("passing"):
            raise
        return replace(old, offline=True)
    kept.save_release(cache_dir, release)
    return release


def read_releases(
    mirror: Mirror, stamps: tuple[str, ...], cache_dir: Path
) -> dict[str, Release | WizardError]:
    """Several releases, a few at a time; what cannot be read is an error in its place, never raised."""

    def one(stamp: str) -> Release | WizardError:
        try:
            return read_release(mirror, stamp, cache_dir, fresh=False)
        except WizardError as error:
            return error

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="releases") as pool:
        return dict(zip(stamps, pool.map(one, stamps), strict=True))


def read_changelog(mirror: Mirror, stamp: str) -> str:
    """What changed in a release, as published. Raises NetworkFailed."""
    return mirror.text(f"{stamp}/changelog.txt")


def read_root_password(mirror: Mirror, stamp: str) -> str:
    """The single-user root password of that build, from whichever file holds it. Raises NetworkFailed."""
    files = [str(e["name"]) for e in entries(mirror, stamp) if names.is_password_file(str(e["name"]))]
    if not files:
        raise NetworkFailed(
            "not-on-mirror", "This release publishes no single-user root password.", context=stamp
        )
    words = mirror.text(f"{stamp}/{min(files, key=len)}").split()
    return words[-1] if words else ""


def _read(mirror: Mirror, stamp: str) -> Release:
    """Everything from the mirror: the directory says what is there, the lists vouch for it."""
    try:
        found = entries(mirror, stamp)
    except NetworkFailed as error:
        if error.reference != "not-on-mirror":
            raise
        found = []
    lists, problems = _read_sums(mirror, stamp)
    sizes = {str(e["name"]): e.get("size") for e in found if e.get("type") == "object"}
    listed = sizes or dict.fromkeys(name for sums in lists for name in sums.digests)
    if not listed:
        raise NetworkFailed(
            "no-such-release",
            f"The mirror has no release {stamp}.",
            context=mirror.base + stamp,
            hint="See `smartos-wizard release list`.",
        )
    chosen = sorted((n for n in listed if names.safe(n)), key=lambda name: names.order(name, stamp))
    artifacts = tuple(
        Artifact(stamp, names.kind_of(name), name, _size(listed[name]), _checksums(name, lists))
        for name in chosen
    )
    published = max((t for e in found if (t := _published(e)) is not None), default=None)
    algorithms = tuple(sums.algorithm for sums in lists if not sums.malformed)
    return Release(stamp, mirror.base, artifacts, algorithms, published, problems)


def _read_sums(mirror: Mirror, stamp: str) -> tuple[list[Sums], tuple[str, ...]]:
    """The checksum lists, best first, and what is wrong with them."""
    lists: list[Sums] = []
    problems: list[str] = []
    for algorithm, name in LISTS.items():
        try:
            sums = parse_sums(mirror.text(f"{stamp}/{name}"), algorithm)
        except NetworkFailed as error:
            if error.reference != "not-on-mirror":
                raise
            continue
        lists.append(sums)
        if sums.malformed:
            problems.append(f"{name} of release {stamp} is malformed: no line of it is a checksum")
    if not lists:
        problems.append(
            f"release {stamp} publishes no checksum list (looked for {' and '.join(LISTS.values())})"
        )
    return lists, tuple(problems)


def _checksums(name: str, lists: list[Sums]) -> tuple[Checksum, ...]:
    """What vouches for `name`. A spoiled better list is never silently replaced by a weaker one."""
    if any(sums.malformed or sums.spoils(name) for sums in lists):
        return ()
    return tuple(Checksum(s.algorithm, s.digests[name]) for s in lists if name in s.digests)


def _read_latest(mirror: Mirror) -> str:
    """What `latest` names: the last element of the path in it. Empty where there is none or it is odd."""
    try:
        words = mirror.text("latest").split()
    except NetworkFailed as error:
        if error.reference != "not-on-mirror":
            raise
        return ""
    stamp = words[0].rstrip("/").rsplit("/", 1)[-1] if words else ""
    return stamp if names.is_stamp(stamp) else ""


def _is_release(entry: dict[str, Any]) -> bool:
    return entry.get("type") == "directory" and names.is_stamp(str(entry["name"]))


def _published(entry: dict[str, Any]) -> dt.datetime | None:
    try:
        time = dt.datetime.fromisoformat(str(entry["mtime"]))
    except (KeyError, ValueError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
