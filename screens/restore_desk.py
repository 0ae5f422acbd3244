"""What the way back may ask of the engine: which backups lie here, how a machine differs, the plan. No Textual here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.core import journal
from smartos_wizard.core.errors import Refused, UsageProblem, WizardError
from smartos_wizard.screens.restore_model import Backup, Fate, Found, Restoring, Ticks

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.reinstall.backup_choice import Group
    from smartos_wizard.reinstall.backup_manifest import Manifest
    from smartos_wizard.reinstall.model import Survey
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.reinstall.restore_planning import Before
    from smartos_wizard.screens.reinstall_desk import Call
    from smartos_wizard.world import World

_THERE = ("nothing-to-restore", "target-exists")


class RestoreDesk:
    """Asks the room of re-installs about backups. Each call may take seconds."""

    def __init__(self, world: World) -> None:
        self.world = world

    # ------------------------------------------------------------------ backups

    def backups(self) -> tuple[Backup, ...]:
        """The finished backups that are known here, the newest first; what cannot be read is passed over."""
        from smartos_wizard.reinstall.backup_manifest import read

        found: dict[str, Backup] = {}
        for place in self._places():
            with contextlib.suppress(WizardError, OSError):
                if str(place) not in found:
                    found[str(place)] = Backup(str(place), read(place))
        return tuple(sorted(found.values(), key=lambda each: -each.manifest.made))

    def _places(self) -> Iterator[Path]:
        """Where backups were made from here, and where they are proposed to lie."""
        for job in reversed(journal.list_jobs(self.world.paths.jobs)):
            with contextlib.suppress(ValueError, KeyError, OSError):
                plan = job.plan()
                if plan.kind == "reinstall-backup":
                    yield Path(str(plan.params["directory"]))
        practice = self.world.practice
        with contextlib.suppress(OSError):
            yield from (
                (self.world.paths.state / "backups").iterdir()
                if practice
                else sorted(Path.home().glob("*-backup"))
            )

    def backup_in(self, path: str) -> Backup:
        """The backup in that directory. Raises UsageProblem."""
        from smartos_wizard.reinstall.backup_manifest import read

        if not path.strip():
            raise UsageProblem("no-name", "The directory has no name.")
        place = Path(path.strip()).expanduser().absolute()
        return Backup(str(place), read(place))

    # ------------------------------------------------------------------ the machine

    def compare(self, backup: Backup, address: Address, call: Call) -> Found:
        """The machine beside the backup; nothing is changed there.

        Raises what `reinstall survey` raises, Refused `rescue-mode`, `backup-not-verified`, and where the backup's own
        configuration cannot be read.
        """
        from smartos_wizard.reinstall.backup_asking import configuration
        from smartos_wizard.reinstall.backup_files import unpacked
        from smartos_wizard.reinstall.backup_manifest import CONFIGURATION
        from smartos_wizard.reinstall.restore_config import compare, items
        from smartos_wizard.reinstall.restore_notes import before
        from smartos_wizard.reinstall.streams import shell
        from smartos_wizard.reinstall.survey import require_global_zone, take

        place, manifest = Path(backup.directory), backup.manifest
        host = self.world.hosts.open(address)
        call.hold(host)
        try:
            survey = take(host, self.world.now)
            require_global_zone(survey)
            _require_possible(manifest, place, survey, address)
            there = items(self.world.streaming(host).stream(shell(configuration())))
        finally:
            call.let_go()
        kept = manifest.file(CONFIGURATION)
        compared = compare(items(unpacked(place, kept)) if kept is not None else {}, there)
        was = before(place, survey.hostid)
        fates = tuple(_fate(group, manifest, place, survey, address, was) for group in manifest.groups)
        return Found(survey, compared, was, fates)

    def plan(self, said: Restoring) -> Plan:
        """The plan, with the same words as the command's; the other host is asked first, where datasets come from it.

        Raises Refused, UsageProblem, and what connecting to the other host raises.
        """
        from smartos_wizard.reinstall.restore_planning import plan_restore

        found, address = said.found, said.address
        if found is None or address is None:
            raise Refused("no-address", "The machine was not asked yet.", hint="Name it first.")
        if said.chosen.groups:
            self._ask_there(said.backup.manifest)
        plan = plan_restore(
            said.backup.manifest, Path(said.backup.directory), found.survey, found.compared, said.chosen.wanted, address, found.before
        )  # fmt: skip
        if address.password is None:
            return plan
        from smartos_wizard.core.vault import Vault

        name = Vault(self.world.paths).put(address.password.encode())
        return replace(plan, params={**plan.params, "secret": name})

    def _ask_there(self, manifest: Manifest) -> None:
        """That the host that datasets were sent to answers, and is the one it was; nothing is changed there."""
        from smartos_wizard.reinstall.ports import Address
        from smartos_wizard.reinstall.there import key_of, known_address, open_known

        if manifest.there is None:
            return
        address = known_address(manifest.there, Address(manifest.there.host))
        opened = open_known(self.world, manifest.there, address)
        self.world.doors.pop(key_of(address.host, address.port), None)
        opened.close()

    def again(self, plan: Plan) -> Restoring:
        """What an interrupted restore was to put back; the machine is to be asked anew. Raises UsageProblem."""
        from smartos_wizard.reinstall.ports import Address
        from smartos_wizard.reinstall.restore_config import CONFIG, PLACES
        from smartos_wizard.screens.restore_model import below

        backup, where = self.backup_in(str(plan.params["directory"])), plan.params["address"]
        key = (where["host_key"],) if where["host_key"] else ()
        address = Address(where["host"], where["user"], where["port"], where["jump"], where["identity"], accept=key)  # fmt: skip
        named = {str(step.params[word]) for step in plan.steps for word in ("dataset", "uuid") if word in step.params}  # fmt: skip
        groups = {
            group.name for group in backup.manifest.groups
            if group.kind != "image" and (group.name in named or named & {tree.dataset for tree in group.trees})
        }  # fmt: skip
        files = next((step.params for step in plan.steps if step.id == "configuration"), {})
        made, replaced = set(files.get("made", ())), set(files.get("replaced", ()))
        places = {place for place in PLACES if any(below(path, place) for path in made - {CONFIG})}
        return Restoring(backup, address, ticks=Ticks(frozenset(places), frozenset(replaced | (made & {CONFIG})), frozenset(groups)))  # fmt: skip

    def after(self, plan: Plan, accepted: tuple[str, ...]) -> Restoring:
        """The backup that stands in the plan of a re-install, and its machine with the keys that were agreed to. Raises UsageProblem."""
        from smartos_wizard.reinstall.ports import Address
        from smartos_wizard.screens.restore_model import directory_of

        words, where = str(plan.params.get("backup") or ""), plan.params["address"]
        address = Address(where["host"], where["user"], where["port"], where["jump"], where["identity"], accept=accepted)  # fmt: skip
        return Restoring(self.backup_in(directory_of(words)), address)


def _require_possible(manifest: Manifest, place: Path, survey: Survey, address: Address) -> None:
    """Raise Refused where nothing at all could be put back: asked of the planner itself, with nothing wanted."""
    from smartos_wizard.reinstall.restore_config import Compared
    from smartos_wizard.reinstall.restore_planning import Wanted, plan_restore

    try:
        _ = plan_restore(manifest, place, survey, Compared((), (), ()), Wanted(), address)
    except Refused as error:
        if error.reference != "nothing-to-restore":
            raise


def _fate(
    group: Group, manifest: Manifest, place: Path, survey: Survey, address: Address, was: Before
) -> Fate:
    """What the planner says of that group alone."""
    from smartos_wizard.reinstall.restore_config import Compared
    from smartos_wizard.reinstall.restore_planning import Wanted, plan_restore

    try:
        plan = plan_restore(manifest, place, survey, Compared((), (), ()), Wanted(groups=(group.name,)), address, was)  # fmt: skip
    except Refused as error:
        if error.reference in _THERE:
            return Fate(group, "there", "is there already; nothing is received over it")
        return Fate(group, "blocked", f"{error.message} {error.hint}".strip())
    if any(step.action == "restore-clear" for step in plan.steps):
        return Fate(group, "half", "half of it is there, left by an interrupted restore: that half is destroyed first, once you type its name")  # fmt: skip
    resumed = next((step for step in plan.steps if step.action == "restore-look"), None)
    begun = resumed is not None and any(tree.dataset in was.began for tree in group.trees)
    return Fate(group, "free", "what came of it before is there; it goes on from there" if begun else "")
