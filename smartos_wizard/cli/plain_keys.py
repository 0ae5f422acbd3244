"""The disks read out in lines, and looking after one key."""

from __future__ import annotations

from collections.abc import Callable

from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Plan
from smartos_wizard.media.model import KeyContents, Target, Withheld
from smartos_wizard.screens.desk import JobRow
from smartos_wizard.screens.keys_model import CHANGING, entries, rows_of
from smartos_wizard.screens.unfinished import asks, download_again, plan_again
from smartos_wizard.screens.words import disk_line, size_of

_SHOWN = 8  # releases read aloud


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
        found = self._tell(target)
        while True:
            rows = entries(found)
            for number, (_name, words, more) in enumerate(rows, 1):
                self.voice.say(f"{number}. {words}: {more}")
            what = self.voice.choose("What shall be done?", len(rows))
            if what is None:
                return
            name = rows[what][0]
            went_well = self.work.guarded(lambda n=name, f=found: self._care(n, target, f))  # type: ignore[misc]
            if name == "eject" and went_well:
                return
            if name in CHANGING and went_well:
                found = self._tell(target)

    def take_up(self, row: JobRow) -> None:
        """Do again what was left unfinished. Raises Refused where its disk is not here."""
        plan = row.job.plan()
        done = row.job.seen_file.touch
        if row.kind == "release-download":
            self.work.run(download_again(self.desk, plan), begun=done)
        elif not asks(plan):
            self.work.run(plan, begun=done)
        else:
            self._confirmed(plan_again(self.desk, plan), begun=done)

    def _confirmed(self, plan: Plan, begun: Callable[[], object] | None = None) -> None:
        """Shown, armed and run; what it keeps is forgotten where it is left."""
        if not self.work.confirmed(plan, begun=begun):
            self.desk.boot.forget(plan)

    def _tell(self, target: Target) -> KeyContents:
        """Read a key and say what is on it."""
        found = self.desk.contents(target)
        stamp = found.stamp or found.boot_stamp
        kept = f", and {found.previous} kept" if found.previous else ""
        self.voice.say(f"On it: {f'SmartOS {stamp}{kept}' if stamp else 'no SmartOS that was recognised'}.")
        for name, words in rows_of(found):
            if name not in ("Layout", "Release"):
                self.voice.say(f"{name}: {words.removesuffix('.')}.")
        return found

    def _care(self, name: str, target: Target, found: KeyContents) -> None:
        stamp = found.stamp or found.boot_stamp
        match name:
            case "check":
                self._prove(target, stamp)
            case "boot":
                self.work.run(self.desk.boot_test_plan(target))
            case "configure":
                self._configure(target)
            case "upgrade":
                self._upgrade(target, stamp)
            case "rollback":
                self._confirmed(self.desk.care.rollback_plan(target, found.previous))
            case "finish":
                self._confirmed(self.desk.care.rollback_plan(target, stamp))
            case "password":
                self._password(target)
            case "plain":
                self._confirmed(self.desk.restore_plan(target))
            case _:
                self.voice.say(self.desk.eject(target.path))

    def _configure(self, target: Target) -> None:
        """What it says at boot, asked row by row from what stands on it now."""
        from smartos_wizard.boot.model import BootChoices
        from smartos_wizard.cli.plain_options import PlainOptions
        from smartos_wizard.screens.options_model import Given

        try:
            choices = self.desk.care.told(target).choices
        except Refused as error:
            if error.reference != "answers-unreadable":
                raise
            self.voice.say(error.message)
            self.voice.say("1. Begin as released. 2. Leave it.")
            if self.voice.choose("What shall be done?", 2) != 0:
                return
            choices = BootChoices()
        asked = PlainOptions(self.voice, self.desk.boot, choices, Given())
        asked.HEADING = "What this key says at boot, as it stands on it now. Nothing is changed yet."
        if asked.run():
            self._confirmed(self.desk.care.configure_plan(target, asked.choices))

    def _upgrade(self, target: Target, now: str) -> None:
        """To a release whose platform is downloaded first where it is not here."""
        care = self.desk.care
        offer = care.platforms(self.desk.offer(details=False), details=False)
        rows = offer.rows[:_SHOWN]
        for number, row in enumerate(rows, 1):
            marks = {"latest": row.latest, "stored here": row.stored, "on this key": row.stamp == now}
            words = [row.stamp, text.age(row.age), *(word for word, on in marks.items() if on)]
            self.voice.say(f"{number}. {', '.join(words)}")
        chosen = self.voice.choose("To which release?", len(rows))
        if chosen is None:
            return
        stamp = rows[chosen].stamp
        image = care.platform(stamp)
        if image is None:
            download, image = care.platform_download(stamp)
            plan = care.upgrade_plan(target, image)  # refused before anything is fetched in vain
            if plan.confirmation is not None:
                self.work.run(download)
                image = care.platform(stamp)
        if image is not None:
            self._confirmed(care.upgrade_plan(target, image))

    def _password(self, target: Target) -> None:
        """Read and said only once that was asked for."""
        self.voice.say("The password built into its release is read from the key and said here, once.")
        self.voice.say("1. Say it. 2. Leave it.")
        if self.voice.choose("What shall be done?", 2) != 0:
            return
        found = self.desk.care.password(target)
        of = f"release {found.stamp}" if found.stamp else "this release"
        self.voice.say(f"Root's password built into {of}: {found.word}")
        self.voice.say(f"Read from {found.place}; not verified.")
        for rule in found.rules:
            self.voice.say(f"{rule.when}: {rule.password}.")

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
