"""What the screens about guests may ask of the engine. No Textual here. Each call may take seconds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.screens import pool_model
from smartos_wizard.screens.sandbox_model import (
    CONSOLE,
    EACH,
    NAME,
    Said,
    said_of,
    typed_again,
    wish_of,
    wrong,
)
from smartos_wizard.screens.sandbox_plan import image_of, spec_of
from smartos_wizard.screens.sandbox_start import UNVERIFIED, iso_console, starting

if TYPE_CHECKING:
    from pathlib import Path

    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.guests.model import Detection, Finding, Guest, GuestSpec
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.screens.flow import Answers
    from smartos_wizard.screens.sandbox_model import GuestAnswers
    from smartos_wizard.world import World


@dataclass(frozen=True, slots=True)
class Judged:
    """A guest as it is typed. `wrong` is field to words where something makes no sense by itself.

    `spec` is what would be made (None while something is wrong), `said` what speaks against it, `switches` each
    switch of its sandbox as (what it is, how it will be).
    """

    wrong: dict[str, str] = field(default_factory=dict)
    spec: GuestSpec | None = None
    said: tuple[Said, ...] = ()
    pool: pool_model.Seen = field(default_factory=pool_model.Seen)
    switches: tuple[tuple[str, str], ...] = ()
    beside: dict[str, str] = field(default_factory=dict)

    def stops(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        """The fields among these that must be put right; an error of no field counts as well."""
        bad = [name for name in fields if name in self.wrong]
        errors = [said.field for said in self.said if said.level == "error"]
        return tuple(dict.fromkeys([*bad, *(name for name in errors if name in fields or not name)]))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A plan to make a guest, the room it takes in words, and what should be known before."""

    plan: Plan
    room: str
    warnings: tuple[str, ...]


