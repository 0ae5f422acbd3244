"""Which key is to be looked after? The disks, of which one is chosen and only read."""

from __future__ import annotations

from textual.content import Content

from smartos_wizard.media.model import Target
from smartos_wizard.screens.target import ChooseTarget


class LookAfter(ChooseTarget):
    """Which key?"""

    STAGE = None  # type: ignore[assignment]
    HELP = """
### What is this?
The disks that may be keys. Choose one to see what is on it.

### What happens?
It is only read. Whatever would change it is reviewed and confirmed first.

### What is not touched?
Everything, until you confirm.
"""

    def question(self) -> Content:
        """The heading."""
        return Content.assemble("Which key?   ", ("It is only read for now.", "$dim"))

    def command(self) -> str:
        """What shows a key."""
        return "smartos-wizard key show /dev/sdX"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One at a time."""
        del parameters
        return action != "mark"

    def use(self, targets: tuple[Target, ...]) -> None:
        """Look at it."""
        from smartos_wizard.screens.keys import OneKey

        self.wizard.show(OneKey(targets[0]))

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()
