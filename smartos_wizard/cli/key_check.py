"""`key check`: prove an old key against an image or a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.key_image import (
    choice_of,
    downloaded,
    image_options,
    look_at,
    released,
    require_typed,
    verified_file,
)
from smartos_wizard.cli.key_targets import confirm_option, file_option, fixed_option, to_read
from smartos_wizard.cli.output import json_option, run_plan

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.media.model import VerifiedImage

EPILOG = """\b
Examples:
  smartos-wizard key check /dev/sdX --release 20260903T001557Z
  smartos-wizard key check vm.img --file --image smartos.img.gz --sha256 HEX
\b
Exit codes: 0 every byte is equal, 8 it differs (the first byte, its partition and file are named).
"""


@click.command(name="check", epilog=EPILOG)
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@image_options
@confirm_option
@file_option
@fixed_option
@click.option("--dry-run", is_flag=True, help="Show what would be read and stop.")
@json_option
@click.pass_obj
def check_command(
    options: Options, targets: tuple[str, ...], release: str, image: str, sha256: str, sums: str, mirror: str,
    unverified: bool, confirm: tuple[str, ...], as_file: bool, allow_fixed: bool, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Compare every byte of TARGET with an image. Nothing is written.

    Any disk may be read, so --allow-fixed changes nothing here; it is taken so that the words of `key write`
    can be used again.
    """
    del allow_fixed
    from smartos_wizard.media.checking import plan_check

    world = options.world
    choice = choice_of(release, image, sha256, sums, mirror, unverified)
    places = [to_read(world, target, as_file=as_file) for target in targets]
    found: VerifiedImage
    if choice.image:
        look_at(Path(choice.image))
        require_typed(choice, confirm)
        found = verified_file(choice, world)
    else:
        download, found = released(choice, world)
        if download is not None:
            code = run_plan(world, download, as_json=as_json, dry_run=dry_run)
            if code:
                return code
            found = found if dry_run else downloaded(found, world)
    return run_plan(world, plan_check(found, places), as_json=as_json, dry_run=dry_run)
