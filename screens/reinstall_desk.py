"""What the road to a clean machine may ask of the engine. No Textual here; each call may take seconds."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import Refused, UsageProblem, WizardError
from smartos_wizard.core.text import tame
from smartos_wizard.screens.reinstall_run_desk import RunDesk

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.after import After
    from smartos_wizard.reinstall.backup_choice import Row
    from smartos_wizard.reinstall.choices import AnswersFile, Prepared
    from smartos_wizard.reinstall.model import Stop, Survey
    from smartos_wizard.reinstall.outline import Node
    from smartos_wizard.reinstall.ports import Address, Host
    from smartos_wizard.reinstall.recommend import Advice
    from smartos_wizard.reinstall.runbook import Runbook
    from smartos_wizard.reinstall.ways import Outcome
    from smartos_wizard.screens.reinstall_model import MachineAnswers
    from smartos_wizard.screens.runbook_keep import Kept


@dataclass(frozen=True, slots=True)
class Asked:
    """What must be agreed to, each token once; what speaks against it all the same; what the way does, and what comes after."""

    consents: tuple[Stop, ...]
    against: tuple[Stop, ...]
    outcome: Outcome
    after: After

    @property
    def tokens(self) -> frozenset[str]:
        """Of everything that must be agreed to."""
        return frozenset(stop.token for stop in self.consents)


class Call:
    """A machine that is being asked. Whoever loses patience lets go of it: the connection is closed then."""

    def __init__(self) -> None:
        self._host: Host | None = None
        self.over = False

    def hold(self, host: Host) -> None:
        """The connection is there; it is closed at once where nobody waits any more."""
        self._host = host
        if self.over:
            self.let_go()

    def let_go(self) -> None:
        """Close it. Nothing is raised."""
        self.over = True
        host, self._host = self._host, None
        if host is not None:
            with contextlib.suppress(Exception):
                host.close()


class ReinstallDesk(RunDesk):
    """Asks the room of re-installs. Every plan is that of the command of the same name."""

    # ------------------------------------------------------------------ the machine

    def machines(self) -> tuple[tuple[str, str], ...]:
        """The make-believe machines with their troubles; none in the real world."""
        if not self.world.practice:
            return ()
        from smartos_wizard.practice.host_words import machines

        return machines()

    def survey(self, address: Address, call: Call) -> Survey:
        """What is on the machine now; nothing is changed there. Raises as `reinstall survey`."""
        from smartos_wizard.reinstall.survey import require_global_zone, take

        host = self.world.hosts.open(address)
        call.hold(host)
        try:
            survey = take(host, self.world.now)
        finally:
            call.let_go()
        require_global_zone(survey)
        return survey

    def survey_in(self, path: str) -> Survey:
        """The survey in a file. Raises UsageProblem, and what `require_global_zone` raises."""
        from smartos_wizard.reinstall.from_files import file_bytes, survey_in
        from smartos_wizard.reinstall.survey import require_global_zone

        where = str(Path(path).expanduser())
        survey = survey_in(file_bytes(where), where)
        require_global_zone(survey)
        return survey

    def save_survey(self, survey: Survey, path: str) -> Path:
        """Keep it in a file of this user only; where. Raises Refused `file-exists`, WizardError `cannot-write`."""
        from smartos_wizard.reinstall.as_json import survey_to_json

        return write_new(path, json.dumps(survey_to_json(survey), indent=2) + "\n")

    def told(self, survey: Survey) -> tuple[Node, tuple[Stop, ...]]:
        """The survey as a tree, and what should be known of it."""
        from smartos_wizard.reinstall.outline import outline
        from smartos_wizard.reinstall.remarks import remarks

        now = max(self.world.now(), survey.taken)
        return outline(survey, now), remarks(survey, now)

    # ------------------------------------------------------------------ what is kept

    def losses(self, survey: Survey) -> tuple[Row, ...]:
        """What would be lost, with sizes, and how each is kept."""
        from smartos_wizard.reinstall.backup_choice import what_would_be_lost

        return what_would_be_lost(survey)

    def directory_for(self, name: str) -> str:
        """Where a backup of that machine is proposed to lie."""
        place = self.world.paths.state / "backups" if self.world.practice else Path.home()
        return str(place / f"{name}-backup")

    def backup_plan(self, said: MachineAnswers) -> Plan:
        """The plan of the backup; it goes on where an interrupted one ended. Raises Refused, UsageProblem."""
        from smartos_wizard.reinstall.backup_choice import Choice
        from smartos_wizard.reinstall.backup_manifest import unfinished
        from smartos_wizard.reinstall.backup_planning import Destination, plan_backup

        if said.address is None:
            raise Refused(
                "no-address", said.why_no_backup, hint="Survey the machine itself, or go on without."
            )
        rows = [row for row in self.losses(said.seen) if row.name in (said.keep or ())]
        choice = Choice(
            tuple(row.name for row in rows if row.keep == "instance"),
            tuple(row.name for row in rows if row.keep == "dataset"),
        )
        directory = Path(said.directory).expanduser().absolute()
        destination = Destination(directory, unfinished(directory))
        plan = plan_backup(said.seen, choice, said.address, destination, self.world.now())
        return self._with_secret(plan, said.address)

    def backup_again(self, plan: Plan) -> Plan:
        """The backup that goes on where that one ended. Raises Refused, UsageProblem."""
        from smartos_wizard.reinstall.as_json import survey_from_json
        from smartos_wizard.screens.reinstall_model import MachineAnswers

        names = frozenset(group["name"] for group in plan.params["groups"] if group["kind"] != "image")
        said = MachineAnswers(
            _address_of(plan), survey=survey_from_json(plan.params["survey"]), keep=names,
            directory=str(plan.params["directory"]),
        )  # fmt: skip
        return self.backup_plan(said)

    def backup_words(self, directory: str, survey: Survey) -> str:
        """What stands in the plan of that backup; every file of it is read back. Raises as `backup_words`."""
        from smartos_wizard.reinstall.backup_proof import backup_words

        return backup_words(Path(directory).expanduser(), survey, self.world.now())

    def just_made(self, directory: str, survey: Survey) -> str:
        """The same of a backup whose work just ended: it was read back then. Raises UsageProblem where it is not whole."""
        from smartos_wizard.reinstall.backup_manifest import read
        from smartos_wizard.reinstall.backup_proof import words_of

        place = Path(directory)
        return words_of(read(place), place, survey, self.world.now())

    # ------------------------------------------------------------------ the way, and what must be agreed to

    def advice(self, said: MachineAnswers) -> Advice:
        """What is to be said of every way. A machine that cannot be reached is looked at again at its console."""
        from smartos_wizard.reinstall.recommend import advise

        return advise(said.seen, self.world.now(), said.prepared, attended=not said.reachable)

    def asked(self, said: MachineAnswers) -> Asked:
        """What has to be agreed to for the chosen way, and what setup makes afterwards.

        Where other pools could live, the new one is made by hand: the wizard offers nothing else.
        """
        from smartos_wizard.reinstall.choices import MANUAL
        from smartos_wizard.reinstall.judging import judge
        from smartos_wizard.reinstall.ways import outcome_of
        from smartos_wizard.screens.reinstall_words import asked_of, by_hand_stop

        choices, now, attended = said.choices, self.world.now(), not said.reachable
        bare = outcome_of(said.seen, choices.way, limited=choices.limited)
        wanted = (MANUAL,) if bare.wants_by_hand else ()
        outcome, after, stops = judge(said.seen, replace(choices, consents=wanted), now, attended=attended)
        first = (by_hand_stop(bare),) if wanted else ()
        against = tuple(stop for stop in stops if stop.level == "stop")
        return Asked((*first, *asked_of(stops)), against, outcome, after)

    def prepared_in(self, path: str) -> Prepared:
        """The proven medium that a file speaks of. Raises UsageProblem."""
        from smartos_wizard.reinstall.from_files import file_bytes, prepared_in

        return prepared_in(file_bytes(str(Path(path).expanduser())))

    def answers_in(self, path: str) -> AnswersFile:
        """The answers for the next setup. Raises UsageProblem."""
        from smartos_wizard.reinstall.from_files import answers_in, file_bytes

        where = str(Path(path).expanduser())
        return answers_in(file_bytes(where), where)

    def plan(self, said: MachineAnswers) -> Plan:
        """The plan of the re-install. Raises Refused with every stop, and with every consent that is missing."""
        from smartos_wizard.reinstall.planning import plan_reinstall

        if said.address is None:
            raise Refused("no-address", "This survey came from a file: the wizard cannot reach the machine.", hint="Use the runbook, or survey the machine itself.")  # fmt: skip
        return self._with_secret(
            plan_reinstall(said.seen, said.choices, self.world.now(), said.address), said.address
        )

    def save_plan(self, plan: Plan, path: str) -> Path:
        """Keep it in a file, as `reinstall plan --save` does; where. Raises as `write_new`."""
        data = {**plan.to_json(), "params": {k: v for k, v in plan.params.items() if k != "secret"}}
        return write_new(path, json.dumps(data, indent=2) + "\n")

    # ------------------------------------------------------------------ runbooks

    @property
    def _runbooks(self) -> Path:
        return self.world.paths.state / "runbooks"

    def runbook(self, said: MachineAnswers) -> Kept:
        """The runbook of the chosen way, with the marks it had. Raises Refused where something speaks against it."""
        from smartos_wizard.reinstall.runbook import runbook_of
        from smartos_wizard.screens.runbook_keep import kept

        book = runbook_of(said.seen, said.choices, self.world.now(), practice=self.world.practice)
        return kept(self._runbooks, book, said.name)

    def runbooks(self) -> tuple[Kept, ...]:
        """Those that were begun, the newest first."""
        from smartos_wizard.screens.runbook_keep import begun

        return begun(self._runbooks)

    def mark_runbook(self, one: Kept, done: frozenset[int]) -> Kept:
        """The same with other marks, kept. Raises OSError."""
        from smartos_wizard.screens.runbook_keep import mark

        return mark(self._runbooks, one, done, self.world.now())

    def forget_runbook(self, one: Kept) -> None:
        """Remove it and its marks."""
        from smartos_wizard.screens.runbook_keep import forget

        forget(self._runbooks, one)

    def export_runbook(self, book: Runbook, form: str, path: str) -> Path:
        """Write it as `text`, `markdown` or `html` into a file that is not there yet; where. Raises as `write_new`."""
        from smartos_wizard.reinstall.runbook_html import as_html
        from smartos_wizard.reinstall.runbook_text import as_markdown, as_text

        return write_new(path, {"text": as_text, "markdown": as_markdown, "html": as_html}[form](book))

    def _with_secret(self, plan: Plan, address: Address) -> Plan:
        """A password waits in the vault; the plan has only its name."""
        if address.password is None:
            return plan
        from smartos_wizard.core.vault import Vault

        name = Vault(self.world.paths).put(address.password.encode())
        return replace(plan, params={**plan.params, "secret": name})


def _address_of(plan: Plan) -> Address:
    from smartos_wizard.reinstall.ports import Address

    where = plan.params["address"]
    key = (where["host_key"],) if where["host_key"] else ()
    return Address(where["host"], where["user"], where["port"], where["jump"], where["identity"], accept=key)


def write_new(path: str, words: str) -> Path:
    """Write a file that is not there yet, for this user only; where. Raises Refused, UsageProblem, WizardError."""
    from smartos_wizard.core.files import replace_file

    if not path.strip():
        raise UsageProblem("no-name", "The file has no name.")
    place = Path(path.strip()).expanduser().absolute()
    if place.exists():
        raise Refused("file-exists", f"{tame(str(place), 255)} is there already; it was left as it is.", hint="Give another name.")  # fmt: skip
    try:
        replace_file(place, words.encode(), 0o600)
    except OSError as error:
        raise WizardError("cannot-write", f"{tame(str(place), 255)}: {error.strerror}") from error
    return place
