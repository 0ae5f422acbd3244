"""“Put a backup back” line by line, and several machines of an inventory. The same desks and plans as the screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused

if TYPE_CHECKING:
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.screens.restore_model import Backup, Found, Restoring

Arm = Callable[..., bool]
"""Shows a plan, has every token typed whole, and follows the work. Whether it was begun."""
Where = Callable[[], "Address | None"]
"""Asks for a machine; None for back."""


class PlainRestore:
    """Which backup, which machine, what of it, the plan. Nothing is changed before the plan was confirmed."""

    def __init__(self, work: PlainWork, where: Where, its_key: Callable[[str, str], bool], arm: Arm) -> None:
        self.work, self.voice, self.desk = work, work.voice, work.desk.restore
        self._where, self._its_key, self._arm = where, its_key, arm

    def run(self, said: Restoring | None = None, begun: Callable[[], object] | None = None) -> bool:
        """To the end. Whether work was begun."""
        from smartos_wizard.screens.restore_model import Restoring

        if said is None:
            backup = self._which()
            if backup is None:
                return False
            said = Restoring(backup)
        address = said.address or self._where()
        if address is None:
            return False
        compared = self._compare(replace(said, address=address))
        return compared is not None and self._what(compared, begun)

    def _which(self) -> Backup | None:
        from smartos_wizard.screens.restore_model import facts_of

        known = self.desk.backups()
        for number, each in enumerate(known, 1):
            self.voice.say(f"{number}. {each.host}, {text.size(each.size)}, in {each.directory}")
        self.voice.say(f"{len(known) + 1}. A backup in another directory")
        chosen = self.voice.choose("Which backup is to be put back?", len(known) + 1)
        if chosen is None:
            return None
        if chosen < len(known):
            one = known[chosen]
        else:
            path = self.voice.ask("Which directory? b for back")
            if path in ("b", ""):
                return self._which()
            one = self.desk.backup_in(path)
        for name, words in facts_of(one, self.work.desk.world.now()):
            self.voice.say(f"{name or 'and'}: {words}")
        return one

    def _compare(self, said: Restoring) -> Restoring | None:
        from smartos_wizard.screens.reinstall_desk import Call

        address = said.address
        assert address is not None
        while True:
            self.voice.say(f"Asking {address.host}, and comparing. Nothing is changed there.")
            try:
                found = self.desk.compare(said.backup, address, Call())
            except Refused as error:
                fingerprint = str(error.details.get("fingerprint", ""))
                if error.reference != "unknown-host-key":
                    raise
                if not self._its_key(str(error.details.get("host", address.host)), fingerprint):
                    return None
                address = replace(address, accept=(*address.accept, fingerprint))
                continue
            said = replace(said, address=address, found=found)
            return replace(said, ticks=said.chosen)

    def _what(self, said: Restoring, begun: Callable[[], object] | None) -> bool:
        assert said.found is not None
        say = self.voice.say
        while True:
            say(f"What is put back on {said.name}: {_ticked(said)}.")
            if said.other_machine:
                say(said.other_machine)
            rows = _rows(said.found)
            for number, (kind, name, words) in enumerate(rows, 1):
                say(f"{number}. {'Yes' if said.chosen.has(kind, name) else 'No'}: {words}")
            for fate in said.found.fates:
                if not fate.free and fate.group.kind != "image":
                    say(f"Not offered: {fate.group.title}: {fate.why}")
            say(f"{len(rows) + 1}. To the plan.")
            chosen = self.voice.choose("A number changes a line. What next?", len(rows) + 1)
            if chosen is None:
                return False
            if chosen < len(rows):
                kind, name, _words = rows[chosen]
                said = replace(said, ticks=said.chosen.turned(kind, name))
            elif not said.chosen.any:
                say("Nothing is to be put back that way.")
            elif self._confirm(said, begun):
                return True

    def _confirm(self, said: Restoring, begun: Callable[[], object] | None) -> bool:
        from smartos_wizard.screens.restore_model import restore_words
        from smartos_wizard.screens.words import begin

        made: list[bool] = []
        command = f"{begin(practice=self.work.desk.world.practice)} {restore_words(said)}"
        good = self.work.guarded(
            lambda: made.append(
                self._arm(self.desk.plan(said), f"The same by command: {command}", begun=begun)
            )
        )
        return good and made[0]


def _rows(found: Found) -> list[tuple[str, str, str]]:
    """What can be put back: kind, name, words."""
    from smartos_wizard.core.text import counted
    from smartos_wizard.reinstall.restore_config import CONFIG
    from smartos_wizard.screens.restore_model import PLACE_WORDS

    rows = [("p", place, f"/{place}: {counted(count, 'file')} missing there ({PLACE_WORDS[place]})") for place, count in found.places]  # fmt: skip
    for path in found.named:
        how = "missing there" if path in found.compared.missing else "differs; replace it"
        rows.append(("f", path, f"/{text.tame(path, 120)}{', the network settings' if path == CONFIG else ''}: {how}"))  # fmt: skip
    for fate in found.fates:
        if fate.free and fate.group.kind != "image":
            more = f": {fate.why}" if fate.why else ""
            rows.append(("g", fate.group.name, f"{fate.group.title}, {text.size(fate.group.size)}{more}"))
    return rows


def _ticked(said: Restoring) -> str:
    ticks = said.chosen
    parts = [f"/{name}" for name in sorted(ticks.places | ticks.overwrite)]
    titles = {group.name: group.title for group in said.backup.manifest.groups}
    return ", ".join([*parts, *(titles.get(name, name) for name in sorted(ticks.groups))]) or "nothing yet"


class PlainInventory:
    """Several machines: each is shown with what dies there, all of it is typed in one line, one runs at a time."""

    def __init__(self, work: PlainWork, arm: Arm) -> None:
        self.work, self.voice, self.desk, self._arm = work, work.voice, work.desk.reinstall, arm

    def run(self, path: str = "", begun: Callable[[], object] | None = None) -> bool:
        """From the file to the end. Whether work was begun."""
        path = path or self.voice.ask("Which inventory? A file with a plan for each machine; b for back")
        if path in ("b", ""):
            return False
        found = self.desk.inventory(path)
        for entry, state in zip(found.entries, found.states, strict=True):
            self.voice.say(f"{entry.number}. {entry.host}, {state}: {entry.plan.title}")
        if found.problems:
            for words in found.problems:
                self.voice.say(f"In the way: {words}")
            return False
        tokens = tuple(dict.fromkeys(token for entry in found.entries for token in entry.tokens))
        return self._arm(self.desk.inventory_plan(found, tokens), begun=begun)
