"""What is decided on the road to a clean machine, step by step. Pure; knows neither Textual nor how machines are reached."""

from __future__ import annotations

from dataclasses import dataclass, field

from smartos_wizard.reinstall.choices import NO_BACKUP, AnswersFile, Choices, Prepared
from smartos_wizard.reinstall.model import Mode, Survey, Way
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.saying import host_name


@dataclass(frozen=True, slots=True)
class MachineAnswers:
    """Everything so far. `address` is None where the survey came from the `file`; nothing can be run there then.

    `keep` are the names of instances and datasets to back up, None as long as nobody looked; `backup` stands in the
    plan, as `backup_proof` says it; `consents` are the tokens agreed to.
    """

    address: Address | None = None
    file: str = ""
    survey: Survey | None = field(default=None, repr=False)
    keep: frozenset[str] | None = None
    directory: str = ""
    backup: str = ""
    way: Way | None = None
    limited: bool = False
    consents: frozenset[str] = frozenset()
    answers: AnswersFile | None = None
    prepared: Prepared | None = None
    console: str = ""

    @property
    def seen(self) -> Survey:
        """The survey. Raises LookupError before there is one."""
        if self.survey is None:
            raise LookupError("no survey yet")
        return self.survey

    @property
    def name(self) -> str:
        """What the machine is called."""
        if self.survey is not None:
            return host_name(self.survey)
        return self.address.host if self.address is not None else self.file

    @property
    def reachable(self) -> bool:
        """Whether the wizard can work on the machine itself; otherwise a person does, by the runbook."""
        return self.address is not None

    @property
    def why_no_backup(self) -> str:
        """Why nothing can be fetched from it now; empty where it can."""
        if not self.reachable:
            return (
                "This survey came from a file: the wizard cannot reach the machine, so it can fetch nothing."
            )
        if self.seen.mode is Mode.RESCUE:
            return "The machine is in Rescue Mode: no pool is imported, so nothing can be read from it."
        return ""

    @property
    def choices(self) -> Choices:
        """All that was decided, as plans take it; agreements in the order of their names."""
        way = self.way or Way.RESCUE
        return Choices(
            way,
            self.limited,
            tuple(sorted(self.consents)),
            self.answers,
            self.prepared,
            self.backup,
            self.console,
        )

    @property
    def without_backup(self) -> bool:
        """Whether it was said in words that nothing is kept."""
        return not self.backup and NO_BACKUP in self.consents
