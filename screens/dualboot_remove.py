"""Takes SmartOS away from beside Linux: every file that goes is named, and this computer's name is typed."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import folded
from smartos_wizard.netboot.dualboot_model import HOMES
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.dualboot_review import DualbootChange
from smartos_wizard.screens.dualboot_words import remove_words
from smartos_wizard.screens.plan_words import plan_words


class DualbootRemove(DualbootChange):
    """The plan of the removal."""

    HEADING = "Take it away: what will happen"
    GO = "Take it away"
    HELP = """
### What is this?
The plan to take SmartOS away from beside this Linux. Every file that goes is named.

### What happens?
Type this computer's name, then **Take it away**. GRUB's menu becomes what it was before, byte for byte; where it was changed
since, it is made anew without SmartOS. The entry goes first and the files last, so that no entry ever leads nowhere.

### What is not touched?
SmartOS' pool and everything on it, every other entry of the menu, GRUB itself.
"""

    def __init__(self, root: str, hostname: str) -> None:
        super().__init__()
        self.root, self.hostname = root, hostname
        self._traces: tuple[str, ...] = ()

    def make_plan(self) -> Plan:
        """From what is there now."""
        desk = self.wizard.desk.dualboot
        self._traces = desk.traces(self.root)
        self.changeable = desk.may_change(self.root)
        return desk.remove_plan(self.root)

    def _draw(self) -> None:
        super()._draw()
        if self._plan is None or not self.query("#steps"):
            return
        steps, width = self.query_one("#steps", Static), self._width()
        lines = [Content.assemble(("All that is there of it, and goes:", "bold $primary"))]
        for each in self._traces:
            home = next((home for home in HOMES if each.startswith(f"{home}/")), "")
            indent = "    " if home else "  "
            lines += [
                Content(f"{indent}{part}")
                for part in folded(each.removeprefix(f"{home}/") if home else each, width - 6)
            ]
        short = self.app.size.height < 32
        steps.update(
            Content("\n").join([plan_words(self._plan, short=short, width=width), Content(""), *lines])
        )

    def if_it_fails(self) -> str:
        """It goes on from there."""
        return "what is left stays whole; take it away again, and it goes on from there."

    def words(self) -> str:
        """The same by command."""
        return remove_words(self.root, self.hostname)

    def root_command(self) -> str:
        """As root."""
        return self.wizard.desk.dualboot.as_root(self.words())

    def _ran(self, code: int) -> None:
        from smartos_wizard.screens.dualboot_done import DualbootGone

        if code == 0:
            self.wizard.show(DualbootGone(self.root))
            return
        self._started = False
        self._judge()
        words = f"The command ended with exit code {code}; what it said stood in the terminal. Take it away again: it goes on from there."
        self.wizard.ask(Asking("It did not work", words, (("ok", "Close"),)))

    def action_back(self) -> None:
        """To this Linux."""
        from smartos_wizard.screens.dualboot_look import DualbootLook

        self.wizard.show(DualbootLook(self.root))
