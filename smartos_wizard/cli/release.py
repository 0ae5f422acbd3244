"""The `release` commands: list, show, download, verify, prune."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.main import Options
from smartos_wizard.cli.output import emit, json_option, run_plan, say, table, tell
from smartos_wizard.cli.root_password import root_password_option
from smartos_wizard.core import text

if TYPE_CHECKING:
    from smartos_wizard.releases.mirror import Mirror
    from smartos_wizard.releases.model import Listing, Release
    from smartos_wizard.world import World

_DETAILS = 10  # releases whose own lists are read where no limit is given
_CODES = "\b\nExit codes: 0 done, 2 usage, 3 cancelled, 4 refused, 5 network or download, 6 checksum.\n"

mirror_option = click.option(
    "--mirror", default="", metavar="URL|DIR", help="Another mirror, or a local directory of the same shape."
)
"""The `--mirror` of every command that reads one; the setting and SMARTOS_WIZARD_MIRROR say it too."""


@click.group(name="release")
def command() -> None:
    """List, show, download, verify and prune SmartOS releases."""


@command.command(
    name="list",
    epilog="\b\nExamples:\n  smartos-wizard release list --limit 5\n"
    "  smartos-wizard release list --mirror /srv/smartos --json\n\n" + _CODES,
)
@mirror_option
@click.option("--limit", type=click.IntRange(0), default=None, metavar="N", help="The newest N; 0 for all. Without it 10 (all with --json).")  # fmt: skip
@json_option
@click.pass_obj
def list_command(options: Options, mirror: str, limit: int | None, as_json: bool) -> None:
    """Releases of the mirror, newest first, with age, size and checksums.

    Sizes and checksums come from each release's own lists; without a limit they are read for the newest 10.
    Without a network the last good listing is shown, and said to be old.
    """
    from smartos_wizard.cli.release_lines import listing_rows, listing_to_json
    from smartos_wizard.releases.listing import list_releases, read_releases
    from smartos_wizard.releases.model import Release
    from smartos_wizard.releases.pins import pins_of

    world = options.world
    source = world.mirror(mirror)
    listing = list_releases(source, world.paths.cache, world.now())
    _warn_offline(listing, world)
    everything = limit == 0 or (limit is None and as_json)
    shown = listing.releases if everything else listing.releases[: limit or _DETAILS]
    detailed = shown[:_DETAILS] if limit is None else shown
    details = read_releases(source, tuple(e.stamp for e in detailed), world.paths.cache)
    for release in details.values():
        if isinstance(release, Release):
            pins_of(world.paths.state).learn(release.artifacts)
    if as_json:
        emit(listing_to_json(listing, shown, details, world))
        return
    table(("RELEASE", "AGE", "USB IMAGE", "CHECKSUMS", ""), listing_rows(listing, shown, details, world))
    if len(shown) < len(listing.releases):
        tell(f"{len(listing.releases) - len(shown)} older ones: --limit N, or --limit 0 for all.")


@command.command(
    epilog="\b\nExamples:\n  smartos-wizard release show latest\n"
    "  smartos-wizard release show 20260903T001557Z --changelog\n"
    "  smartos-wizard release show latest --root-password\n\n" + _CODES
)
@click.argument("stamp", metavar="STAMP|latest")
@mirror_option
@click.option("--changelog", is_flag=True, help="What changed in it, as published.")
@root_password_option
@json_option
@click.pass_obj
def show(
    options: Options, stamp: str, mirror: str, changelog: bool, root_password: bool, as_json: bool
) -> None:
    """Everything a release publishes: files, sizes, digests; changelog and root password on request.

    The password is read from a verified file of the release in the store; without one, from the small file
    published beside it. Nothing else is downloaded for it.
    """
    from smartos_wizard.boot.passwords import Shadow
    from smartos_wizard.cli import root_password as passwords
    from smartos_wizard.cli.release_lines import release_lines, release_to_json
    from smartos_wizard.core.errors import NetworkFailed
    from smartos_wizard.releases.listing import read_changelog

    world = options.world
    source = world.mirror(mirror)
    try:
        release = _read(world, source, stamp)
    except NetworkFailed as error:
        if not root_password:
            raise
        passwords.without_mirror(world, stamp, error, as_json=as_json)
        return
    log = read_changelog(source, release.stamp) if changelog else ""
    password = passwords.of_release(world, source, release) if root_password else None
    grub = passwords.is_grub(release.stamp)
    if as_json:
        extra = {"changelog": log} if changelog else {}
        said = passwords.to_json(password, Shadow.RELEASED, grub=grub) if password else {}
        emit({**release_to_json(release, world), **extra, **said})
        return
    for line in release_lines(release, world):
        say(line)
    if password:
        say()
        passwords.show(password, Shadow.RELEASED, grub=grub)
    if changelog:
        say("\n" + log)


@command.command(
    epilog="\b\nExamples:\n  smartos-wizard release download latest\n"
    "  smartos-wizard release download 20260903T001557Z --artifact iso --to ~/Downloads\n\n"
    "A download that was stopped goes on where it stopped.\n\n" + _CODES
)
@click.argument("stamp", metavar="STAMP|latest")
@click.option("--artifact", type=click.Choice(["usb", "iso", "platform", "vmware"]), default="usb", show_default=True, help="Which file of the release.")  # fmt: skip
@mirror_option
@click.option(
    "--to", type=click.Path(path_type=Path), metavar="DIR", help="Put it there instead of the store."
)
@click.option("--force", is_flag=True, help="Fetch it again, and replace what is there.")
@click.option("--dry-run", is_flag=True, help="Show what would happen, do nothing.")
@json_option
@click.pass_obj
def download(
    options: Options,
    stamp: str,
    artifact: str,
    mirror: str,
    to: Path | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Download a file of a release, checked against the published digest while it arrives."""
    from smartos_wizard.core.errors import NetworkFailed
    from smartos_wizard.releases.download import plan_download
    from smartos_wizard.releases.model import ArtifactKind
    from smartos_wizard.releases.store import Store

    world = options.world
    source = world.mirror(mirror)
    release = _read(world, source, stamp)
    chosen = release.artifact(ArtifactKind(artifact))
    if chosen is None:
        raise NetworkFailed(
            "no-such-artifact",
            f"Release {release.stamp} has no {artifact} file.",
            hint=f"See `smartos-wizard release show {release.stamp}`.",
        )
    plan = plan_download(release, chosen, to, Store(world.paths.store), source.base, force=force)
    code = run_plan(world, plan, as_json=as_json, dry_run=dry_run)
    raise click.exceptions.Exit(code)


