"""The disks read out in lines, and looking after one key."""

from __future__ import annotations

from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core.plan import Plan
from smartos_wizard.media.as_json import image_from_json, target_from_json
from smartos_wizard.media.model import KeyContents, Target, Withheld
from smartos_wizard.screens.desk import JobRow
from smartos_wizard.screens.words import disk_line, size_of

_EJECT = 3  # the last of what may be done with a key: it is gone then


class PlainKeys:
    """What is done with a key that is there already, and work on one that was left unfinished."""

    def __init__(self, work: PlainWork) -> None:
        self.work, self.desk, self.voice = work, work.desk, work.voice

    def targets(self) -> list[Target]:
        """Read out the disks; those that may be chosen."""
        disks = self.desk.judged()
        found = [d for d in disks if isinstance(d, Target)]
        for number, target in enumerate(found, 1):
            words = (disk_line(target.disk), size_of(target.disk), "; ".join(target.notes))
            self.voice.say(f"{number}. {', '.join(w for w in words if w)}")
        if not found:
            self.voice.say("There is no disk that may become a key. Plug one in, then look again.")
        for disk in disks:
            if isinstance(disk, Withheld):
                name = f"{disk_line(disk.disk)}, {size_of(disk.disk)}"
                self.voice.say(f"Not offered: {name}: {disk.reasons[0].text}")
        return found

    def look_after(self) -> None:
        """Choose a key, hear what is on it, and do something with it; any number of times."""
        targets = self.targets()
        chosen = self.voice.choose("Which key? It is only read for now.", len(targets)) if targets else None
        if chosen is None:
            return
        target = targets[chosen]
        stamp = self._tell(self.desk.contents(target))
        while True:
            self.voice.say(
                "1. Prove it again. 2. Start it here, read-only. 3. Make it a plain stick again. 4. Eject it."
            )
            what = self.voice.choose("What shall be done?", _EJECT + 1)
            if what is None:
                return
            went_well = self.work.guarded(lambda w=what, s=stamp: self._care(w, target, s))  # type: ignore[misc]
            if what == _EJECT and went_well:
                return
            if what == _EJECT - 1 and went_well:
                stamp = self._tell(self.desk.contents(target))

    def take_up(self, row: JobRow) -> None:
        """Do again what was left unfinished. Raises Refused where its disk is not here."""
        plan = row.job.plan()
        done = row.job.seen_file.touch
        if row.kind == "release-download":
            artifact = plan.steps[0].params.get("artifact", {})
            stamp = str(plan.steps[0].params.get("stamp") or artifact.get("stamp", ""))
            self.work.run(self.desk.download_plan(stamp), begun=done)
        elif not plan.destroys:
            self.work.run(plan, begun=done)
        else:
            _ = self.work.confirmed(self._afresh(row.kind, plan), begun=done)

    def _afresh(self, kind: str, plan: Plan) -> Plan:
        """The same for the disks as they are attached now."""
        kept = plan.params.get("targets") or [plan.params["target"]]
        targets = self.desk.same_again(tuple(target_from_json(t) for t in kept))
        if kind == "key-write":
            choices = self.desk.boot.planned(plan)
            return self.desk.write_plan(image_from_json(plan.params["image"]), targets, choices)
        return self.desk.restore_plan(targets[0])

    def _tell(self, found: KeyContents) -> str:
        """Say what is on a key; the release, or nothing."""
        stamp = found.stamp or found.boot_stamp
        self.voice.say(f"On it: {'SmartOS ' + stamp if stamp else 'no SmartOS that was recognised'}.")
        if found.console:
            self.voice.say(f"Console: {found.console}.")
        for line in (*found.problems, *found.notes):
            self.voice.say(line)
        return stamp

    def _care(self, what: int, target: Target, stamp: str) -> None:
        match what:
            case 0:
                self._prove(target, stamp)
            case 1:
                self.work.run(self.desk.boot_test_plan(target))
            case 2:
                _ = self.work.confirmed(self.desk.restore_plan(target))
            case _:
                self.voice.say(self.desk.eject(target.path))

    def _prove(self, target: Target, stamp: str) -> None:
        """Compare with the release it says it holds, which is downloaded first where it is not here."""
        if not stamp:
            self.voice.say("There is no release to compare it with: no SmartOS was recognised on it.")
            return
        image = self.desk.stored_image(stamp)
        if image is None:
            self.voice.say(f"Comparing needs release {stamp}, which is not stored here yet.")
            self.voice.say("1. Download it, then prove the key. 2. Leave it.")
            if self.voice.choose("What shall be done?", 2) != 0:
                return
            self.work.run(self.desk.download_plan(stamp))
            image = self.desk.stored_image(stamp)
            if image is None:
                return
        self.work.run(self.desk.check_plan(image, target))
