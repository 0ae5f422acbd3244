"""“Re-install a SmartOS machine” line by line: machine, survey, what is kept, way, agreements, review, run. The same plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from smartos_wizard.cli.plain_reinstall_keep import PlainKeep
from smartos_wizard.cli.plain_reinstall_way import PlainWay
from smartos_wizard.cli.plain_restore import PlainInventory, PlainRestore
from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core.errors import Refused

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.model import Survey
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.screens.job_rows import JobRow
    from smartos_wizard.screens.reinstall_model import MachineAnswers

_WIDTH = 100


class PlainReinstall:
    """Asks step by step. Back goes to the step before; nothing is changed before the review was confirmed."""

    def __init__(self, work: PlainWork, *, ascii_only: bool) -> None:
        from smartos_wizard.screens.reinstall_model import MachineAnswers

        self.work, self.voice, self.desk = work, work.voice, work.desk.reinstall
        self._ascii = ascii_only
        self.said: MachineAnswers = MachineAnswers()
        self.over = False

    def run(self) -> None:
        """Walk the steps."""
        steps = (self._machine, self._survey, self._keep, self._way, self._agree, self._review)
        at = 0
        while 0 <= at < len(steps) and not self.over:
            self.voice.say()
            went_on: list[bool] = []
            good = self.work.guarded(lambda s=steps[at], w=went_on: w.append(s()))  # type: ignore[misc]
            at += 1 if good and went_on[0] else -1

    def take_up(self, row: JobRow) -> None:
        """A run goes on with the very same plan or is taken back, a backup with what it has; a restore compares anew."""
        plan, done = row.job.plan(), row.job.seen_file.touch
        match plan.kind:
            case "reinstall-backup":
                self.work.run(self.desk.backup_again(plan), begun=done)
            case "reinstall-run":
                self._run_again(plan, done)
            case "reinstall-restore":
                _ = self._restore().run(self.work.desk.restore.again(plan), done)
            case "reinstall-inventory":
                _ = PlainInventory(self.work, self._arm).run(str(plan.params["inventory"]), done)
            case _:
                self.work.run(plan, begun=done)

    def _run_again(self, plan: Plan, done: Callable[[], object]) -> None:
        """On, or back, where nothing was destroyed yet."""
        undo = self.desk.undo_plan(plan)
        if undo is not None:
            from smartos_wizard.screens.reinstall_undo import what_is_undone

            self.voice.say("It was cut off, and no pool was destroyed yet. Taking it back means:")
            for words in what_is_undone(undo):
                self.voice.say(words)
            self.voice.say("1. Neither now. 2. Take it back. 3. Go on with it.")
            match self.voice.choose("Go on, or take it back?", 3):
                case 1:
                    self.work.run(undo, begun=done)
                    return
                case 2:
                    pass
                case _:
                    return
        _ = self._arm(plan, begun=done)

    def _arm(self, plan: Plan, *more: str, begun: Callable[[], object] | None = None) -> bool:
        return PlainWay(self.work, self.said, ascii_only=self._ascii).confirm(plan, *more, begun=begun)

    def _restore(self) -> PlainRestore:
        return PlainRestore(self.work, self._which, self._its_key, self._arm)

    def _which(self) -> Address | None:
        """A machine to be put something back on."""
        from smartos_wizard.reinstall.ports import Address

        names = self.desk.machines()
        if not names:
            return self._address()
        for number, (name, words) in enumerate(names, 1):
            self.voice.say(f"{number}. {name}: {words}")
        chosen = self.voice.choose("On which machine?", len(names))
        return Address(names[chosen][0]) if chosen is not None else None

    # ------------------------------------------------------------------ the machine and its survey

    def _machine(self) -> bool:
        from smartos_wizard.screens.reinstall_model import MachineAnswers

        say = self.voice.say
        say("Step 1, machine: the SmartOS machine that is to be clean again. It is only asked for now.")
        names = self.desk.machines()
        for number, (name, words) in enumerate(names, 1):
            say(f"{number}. {name}: {words}")
        more = ("A machine, by ssh",) if not names else ()
        rows = (
            *more,
            "A survey from a file",
            "A runbook that was begun",
            "Put a backup back",
            "Several machines of an inventory",
        )
        for number, words in enumerate(rows, len(names) + 1):
            say(f"{number}. {words}")
        chosen = self.voice.choose("Which machine?", len(names) + len(rows))
        if chosen is None:
            return False
        if chosen < len(names):
            from smartos_wizard.reinstall.ports import Address

            return self._log_in(Address(names[chosen][0]))
        match rows[chosen - len(names)]:
            case "A machine, by ssh":
                address = self._address()
                return self._log_in(address) if address is not None else self._machine()
            case "A survey from a file":
                path = self.voice.ask("Which file? A kept survey, or what the script printed; b for back")
                if path in ("b", ""):
                    return self._machine()
                self.said = self._same_machine(MachineAnswers(file=path, survey=self.desk.survey_in(path)))
                return True
            case "Put a backup back":
                return self._ends(self._restore().run)
            case "Several machines of an inventory":
                return self._ends(PlainInventory(self.work, self._arm).run)
            case _:
                return self._runbooks() or self._machine()

    def _ends(self, other: Callable[[], bool]) -> bool:
        """A road of its own, from which nothing leads on here."""
        self.over = other()
        return self.over or self._machine()

    def _address(self) -> Address | None:
        from smartos_wizard.reinstall.ports import Address

        ask = self.voice.ask
        where = ask("Its address, as name, user@name or number; b for back")
        if where in ("b", ""):
            return None
        user, _, host = where.rpartition("@")
        port = ask("Its ssh port; Enter for the usual one")
        jump = ask("Through which host, as user@host; Enter for none")
        identity = ask("Which key file; Enter for your agent and keys")
        password = self.voice.ask_hidden("Password; Enter where a key lets you in")
        number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else None
        none = ("b", "")
        return Address(
            host,
            user,
            number,
            "" if jump in none else jump,
            "" if identity in none else identity,
            password or None,
        )

    def _log_in(self, address: Address) -> bool:
        from smartos_wizard.screens.reinstall_desk import Call
        from smartos_wizard.screens.reinstall_model import MachineAnswers

        while True:
            self.voice.say(f"Asking {address.host}. Nothing is changed there.")
            try:
                survey = self.desk.survey(address, Call())
            except Refused as error:
                if error.reference != "unknown-host-key":
                    raise
                fingerprint = str(error.details.get("fingerprint", ""))
                if not self._its_key(str(error.details.get("host", address.host)), fingerprint):
                    return self._machine()
                address = replace(address, accept=(*address.accept, fingerprint))
                continue
            self.said = self._same_machine(MachineAnswers(address, survey=survey))
            return True

    def _its_key(self, host: str, fingerprint: str) -> bool:
        self.voice.say(f"The key of {host} is not known here: {fingerprint}")
        self.voice.say(
            "Compare it on the machine's console: ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub"
        )
        self.voice.say("1. Do not log in. 2. Both are the same, letter by letter: log in, and remember it.")
        return self.voice.choose("Is this its key?", 2) == 1

    def _same_machine(self, fresh: MachineAnswers) -> MachineAnswers:
        """What was decided before holds for the same machine, not for another."""
        before = self.said
        if before.survey is not None and before.survey.hostid == fresh.seen.hostid:
            return replace(before, address=fresh.address, file=fresh.file, survey=fresh.survey)
        return fresh

    def _survey(self) -> bool:
        self._tell(self.said.seen)
        while True:
            self.voice.say(
                "1. Go on. 2. Hear all that was found. 3. Keep the survey in a file. 4. Ask the machine again."
            )
            match self.voice.choose("What next?", 4):
                case 0:
                    return True
                case 1:
                    self._all()
                case 2:
                    self.work.guarded(self._save)
                case 3:
                    self.work.guarded(self._again)
                case _:
                    return False

    def _save(self) -> None:
        path = self.voice.ask("Which file? b for back")
        if path not in ("b", ""):
            self.voice.say(f"Kept as {self.desk.save_survey(self.said.seen, path)}.")

    def _again(self) -> None:
        self.said = self.ask_again(self.said)

    def ask_again(self, said: MachineAnswers) -> MachineAnswers:
        """Survey the machine once more; what was decided, with that survey. Raises as `reinstall survey`."""
        from smartos_wizard.screens.reinstall_desk import Call

        fresh = (
            self.desk.survey(said.address, Call())
            if said.address is not None
            else self.desk.survey_in(said.file)
        )
        self._tell(fresh)
        return replace(said, survey=fresh)

    def _tell(self, survey: Survey) -> None:
        root, notes = self.desk.told(survey)
        self.voice.say(f"Step 2, survey. {root.text}.")
        for note in notes:
            self.voice.say(f"To know: {note.text}")
        for pool in next((node.below for node in root.below if "pool" in node.text and node.below), ()):
            self.voice.say(f"Pool {pool.text}")
        for node in root.below:
            if node.text == "not found out":
                for each in node.below:
                    self.voice.say(f"Not found out: {each.text}")

    def _all(self) -> None:
        from smartos_wizard.reinstall.outline import lines

        root, _notes = self.desk.told(self.said.seen)
        for line in lines(root, _WIDTH, ascii_only=self._ascii):
            self.voice.say(line)

    def _runbooks(self) -> bool:
        from smartos_wizard.cli.plain_runbook import PlainRunbook

        PlainRunbook(self.work).begun()
        return False

    # ------------------------------------------------------------------ the way and what follows

    def _keep(self) -> bool:
        keep = PlainKeep(self.work, self.said)
        went_on = keep.choose()
        self.said = keep.said
        return went_on

    def _way(self) -> bool:
        way = PlainWay(self.work, self.said, ascii_only=self._ascii)
        went_on = way.choose(self.ask_again)
        self.said = way.said
        return went_on

    def _agree(self) -> bool:
        way = PlainWay(self.work, self.said, ascii_only=self._ascii)
        went_on = way.agree()
        self.said = way.said
        return went_on

    def _review(self) -> bool:
        way = PlainWay(self.work, self.said, ascii_only=self._ascii)
        self.over = way.review()
        return self.over
