"""The plan of putting a backup back, armed by the machine's name: what is changed, what is received where, what is left alone."""

from __future__ import annotations

from smartos_wizard.core.plan import Plan
from smartos_wizard.screens.reinstall_review import MachineReview
from smartos_wizard.screens.restore_model import Restoring, restore_words


class RestoreReview(MachineReview):
    """The plan of a restore."""

    HEADING = "Put back: what will happen, in this order"
    GO = "Put back"
    HELP = """
### What is this?
The whole plan. First the backup is read back and compared with its digests; a damaged one changes nothing.

### What happens?
Type the machine's name, then **Put back**. Each instance is received, and vmadm is told of it; none is started. Interrupted,
it can be taken up: what is whole is passed over. Half a dataset of an interrupted restore is destroyed only if its name is
typed as well.

### What is not touched?
Every dataset that is there, and every file that is there and was not ticked. Before a file is replaced, the machine's
configuration is kept beside the backup.
"""

    def __init__(self, said: Restoring) -> None:
        super().__init__()
        self.restoring = said
        self.title = f"Put back: {said.backup.host}"

    def make_plan(self) -> Plan:
        """Of what was ticked."""
        return self.wizard.desk.restore.plan(self.restoring)

    def words(self) -> str:
        """The same by command."""
        return f"{restore_words(self.restoring)} --dry-run"

    def action_back(self) -> None:
        """To what is put back."""
        from smartos_wizard.screens.restore_what import ChooseWhat

        self.wizard.show(ChooseWhat(self.restoring))
