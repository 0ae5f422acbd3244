"""The wizard line by line, for Braille displays, speech and simple terminals: the same flow, one question at a time.

Every line stands by itself; nothing is drawn over, nothing blinks. `b` goes back, `q` leaves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from smartos_wizard.cli.failure import render
from smartos_wizard.cli.output import meter_line, plan_lines
from smartos_wizard.core import journal, text
from smartos_wizard.core.errors import UsageProblem, WizardError
from smartos_wizard.core.events import Noted, PlanCancelled, PlanFinished, StepStarted
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress, reduce
from smartos_wizard.media.as_json import image_from_json, target_from_json
from smartos_wizard.media.model import Target, Withheld
from smartos_wizard.screens.desk import Desk, JobRow
from smartos_wizard.screens.flow import Flow, Stage, armed, tokens_for
from smartos_wizard.screens.words import disk_line, same_by_command, size_of, to_ascii, what_to_type

if TYPE_CHECKING:
    from smartos_wizard.world import World

_EVERY = 5.0  # seconds between two lines of progress
_EJECT = 3  # the last of what may be done with a key: it is gone then
_SHOWN = 8  # releases read aloud


class Leave(Exception):
    """The user is done."""


class PlainWizard:
    """Asks and tells in lines."""

    def __init__(self, world: World, *, ascii_only: bool = False) -> None:
        self.desk = Desk(world)
        self._ascii = ascii_only
        self._code = 0

    def run(self) -> int:
        """Walk the flow; the exit code of the last work."""
        self.say("SmartOS Wizard." + (" Practice: nothing here is real." if self.desk.world.practice else ""))
        self.say(
            "Answer with a number. b goes back, q leaves. Nothing is erased before you typed what names the disk."
        )
        try:
            while True:
                self._home()
        except Leave:
            return self._code

    def say(self, line: str = "") -> None:
        """One line."""
        click.echo(to_ascii(line) if self._ascii else line)

    def ask(self, question: str) -> str:
        """A line from the user. Raises Leave for q, UsageProblem at the end of the input."""
        try:
            answer = str(
                click.prompt(to_ascii(question) if self._ascii else question, default="", show_default=False)
            ).strip()
        except click.Abort as end:
            self.say()
            raise UsageProblem(
                "no-answer",
                "The input ended before the wizard did.",
                hint="Nothing was left half done by that.",
            ) from end
        if answer == "q":
            raise Leave
        return answer

    def choose(self, question: str, count: int) -> int | None:
        """A number from 1 to `count`, never a default; None for back."""
        while True:
            answer = self.ask(question)
            if answer == "b":
                return None
            if answer.isdigit() and 1 <= int(answer) <= count:
                return int(answer) - 1
            self.say(f"Please answer with a number from 1 to {count}, b or q.")

    # ------------------------------------------------------------------ the walk

    def _home(self) -> None:
        jobs = self.desk.jobs()
        for number, row in enumerate(jobs, 1):
            self.say(f"{number}. {row.state.capitalize()}: {row.title}. {row.where}. {row.means}")
        first = len(jobs)
        self.say(f"{first + 1}. Make a USB key")
        self.say(f"{first + 2}. Look after a key: what is on it, prove it, start it here, make it plain")
        self.say(f"{first + 3}. Quit")
        chosen = self.choose("What do you want to do?", first + 3)
        if chosen is None:
            return
        if chosen < first:
            self._job(jobs[chosen])
        elif chosen == first:
            self._flow(Flow())
        elif chosen == first + 1:
            self._guarded(self._look_after)
        else:
            raise Leave

    def _job(self, row: JobRow) -> None:
        if row.state == "running":
            self._code = self._follow(row.job)
            return
        self.say("1. Take it up: what is right is kept. 2. Dismiss it: do not show it again. 3. Leave it.")
        match self.choose("What shall be done?", 3):
            case 0:
                self._guarded(lambda: self._take_up(row))
            case 1:
                row.job.seen_file.touch()
            case _:
                pass

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do it; tell an error of the engine and go on."""
        try:
            work()
        except WizardError as error:
            if error.reference == "no-answer":
                raise
            self.say(render(error.report()))
            self._code = int(error.exit_code)

    def _take_up(self, row: JobRow) -> None:
        plan = row.job.plan()
        if row.kind == "release-download":
            artifact = plan.steps[0].params.get("artifact", {})
            stamp = str(plan.steps[0].params.get("stamp") or artifact.get("stamp", ""))
            self._code = self._follow(self.desk.start(self.desk.download_plan(stamp)))
        elif not plan.destroys:
            self._code = self._follow(self.desk.start(plan))
        else:
            kept = plan.params.get("targets") or [plan.params["target"]]
            targets = self.desk.same_again(tuple(target_from_json(t) for t in kept))
            image = image_from_json(plan.params["image"]) if row.kind == "key-write" else None
            fresh = self.desk.write_plan(image, targets) if image else self.desk.restore_plan(targets[0])
            if not self._confirmed(fresh):
                return
        row.job.seen_file.touch()

    def _confirmed(self, plan: Plan) -> bool:
        """Show the plan, have it armed by typing, and follow it; False where the user went back."""
        for line in plan_lines(plan)[: -1 if plan.confirmation else None]:
            self.say(line)
        tokens = plan.confirmation.tokens if plan.confirmation else ()
        while tokens:
            typed = self.ask(f"{what_to_type(tokens).removesuffix(':')}, or b to go back")
            if typed == "b":
                return False
            if armed(typed, tokens):
                self._code = self._follow(self.desk.start(plan, tokens_for(typed, tokens)))
                return True
            self.say("Not armed: that does not name what will be erased. Nothing was done.")
        self._code = self._follow(self.desk.start(plan))
        return True

    def _look_after(self) -> None:
        targets = self._targets()
        chosen = self.choose("Which key? It is only read for now.", len(targets)) if targets else None
        if chosen is None:
            return
        target = targets[chosen]
        found = self.desk.contents(target)
        stamp = found.stamp or found.boot_stamp
        self.say(f"On it: {'SmartOS ' + stamp if stamp else 'no SmartOS that was recognised'}.")
        if found.console:
            self.say(f"Console: {found.console}.")
        for line in (*found.problems, *found.notes):
            self.say(line)
        while True:
            self.say(
                "1. Prove it again. 2. Start it here, read-only. 3. Make it a plain stick again. 4. Eject it."
            )
            what = self.choose("What shall be done?", 4)
            if what is None:
                return
            self._guarded(lambda w=what: self._care(w, target, stamp))  # type: ignore[misc]
            if what == _EJECT:
                return

    def _care(self, what: int, target: Target, stamp: str) -> None:
        match what:
            case 0:
                image = self.desk.stored_image(stamp) if stamp else None
                if image is None:
                    self.say("Its release is not stored here. Download it first: make a USB key, choose it.")
                    return
                self._code = self._follow(self.desk.start(self.desk.check_plan(image, target)))
            case 1:
                self._code = self._follow(self.desk.start(self.desk.boot_test_plan(target)))
            case 2:
                _ = self._confirmed(self.desk.restore_plan(target))
            case _:
                self.say(self.desk.eject(target.path))

    def _flow(self, flow: Flow | None) -> None:
        while flow is not None:
            here = flow
            try:
                flow = self._step(here)
            except Leave:
                raise
            except WizardError as error:
                if error.reference == "no-answer":
                    raise
                self.say(render(error.report()))
                self._code = int(error.exit_code)
                flow = here.back()

    def _step(self, flow: Flow) -> Flow | None:
        self.say()
        match flow.stage:
            case Stage.RELEASE:
                return self._release(flow)
            case Stage.CHECK:
                return self._check(flow)
            case Stage.TARGET:
                return self._target(flow)
            case Stage.REVIEW:
                return self._review(flow)
            case _:
                return None

    def _release(self, flow: Flow) -> Flow | None:
        offer = self.desk.offer(details=False)
        self.say("Step 1, release.")
        if offer.offline:
            self.say(f"Offline: this list is from {offer.offline}.")
        rows = offer.rows[:_SHOWN]
        for number, row in enumerate(rows, 1):
            marks = ", ".join(w for w, on in (("latest", row.latest), ("stored here", row.stored)) if on)
            self.say(f"{number}. {row.stamp}, {text.age(row.age)}" + (f", {marks}" if marks else ""))
        chosen = self.choose("Which release?", len(rows))
        if chosen is None:
            return flow.back()
        stamp = rows[chosen].stamp
        return flow.forward(stamp=stamp, image=self.desk.stored_image(stamp))

    def _check(self, flow: Flow) -> Flow | None:
        stamp = flow.answers.stamp
        self.say(f"Step 2, download and check {stamp}.")
        self._code = self._follow(self.desk.start(self.desk.download_plan(stamp)))
        if self._code:
            return flow.back()
        self.say("Verified: it is exactly what was published.")
        return flow.forward(image=self.desk.stored_image(stamp))

    def _target(self, flow: Flow) -> Flow | None:
        self.say("Step 3, target. Everything on it will be erased.")
        targets = self._targets()
        self.say(f"{len(targets) + 1}. Look again")
        while True:
            answer = self.ask("Which disk becomes the key? Nothing is chosen for you; several: 1 3")
            if answer == "b":
                return flow.back()
            words = answer.replace(",", " ").split()
            numbers = [int(w) for w in words if w.isdigit()]
            if numbers == [len(targets) + 1]:
                return flow
            good = numbers and len(numbers) == len(words) and len(set(numbers)) == len(numbers)
            if good and all(1 <= n <= len(targets) for n in numbers):
                return flow.forward(targets=tuple(targets[n - 1] for n in numbers))
            self.say(f"Please answer with numbers from 1 to {len(targets) + 1}, b or q.")

    def _targets(self) -> list[Target]:
        """Read out the disks; those that may be chosen."""
        disks = self.desk.judged()
        targets = [d for d in disks if isinstance(d, Target)]
        for number, target in enumerate(targets, 1):
            notes = "; ".join(target.notes)
            self.say(
                f"{number}. {disk_line(target.disk)}, {size_of(target.disk)}"
                + (f", {notes}" if notes else "")
            )
        for disk in disks:
            if isinstance(disk, Withheld):
                self.say(f"Not offered: {disk_line(disk.disk)}, {size_of(disk.disk)}: {disk.reasons[0].text}")
        return targets

    def _review(self, flow: Flow) -> Flow | None:
        image = flow.answers.image
        assert image is not None
        plan = self.desk.write_plan(image, flow.answers.targets)
        self.say("Step 4, review.")
        for line in plan_lines(plan)[: -1 if plan.confirmation else None]:
            self.say(line)
        self.say(
            "The same by command: "
            + same_by_command(Stage.WRITE, flow.answers, practice=self.desk.world.practice)
        )
        tokens = plan.confirmation.tokens if plan.confirmation else ()
        while True:
            typed = self.ask(f"{what_to_type(tokens).removesuffix(':')}, or b to go back")
            if typed == "b":
                return flow.back()
            if armed(typed, tokens):
                break
            self.say("Not armed: that does not name what will be erased. Nothing was done.")
        self._code = self._follow(self.desk.start(plan, tokens_for(typed, tokens)))
        return None

    # ------------------------------------------------------------------ work

    def _follow(self, job: journal.Job) -> int:
        self.say("The work runs by itself, even if this window closes. Ctrl-C asks what to do.")
        while True:
            try:
                return self._tell(job)
            except KeyboardInterrupt:
                self.say()
                self.say("1. Go on watching. 2. Leave it running. 3. Cancel the work.")
                answer = self.choose("What shall be done?", 3)
                if answer == 1:
                    raise Leave from None
                if answer == 2:
                    job.request_cancel()

    def _tell(self, job: journal.Job) -> int:
        progress, told = Progress(), time.monotonic()
        plan: Plan = job.plan()
        for event in journal.follow(job):
            if event is None:
                if time.monotonic() - told > _EVERY:
                    told = self._progress(progress)
                continue
            progress = reduce(progress, event)
            match event:
                case StepStarted():
                    self.say(f"Now: {event.title}")
                    told = time.monotonic()
                case Noted(reference="needs-opener"):
                    self._open(str(event.data.get("command", "")))
                case Noted():
                    self.say(event.text)
                case PlanFinished():
                    if event.error is not None:
                        self.say(render(event.error))
                    for line in event.result.get("say", []):
                        self.say(str(line))
                    return event.exit_code
                case PlanCancelled():
                    self.say(f"Cancelled. {event.state}")
                    return event.exit_code
                case _:
                    if time.monotonic() - told > _EVERY:
                        told = self._progress(progress)
        self.say(
            f"Nobody works on “{plan.title}” any more; it was interrupted. Start it again: what is right is kept."
        )
        return 1

    def _open(self, command: str) -> None:
        from smartos_wizard.media.attended import run_in_terminal

        if run_in_terminal(command, "SmartOS Wizard needs root once, to open the disk you confirmed."):
            self.say(f"The disk is not open yet. Run this in another terminal: {command}")

    def _progress(self, progress: Progress) -> float:
        step = progress.current
        for name, meter in (step.meters if step else {}).items():
            if meter.total:
                self.say((f"{name}: " if name else "") + meter_line(meter))
        return time.monotonic()
