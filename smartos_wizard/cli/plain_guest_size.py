"""How large a guest shall be, line by line: name, memory, processors, disks, and the pool that comes of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from smartos_wizard.boot.disk_specs import spec_of
from smartos_wizard.cli.plain_voice import Voice
from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.screens import pool_model
from smartos_wizard.screens.sandbox_model import GuestAnswers, Said, said_of, wish_of, wrong

if TYPE_CHECKING:
    from smartos_wizard.guests.model import Detection, GuestSpec
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.world import World

_WIDTH = 76
_FIELDS = ("name", "memory", "cpus", "disks", "nested")


class PlainSize:
    """Proposes, and changes what a number names. `guest` is what was decided so far."""

    def __init__(
        self, voice: Voice, world: World, guest: GuestAnswers, image: VerifiedImage, *, ascii_only: bool
    ) -> None:
        self.voice, self.world, self.guest, self.image = voice, world, guest, image
        self._ascii = ascii_only
        self._told = ""

    def run(self, detection: Detection) -> bool:
        """Ask until the user goes on with something that can be made; False for back."""
        self.voice.say("Step 3, size and disks.")
        while True:
            spec = self._spec()
            self._list(spec)
            answer = self.voice.ask("A number changes that, Enter goes on")
            if answer == "b":
                return False
            if answer == "":
                if self._may_go_on(spec, detection):
                    return True
            elif answer.isdecimal() and 1 <= int(answer) <= len(_FIELDS):
                self._change(_FIELDS[int(answer) - 1])
            else:
                self.voice.say(f"Please answer with a number from 1 to {len(_FIELDS)}, Enter, b or q.")

    def _spec(self) -> GuestSpec:
        from smartos_wizard.guests.building import build
        from smartos_wizard.guests.iso import medium_of
        from smartos_wizard.guests.ports import driver

        wish = wish_of(self.guest, medium_of(self.image), "ttya")
        return build(wish, driver(self.world, self.guest.hypervisor), self.world)

    def _list(self, spec: GuestSpec) -> None:
        host, say = self.world.host_size(), self.voice.say
        count, each = len(spec.disks), text.size(spec.disks[0].size)
        say(f"1. Name: {spec.name}")
        say(f"2. Memory: {text.size(spec.memory << 20)} of {text.size(host.memory << 20)} in this machine")
        say(f"3. Processors: {spec.cpus} of {host.cpus}")
        say(
            f"4. Data disks: {count} of {each}; they grow as they are used, {text.size(host.free)} are free here"
        )
        say(f"5. Virtual machines inside it (bhyve): {'yes' if spec.nested else 'no'}")
        self._pool(f"{count}x{spec.disks[0].size}", f"{spec.memory}MiB")

    def _pool(self, disks: str, memory: str) -> None:
        """The pool, where it is another than was said last."""
        if self._told == disks + memory:
            return
        self._told = disks + memory
        seen = pool_model.look(pool_model.Asked(disks, ram=memory), _WIDTH, ascii_only=self._ascii)
        self.voice.say("The pool that SmartOS makes of them:")
        for row in seen.picture:
            self.voice.say(row)
        for word, sentence in seen.rows[:3]:
            self.voice.say(f"{word}: {sentence}")

    def _may_go_on(self, spec: GuestSpec, detection: Detection) -> bool:
        said = self._judged(spec, detection)
        for each in said:
            if each.level == "error":
                self.voice.say(f"Not so: {each.words}")
        if any(each.level == "error" for each in said):
            self.voice.say("Not gone on: this has to be put right first.")
            return False
        return True

    def _judged(self, spec: GuestSpec, detection: Detection) -> tuple[Said, ...]:
        from smartos_wizard.guests.model import Finding
        from smartos_wizard.guests.planning import judge

        found = list(judge(spec, self.world, detection))
        try:
            _ = self.world.guests.planned(spec)
        except Refused as refused:
            found.append(Finding(refused.reference, refused.message, hint=refused.hint))
        return said_of(found)

    def _change(self, field: str) -> None:
        if field == "nested":
            self.guest = replace(self.guest, nested=not self.guest.nested)
            return
        question = {
            "name": "Its name",
            "memory": "Memory, for example 4GiB, - for what is proposed",
            "cpus": "Processors, - for what is proposed",
            "disks": "Disks, for example 1x40GB or 3x40GB; or the layout you want: mirror, raidz1, raidz2",
        }[field]
        words = self.voice.ask(f"{question}, or b to leave it")
        if words in ("b", ""):
            return
        try:
            fresh = self._disks(words) if field == "disks" else self._with(field, words)
        except (ValueError, WizardError) as error:
            hint = getattr(error, "hint", "")
            self.voice.say(f"{error} {hint}".strip())
            return
        bad = wrong(fresh)
        if bad:
            self.voice.say(f"Not so: {'; '.join(bad.values())}.")
            return
        self.guest = fresh

    def _with(self, field: str, words: str) -> GuestAnswers:
        value = "" if words == "-" else words
        return {
            "name": replace(self.guest, name=value),
            "memory": replace(self.guest, memory=value),
            "cpus": replace(self.guest, cpus=value),
        }[field]

    def _disks(self, words: str) -> GuestAnswers:
        """Raises ValueError, Refused where SmartOS chooses that layout for no number of disks."""
        from smartos_wizard.boot.disklayout import LAYOUTS
        from smartos_wizard.guests.hands_off import with_layout

        if words in LAYOUTS:
            disks = with_layout(self._spec(), words, 0).disks
            return replace(self.guest, count=str(len(disks)), each=f"{disks[0].size >> 30}GiB")
        spec = spec_of(words)
        if spec.count > 16:
            raise ValueError("A guest has 1 to 16 data disks.")
        each = re.sub(r"^\s*\d+\s*[x×*]\s*|:(ssd|hdd)\s*$", "", words, flags=re.IGNORECASE)
        return replace(self.guest, count=str(spec.count), each=each)
