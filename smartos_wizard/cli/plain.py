"""The wizard line by line, for Braille displays, speech and simple terminals: the same flow, one question at a time.

Every line stands by itself; nothing is drawn over, nothing blinks. `b` goes back, `q` leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from smartos_wizard.cli.plain_guests import PlainGuests
from smartos_wizard.cli.plain_keys import PlainKeys
from smartos_wizard.cli.plain_machine import PlainMachine
from smartos_wizard.cli.plain_reinstall import PlainReinstall
from smartos_wizard.cli.plain_voice import Leave, Voice
from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core import text
from smartos_wizard.screens.desk import Desk
from smartos_wizard.screens.flow import Flow, Stage
from smartos_wizard.screens.options_words import warned_of
from smartos_wizard.screens.words import same_by_command

if TYPE_CHECKING:
    from smartos_wizard.cli.plain_dualboot import PlainDualboot
    from smartos_wizard.cli.plain_netboot import PlainNetboot
    from smartos_wizard.screens.job_rows import JobRow
    from smartos_wizard.world import World

_SHOWN = 8  # releases read aloud


class PlainWizard:
    """Asks and tells in lines."""

    def __init__(self, world: World, *, ascii_only: bool = False) -> None:
        self.desk, self._ascii = Desk(world), ascii_only
        self.voice = Voice(ascii_only=ascii_only)
        self.work = PlainWork(self.desk, self.voice)
        self.keys = PlainKeys(self.work)
        self.machine = PlainMachine(self.desk, self.voice, ascii_only=ascii_only)
        self.guests = PlainGuests(self.work, ascii_only=ascii_only)

    def run(self) -> int:
        """Walk the flow; the exit code of the last work."""
        say = self.voice.say
        say("SmartOS Wizard." + (" Practice: nothing here is real." if self.desk.world.practice else ""))
        say(
            "Answer with a number. b goes back, q leaves. Nothing is erased before you typed what names the disk."
        )
        try:
            while True:
                say()
                self._home()
        except Leave:
            return self.work.code

    def _home(self) -> None:
        jobs = self.desk.jobs()
        for number, row in enumerate(jobs, 1):
            words = (
                f"{row.state.capitalize()}: {row.title}.",
                f"{row.where}." if row.where else "",
                row.means,
            )
            self.voice.say(f"{number}. {' '.join(w for w in words if w)}")
        entries: tuple[tuple[str, Callable[[], None]], ...] = (
            ("Make a USB key", lambda: self._flow(Flow())),
            (
                "Look after a key: what is on it, prove it, configure it, upgrade it, make it plain",
                self.keys.look_after,
            ),
            ("Is this machine fit for SmartOS?", self.machine.check),
            ("What would the pool look like?", self.machine.pool),
            ("Try SmartOS in a sandbox: a guest that can harm nothing", self.guests.make),
            ("Your guests: look, start, stop, console, as new again, remove", self.guests.all),
            (
                "Re-install a SmartOS machine: survey it, wipe one pool, start clean",
                PlainReinstall(self.work, ascii_only=self._ascii).run,
            ),
            (
                "Beside Linux, through GRUB: SmartOS as one entry more in its menu",
                lambda: self._beside_linux().run(),
            ),
            (
                "Boot over the network: build a tree, serve it, check one",
                lambda: self._over_the_network().run(),
            ),
        )
        for number, (entry, _run) in enumerate(entries, len(jobs) + 1):
            self.voice.say(f"{number}. {entry}")
        last = len(jobs) + len(entries) + 1
        self.voice.say(f"{last}. Quit")
        chosen = self.voice.choose("What do you want to do?", last)
        if chosen is None:
            return
        if chosen < len(jobs):
            self._job(jobs[chosen])
        elif chosen < last - 1:
            _ = self.work.guarded(entries[chosen - len(jobs)][1])
        else:
            raise Leave

    def _beside_linux(self) -> PlainDualboot:
        """Loaded when it is wanted."""
        from smartos_wizard.cli.plain_dualboot import PlainDualboot

        return PlainDualboot(self.work)

    def _over_the_network(self) -> PlainNetboot:
        """Loaded when it is wanted."""
        from smartos_wizard.cli.plain_netboot import PlainNetboot

        return PlainNetboot(self.work)

    def _job(self, row: JobRow) -> None:
        if row.state == "running":
            self.work.follow(row.job)
            return
        self.voice.say(
            "1. Take it up: what is right is kept. 2. Dismiss it: do not show it again. 3. Leave it."
        )
        match self.voice.choose("What shall be done?", 3):
            case 0:
                rooms: PlainGuests | PlainKeys | PlainReinstall | PlainDualboot | PlainNetboot = self.keys
                if row.kind.startswith("guest-"):
                    rooms = self.guests
                elif row.kind.startswith("reinstall-"):
                    rooms = PlainReinstall(self.work, ascii_only=self._ascii)
                elif row.kind.startswith("dualboot-"):
                    rooms = self._beside_linux()
                elif row.kind.startswith("netboot-"):
                    rooms = self._over_the_network()
                _ = self.work.guarded(lambda: rooms.take_up(row))
            case 1:
                row.job.seen_file.touch()
                self.desk.boot.forget(row.job.plan())
            case _:
                pass

    def _flow(self, flow: Flow | None) -> None:
        while flow is not None:
            here: Flow = flow
            after: list[Flow | None] = []
            went_well = self.work.guarded(lambda h=here, a=after: a.append(self._step(h)))  # type: ignore[misc]
            flow = after[0] if went_well else here.back()

    def _step(self, flow: Flow) -> Flow | None:
        self.voice.say()
        match flow.stage:
            case Stage.RELEASE:
                return self._release(flow)
            case Stage.CHECK:
                return self._check(flow)
            case Stage.TARGET:
                return self._target(flow)
            case Stage.OPTIONS:
                return self._options(flow)
            case Stage.REVIEW:
                return self._review(flow)
            case _:
                return None

    def _release(self, flow: Flow) -> Flow | None:
        offer = self.desk.offer(details=False)
        self.voice.say("Step 1, release.")
        if offer.offline:
            self.voice.say(f"Offline: this list is from {offer.offline}.")
        rows = offer.rows[:_SHOWN]
        for number, row in enumerate(rows, 1):
            marks = ", ".join(w for w, on in (("latest", row.latest), ("stored here", row.stored)) if on)
            self.voice.say(f"{number}. {row.stamp}, {text.age(row.age)}" + (f", {marks}" if marks else ""))
        chosen = self.voice.choose("Which release?", len(rows))
        if chosen is None:
            return flow.back()
        stamp = rows[chosen].stamp
        return flow.forward(stamp=stamp, image=self.desk.stored_image(stamp))

    def _check(self, flow: Flow) -> Flow | None:
        stamp = flow.answers.stamp
        self.voice.say(f"Step 2, download and check {stamp}.")
        self.work.run(self.desk.download_plan(stamp))
        image = None if self.work.code else self.desk.stored_image(stamp)
        if image is None:
            return flow.back()
        self.voice.say("Verified: it is exactly what was published.")
        return flow.forward(image=image)

    def _target(self, flow: Flow) -> Flow | None:
        self.voice.say("Step 3, target. Everything on it will be erased.")
        targets = self.keys.targets()
        again = len(targets)
        self.voice.say(f"{again + 1}. Look again")
        while True:
            question = "Which disk becomes the key? Nothing is chosen for you; several: 1 3"
            chosen = self.voice.choose_several(question, again + 1)
            if not chosen:
                return flow.back()
            if chosen == (again,):
                return flow
            if again not in chosen:
                return flow.forward(targets=tuple(targets[n] for n in chosen))
            self.voice.say(f"{again + 1} looks again; it is no disk.")

    def _options(self, flow: Flow) -> Flow | None:
        from smartos_wizard.cli.plain_options import PlainOptions

        asked = PlainOptions(self.voice, self.desk.boot, flow.answers.choices, flow.answers.given)
        went_on = asked.run()
        told = flow.noted(choices=asked.choices, given=asked.given)
        return told.forward() if went_on else told.back()

    def _review(self, flow: Flow) -> Flow | None:
        image = flow.answers.image
        assert image is not None
        plan = self.desk.write_plan(image, flow.answers.targets, flow.answers.choices)
        self.voice.say("Step 5, review.")
        told = (f"Know before: {words}" for words in warned_of(flow.answers.choices))
        command = same_by_command(Stage.WRITE, flow.answers, practice=self.desk.world.practice)
        if self.work.confirmed(plan, *told, f"The same by command: {command}"):
            return None
        self.desk.boot.forget(plan)
        return flow.back()
