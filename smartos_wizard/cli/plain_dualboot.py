"""“Beside Linux, through GRUB” line by line: this Linux, way, release, what it is told, the entry, the plan. The same plans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smartos_wizard.cli.output import plan_lines
from smartos_wizard.cli.plain_dualboot_told import PlainTold
from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core import text
from smartos_wizard.netboot.dualboot_model import SCRIPT, Way
from smartos_wizard.netboot.dualboot_planning import UNTOUCHED
from smartos_wizard.screens.dualboot_words import (
    DANGER,
    NAMES,
    WHAT,
    command_words,
    facts,
    hint_of,
    installed_words,
    next_boot,
    remove_words,
)
from smartos_wizard.screens.words import begin

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.netboot.dualboot_model import Problem
    from smartos_wizard.screens.dualboot_model import Beside
    from smartos_wizard.screens.job_rows import JobRow

_SHOWN = 8
_LEVELS = {"stop": "Refused", "warning": "Danger", "note": "To know"}


class PlainDualboot:
    """Asks step by step. Back goes to the step before; nothing is changed before the plan was confirmed."""

    said: Beside

    def __init__(self, work: PlainWork) -> None:
        self.work, self.voice, self.desk = work, work.voice, work.desk.dualboot
        self.root = ""
        self.over = False

    def run(self) -> None:
        """Walk the steps."""
        steps = (self._look, self._way, self._release, self._told, self._entry, self._review)
        at = 0
        while 0 <= at < len(steps) and not self.over:
            self.voice.say()
            went_on: list[bool] = []
            good = self.work.guarded(lambda s=steps[at], w=went_on: w.append(s()))  # type: ignore[misc]
            on = good and went_on[0]
            at += 1 if on else -1
            while self._chained and steps[at] in (self._release, self._told):  # a loader is told nothing here
                at += 1 if on else -1

    def take_up(self, row: JobRow) -> None:
        """What is there of it is looked at."""
        plan = row.job.plan()
        row.job.seen_file.touch()
        self.work.desk.boot.forget(plan)
        self.root = str(plan.params["root"])
        self.run()

    @property
    def _chained(self) -> bool:
        return hasattr(self, "said") and self.said.way is Way.CHAINLOAD

    # ------------------------------------------------------------------ this Linux, and the way

    def _look(self) -> bool:
        from smartos_wizard.screens.dualboot_model import Beside

        say, seen = self.voice.say, self.desk.look(self.root)
        self.said = Beside(seen)
        say("Step 1, look: this Linux as it starts now. Nothing is changed.")
        for name, words in facts(seen):
            say(f"{name}: {words}.")
        if seen.setup.installed:
            say("SmartOS stands beside it.")
            for name, words in installed_words(seen):
                say(f"{name}: {words}" if name else words)
        elif seen.best is None:
            self._problems(seen.why_not)
            say("So it cannot be done here.")
        else:
            say(f"Danger: {DANGER}")
        rows = ["Take it away"] if seen.setup.installed else ["Go on"] if seen.best is not None else []
        rows += ["Another make-believe Linux"] if self.desk.linuxes() else []
        if not rows:
            return False
        match self._one_of("What next?", rows):
            case "Go on":
                return True
            case "Take it away":
                self._remove()
                return False
            case "Another make-believe Linux":
                return self._another() and self._look()
            case _:
                return False

    def _another(self) -> bool:
        names = self.desk.linuxes()
        for number, (_name, host, words) in enumerate(names, 1):
            self.voice.say(f"{number}. {host}: {words}")
        chosen = self.voice.choose("Which one?", len(names))
        if chosen is not None:
            self.root = names[chosen][0]
        return True

    def _way(self) -> bool:
        self.voice.say("Step 2, way: how GRUB comes to SmartOS.")
        ways = self.said.seen.ways
        for number, opinion in enumerate(ways, 1):
            word = "recommended" if opinion.recommended else "possible" if opinion.possible else "refused"
            self.voice.say(f"{number}. {NAMES[opinion.way]}, {word}. {WHAT[opinion.way]}")
        chosen = self.voice.choose("Which way?", len(ways))
        if chosen is None:
            return False
        opinion = ways[chosen]
        stops = tuple(stop for stop in opinion.stops if stop.level == "stop")
        if stops:
            self._problems(stops)
            return self._way()
        uuid = opinion.uuid
        if opinion.way is Way.CHAINLOAD and not uuid:
            uuid = self.voice.ask(
                "The UUID of the partition SYSTEM of a SmartOS key, such as 1A2B-3C4D, or b"
            )
            if uuid == "b":
                return self._way()
        said = replace(self.said, way=opinion.way, uuid=uuid, image=None, stamp="")
        self.desk.refuse(said)
        self.said = said
        return self._disk()

    def _disk(self) -> bool:
        spare = self.said.seen.setup.unused
        if not spare:
            self.voice.say("No disk is free for SmartOS' pool: do not run its setup before you add one.")
            return True
        self.voice.say("SmartOS' pool needs a disk of its own. It is only told to you again when setup asks.")
        rows = ["I decide that later", *spare]
        chosen = self._one_of("Which disk shall it take?", rows)
        self.said = replace(self.said, disk="" if chosen in (None, rows[0]) else chosen)
        return chosen is not None or self._way()

    # ------------------------------------------------------------------ release and what it is told

    def _release(self) -> bool:
        desk, kind = self.work.desk, self.said.artifact
        self.voice.say("Step 3, release.")
        offer = desk.offer(details=False)
        if kind == "platform":
            offer = desk.care.platforms(offer, details=False)
        rows = offer.rows[:_SHOWN]
        for number, row in enumerate(rows, 1):
            self.voice.say(f"{number}. {row.stamp}, {text.age(row.age)}" + (", latest" if row.latest else ""))
        chosen = self.voice.choose("Which release?", len(rows))
        if chosen is None:
            return False
        stamp = rows[chosen].stamp
        image = self.desk.image(stamp, self.said.way)
        if image is None:
            self.work.run(self.desk.download_plan(stamp, self.said.way))
            image = None if self.work.code else self.desk.image(stamp, self.said.way)
        if image is None:
            return False
        self.voice.say("It is here, exactly as it was published.")
        self.said = replace(self.said, stamp=stamp, image=image)
        return True

    def _told(self) -> bool:
        asked = PlainTold(self.voice, self.work.desk.boot, self.said.choices, self.said.given)
        went_on = asked.run()
        said = replace(self.said, choices=asked.choices, given=asked.given)
        self.said = said
        if went_on:
            self.desk.refuse(said)
        return went_on

    # ------------------------------------------------------------------ the entry and the plan

    def _entry(self) -> bool:
        say, drawn = self.voice.say, self.desk.drawn(self.said)
        made = drawn.draft
        say("Step 5, entry: as it would be.")
        stops = tuple(p for p in drawn.problems if p.level == "stop")
        if stops:
            self._problems(stops)
            say("So it is not set up. Nothing was changed.")
            return False
        for title in made.titles:
            say(f"New at the end of GRUB's menu: {title}.")
        for each in UNTOUCHED:
            say(f"Not touched: {each}.")
        for file in made.files:
            say(f"Copied: {made.home}/{file.path}, {text.size(file.size)}.")
        for path, data in made.own.items():
            say(f"Written, for root only: {made.home}/{path}, {text.size(len(data))}.")
        self._problems(drawn.problems)
        match self._one_of(
            "What next?", ["To the plan", f"Hear the entries letter by letter, as {SCRIPT} prints them"]
        ):
            case None:
                return False
            case "To the plan":
                return True
            case _:
                for line in made.entries.splitlines():
                    say(line)
                return self._entry()

    def _review(self) -> bool:
        plan = self.desk.plan(self.said)
        self.voice.say("Step 6, review.")
        command = command_words("install", self.said)
        if not self.said.seen.changeable:
            self._for_root(plan, command_words("install", self.said, self.desk.source_words(self.said)))
            return False
        if not self._confirmed(plan, command):
            self.work.desk.boot.forget(plan)
            return False
        self.over = True
        seen = self.desk.look(self.root)
        if self.work.code or seen.record is None:
            left = self.desk.traces(self.root)
            self.voice.say(
                f"Something of it is left: {left[0]}."
                if left
                else "It was looked again: nothing of it is left."
            )
            return True
        chained = self.said.way is Way.CHAINLOAD
        told = bool(self.said.choices.root_shadow)
        self.voice.say("At the next start:")
        for number, words in enumerate(
            next_boot(
                self.said.disk, seen.record.titles, hidden=seen.setup.menu_hidden, chained=chained, told=told
            ),
            1,
        ):
            self.voice.say(f"{number}. {words}")
        return True

    def _remove(self) -> None:
        plan = self.desk.remove_plan(self.root)
        for each in self.desk.traces(self.root):
            self.voice.say(f"Goes: {each}")
        command = remove_words(self.root, self.said.seen.setup.hostname)
        if not self.said.seen.changeable:
            self._for_root(plan, command)
            return
        if self._confirmed(plan, command):
            left = self.desk.traces(self.root)
            self.voice.say(
                f"Something is left: {', '.join(left)}."
                if left
                else "No trace left. SmartOS' pool is as it was."
            )

    def _confirmed(self, plan: Plan, command: str) -> bool:
        """Show the plan, have this computer's name typed whole, and follow the work. Whether it was begun."""
        for line in plan_lines(plan)[:-1]:
            self.voice.say(line)
        self.voice.say(f"The same by command: {begin(practice=self.work.desk.world.practice)} {command}")
        tokens = plan.confirmation.tokens if plan.confirmation else ()
        while True:
            typed = self.voice.ask(
                f"To arm it, type this computer's name, {' '.join(tokens)}, or b to go back"
            )
            if typed == "b":
                return False
            if tuple(typed.split()) == tokens:
                break
            self.voice.say("Not armed: that is not this computer's name. Nothing was done.")
        self.work.run(plan, tokens)
        return True

    def _for_root(self, plan: Plan, command: str) -> None:
        """The plan, and the one command that does it as root."""
        for line in plan_lines(plan)[:-1]:
            self.voice.say(line)
        self.work.desk.boot.forget(plan)
        self.voice.say("Root's rights are needed. Give this command, then look again:")
        self.voice.say(self.desk.as_root(command) or f"as root: smartos-wizard {command}")

    # ------------------------------------------------------------------ saying

    def _problems(self, problems: tuple[Problem, ...]) -> None:
        for problem in problems:
            self.voice.say(
                f"{_LEVELS.get(problem.level, 'To know')}: {problem.text} {hint_of(problem)}".rstrip()
            )

    def _one_of(self, question: str, rows: list[str]) -> str | None:
        for number, words in enumerate(rows, 1):
            self.voice.say(f"{number}. {words}")
        chosen = self.voice.choose(question, len(rows))
        return None if chosen is None else rows[chosen]
