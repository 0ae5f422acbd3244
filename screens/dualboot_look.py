"""Beside the Linux of this computer: how it starts now, whether SmartOS can stand beside it, and whether it does already."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.text import folded
from smartos_wizard.netboot.dualboot_model import Way
from smartos_wizard.screens.dualboot_model import Beside, Seen
from smartos_wizard.screens.dualboot_page import DualbootPage
from smartos_wizard.screens.dualboot_problems import problem_lines
from smartos_wizard.screens.dualboot_words import (
    DANGER,
    facts,
    installed_words,
    is_tight,
    plan_words,
)
from smartos_wizard.screens.options_boxes import Pick
from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.widgets.reading import Reading


class DualbootLook(DualbootPage):
    """This Linux as it starts now."""

    STEP = "Look"
    SIDE_TITLE = "Beside this Linux"
    HELP = """
### What is this?
SmartOS can be an entry in the GRUB menu of a Linux that is here already. It runs from memory: beside Linux lie only its
kernel and its boot archive. Its data need a **disk of their own**.

### What happens?
Here it is only looked: how this computer starts, where `/boot` lies, which disks Linux does not use. `Enter` goes on; the
plan comes much later, and wants this computer's name typed. Where SmartOS stands beside Linux already, `x` takes it away.

### What is not touched?
Everything. What starts by itself stays what it is, also later.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "Look again", id="dualboot.again", tooltip="Read once more how this computer starts"),
        Binding("x", "remove", "Take it away", id="dualboot.remove", tooltip="SmartOS' entries and files; its pool stays"),
        Binding("m", "others", "Another Linux", id="dualboot.others", tooltip="The make-believe ones, each with its trouble"),
    ]  # fmt: skip

    def __init__(self, root: str = "") -> None:
        """`root` is another Linux than this one: where it is mounted; in practice the name of a make-believe one."""
        super().__init__()
        self.root = root
        self.seen: Seen | None = None

    def body(self) -> ComposeResult:
        """The table, the danger or what speaks against it, the button."""
        with Reading(
            how="Tab, then the arrow keys", id="linux-card", classes="card -fill", keeps=False
        ) as card:
            card.border_title = "This Linux, as it starts now"
            yield Static("Looking …", id="linux", markup=False)
        with Vertical(classes="card -bad", id="verdict") as verdict:
            verdict.display = False
            yield Static("", id="verdict-said", markup=False)
        with Horizontal(id="onward"):
            yield Static("", id="sum", markup=False)
            yield Button("Go on", id="go", compact=True)

    def ready(self) -> None:
        """Look."""
        self.query_one("#go").display = False
        self.action_again()

    def words(self) -> str:
        """The same by command."""
        return plan_words(self.seen) if self.seen is not None else "dualboot plan"

    # ------------------------------------------------------------------ what is here

    def action_again(self) -> None:
        """Read it in a thread."""
        desk, root = self.desk, self.root
        self.ask_rooms(lambda: desk.look(root), self._looked, self._failed)

    def _looked(self, seen: Seen) -> None:
        first = self.seen is None
        self.seen = seen
        button = self.query_one("#go", Button)
        button.display = bool(seen.setup.installed) or seen.best is not None
        button.label = "Take it away" if seen.setup.installed else "Go on"
        self.again_by_command()
        self._draw()
        self.refresh_bindings()
        if button.display and (first or self.focused is None):
            button.focus()

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#linux", Static).update(error_words(error))

    def _draw(self) -> None:
        seen = self.seen
        if seen is None or not self.query("#linux"):
            return
        card, verdict = self.query_one("#linux-card", Reading), self.query_one("#verdict")
        width = max(40, (card.content_region.width or self.app.size.width - 8) - 1)
        mac = seen.setup.kernel != "Linux"
        card.border_title = "This computer" if mac else "This Linux, as it starts now"
        parts = [pairs(facts(seen), width=width)]
        if seen.setup.installed:
            parts += [
                Content.assemble(("\nSmartOS stands beside it", "bold $primary")),
                pairs(installed_words(seen), width=width),
            ]
        self.query_one("#linux", Static).update(Content("\n").join(parts))
        verdict.display = True
        self.query_one("#verdict-said", Static).update(Content("\n").join(self._verdict(seen, width)))
        self.query_one("#sum", Static).update(self._sum(seen))

    def _verdict(self, seen: Seen, width: int) -> list[Content]:
        card = self.query_one("#verdict", Vertical)
        room = width - 1
        card.set_class(not seen.setup.installed, "-bad")
        if seen.setup.installed:
            card.border_title = "To know"
            words = (
                "To change anything of it, or to have another release: take it away, then begin anew. Its pool and what is on it "
                "stay as they are."
            )
            return [Content(part) for part in folded(words, room)]
        if seen.best is None:
            card.border_title = "It cannot be done here, and nothing was changed"
            return list(problem_lines(seen.why_not, self.marks, room))
        card.border_title = f"{self.marks.warn} The danger, before anything else"
        lines = [Content.assemble((part, "bold")) for part in folded(DANGER, room)]
        more = [
            p
            for p in seen.dangers
            if p.level == "warning" and p.reference not in ("takes-all-disks", "secure-boot-unknown")
        ]
        if self.app.size.height < 30:
            more = [p for p in more if p.reference == "no-disk-of-its-own"]
        return lines + list(problem_lines(tuple(more), self.marks, room))

    def _sum(self, seen: Seen) -> Content:
        if seen.setup.installed:
            return Content.assemble((f"{self.marks.good} ", "$success"), "SmartOS is beside this Linux.")
        if seen.best is None:
            return Content("")
        if seen.best.way is not Way.CHAINLOAD:
            if all(is_tight(volume) for volume in seen.setup.volumes):
                return Content.assemble(
                    (f"{self.marks.warn} ", "$warning"), "It may stand beside it, if there is room."
                )
            return Content.assemble((f"{self.marks.good} ", "$success"), "SmartOS can stand beside it.")
        if seen.best.uuid:
            return Content.assemble(
                (f"{self.marks.good} ", "$success"), "By UEFI: through the loader of the SmartOS key."
            )
        return Content.assemble(
            (f"{self.marks.warn} ", "$warning"), "By UEFI only with a SmartOS key; none is here."
        )

    def resized(self) -> None:
        """Wrapped anew."""
        self.call_after_refresh(self._draw)

    def on_reading_widened(self) -> None:
        """The same."""
        self._draw()

    # ------------------------------------------------------------------ going on

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Taken away is what is there; another Linux is there in practice only."""
        del parameters
        if action == "remove":
            return self.seen is not None and bool(self.seen.setup.installed)
        return action != "others" or self.wizard.desk.world.practice

    def on_button_pressed(self) -> None:
        """On, or away with it."""
        if self.seen is None:
            return
        if self.seen.setup.installed:
            self.action_remove()
            return
        from smartos_wizard.screens.dualboot_way import DualbootWay

        self.wizard.show(DualbootWay(Beside(self.seen)))

    def action_remove(self) -> None:
        """The plan to take it away."""
        from smartos_wizard.screens.dualboot_remove import DualbootRemove

        if self.seen is not None:
            self.wizard.show(DualbootRemove(self.root, self.seen.setup.hostname))

    def action_others(self) -> None:
        """The make-believe ones."""
        offers = [
            Offer(name, host, f"{words[:1].upper()}{words[1:]}.") for name, host, words in self.desk.linuxes()
        ]

        def picked(name: str | None) -> None:
            if name is not None:
                self.wizard.show(DualbootLook(name))

        words = (
            "Each is files below this program's own directory; nothing of this computer is read or changed."
        )
        _ = self.app.push_screen(
            Pick("Which make-believe Linux?", offers, self.marks, self.root, words), picked
        )

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()
