"""`guest create`: a lab guest in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.boot_options import boot_options, choices_from
from smartos_wizard.cli.guest_hands_off import hands_off_options
from smartos_wizard.cli.guest_medium import Medium, medium_options
from smartos_wizard.cli.key_image import image_options
from smartos_wizard.cli.output import emit, json_option, plan_lines, run_plan, say, tell
from smartos_wizard.core.errors import UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.cli.guest_hands_off import Hands
    from smartos_wizard.cli.main import Options
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.guests.hypervisor import Hypervisor
    from smartos_wizard.guests.model import Detection, GuestSpec
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.world import World

EPILOG = """\b
Examples:
  smartos-wizard guest create lab --release latest
  smartos-wizard guest create lab --release latest --disk 2x40GB --memory 4GiB --answers answers.json
  smartos-wizard guest create lab --image smartos-USB.img.gz --sha256 HEX --sandbox sealed --dry-run
  smartos-wizard guest create lab --release latest --hands-off --layout raidz1 --start --wait login
  smartos-wizard guest create lab --release latest --boot iso
  smartos-wizard guest create lab --release latest --script sh > make-lab.sh
\b
Exit codes: 0 made (and what was waited for was seen), 1 it was not seen, 2 a value makes no sense, 3 cancelled,
4 refused (name, memory, room, port, hypervisor, answers, layout), 5 download, 6 checksum, 7 making it failed and what
was begun was taken away again.
"""


@click.command(name="create", epilog=EPILOG)
@click.argument("name")
@image_options
@medium_options
@click.option(
    "--hypervisor", default="", metavar="ID", help="virtualbox, vmware or qemu; the first that works here."
)
@click.option("--memory", default="", metavar="SIZE", help="Memory, for example 4GiB.")
@click.option("--cpus", type=int, default=0, metavar="N", help="Processors.")
@click.option("--disk", "disks", multiple=True, metavar="SIZE", help="A data disk, or 3x40GB; repeatable.")
@click.option(
    "--sandbox",
    type=click.Choice(["sealed", "lab", "lan"]),
    default="lab",
    help="No way out; out through NAT (the default); bridged to your network.",
)
@click.option(
    "--bridge", default="", metavar="CARD", help="The network card of this machine, for --sandbox lan."
)
@click.option(
    "--inner", multiple=True, metavar="NET", help="One more card, in a network between guests only."
)
@click.option(
    "--ssh-port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="On 127.0.0.1; chosen if left away.",
)
@click.option("--nested", is_flag=True, help="Let it run virtual machines itself (bhyve).")
@hands_off_options
@boot_options
@click.option("--confirm", multiple=True, metavar="TOKEN", help="`unverified`, with --unverified.")
@click.option("--dry-run", is_flag=True, help="Show what would happen and stop.")
@click.option(
    "--script", type=click.Choice(["sh", "ps1"]), default=None, help="Print the plan as a script and stop."
)
@json_option
@click.pass_obj
def create_command(
    options: Options, /, name: str, boot: dict[str, Any], dry_run: bool, script: str | None, confirm: tuple[str, ...],
    as_json: bool, hands: Hands, **said: Any,
) -> int:  # fmt: skip
    """Make the guest NAME: its own copy of the release, empty disks, a sandbox, a serial console.

    Everything of it lies in one folder; this machine's disks, network settings and other guests are not touched.
    Its console is its first serial port, unless --console says otherwise.
    """
    world = options.world
    medium = Medium(world, said)
    making = _Making(world, name, medium, medium.fit(choices_from(world, boot, tell)), hands, said)
    download, image = medium.image(None if dry_run or script else confirm)
    plan = making.plan(image)
    if script:
        from smartos_wizard.guests.script import script_of

        say(script_of(plan, script).rstrip("\n"))
        making.forget(plan)
        return 0
    if dry_run:
        return making.show(download, plan, as_json=as_json)
    if download is not None:
        making.forget(plan)
        code = run_plan(world, download, as_json=as_json)
        if code:
            return code
        plan = making.plan(medium.downloaded(image))
    return hands.after(world, name, run_plan(world, plan, as_json=as_json), as_json=as_json)


class _Making:
    """One `guest create`: the hypervisor is looked for once, the plan may be made twice."""

    def __init__(
        self,
        world: World,
        name: str,
        medium: Medium,
        choices: BootChoices,
        hands: Hands,
        said: dict[str, Any],
    ) -> None:
        from smartos_wizard.guests.building import choose_hypervisor

        self.world, self.name, self.choices, self.said, self.hands = world, name, choices, said, hands
        self.medium = medium
        self.hypervisor: Hypervisor
        self.detection: Detection
        self.hypervisor, self.detection = choose_hypervisor(world, said["hypervisor"])
        self.spec: GuestSpec | None = None

    def plan(self, image: VerifiedImage) -> Plan:
        """The plan, for the same guest each time. Raises Refused for all that speaks against it."""
        from smartos_wizard.guests.building import Wish, build
        from smartos_wizard.guests.iso import medium_of
        from smartos_wizard.guests.model import Sandbox
        from smartos_wizard.guests.planning import judge, plan_create

        if self.spec is None:
            wish = Wish(
                self.name, medium_of(image), memory=_mebibytes(self.said["memory"]), cpus=self.said["cpus"],
                disks=_disks(self.said["disks"]), sandbox=Sandbox(self.said["sandbox"]), bridge=self.said["bridge"],
                inner=self.said["inner"], nested=self.said["nested"], ssh_port=self.said["ssh_port"],
                console=self.medium.console or self.choices.console,
                configured=() if self.medium.is_iso else ("settings",),
            )  # fmt: skip
            spec = build(wish, self.hypervisor, self.world)
            self.spec, self.choices = self.hands.fit(spec, self.choices, len(wish.disks))
            for finding in judge(self.spec, self.world, self.detection):
                if finding.level != "error":
                    tell(f"{finding.text} {finding.hint}".rstrip())
        return plan_create(self.spec, image, self.choices, self.world, self.detection)

    def show(self, download: Plan | None, plan: Plan, *, as_json: bool) -> int:
        """Print the plan and leave nothing behind."""
        self.forget(plan)
        if as_json:
            before = [download.to_json()] if download else []
            emit({**plan.to_json(), "before": before, "after": list(self.hands.lines())})
            return 0
        for each in (download, plan):
            if each is not None:
                for line in (*plan_lines(each), ""):
                    say(line)
        for line in self.hands.lines():
            say(line)
        return 0

    def forget(self, plan: Plan) -> None:
        """The secrets of a plan that is not executed."""
        from smartos_wizard.core.vault import Vault

        Vault(self.world.paths).forget_of(plan)


def _mebibytes(word: str) -> int:
    from smartos_wizard.core.text import parse_size

    try:
        return parse_size(word) >> 20 if word else 0
    except ValueError as error:
        raise UsageProblem(
            "bad-memory", f"“{word}” is no amount of memory.", hint="For example 4GiB."
        ) from error


def _disks(words: tuple[str, ...]) -> tuple[int, ...]:
    from smartos_wizard.boot.disk_specs import spec_of

    sizes: list[int] = []
    for word in words:
        try:
            spec = spec_of(word)
        except ValueError as error:
            raise UsageProblem(
                "bad-disk", str(error), hint="For example --disk 40GB or --disk 3x40GB."
            ) from error
        sizes += [spec.size // 512 * 512] * spec.count
    return tuple(sizes)
