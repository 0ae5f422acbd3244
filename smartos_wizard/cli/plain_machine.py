"""Is this machine fit, and what would a pool look like: the same as on the screens, line by line."""

from __future__ import annotations

from dataclasses import replace

from smartos_wizard.cli.plain_voice import Voice
from smartos_wizard.screens.desk import Desk
from smartos_wizard.screens.machine_desk import GRAVITY, LEVELS
from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.pool_model import EXAMPLE, LAYOUTS, SPARES, Asked, flags_of, look
from smartos_wizard.screens.words import begin

_WIDTH = 76


class PlainMachine:
    """Looks, tells, and asks for disks."""

    def __init__(self, desk: Desk, voice: Voice, *, ascii_only: bool) -> None:
        self.desk, self.voice, self._ascii = desk, voice, ascii_only

    def check(self) -> None:
        """The whole first, then every verdict, the gravest first."""
        checked = self.desk.machine.check()
        say = self.voice.say
        say(f"{checked.name}. {checked.sentence}")
        for verdict in sorted(checked.verdicts, key=lambda v: GRAVITY.index(v.level)):
            parts = [
                f"{LEVELS[verdict.level]}, {verdict.name}: {verdict.found.removesuffix('.')}.",
                verdict.why,
            ]
            say(" ".join(part for part in parts if part))
            if verdict.todo:
                say(f"What to do: {verdict.todo}")
        say(f"The same by command: {self._start()} doctor --target")

    def pool(self) -> None:
        """Ask for disks, then change layout, spares and memory as often as wanted."""
        asked: Asked | None = self._disks(Asked())
        while asked is not None:
            self._tell(asked)
            self.voice.say("1. Other disks. 2. Layout. 3. Spares. 4. Memory of the machine.")
            match self.voice.choose("What shall be changed?", 4):
                case 0:
                    asked = self._disks(asked) or asked
                case 1:
                    asked = replace(asked, layout=self._one_of("Layout", LAYOUTS, asked.layout))
                case 2:
                    asked = replace(asked, spares=self._one_of("Spares", SPARES, asked.spares))
                case 3:
                    words = self.voice.ask("Memory, for example 64GiB, - for not known, or b to leave it")
                    asked = asked if words in ("b", "") else replace(asked, ram="" if words == "-" else words)
                case _:
                    return

    def _disks(self, asked: Asked) -> Asked | None:
        while True:
            words = self.voice.ask(
                f"Which disks? For example {EXAMPLE}; . for those of this machine, b for back"
            )
            if words == "b":
                return None
            if words == ".":
                return replace(asked, line="", host=self.desk.machine.host())
            fresh = replace(asked, line=words, host=None)
            wrong = look(replace(fresh, layout="", spares="", ram=""), _WIDTH).wrong
            if words and not wrong:
                return fresh
            self.voice.say(wrong.get("disks", "Please type the disks, or b."))

    def _one_of(self, title: str, offers: tuple[Offer, ...], now: str) -> str:
        for number, offer in enumerate(offers, 1):
            self.voice.say(f"{number}. {offer.words}: {offer.more}")
        chosen = self.voice.choose(f"{title}?", len(offers))
        return now if chosen is None else offers[chosen].value

    def _tell(self, asked: Asked) -> None:
        seen = look(asked, _WIDTH, ascii_only=self._ascii)
        say = self.voice.say
        say(f"{seen.said[:1].upper()}{seen.said[1:]}.")
        for name, words in seen.wrong.items():
            say(f"Not so, {name}: {words}")
        if seen.why:
            say(f"There is no such pool. {seen.why}")
        for line in seen.picture:
            say(line)
        for word, sentence in (*seen.rows, *seen.notes):
            say(f"{word}: {sentence}")
        for remark in asked.host.remarks if asked.host is not None else ():
            say(remark)
        say(f"The same by command: {self._start()} pool preview {flags_of(asked)}")

    def _start(self) -> str:
        return begin(practice=self.desk.world.practice)
