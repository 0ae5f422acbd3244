"""`key upgrade` and `key rollback`: a newer platform beside the present one, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.key_image import (
    choice_of,
    downloaded,
    image_options,
    released,
    require_typed,
    verified_file,
)
from smartos_wizard.cli.key_targets import confirm_option, file_option, fixed_option, to_change, typed
from smartos_wizard.cli.output import emit, json_option, plan_lines, require, run_plan, say

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.media.model import Target, VerifiedImage
    from smartos_wizard.world import World

_CODES = """\b
Exit codes: 0 done and proven (or nothing to do), 3 cancelled, 4 refused (no key, GRUB key, no room, damaged,
not confirmed), 5 download, 6 checksum, 7 write, 8 proof failed, 9 privilege, 10 device gone.
"""
UPGRADE = f"""\b
Examples:
  smartos-wizard key upgrade /dev/sdX --release latest --confirm SERIAL
  smartos-wizard key upgrade /dev/sdX --image platform-20260903T001557Z.tgz --sums sha256sums.txt \\
      --confirm SERIAL
  smartos-wizard key upgrade vm.img --file --release latest --dry-run
{_CODES}"""
ROLLBACK = f"""\b
Examples:
  smartos-wizard key rollback /dev/sdX --confirm SERIAL
  smartos-wizard key rollback /dev/sdX --to 20260806T000411Z --confirm SERIAL
{_CODES}"""


@click.command(name="upgrade", epilog=UPGRADE)
@click.argument("target", metavar="TARGET")
@image_options
@confirm_option
@click.option("--dry-run", is_flag=True, help="Show what would happen and stop.")
@file_option
@fixed_option
@json_option
@click.pass_obj
def upgrade_command(
    options: Options, target: str, release: str, image: str, sha256: str, sums: str, mirror: str,
    unverified: bool, confirm: tuple[str, ...], dry_run: bool, as_file: bool, allow_fixed: bool, as_json: bool,
) -> int:  # fmt: skip
    """Put a newer (or older) platform on the SmartOS key TARGET; the present one is kept to go back to.

    Settings, answers and your files stay. It is copied beside the present one, checked, and one switch at the
    end makes it count: whatever happens before, the key boots as it did. The boot loader stays as it is.
    --image takes a platform tarball, platform-*.tgz.
    """
    world = options.world
    choice = choice_of(release, image, sha256, sums, mirror, unverified)
    place = to_change(world, target, as_file=as_file, allow_fixed=allow_fixed)
    given = confirmed(confirm, place, target)
    if choice.image:
        if not dry_run:
            require_typed(choice, confirm)
        found = verified_file(choice, world, later=True, platform=True)
        return _run(world, place, found, tuple(c for c in given if c != "unverified"), as_json, dry_run)
    download, found = released(choice, world, "platform")
    if download is None:
        return _run(world, place, found, given, as_json, dry_run)
    from smartos_wizard.media.upgrading import plan_upgrade

    plan = plan_upgrade(place, found, world)
    if dry_run:
        if as_json:
            emit({**plan.to_json(), "before": [download.to_json()]})
        else:
            for line in (*plan_lines(download), "", *plan_lines(plan)):
                say(line)
        return 0
    if plan.confirmation is None:
        return run_plan(world, plan, as_json=as_json)
    require(world, plan, given)
    return run_plan(world, download, as_json=as_json) or _run(
        world, place, downloaded(found, world, "platform"), given, as_json, dry_run
    )


@click.command(name="rollback", epilog=ROLLBACK)
@click.argument("target", metavar="TARGET")
@click.option("--to", default="", metavar="STAMP", help="Only where this is the release it goes back to.")
@confirm_option
@click.option("--dry-run", is_flag=True, help="Show what would happen and stop.")
@file_option
@fixed_option
@json_option
@click.pass_obj
def rollback_command(
    options: Options, target: str, to: str, confirm: tuple[str, ...], dry_run: bool, as_file: bool,
    allow_fixed: bool, as_json: bool,
) -> int:  # fmt: skip
    """Let the platform that the last upgrade kept on TARGET be the one that starts again.

    The present one is kept in its place, so that the same command goes forward again.
    """
    from smartos_wizard.media.upgrading import plan_rollback

    place = to_change(options.world, target, as_file=as_file, allow_fixed=allow_fixed)
    plan = plan_rollback(place, options.world, to)
    given = confirmed(confirm, place, target) if plan.confirmation else ()
    return run_plan(options.world, plan, as_json=as_json, confirm=given, dry_run=dry_run)


def confirmed(confirm: tuple[str, ...], place: Target, said: str) -> tuple[str, ...]:
    """The confirmations, a file named as it was for TARGET being its whole path."""
    return tuple(place.token if place.regular_file and c == said else c for c in typed(confirm, [place]))


def _run(
    world: World, place: Target, image: VerifiedImage, given: tuple[str, ...], as_json: bool, dry_run: bool
) -> int:
    from smartos_wizard.media.upgrading import plan_upgrade

    plan = plan_upgrade(place, image, world)
    return run_plan(world, plan, as_json=as_json, confirm=given if plan.confirmation else (), dry_run=dry_run)
