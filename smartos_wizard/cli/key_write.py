"""`key write`: from a release or a file to keys that are proven."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.boot_options import boot_options, choices_from
from smartos_wizard.cli.key_image import (
    ImageChoice,
    choice_of,
    downloaded,
    image_options,
    look_at,
    released,
    require_typed,
    verified_file,
)
from smartos_wizard.cli.key_targets import confirm_option, file_option, fixed_option, to_write, typed
from smartos_wizard.cli.output import emit, json_option, plan_lines, require, run_plan, say, tell
from smartos_wizard.cli.reinstall_key import ReinstallKey, reinstall_option
from smartos_wizard.core.vault import Vault

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.media.model import Target, VerifiedImage
    from smartos_wizard.world import World

EPILOG = """\b
Examples:
  smartos-wizard key write /dev/sdX --release latest --confirm SERIAL
  smartos-wizard key write /dev/sdX /dev/sdY --image smartos.img.gz --sums sha256sums.txt \\
      --confirm SERIAL1 --confirm SERIAL2
  smartos-wizard key write vm.img --file --release latest
  smartos-wizard key write /dev/sdX --release latest --dry-run
  smartos-wizard key write /dev/sdX --release latest --console ttya --answers answers.json \\
      --confirm SERIAL
  smartos-wizard key write /dev/sdX --release latest --reinstall --confirm SERIAL
\b
Exit codes: 0 proven, 3 cancelled, 4 refused, 5 download, 6 checksum, 7 write, 8 proof failed,
9 privilege, 10 device gone. After an interruption the same command continues.
"""


@click.command(name="write", epilog=EPILOG)
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@image_options
@boot_options
@reinstall_option
@confirm_option
@click.option("--dry-run", is_flag=True, help="Show what would happen and stop.")
@file_option
@fixed_option
@click.option("--no-delta", is_flag=True, help="Write every byte, also where the key holds it already.")
@click.option("--eject", is_flag=True, help="Make the proven keys safe to pull at the end.")
@json_option
@click.pass_obj
def write_command(
    options: Options, targets: tuple[str, ...], release: str, image: str, sha256: str, sums: str, mirror: str,
    unverified: bool, confirm: tuple[str, ...], dry_run: bool, as_file: bool, allow_fixed: bool, no_delta: bool,
    eject: bool, as_json: bool, reinstall: bool, boot: dict[str, Any],
) -> int:  # fmt: skip
    """Write SmartOS to TARGET and prove it.

    Everything on each TARGET is erased; to say that you mean it, --confirm names it. Success is only said
    after every byte was read back from the device and compared. Console, answers and further files are put on
    it in the same run, and the proof covers them too.
    """
    world = options.world
    choice = choice_of(release, image, sha256, sums, mirror, unverified)
    special = ReinstallKey(choices_from(world, boot, tell), targets, asked=reinstall)
    order = _Order(
        world, choice, targets, confirm, as_file, allow_fixed, not no_delta, dry_run, as_json, special
    )
    code = order.from_file() if choice.image else order.from_release()
    special.say(code, dry_run=dry_run)
    if eject and code == 0 and not dry_run and not as_file:
        for target in targets:
            tell(world.opener.eject(target))
    return code


class _Order:
    """One `key write`, in the order that asks least of the user before it may say no."""

    def __init__(
        self, world: World, choice: ImageChoice, targets: tuple[str, ...], confirm: tuple[str, ...],
        as_file: bool, allow_fixed: bool, delta: bool, dry_run: bool, as_json: bool, special: ReinstallKey,
    ) -> None:  # fmt: skip
        self.world, self.choice, self.paths, self.confirm = world, choice, targets, confirm
        self.as_file, self.allow_fixed, self.delta = as_file, allow_fixed, delta
        self.dry_run, self.as_json, self.special = dry_run, as_json, special

    def from_file(self) -> int:
        """Write the user's own file."""
        size = look_at(Path(self.choice.image))
        targets = self._targets(size)
        if not self.dry_run:
            require_typed(self.choice, self.confirm)
        # A regular file is changed by being opened at its new size; for a key the writer can check in passing.
        image = verified_file(self.choice, self.world, later=not self.as_file)
        return self._run(self._plan(replace(image, raw_size=image.raw_size or size), targets), targets)

    def from_release(self) -> int:
        """Write a release, downloading it first where that takes it."""
        from smartos_wizard.media.source import peek_size

        download, image = released(self.choice, self.world)
        targets = self._targets(peek_size(image))
        plan = self._plan(image, targets)
        if self.dry_run:
            return self._show(download, plan)
        require(self.world, plan, typed(self.confirm, targets))
        if download is not None:
            Vault(self.world.paths).forget_of(plan)
            code = run_plan(self.world, download, as_json=self.as_json)
            if code:
                return code
            plan = self._plan(downloaded(image, self.world), targets)
        return self._run(plan, targets)

    def _targets(self, size: int | None) -> list[Target]:
        return to_write(self.world, self.paths, size, as_file=self.as_file, allow_fixed=self.allow_fixed)

    def _plan(self, image: VerifiedImage, targets: list[Target]) -> Plan:
        from smartos_wizard.media.writing import plan_write

        choices = self.special.choices
        return self.special.told(plan_write(image, targets, self.world, delta=self.delta, choices=choices))

    def _run(self, plan: Plan, targets: list[Target]) -> int:
        confirm = typed(self.confirm, targets)
        if plan.confirmation is None:
            confirm = ()
        return run_plan(self.world, plan, as_json=self.as_json, confirm=confirm, dry_run=self.dry_run)

    def _show(self, download: Plan | None, plan: Plan) -> int:
        Vault(self.world.paths).forget_of(plan)
        if self.as_json:
            emit({**plan.to_json(), "before": [download.to_json()] if download else []})
            return 0
        for each in (download, plan):
            if each is not None:
                for line in plan_lines(each):
                    say(line)
                say()
        return 0
