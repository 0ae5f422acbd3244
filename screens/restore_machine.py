"""On which machine is the backup put back? It is asked, and compared with the backup; nothing is changed there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from smartos_wizard.reinstall.ports import Address
from smartos_wizard.screens.reinstall_desk import Call
from smartos_wizard.screens.reinstall_machine import ChooseMachine
from smartos_wizard.screens.reinstall_model import MachineAnswers
from smartos_wizard.screens.restore_model import Restoring, restore_words
from smartos_wizard.screens.widgets.choices import Choices


class RestoreTo(ChooseMachine):
    """Which machine gets it back?"""

    STAGE = None  # type: ignore[assignment]
    ASKS = "Compare it"
    OTHER = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "survey", "Compare", id="restore.compare", key_display="F2", tooltip="Log in and ask; nothing is changed"),
    ]  # fmt: skip
    READS = "It is only asked, and compared with the backup. Nothing is changed there."
    HELP = """
### What is this?
The machine on which the backup is put back: the same one after its re-install, or another. It has been set up, runs normally,
and lets you in by ssh.

### What happens?
`Enter` on the last field logs in and asks: which files of the configuration are missing, which differ, which instances and
datasets are there. A key that is not known here is shown, and you decide: after a re-install a machine has a new one.

### What is not touched?
Everything on the machine. It is changed only after you have chosen, seen the plan and typed its name.
"""

    def __init__(self, said: Restoring) -> None:
        super().__init__()
        self.restoring = said

    @property
    def said(self) -> MachineAnswers:
        """Who is proposed: as before, or the machine of the backup in practice."""
        return MachineAnswers(self.restoring.address or (Address(self.restoring.backup.host) if self.practice else None))  # fmt: skip

    def ready(self) -> None:
        """The name of what is put back stands above."""
        self.title = f"Put back: {self.restoring.backup.host}"
        self._draw_title()
        super().ready()
        if self.practice and not self.query_one("#machines", Choices).chosen:
            self.query_one("#machines", Choices).highlighted = 0

    def words(self) -> str:
        """The same by command."""
        address = self._typed() if self.is_mounted else None
        return restore_words(replace(self.restoring, address=address, found=None))

    def look(self, address: Address, call: Call) -> Any:
        """Ask it, and compare."""
        return self.wizard.desk.restore.compare(self.restoring.backup, address, call)

    def looked(self, address: Address, found: Any) -> None:
        """On to what is put back; what was ticked before stays."""
        from smartos_wizard.screens.restore_what import ChooseWhat

        self.wizard.show(ChooseWhat(replace(self.restoring, address=address, found=found)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a machine: no file, no runbook, no other road from here."""
        return action not in ("file", "runbooks", "put_back", "several") and super().check_action(action, parameters)  # fmt: skip

    def leave(self) -> None:
        """To the backups."""
        from smartos_wizard.screens.restore_choose import ChooseBackup

        self.wizard.show(ChooseBackup(self.restoring.backup.directory))