@command.command(
    epilog="\b\nExamples:\n  smartos-wizard release verify ~/Downloads/smartos-latest-USB.img.gz\n"
    "  smartos-wizard release verify image.gz --stamp 20260903T001557Z\n\n" + _CODES
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--stamp", default="", metavar="STAMP", help="The release it must be of.")
@mirror_option
@json_option
@click.pass_obj
def verify(options: Options, file: Path, stamp: str, mirror: str, as_json: bool) -> None:
    """Say which release FILE is of, by name or by digest, and whether it is whole."""
    from smartos_wizard.cli.release_lines import stored_to_json
    from smartos_wizard.releases.pins import pins_of
    from smartos_wizard.releases.store import Store
    from smartos_wizard.releases.verify import recognise_file

    world = options.world
    pins = pins_of(world.paths.state)
    found = recognise_file(file, world.mirror(mirror), pins, world.paths.cache, stamp=stamp)
    Store(world.paths.store).record(found)
    if as_json:
        emit(stored_to_json(found))
        return
    weak = "" if found.verified.algorithm == "sha256" else " (this release publishes no sha256)"
    say(f"{file}: OK")
    say(f"  it is     {found.artifact.name}, {found.artifact.kind.value} of release {found.artifact.stamp}")
    say(f"  proven by {found.verified.algorithm} {found.verified.digest}{weak}")
    say(f"  published {found.source}")


@command.command(
    epilog="\b\nExamples:\n  smartos-wizard release prune --keep 2 --dry-run\n"
    "  smartos-wizard release prune --keep 2 --confirm prune\n\n" + _CODES
)
@click.option("--keep", type=click.IntRange(0), default=2, show_default=True, metavar="N", help="Releases to keep, the newest.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="List exactly what would be removed, remove nothing.")
@click.option("--confirm", multiple=True, metavar="TOKEN", help="Say `prune` to confirm.")
@json_option
@click.pass_obj
def prune(options: Options, keep: int, dry_run: bool, confirm: tuple[str, ...], as_json: bool) -> int:
    """Remove old downloads from the store. Files anywhere else are never touched."""
    from smartos_wizard.releases.prune import plan_prune
    from smartos_wizard.releases.store import Store

    world = options.world
    used = [Path(guest.spec.boot.source) for guest in world.guests.list() if not guest.key.exists()]
    plan = plan_prune(Store(world.paths.store), keep, used)
    if not plan.steps and not as_json:
        say("Nothing to remove.")
        return 0
    raise click.exceptions.Exit(run_plan(world, plan, as_json=as_json, confirm=confirm, dry_run=dry_run))


def _read(world: World, source: Mirror, stamp: str) -> Release:
    """The release, its digests remembered where they are new, with what is odd about it said on stderr."""
    from smartos_wizard.releases.listing import read_release
    from smartos_wizard.releases.pins import pins_of

    release = read_release(source, stamp, world.paths.cache)
    pins = pins_of(world.paths.state)
    pins.learn(release.artifacts)
    if release.offline:
        tell("Warning: the mirror could not be reached; this is what it told earlier.")
    for problem in release.problems:
        tell(f"Warning: {problem}.")
    for artifact in release.artifacts:
        changed = pins.changed(artifact)
        if changed is not None:
            first, now = changed
            tell(
                f"Warning: {artifact.name} was published again with other content: "
                f"{first.algorithm} was {first.digest}, is now {now.digest}."
            )
    return release


def _warn_offline(listing: Listing, world: World) -> None:
    if listing.offline_since is None:
        return
    for warning in listing.warnings:
        tell(f"Warning: {warning}")
    age = text.age(world.now() - listing.offline_since.timestamp())
    when = listing.offline_since.strftime("%Y-%m-%d %H:%M UTC")
    tell(f"Warning: the mirror could not be reached; this is the listing read on {when} ({age}).")
