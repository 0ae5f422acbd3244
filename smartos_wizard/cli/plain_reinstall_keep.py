"""What is kept before a re-install, line by line: a backup, the one there is, or nothing, said in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smartos_wizard.cli.output import plan_lines
from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core import text
from smartos_wizard.reinstall.choices import NO_BACKUP

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.backup_choice import Row
    from smartos_wizard.screens.reinstall_model import MachineAnswers


class PlainKeep:
    """The step “Keep” of the road; `said` is what was decided by then."""

    def __init__(self, work: PlainWork, said: MachineAnswers) -> None:
        self.work, self.voice, self.desk, self.said = work, work.voice, work.desk.reinstall, said

    def choose(self) -> bool:
        """A backup that is made now, one that is there, or none. Whether the user went on."""
        say, said = self.voice.say, self.said
        rows = self.desk.losses(said.seen)
        say("Step 3, keep: what would be lost, with sizes.")
        for row in rows:
            size = "" if row.size is None else f", {text.size(row.size)}"
            how = {"always": "always kept", "along": "kept with what it belongs to", "instance": "can be kept", "dataset": "can be kept"}.get(row.keep, "not kept")  # fmt: skip
            say(f"{row.what}{size}: {how}")
        if said.backup:
            say(f"There is a backup: {said.backup}")
        say("1. Make a backup. 2. Take a backup that is there already. 3. Go on without a backup." + (" 4. Go on with the one there is." if said.backup else ""))  # fmt: skip
        match self.voice.choose("What is to be kept?", 4 if said.backup else 3):
            case 0:
                return self._back_up(rows)
            case 1:
                path = self.voice.ask("Which directory? Every file in it is read back; b for back")
                if path in ("b", ""):
                    return self.choose()
                kept = self.desk.backup_words(path, said.seen)
                self.said = replace(said, backup=kept, directory=path, consents=said.consents - {NO_BACKUP})
                return True
            case 2:
                return self._without()
            case 3:
                return True
            case _:
                return False

    def _without(self) -> bool:
        self.voice.say(
            f"What is on the pools of {self.said.name} that are destroyed is gone for good then. Nobody can bring it back."
        )
        self.voice.say(
            "1. Back. 2. Keep nothing, go on. It has to be typed once more at the review: no-backup."
        )
        if self.voice.choose("Without a backup?", 2) != 1:
            return self.choose()
        self.said = replace(self.said, backup="", consents=self.said.consents | {NO_BACKUP})
        return True

    def _back_up(self, rows: tuple[Row, ...]) -> bool:
        if self.said.why_no_backup:
            self.voice.say(self.said.why_no_backup)
            return self.choose()
        free = [row for row in rows if row.keep in ("instance", "dataset")]
        for number, row in enumerate(free, 1):
            self.voice.say(f"{number}. {row.what}, {text.size(row.size or 0)}")
        every, only = len(free) + 1, len(free) + 2
        self.voice.say(f"{every}. All of them")
        self.voice.say(f"{only}. Only the configuration")
        chosen = self.voice.choose_several("Which of these? Several: 1 3", only)
        if not chosen:
            return self.choose()
        names = (
            {row.name for row in free}
            if every - 1 in chosen
            else {free[n].name for n in chosen if n < len(free)}
        )
        proposed = self.said.directory or self.desk.directory_for(self.said.name)
        where = self.voice.ask(f"Into which directory? Enter for {proposed}, b for back")
        if where == "b":
            return self.choose()
        self.said = replace(self.said, keep=frozenset(names), directory=where or proposed)
        plan = self.desk.backup_plan(self.said)
        if not self._begin(plan) or self.work.code:
            return self.choose()
        kept = self.desk.just_made(str(plan.params["directory"]), self.said.seen)
        self.said = replace(
            self.said,
            backup=kept,
            directory=str(plan.params["directory"]),
            consents=self.said.consents - {NO_BACKUP},
        )
        return True

    def _begin(self, plan: Plan) -> bool:
        """A plan that destroys nothing is shown, and asked about in one word."""
        for line in plan_lines(plan):
            self.voice.say(line)
        self.voice.say("1. Do it. 2. Back.")
        if self.voice.choose("Back up?", 2) != 0:
            return False
        self.work.run(plan)
        return True