class SandboxDesk:
    """Hypervisors, and guests to be made in them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._detected: dict[str, Detection] = {}
        self._consoles: dict[Path, str] = {}

    def hypervisors(self) -> tuple[tuple[str, str], ...]:
        """Id and title of every driver, the one to prefer first; nothing is looked for yet."""
        return tuple((each.id, each.title) for each in self.world.hypervisors())

    def detect(self, name: str) -> Detection:
        """What is known of that hypervisor on this machine."""
        from smartos_wizard.guests.ports import driver

        self._detected[name] = driver(self.world, name).detect()
        return self._detected[name]

    def free_name(self) -> str:
        """A name that no guest has."""
        from smartos_wizard.guests.store import slug

        taken = {slug(guest.name) for guest in self.guests() if guest.made}
        names = [NAME, *(f"{NAME}-{n}" for n in range(2, 100))]
        return next((name for name in names if name not in taken), NAME)

    def cards(self) -> tuple[str, ...]:
        """The network cards of this machine that are up, for a guest on its network."""
        from smartos_wizard.guests.cards import cards

        return cards()

    def judge(self, answers: Answers, width: int, *, full: bool, ascii_only: bool = False) -> Judged:
        """What would come of it. `full` asks the hypervisor as well, which may take a second."""
        bad = wrong(answers.guest)
        pool = self._pool(answers.guest, width, ascii_only)
        if bad:
            return Judged(bad, pool=pool)
        try:
            spec = self._spec(answers)
            found = self._findings(spec, full=full)
        except WizardError as error:
            return Judged(said=(Said("", "error", "", error.message),), pool=pool)
        return Judged({}, spec, said_of(found), pool, _switches(spec), self._beside(spec))

    def _pool(self, guest: GuestAnswers, width: int, ascii_only: bool) -> pool_model.Seen:
        line = f"{guest.count}x{guest.each.strip() or EACH}"
        asked = pool_model.Asked(line, ram=guest.memory)
        return pool_model.look(asked, width, ascii_only=ascii_only)

    def _spec(self, answers: Answers, choices: BootChoices | None = None) -> GuestSpec:
        from smartos_wizard.guests.building import build
        from smartos_wizard.guests.iso import medium_of
        from smartos_wizard.guests.ports import driver

        assert answers.image is not None
        if answers.guest.boot == "iso":
            console = self._iso_console(answers.image)
        else:
            console = (choices or answers.choices).console or CONSOLE
        wish = wish_of(answers.guest, medium_of(answers.image), console)
        return build(wish, driver(self.world, answers.guest.hypervisor), self.world)

    def _iso_console(self, image: VerifiedImage) -> str:
        """What its ISO talks on, looked up once: the judgement follows every key."""
        if image.path not in self._consoles:
            self._consoles[image.path] = iso_console(image)
        return self._consoles[image.path]

    def _findings(self, spec: GuestSpec, *, full: bool) -> list[Finding]:
        from smartos_wizard.guests import sizing
        from smartos_wizard.guests.model import Finding
        from smartos_wizard.guests.planning import judge

        found = (
            list(judge(spec, self.world, self._detected.get(spec.hypervisor)))
            if full
            else list(sizing.check_size(spec, self.world.host_size()))
        )
        try:
            _ = self.world.guests.planned(spec)
        except Refused as refused:
            found.append(Finding(refused.reference, refused.message, hint=refused.hint))
        return found

    def _beside(self, spec: GuestSpec) -> dict[str, str]:
        from smartos_wizard.guests.sizing import RESERVE
        from smartos_wizard.guests.store import slug

        host = self.world.host_size()
        return {
            "name": f"its folder: guests/{slug(spec.name)}",
            "memory": f"{text.size(max(0, host.memory - RESERVE) << 20)} can be spared here",
            "cpus": f"of {host.cpus} in this machine",
            "each": f"grows; {text.size(host.free)} are free",
            "default-memory": text.size(spec.memory << 20),
            "default-cpus": str(spec.cpus),
            "default-each": text.size(spec.disks[0].size),
        }

    def hands_off(self, answers: Answers) -> tuple[BootChoices, str]:
        """The choices with answers made for all that setup asks, and root's one-time password. Raises Refused."""
        from smartos_wizard.boot.shadow import one_time_password
        from smartos_wizard.guests.hands_off import prepared

        ready = prepared(self._spec(answers), answers.choices.with_(answers=None), one_time_password())
        made = dict(ready.choices.answers or {})
        made.pop("admin_nic", None)  # its cards get their addresses when the plan is made
        return ready.choices.with_(answers=made), ready.password

    def foresee(self, answers: Answers) -> Foreseen:
        """The plan that makes the guest, as `guest create` would make it. Raises Refused for what speaks against it."""
        from smartos_wizard.guests.iso import told

        assert answers.image is not None
        choices, iso = self._choices(answers), answers.guest.boot == "iso"
        spec = self._spec(answers, choices)
        if not iso and answers.guest.by_itself(choices.answers):
            choices = self._by_itself(spec, choices)
        warned = [told(spec.console)] if iso else []
        if answers.image.algorithm == "none":
            warned.insert(0, f"Nobody vouches for {answers.image.path.name}: it is taken at your word.")
        if iso and not answers.choices.with_(console="").empty:
            warned.append("What was chosen under Options is left out: an ISO can be told nothing.")
        warned += [
            f"{each.text} {each.hint}".strip()
            for each in self._findings(spec, full=True)
            if each.level == "warning"
        ]
        if sum(disk.size for disk in spec.disks) > self.world.host_size().free:
            warned.append("Its disks may grow beyond the room there is: watch it.")
        plan = self._planned(spec, answers.image, choices)
        return Foreseen(plan, self._room(spec, answers.image), tuple(warned))

    def _choices(self, answers: Answers) -> BootChoices:
        """What it is told at boot: on an ISO nothing; else there is a console that is named."""
        from smartos_wizard.boot.model import BootChoices

        if answers.guest.boot == "iso":
            return BootChoices()
        return answers.choices if answers.choices.console else answers.choices.with_(console=CONSOLE)

    def _by_itself(self, spec: GuestSpec, choices: BootChoices) -> BootChoices:
        """With answers for the guest as it is in the end: its sandbox may have been changed since they were made."""
        from smartos_wizard.guests.hands_off import prepared

        password = (choices.answers or {}).get("root_password", "")
        return prepared(spec, choices.with_(answers=None), password).choices

    def _room(self, spec: GuestSpec, image: VerifiedImage) -> str:
        disks, free = sum(disk.size for disk in spec.disks), self.world.host_size().free
        key = f"up to {text.size(image.raw_size) if image.raw_size else '2 GiB'} for its key, "
        if spec.boot.kind.value == "iso":
            key = ""
        return f"{key}{text.size(disks)} as its disks fill; {text.size(free)} free."

    def create_again(self, plan: Plan) -> Plan:
        """The same guest once more, where making it broke off: same UUID, same addresses.

        Raises Refused; `secret-gone` where what it was to be told at boot is kept no more.
        """
        from smartos_wizard.boot.model import BootChoices
        from smartos_wizard.boot.packed import unpack_choices
        from smartos_wizard.core.vault import Vault

        names = [str(step.params["choices"]) for step in plan.steps if step.params.get("choices")]
        choices = unpack_choices(Vault(self.world.paths).get(names[0])) if names else BootChoices()
        return self._planned(spec_of(plan), image_of(plan), choices)

    def answers_again(self, plan: Plan) -> Answers:
        """What was decided for the guest of a plan, but not what it is told at boot. Raises Refused."""
        from smartos_wizard.screens.flow import Answers

        image, spec = image_of(plan), spec_of(plan)
        guest = starting(typed_again(spec), image)
        if not image.path.is_relative_to(self.world.paths.store):
            vouch = image.digest if image.algorithm == "sha256" else "" if image.digest else UNVERIFIED
            guest = replace(guest, file=str(image.path), vouch=vouch)
        return Answers(image.stamp, image, guest=guest)

    def _planned(self, spec: GuestSpec, image: VerifiedImage, choices: BootChoices) -> Plan:
        from smartos_wizard.guests.planning import plan_create

        return plan_create(spec, image, choices, self.world)

    def guests(self) -> tuple[Guest, ...]:
        """The guests made by this program, half-made ones too."""
        return self.world.guests.list()

    def start_plan(self, name: str) -> Plan:
        """The plan to start a guest. Raises Refused."""
        from smartos_wizard.guests.planning import plan_start

        return plan_start(self.world.guests.find(name))


def _switches(spec: GuestSpec) -> tuple[tuple[str, str], ...]:
    from smartos_wizard.guests.sandbox import SWITCHES, asked

    wanted = asked(spec)
    return tuple((words, wanted[name]) for name, words in SWITCHES.items())
