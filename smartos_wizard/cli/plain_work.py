"""Confirming a plan by typing, and telling in lines how its job fares."""

from __future__ import annotations

import time
from collections.abc import Callable

from smartos_wizard.cli.failure import render
from smartos_wizard.cli.output import meter_line, plan_lines
from smartos_wizard.cli.plain_voice import Leave, Voice
from smartos_wizard.core import journal
from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.events import Noted, PlanCancelled, PlanFinished, StepStarted
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress, reduce
from smartos_wizard.screens.desk import Desk
from smartos_wizard.screens.flow import armed, tokens_for
from smartos_wizard.screens.words import what_to_type

_EVERY = 5.0  # seconds between two lines of progress


class PlainWork:
    """Starts plans and follows jobs. `code` is the exit code of the last one."""

    def __init__(self, desk: Desk, voice: Voice) -> None:
        self.desk, self.voice, self.code = desk, voice, 0

    def guarded(self, work: Callable[[], None]) -> bool:
        """Do it; an error of the engine is told, and the wizard goes on. Whether it went well."""
        try:
            work()
        except WizardError as error:
            if error.reference == "no-answer":
                raise
            self.voice.say(render(error.report()))
            self.code = int(error.exit_code)
            return False
        return True

    def confirmed(self, plan: Plan, *more: str, begun: Callable[[], object] | None = None) -> bool:
        """Show the plan and the lines `more`, have it armed by typing, and follow it.

        False where the user went back. `begun` is called as soon as the job runs.
        """
        for line in (*plan_lines(plan)[: -1 if plan.confirmation else None], *more):
            self.voice.say(line)
        tokens = plan.confirmation.tokens if plan.confirmation else ()
        typed = ""
        while tokens:
            typed = self.voice.ask(f"{what_to_type(tokens).removesuffix(':')}, or b to go back")
            if typed == "b":
                return False
            if armed(typed, tokens):
                break
            lost = "erased" if plan.destroys else "changed"
            self.voice.say(f"Not armed: that does not name what will be {lost}. Nothing was done.")
        self.run(plan, tokens_for(typed, tokens) if tokens else (), begun)
        return True

    def run(
        self, plan: Plan, confirm: tuple[str, ...] = (), begun: Callable[[], object] | None = None
    ) -> None:
        """Start the plan as a job and follow it to its end."""
        job = self.desk.start(plan, confirm)
        if begun is not None:
            begun()
        self.follow(job)

    def follow(self, job: journal.Job) -> None:
        """Tell how a job fares until it ends. Raises Leave where it is left running."""
        say = self.voice.say
        say("The work runs by itself, even if this window closes. Ctrl-C asks what to do.")
        while True:
            try:
                self.code = self._tell(job)
                return
            except KeyboardInterrupt:
                say()
                say("1. Go on watching. 2. Leave it running. 3. Cancel the work.")
                answer = self.voice.choose("What shall be done?", 3)
                if answer == 1:
                    say("It goes on. Start the wizard again to follow it.")
                    raise Leave from None
                if answer == 2:
                    job.request_cancel()

    def _tell(self, job: journal.Job) -> int:
        progress, told = Progress(), time.monotonic()
        plan: Plan = job.plan()
        key: Noted | None = None  # a machine's key to agree to, asked about when nothing newer has come
        for event in journal.follow(job):
            if event is None and key is not None:
                self._key(plan, key)
                key = None
            progress = progress if event is None else reduce(progress, event)
            match event:
                case StepStarted():
                    self.voice.say(_now(plan, event))
                    told = time.monotonic()
                case Noted(reference="needs-opener"):
                    self._open(str(event.data.get("command", "")), str(event.data.get("why", "")))
                case Noted(reference="unknown-host-key"):
                    self.voice.say(event.text)
                    key = event
                case Noted(reference="hands-needed"):
                    self._hands(event)
                case Noted():
                    key = None if _seen(event) else key
                    self.voice.say(event.text)
                case PlanFinished() | PlanCancelled():
                    return self._end(event)
                case _:
                    if time.monotonic() - told > _EVERY:
                        told = self._progress(progress)
        self.voice.say(
            f"Nobody works on “{plan.title}” any more; it was interrupted. Start it again: what is right is kept."
        )
        return 1

    def _end(self, event: PlanFinished | PlanCancelled) -> int:
        if isinstance(event, PlanCancelled):
            self.voice.say(f"Cancelled. {event.state}")
            return event.exit_code
        if event.error is not None:
            self.voice.say(render(event.error))
        for line in event.result.get("say", []):
            self.voice.say(str(line))
        return event.exit_code

    def _open(self, command: str, why: str = "") -> None:
        from smartos_wizard.media.attended import run_in_terminal

        if run_in_terminal(command, why or "SmartOS Wizard needs root once, to open the disk you confirmed."):
            lacks = "Root's rights are not there yet." if why else "The disk is not open yet."
            self.voice.say(f"{lacks} Run this in another terminal: {command}")

    def _hands(self, event: Noted) -> None:
        """Keys that somebody has to press, one a line."""
        lines = [str(line) for line in event.data.get("lines", ())]
        self.voice.say(event.text.removesuffix(" ".join(lines)).strip())
        for number, line in enumerate(lines, 1):
            self.voice.say(f"Key {number}: {line}")

    def _key(self, plan: Plan, event: Noted) -> None:
        """Is the key that a machine shows now its own? The work waits for it."""
        fingerprint = str(event.data.get("fingerprint", ""))
        if fingerprint in self.desk.reinstall.accepted(plan):
            return
        self.voice.say(
            "1. It is another one, or I do not know: wait. 2. Both are the same, letter by letter: go on."
        )
        if self.voice.choose("Is this its key?", 2) == 1:
            self.desk.reinstall.accept(plan, fingerprint, str(event.data.get("run", "")))
        else:
            self.voice.say("The work waits. Start the wizard again to be asked once more.")

    def _progress(self, progress: Progress) -> float:
        step = progress.current
        for name, meter in (step.meters if step else {}).items():
            if meter.total:
                self.voice.say((f"{name}: " if name else "") + meter_line(meter))
        return time.monotonic()


def _seen(event: Noted) -> bool:
    """Whether it says that the machine is there: its key is no question any more."""
    return event.reference == "host-state" and event.data.get("state") not in ("down", "unknown-key")


def _now(plan: Plan, event: StepStarted) -> str:
    """Which step begins: a title names what it is done to, the effect says what is done."""
    for number, step in enumerate(plan.steps, 1):
        if step.id == event.step:
            return f"Now {number} of {len(plan.steps)}, {step.effect.value}: {event.title}"
    return f"Now: {event.title}"
