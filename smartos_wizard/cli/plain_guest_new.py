"""“Try SmartOS in a sandbox” line by line: hypervisor, release, size and disks, sandbox, set-up, review, made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.cli.output import plan_lines
from smartos_wizard.cli.plain_guest_size import PlainSize
from smartos_wizard.cli.plain_guest_start import PlainStart
from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.screens.options_model import Given
from smartos_wizard.screens.options_words import boot_flags
from smartos_wizard.screens.sandbox_model import SANDBOXES, GuestAnswers, wish_of
from smartos_wizard.screens.sandbox_start import iso_console, quoted, start_flags
from smartos_wizard.screens.sandbox_words import create_flags
from smartos_wizard.screens.words import begin

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.guests.hands_off import HandsOff
    from smartos_wizard.guests.model import Detection, Guest, GuestSpec
    from smartos_wizard.media.model import VerifiedImage

CONSOLE = "ttya"


class PlainSandbox:
    """Asks for a guest step by step. Back goes to the step before; nothing is made before the review says so."""

    def __init__(self, work: PlainWork, *, ascii_only: bool) -> None:
        self.work, self.desk, self.voice, self._ascii = work, work.desk, work.voice, ascii_only
        self.guest = GuestAnswers(name=_free_name(self.desk.world.guests.list()))
        self.detection: Detection | None = None
        self.image: VerifiedImage | None = None
        self.hands_off = False
        self.choices, self.given = BootChoices(console=CONSOLE), Given()
        self.made: Guest | None = None

    def run(self) -> Guest | None:
        """Walk the steps; the guest where one was made."""
        at = 0
        while True:
            steps = [self._where, self._release, self._size, self._sandbox, self._set_up, self._review]
            if self._iso:  # it can be told nothing
                steps.remove(self._set_up)
            if not 0 <= at < len(steps):
                return self.made
            self.voice.say()
            went_on: list[bool] = []
            good = self.work.guarded(lambda s=steps[at], w=went_on: w.append(s()))  # type: ignore[misc]
            at += 1 if good and went_on[0] else -1

    @property
    def _iso(self) -> bool:
        return self.guest.boot == "iso"

    # ------------------------------------------------------------------ where, and what

    def _where(self) -> bool:
        self.voice.say("Step 1, hypervisor: the program that runs the guest. Any of them will do.")
        here: list[Detection] = []
        for hypervisor in self.desk.world.hypervisors():
            self.voice.say(f"Looking for {hypervisor.title}.")
            found = hypervisor.detect()
            if found.usable:
                here.append(found)
            else:
                self._not_here(found)
        for number, found in enumerate(here, 1):
            mark = "" if found.starts else ", makes guests but starts none here"
            self.voice.say(f"{number}. {found.title} {found.version}{mark}")
            for problem in found.problems:
                self.voice.say(f"{found.title}: {problem.text} {problem.hint}".strip())
        if not here:
            self.voice.say("There is none here. Install one of them, then come back.")
            return False
        chosen = self.voice.choose("In which hypervisor?", len(here))
        if chosen is None:
            return False
        self.detection = here[chosen]
        self.guest = replace(self.guest, hypervisor=here[chosen].id, title=here[chosen].title)
        return True

    def _not_here(self, found: Detection) -> None:
        self.voice.say(f"Not offered: {found.title}: {'it cannot be used' if found.found else 'not here'}.")
        for line in [f"{p.text} {p.hint}".strip() for p in found.problems] or [found.how]:
            self.voice.say(line)

    def _release(self) -> bool:
        asked = PlainStart(self.work, self.guest)
        went_on = asked.run()
        self.guest, self.image = asked.guest, asked.image
        return went_on

    def _size(self) -> bool:
        assert self.image is not None and self.detection is not None
        asked = PlainSize(self.voice, self.desk.world, self.guest, self.image, ascii_only=self._ascii)
        went_on = asked.run(self.detection)
        self.guest = asked.guest
        return went_on

    # ------------------------------------------------------------------ sandbox, set-up

    def _sandbox(self) -> bool:
        self.voice.say("Step 4, sandbox: what the guest may reach.")
        for number, offer in enumerate(SANDBOXES, 1):
            self.voice.say(f"{number}. {offer.words}: {offer.more}")
        self.voice.say("In all of them clipboard, shared folders, USB, sound and remote display are off.")
        chosen = self.voice.choose("Which sandbox?", len(SANDBOXES))
        if chosen is None:
            return False
        self.guest = replace(self.guest, sandbox=SANDBOXES[chosen].value, bridge="")
        return self.guest.sandbox != "lan" or self._bridge()

    def _bridge(self) -> bool:
        from smartos_wizard.guests.cards import cards

        found = cards()
        for number, name in enumerate(found, 1):
            self.voice.say(f"{number}. {name}")
        if not found:
            self.voice.say("This machine has no network card that is up. Choose another sandbox.")
            return self._sandbox()
        chosen = self.voice.choose("To which network card of this machine?", len(found))
        if chosen is None:
            return self._sandbox()
        self.guest = replace(self.guest, bridge=found[chosen])
        return True

    def _set_up(self) -> bool:
        self.voice.say("Step 5, set-up: who answers what SmartOS asks at its first start?")
        self.voice.say(
            "1. Nobody: it sets itself up, and a one-time password of root is said once, at the end."
        )
        self.voice.say("2. You, at its console.")
        self.voice.say("3. You decide in detail: answers of your own, console, password, files.")
        chosen = self.voice.choose("Who answers?", 3)
        if chosen is None:
            return False
        self.hands_off = chosen == 0
        if chosen < 2:
            self.choices, self.given = BootChoices(console=CONSOLE), Given()
            return True
        return self._options()

    def _options(self) -> bool:
        from smartos_wizard.cli.plain_options import PlainOptions

        asked = PlainOptions(self.voice, self.desk.boot, self.choices, self.given)
        asked.HEADING = "What the guest is told at boot, on a copy of the release that is its own."
        went_on = asked.run()
        self.choices, self.given = asked.choices, asked.given
        if not self.choices.console:
            self.choices = self.choices.with_(console=CONSOLE)
        return went_on

    # ------------------------------------------------------------------ review, made

    def _review(self) -> bool:
        from smartos_wizard.guests.planning import plan_create

        assert self.image is not None and self.detection is not None
        self.voice.say("Step 6, review.")
        ready = self._ready()
        plan = plan_create(ready.spec, self.image, ready.choices, self.desk.world, self.detection)
        for line in plan_lines(plan):
            self.voice.say(line)
        for line in self._know_before(ready):
            self.voice.say(f"Know before: {line}")
        self.voice.say(f"The same by command: {self._command()}")
        self.voice.say("1. Make it. 2. Go back.")
        if self.voice.choose("Make it?", 2) != 0:
            self.desk.boot.forget(plan)
            return False
        return self._make(plan, ready)

    def _ready(self) -> HandsOff:
        from smartos_wizard.boot.shadow import one_time_password
        from smartos_wizard.guests.hands_off import HandsOff, prepared

        spec = self._spec()
        if self._iso:
            return HandsOff(spec, BootChoices())
        if not self.hands_off:
            return HandsOff(spec, self.choices)
        return prepared(spec, self.choices, one_time_password())

    def _spec(self) -> GuestSpec:
        from smartos_wizard.guests.building import build
        from smartos_wizard.guests.iso import medium_of
        from smartos_wizard.guests.ports import driver

        assert self.image is not None
        console = iso_console(self.image) if self._iso else self.choices.console
        wish = wish_of(self.guest, medium_of(self.image), console)
        return build(wish, driver(self.desk.world, self.guest.hypervisor), self.desk.world)

    def _know_before(self, ready: HandsOff) -> list[str]:
        from smartos_wizard.guests.hands_off import sealed_findings
        from smartos_wizard.guests.iso import told as iso_told
        from smartos_wizard.guests.planning import judge

        found = judge(ready.spec, self.desk.world, self.detection)
        found = (*found, *sealed_findings(ready.choices.answers, ready.spec))
        told = [f"{f.text} {f.hint}".strip() for f in found if f.level != "error"]
        if self.image is not None and self.image.algorithm == "none":
            told.insert(0, f"Nobody vouches for {self.image.path.name}: it is taken at your word.")
        if self._iso:
            told.append(iso_told(ready.spec.console))
        elif self.hands_off:
            told.append("When it is first started it sets itself up, on its own disks, without a question.")
        return [*told, *ready.told]

    def _command(self) -> str:
        start = begin(practice=self.desk.world.practice)
        medium = quoted(start_flags(self.guest, self.image.stamp if self.image is not None else ""))
        flags, told = create_flags(self.guest), ""
        if not self._iso:
            flags += ["--hands-off"] if self.hands_off else []
            choices = self.choices
            told = boot_flags(
                choices.with_(console="") if choices.console == CONSOLE else choices, self.given
            )
        words = [f"{start} guest create", _quoted(self.guest.name), medium, *flags, told]
        return " ".join(word for word in words if word)

    def _make(self, plan: Plan, ready: HandsOff) -> bool:
        self.work.run(plan)
        if self.work.code:
            return False
        self.made = self.desk.world.guests.find(ready.spec.name)
        if ready.password:
            self.voice.say(f"One-time password of root, said this once: {ready.password}")
            self.voice.say(
                "It stands in clear text on the guest's own key. Change it after the first log-in."
            )
        return True


def _free_name(guests: tuple[Guest, ...]) -> str:
    taken = {guest.name.casefold() for guest in guests if guest.made}
    names = ["lab", *(f"lab-{n}" for n in range(2, 100))]
    return next((name for name in names if name not in taken), "lab")


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
