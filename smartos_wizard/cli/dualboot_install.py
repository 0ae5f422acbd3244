"""`dualboot install`: SmartOS into GRUB's menu beside this Linux."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.boot_options import boot_options, choices_from
from smartos_wizard.cli.dualboot_choice import (
    Made,
    confirm_option,
    make,
    require_rights,
    root_option,
    way_options,
)
from smartos_wizard.cli.key_image import choice_of, downloaded, image_options, require_typed
from smartos_wizard.cli.output import emit, json_option, plan_lines, require, run_plan, say, tell

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.world import World

EPILOG = """\b
Examples:
  smartos-wizard dualboot install --release latest --dry-run
  sudo smartos-wizard dualboot install --release latest --confirm kestrel
  sudo smartos-wizard dualboot install --image platform-20260903T001557Z.tgz --sums sha256sums.txt \\
      --console ttya --confirm kestrel
  smartos-wizard --practice dualboot install --release latest --confirm practice-linux
\b
--confirm takes this machine's name. What starts by itself stays what it is.
\b
Exit codes: 0 done, 1 GRUB's tools failed, 2 usage, 3 cancelled, 4 refused (UEFI, Secure Boot, no GRUB, no room,
not confirmed), 5 download, 6 checksum, 7 write, 8 a copy differs, 9 root's rights are needed. Except for 0,
everything is as it was before.
"""


@click.command(name="install", epilog=EPILOG)
@image_options
@way_options
@boot_options
@confirm_option
@click.option("--dry-run", is_flag=True, help="Show what would happen and stop.")
@root_option
@json_option
@click.pass_obj
def install_command(
    options: Options, /, way: str | None, chainload: str, confirm: tuple[str, ...], dry_run: bool, root: str, as_json: bool,
    boot: dict[str, Any], **source: Any,
) -> int:  # fmt: skip
    """Put SmartOS beside this Linux: its files to /boot, and two entries (SmartOS, rescue) into GRUB's menu.

    The new menu is made aside and checked before it takes the place of the old one; whatever fails is taken back.
    SmartOS' setup takes every disk by default, this Linux's too: answer `manual` there, and name a disk.
    """
    world = options.world
    choices = choices_from(world, boot, tell)
    made = make(world, root, source, way, chainload, choices, need=not chainload)
    plan = _plan(made, world, root)
    if source["image"] and not dry_run:
        require_typed(choice_of(**source), confirm)
    given = tuple(c for c in confirm if c != "unverified")
    if made.download is None:
        if not dry_run:
            require_rights(made, world)
        return run_plan(world, plan, as_json=as_json, confirm=given, dry_run=dry_run)
    if dry_run:
        _show_both(made.download, plan, as_json=as_json)
        _forget(world, plan)
        return 0
    require_rights(made, world)
    require(world, plan, given)
    _forget(world, plan)
    code = run_plan(world, made.download, as_json=as_json)
    if code or made.image is None:
        return code
    downloaded(made.image, world, "iso" if way == "iso" else "platform")
    made = make(world, root, source, way, chainload, choices, need=True)
    return run_plan(world, _plan(made, world, root), as_json=as_json, confirm=given)


def _plan(made: Made, world: World, root: str) -> Plan:
    from smartos_wizard.netboot.dualboot_planning import plan_install

    return plan_install(made.setup, made.draft, made.volume, made.image, made.choices, world, root)


def _forget(world: World, plan: Plan) -> None:
    """Forget the secrets of a plan that is not run."""
    from smartos_wizard.core.vault import Vault

    Vault(world.paths).forget_of(plan)


def _show_both(download: Plan, plan: Plan, *, as_json: bool) -> None:
    if as_json:
        emit({**plan.to_json(), "before": [download.to_json()]})
        return
    for line in (*plan_lines(download), "", *plan_lines(plan)):
        say(line)
