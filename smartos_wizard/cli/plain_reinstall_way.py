"""The way to a clean machine line by line: which one, what is agreed to, the plan, typed confirmation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from smartos_wizard.cli.output import plan_lines
from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.reinstall.choices import NO_BACKUP
from smartos_wizard.screens.reinstall_words import fates, hint_of, plan_words_of, way_line
from smartos_wizard.screens.words import begin

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.recommend import Opinion
    from smartos_wizard.screens.reinstall_model import MachineAnswers

_WIDTH = 76


class PlainWay:
    """The last steps of the road; `said` is what was decided by then."""

    def __init__(self, work: PlainWork, said: MachineAnswers, *, ascii_only: bool) -> None:
        self.work, self.voice, self.desk, self.said = work, work.voice, work.desk.reinstall, said
        self._ascii = ascii_only

    # ------------------------------------------------------------------ the way

    def choose(self, ask_again: Callable[[MachineAnswers], MachineAnswers]) -> bool:
        """Which way; or a runbook, a prepared medium, another survey. Whether one was taken."""
        say = self.voice.say
        while True:
            advice = self.desk.advice(self.said)
            say("Step 4, way: three ways to an empty machine.")
            for number, opinion in enumerate(advice.opinions, 1):
                self._tell(number, opinion)
            say(advice.summary)
            count = len(advice.opinions)
            for number, words in enumerate(
                (
                    "Ask the machine again",
                    "Name the proof of a medium to boot from",
                    "A runbook, to be typed at its console",
                ),
                count + 1,
            ):
                say(f"{number}. {words}")
            chosen = self.voice.choose("Which way?", count + 3)
            if chosen is None:
                return False
            if chosen == count:
                self.work.guarded(lambda: self._anew(ask_again))
            if chosen == count + 1:
                self._prepared()
            elif chosen == count + 2:
                self._runbook(advice.opinions)
            elif self._take(advice.opinions[chosen]):
                return True

    def _anew(self, ask_again: Callable[[MachineAnswers], MachineAnswers]) -> None:
        self.said = ask_again(self.said)

    def _tell(self, number: int, opinion: Opinion) -> None:
        self.voice.say(f"{number}. Way {opinion.title}: {opinion.verdict}. {opinion.why}")
        for word, pool, why in fates(opinion.outcome):
            self.voice.say(f"   {word}: {pool}. {why}")

    def _take(self, opinion: Opinion) -> bool:
        against = [stop for stop in opinion.stops if stop.level == "stop"]
        if against:
            for stop in against:
                self.voice.say(f"Refused: {stop.text} {hint_of(stop)}".strip())
            return False
        if not self.said.reachable:
            self.voice.say(
                "This survey came from a file: the wizard cannot reach the machine. Here is its runbook."
            )
            self._walk(opinion)
            return False
        way, limited = opinion.choices.way, opinion.choices.limited
        same = (way, limited) == (self.said.way, self.said.limited)
        consents = self.said.consents if same else self.said.consents & {NO_BACKUP}
        self.said = replace(self.said, way=way, limited=limited, consents=consents)
        return True

    def _prepared(self) -> None:
        path = self.voice.ask("The receipt of key write, or what key check --json printed; b for back")
        if path in ("b", ""):
            return

        def take() -> None:
            self.said = replace(self.said, prepared=self.desk.prepared_in(path))

        self.work.guarded(take)

    def _runbook(self, opinions: tuple[Opinion, ...]) -> None:
        chosen = self.voice.choose("A runbook of which way?", len(opinions))
        if chosen is not None:
            self.work.guarded(lambda: self._walk(opinions[chosen]))

    def _walk(self, opinion: Opinion) -> None:
        from smartos_wizard.cli.plain_runbook import PlainRunbook

        self.said = replace(self.said, way=opinion.choices.way, limited=opinion.choices.limited)
        PlainRunbook(self.work).walk(self.desk.runbook(self.said))

    # ------------------------------------------------------------------ agreements

    def agree(self) -> bool:
        """Each thing one by one; then what setup makes. Whether all of it was agreed to."""
        asked = self.desk.asked(self.said)
        say = self.voice.say
        say(f"Step 5, agree. {way_line(asked.outcome, self.said.name)}")
        for stop in asked.against:
            say(f"Refused: {stop.text} {hint_of(stop)}".strip())
        if asked.against:
            return False
        for number, stop in enumerate(asked.consents, 1):
            said = " You agreed to this before." if stop.token in self.said.consents else ""
            say(f"{number} of {len(asked.consents)}. {stop.text} {hint_of(stop)}{said}".strip())
            say("1. No, back. 2. I agree.")
            if self.voice.choose(f"Do you agree ({stop.token})?", 2) != 1:
                self.said = replace(self.said, consents=self.said.consents - {stop.token})
                return False
            self.said = replace(self.said, consents=self.said.consents | {stop.token})
        self.said = replace(self.said, consents=self.said.consents & asked.tokens)
        return self._more()

    def _more(self) -> bool:
        """What comes after; an answers file and a console, where they are wanted."""
        while True:
            self._after()
            self.voice.say("1. To the plan. 2. Name an answers file for setup. 3. Name a serial console.")
            match self.voice.choose("What next?", 3):
                case 0:
                    return True
                case 1:
                    self.work.guarded(self._answers)
                case 2:
                    self._console()
                case _:
                    return False

    def _after(self) -> None:
        from smartos_wizard.boot.pool_picture import pool_picture

        after = self.desk.asked(self.said).after
        self.voice.say("What setup makes afterwards:")
        if after.preview is not None:
            for line in pool_picture(after.preview.layout, _WIDTH, self._ascii):
                self.voice.say(line)
        for words in after.words:
            self.voice.say(words)
        if after.command:
            self.voice.say(f"In setup's shell type: {after.command}")
        for note in (*after.warnings, *after.traps):
            self.voice.say(f"{note.level}: {note.text}")

    def _answers(self) -> None:
        path = self.voice.ask("Which file? - for none, b for back")
        if path == "-":
            self.said = replace(self.said, answers=None)
        elif path not in ("b", ""):
            self.said = replace(self.said, answers=self.desk.answers_in(path))

    def _console(self) -> None:
        from smartos_wizard.screens.reinstall_agree import wrong_console

        words = self.voice.ask("guest:NAME, the path of a socket, or HOST:PORT; - for none, b for back")
        wrong = wrong_console(words) if words not in ("b", "-", "") else ""
        if wrong:
            self.voice.say(f"Not so: {wrong}.")
        elif words not in ("b", ""):
            self.said = replace(self.said, console="" if words == "-" else words)

    # ------------------------------------------------------------------ the plan

    def review(self) -> bool:
        """The plan, armed by typing all of it. Whether it was begun."""
        plan = self.desk.plan(self.said)
        command = f"{begin(practice=self.work.desk.world.practice)} {plan_words_of(self.said)}"
        self.voice.say("Step 6, review.")
        return self.confirm(plan, f"The same by command: {command}")

    def confirm(self, plan: Plan, *more: str, begun: Callable[[], object] | None = None) -> bool:
        """Show the plan, have every token typed whole, and follow the run. Whether it was begun."""
        for line in (*plan_lines(plan)[:-1], *more):
            self.voice.say(line)
        tokens = plan.confirmation.tokens if plan.confirmation else ()
        if plan.confirmation is not None:
            self.voice.say(f"{plan.confirmation.prompt}.")
        while True:
            typed = self.voice.ask(f"To arm it, type {' '.join(tokens)}, or b to go back")
            if typed == "b":
                return False
            if sorted(set(typed.split())) == sorted(set(tokens)):
                break
            self.voice.say("Not armed: that is not every word of it. Nothing was done.")
        self.work.run(plan, tokens, begun)
        return True
