"""“Boot over the network” line by line: a tree is built, served, checked; configuration is written. The same plans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smartos_wizard.cli.output import plan_lines
from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core import text
from smartos_wizard.screens.netboot_desk import OFFICIAL
from smartos_wizard.screens.netboot_model import HTTP, OWN, PROXY, BuildAnswers, ServeAnswers
from smartos_wizard.screens.netboot_words import (
    DANGER,
    GIVES,
    UEFI,
    build_words,
    card_line,
    check_words,
    serve_words,
    start,
    tree_line,
)

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.screens.job_rows import JobRow

_SHOWN = 8  # releases read aloud


class PlainNetboot:
    """Asks step by step. Back leads to what may be done; nothing is written or served before the plan was agreed to."""

    def __init__(self, work: PlainWork) -> None:
        self.work, self.voice, self.desk = work, work.voice, work.desk.netboot

    def run(self) -> None:
        """What may be done, until back."""
        say = self.voice.say
        ways = (self._build, self._serve, self._check, self._config)
        while True:
            say(f"SmartOS from the network, without a key. {UEFI}")
            say(
                "1. Build a tree: releases, a menu, scripts. 2. Serve a tree, for an evening, on one network."
            )
            say("3. Check a tree, in a directory or on a web server. 4. Settings for servers of your own.")
            chosen = self.voice.choose("What shall be done?", len(ways))
            if chosen is None:
                return
            _ = self.work.guarded(ways[chosen])
            say()

    def take_up(self, row: JobRow) -> None:
        """The same plan again; what leaves a tree is typed once more."""
        self._agreed(row.job.plan(), "", row)

    # ------------------------------------------------------------------ what is asked

    def _tree(self, question: str) -> str:
        """A directory; empty for back."""
        known = self.desk.known()
        for number, facts in enumerate(known, 1):
            self.voice.say(f"{number}. {facts.directory}: {tree_line(facts)}")
        more = "A number of these, or another directory" if known else "A directory"
        proposed = self.desk.proposed()
        answer = self.voice.ask(f"{question} {more}; Enter for {proposed}; b for back")
        if answer == "b":
            return ""
        if answer.isdecimal() and 1 <= int(answer) <= len(known):
            return known[int(answer) - 1].directory
        return answer or proposed

    def _stamps(self, there: tuple[str, ...]) -> tuple[str, ...] | None:
        """The releases that come; None for back."""
        desk = self.work.desk
        offer = self.desk.platforms(desk.offer(details=False), details=False)
        rows = offer.rows[:_SHOWN]
        for number, row in enumerate(rows, 1):
            words = [f"{row.stamp}, {text.age(row.age)}"]
            words += [
                w
                for w, on in (
                    ("latest", row.latest),
                    ("in the tree", row.stamp in there),
                    ("stored here", row.stored),
                )
                if on
            ]
            self.voice.say(f"{number}. {', '.join(words)}")
        if there:
            self.voice.say(f"{len(rows) + 1}. None: only the scripts, anew")
        chosen = self.voice.choose_several(
            "Which releases? Several numbers may be given", len(rows) + bool(there)
        )
        if not chosen:
            return None
        return tuple(rows[n].stamp for n in sorted(chosen) if n < len(rows))

    def _agreed(self, plan: Plan, words: str, row: JobRow | None = None) -> bool:
        """The plan, and whether it is to be carried out; it is then followed to its end."""
        command = (
            (f"The same by command: {start(practice=self.work.desk.world.practice)} {words}",)
            if words
            else ()
        )
        begun = row.job.seen_file.touch if row is not None else None
        if plan.confirmation is not None:
            return self.work.confirmed(plan, *command, begun=begun)
        for line in (*plan_lines(plan), *command):
            self.voice.say(line)
        self.voice.say("1. Go on: do this. 2. Back; nothing is done.")
        if self.voice.choose("Shall it be done?", 2) != 0:
            return False
        self.work.run(plan, (), begun)
        return True

    # ------------------------------------------------------------------ the ways

    def _build(self) -> None:
        directory = self._tree("Where is the tree, or shall it be?")
        if not directory:
            return
        facts = self.desk.look(directory)
        self.voice.say(f"{facts.directory}: {tree_line(facts)}")
        if facts.problem:
            return
        stamps = self._stamps(facts.stamps)
        if stamps is None:
            return
        keep = ""
        if facts.stamps:
            keep = self.voice.ask("How many releases stay in the tree, the newest? Enter for all of them")
            if keep == "b":
                return
        own = self.voice.ask("Machines of their own, as MAC=PROFILE or MAC=FILE.json; Enter for none")
        if own == "b":
            return
        said = BuildAnswers(directory, stamps, keep, machines=own)
        if said.keep_wrong:
            self.voice.say("How many stay is a number, 1 or more; nothing was done.")
            return
        plan = self.desk.build_plan(said)
        for line in self.desk.warnings(said):
            self.voice.say(f"Warning: {line}")
        if not self._agreed(plan, build_words(said)):
            self.work.desk.boot.forget(plan)
        elif self.work.code == 0:
            self.voice.say("1. Serve it now. 2. Not now.")
            if self.voice.choose("What next?", 2) == 0:
                self._serve(directory)

    def _serve(self, directory: str = "", *, config: bool = False) -> None:
        directory = directory or self._tree("Which tree?")
        if not directory:
            return
        cards = [card for card in self.desk.cards() if card.up and card.address]
        for number, card in enumerate(cards, 1):
            self.voice.say(f"{number}. {card.name}, {card_line(card)[0]}")
        if not cards:
            self.voice.say("No interface is up and has an IPv4 address.")
            return
        chosen = self.voice.choose("On which interface are the machines?", len(cards))
        if chosen is None:
            return
        said = self._gives(ServeAnswers(directory, cards[chosen].name, config=config))
        if said is None:
            return
        port = self.voice.ask(f"Port of the web server; Enter for {said.port}")
        into = self.voice.ask("Into which new directory are the settings written?") if config else ""
        if "b" in (port, into):
            return
        said = replace(said, port=port or said.port, into=into)
        plan = self.desk.config_plan(said) if config else self.desk.serve_plan(said)
        self._agreed(plan, serve_words(said))

    def _gives(self, said: ServeAnswers) -> ServeAnswers | None:
        """Who gives addresses; None for back. The danger of doing it here is agreed to in words."""
        offers = [offer for offer in GIVES if not (said.config and offer.value == HTTP)]
        for number, offer in enumerate(offers, 1):
            self.voice.say(f"{number}. {offer.words[:1].upper()}{offer.words[1:]}. {offer.more}")
        chosen = self.voice.choose("Who gives machines their addresses?", len(offers))
        if chosen is None:
            return None
        gives = offers[chosen].value
        if gives in (PROXY, HTTP):
            return replace(said, gives=gives)
        for line in DANGER.format(interface=said.interface).split("\n\n") if not said.config else ():
            self.voice.say(line)
        if not said.config:
            self.voice.say("1. Back. 2. It is a wire of its own: go on.")
            if self.voice.choose("Is it?", 2) != 1:
                return None
        addresses = self.voice.ask("Which addresses, as FIRST-LAST? b for back")
        return None if addresses == "b" else replace(said, gives=OWN, addresses=addresses)

    def _config(self) -> None:
        self._serve(config=True)

    def _check(self) -> None:
        answer = self.voice.ask(
            f"Which tree? A directory or an address; Enter for the official one, {OFFICIAL}; b for back"
        )
        if answer == "b":
            return
        where = answer or OFFICIAL
        full = "://" not in where
        if not full:
            self.voice.say(
                "1. Names and sizes only, a few kilobytes. 2. Every archive whole, some 300 MB a release."
            )
            chosen = self.voice.choose("How much is read?", 2)
            if chosen is None:
                return
            full = chosen == 1
        self.voice.say(
            f"The same by command: {start(practice=self.work.desk.world.practice)} {check_words(where, full)}"
        )
        self.work.run(self.desk.check_plan(where, full=full))
