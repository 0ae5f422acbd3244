"""`netboot build`: a directory that machines can boot SmartOS from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.boot.model import CONSOLES
from smartos_wizard.cli.key_image import ImageChoice, released, require_typed, verified_file
from smartos_wizard.cli.output import json_option, run_plan, tell
from smartos_wizard.core.errors import UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.netboot.build_plan import Source
    from smartos_wizard.netboot.tree import Wishes
    from smartos_wizard.world import World

EPILOG = """\b
Examples:
  smartos-wizard netboot build /srv/netboot --release latest --dry-run
  smartos-wizard netboot build /srv/netboot --release latest --release 20260806T000411Z
  smartos-wizard netboot build /srv/netboot --tarball platform-20260903T001557Z.tgz --sums sha256sums.txt
  smartos-wizard netboot build /srv/netboot --iso smartos-20260903T001557Z.iso --sha256 HEX
  smartos-wizard netboot build /srv/netboot --mac 52:54:00:12:34:56=rack7 --mac 52:54:00:12:34:57=answers.json
  smartos-wizard netboot build /srv/netboot --release latest --keep 3 --confirm 20260430T003027Z
\b
Without a release only the scripts are written anew. What a menu and single machines are told stays until it is
given anew; --forget MAC and --profile none take it back. Only files this made are ever changed or removed.
\b
Exit codes: 0 built and read back, 2 usage, or no platform in the file, 3 cancelled, 4 refused (odd archive, not ours,
no room, not confirmed), 5 download, 6 checksum, 7 write, 8 the tree is not whole.
"""
"""The help's end."""


@click.command(name="build", epilog=EPILOG)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--release", "releases", multiple=True, metavar="STAMP|latest", help="A release; its platform tarball is downloaded if need be. Repeatable.")  # fmt: skip
@click.option("--tarball", "tarballs", multiple=True, metavar="FILE", help="A platform tarball, platform-*.tgz. Repeatable.")  # fmt: skip
@click.option("--iso", "isos", multiple=True, metavar="FILE", help="The ISO of a release. Repeatable.")
@click.option("--sha256", default="", metavar="HEX", help="The digest the one FILE must have.")
@click.option("--sums", default="", metavar="FILE", help="A checksum list that names every FILE.")
@click.option("--unverified", is_flag=True, help="Take FILE though nobody vouches for it; also say --confirm unverified.")  # fmt: skip
@click.option(
    "--mirror", default="", metavar="URL|DIR", help="Another mirror, or a directory shaped like one."
)
@click.option("--keep", type=click.IntRange(1), default=None, metavar="N", help="Releases to keep in the tree, the newest; all without it.")  # fmt: skip
@click.option("--again", is_flag=True, help="Unpack a release anew though it is there.")
@click.option("--profile", default="", metavar="NAME|none", help="What the menu begins with: choices saved under NAME.")  # fmt: skip
@click.option(
    "--console",
    type=click.Choice(CONSOLES),
    default=None,
    help="Where SmartOS talks and asks, unless the menu is told otherwise.",
)
@click.option("--mac", "macs", multiple=True, metavar="MAC=PROFILE|FILE", help="A machine with a profile or an answers file (.json) of its own. Repeatable.")  # fmt: skip
@click.option("--forget", multiple=True, metavar="MAC", help="This machine is told the same as all again.")
@click.option("--confirm", multiple=True, metavar="TOKEN", help="The stamp of each release that goes, as the plan asks.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show every step; do nothing.")
@json_option
@click.pass_obj
def build_command(
    options: Options, directory: Path, releases: tuple[str, ...], tarballs: tuple[str, ...], isos: tuple[str, ...],
    sha256: str, sums: str, unverified: bool, mirror: str, keep: int | None, again: bool, profile: str,
    console: str | None, macs: tuple[str, ...], forget: tuple[str, ...], confirm: tuple[str, ...], dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Build or renew a netboot tree in DIR: releases, an iPXE menu, scripts for single machines, PXELINUX and GRUB."""
    from smartos_wizard.core.vault import Vault
    from smartos_wizard.netboot.asking import wishes_of
    from smartos_wizard.netboot.build_plan import Asked, plan_build
    from smartos_wizard.netboot.tree import read_tree

    world = options.world
    files = (*tarballs, *isos)
    if (sha256 or sums or unverified) and not files:
        raise UsageProblem(
            "release-has-digest", "--sha256, --sums and --unverified go with --tarball and --iso only."
        )
    if sha256 and (len(files) > 1 or sums):
        raise UsageProblem("which-digest", "--sha256 is for one FILE.", hint="--sums names several.")
    if unverified and not dry_run:
        require_typed(ImageChoice("", "", "", "", "", True), confirm)
    tree = read_tree(directory.expanduser().absolute())
    wishes = wishes_of(
        tree.wishes, world.paths, profile=profile, console=console or "", macs=macs, forget=forget
    )
    sources = [
        *_released(world, releases, mirror),
        *(_file(world, name, sha256, sums, unverified, iso=name in isos) for name in files),
    ]
    vault = Vault(world.paths)
    secret = vault.put(wishes.pack())
    try:
        plan = plan_build(tree, Asked(tuple(sources), wishes, secret, keep, again))
        _warn(wishes)
        given = tuple(token for token in confirm if token != "unverified")
        return run_plan(world, plan, as_json=as_json, confirm=given, dry_run=dry_run)
    finally:
        vault.forget(secret)


def _released(world: World, stamps: tuple[str, ...], mirror: str) -> list[Source]:
    from smartos_wizard.netboot.asking import source_of_release

    found = []
    for stamp in stamps:
        download, image = released(ImageChoice(stamp, "", "", "", mirror, False), world, "platform")
        found.append(source_of_release(image, download))
    return found


def _file(world: World, name: str, sha256: str, sums: str, unverified: bool, *, iso: bool) -> Source:
    from smartos_wizard.netboot.asking import source_of_file

    choice = ImageChoice("", name, sha256, sums, "", unverified)
    return source_of_file(verified_file(choice, world, later=True, platform=not iso, iso=iso))


def _warn(wishes: Wishes) -> None:
    from smartos_wizard.netboot.asking import warnings_of

    for line in warnings_of(wishes):
        tell(f"Warning: {line}")
