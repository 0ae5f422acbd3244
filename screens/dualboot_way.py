"""How GRUB comes to SmartOS: which ways this computer can take, and why; which disk its pool shall have."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.text import folded
from smartos_wizard.netboot.dualboot_model import Way
from smartos_wizard.screens.dualboot_model import Beside, Opinion
from smartos_wizard.screens.dualboot_page import DualbootPage
from smartos_wizard.screens.dualboot_problems import problem_lines
from smartos_wizard.screens.dualboot_words import (
    NAMES,
    WHAT,
    command_words,
    cost_of,
    hint_of,
)
from smartos_wizard.screens.options_boxes import Asked, Box, Pick
from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.reading import Reading

_NAME = 28
_NARROW = 76  # columns below which a way is its name and its verdict
_UUID = re.compile(r"[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}")
_LATER = "I decide that later"


class DualbootWay(DualbootPage):
    """Which way?"""

    STEP = "Way"
    HELP = """
### What is this?
GRUB can load SmartOS' kernel itself, from the platform's **files** or out of an **ISO**: that is for computers that start by
BIOS. Where a computer starts by UEFI, GRUB can start SmartOS' own **loader** from a key or another disk.

### What happens?
The list says which this computer can take, and below why. `d` names the disk that SmartOS' pool shall have: it is told to
you again at the end, when you need it; nothing is done to it.

### What is not touched?
Everything. No boot sector is written on any way, and GRUB itself stays as it is.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "d",
            "disk",
            "Disk for its pool",
            id="dualboot.disk",
            tooltip="So that you know it when setup asks",
        ),
    ]

    def __init__(self, said: Beside) -> None:
        super().__init__()
        self.said = said

    def body(self) -> ComposeResult:
        """The ways, what is said of one, the disk."""
        with Vertical(classes="card", id="ways-card") as card:
            card.border_title = "How shall GRUB come to SmartOS?"
            yield Choices(self.marks, id="ways")
        with Reading(how="Tab, then the arrow keys", id="does", keeps=False) as does:
            does.border_title = "This way"
            yield Static("", id="does-said", markup=False)
        yield Static("", id="disk-said", markup=False)

    def ready(self) -> None:
        """The recommended one, or the one chosen before."""
        self._fill()
        self.query_one("#ways").focus()
        self._say_disk()

    def words(self) -> str:
        """The same by command."""
        opinion = self.opinion if self.is_mounted else None
        said = (
            self.said
            if opinion is None
            else replace(self.said, way=opinion.way, uuid=self.said.uuid or opinion.uuid)
        )
        return command_words("plan", said)

    def _fill(self) -> None:
        choices = self.query_one("#ways", Choices)
        ways = self.said.seen.ways
        best = next((o.way.value for o in ways if o.recommended), "")
        before = self.said.way.value if self.said.stamp or self.said.uuid else ""
        choices.fill([(o.way.value, self._row(o), True) for o in ways], keep=choices.chosen or before or best)

    def _row(self, opinion: Opinion) -> Content:
        mark, word, style = (
            (self.marks.good, "recommended", "bold $success") if opinion.recommended
            else (" ", "possible", "$accent") if opinion.possible
            else (self.marks.failed, "refused", "bold $error")
        )  # fmt: skip
        cost = "" if self.app.size.width < _NARROW else f"{cost_of(opinion):<20}"
        return Content.assemble(
            "  ", (f"{NAMES[opinion.way]:<{_NAME}}", "bold"), (cost, "$dim"), (f"{mark} {word}", style)
        )  # fmt: skip

    @property
    def opinion(self) -> Opinion | None:
        """The way under the pointer."""
        name = self.query_one("#ways", Choices).chosen if self.query("#ways") else ""
        return next((o for o in self.said.seen.ways if o.way.value == name), None)

    def on_option_list_option_highlighted(self) -> None:
        """Say what this one does."""
        super().on_option_list_option_highlighted()
        self._tell()
        self.query_one("#does").scroll_home(animate=False)
        self.again_by_command()

    def _tell(self) -> None:
        opinion = self.opinion
        if opinion is None or not self.query("#does"):
            return
        card = self.query_one("#does", Reading)
        card.border_title = NAMES[opinion.way]
        width = max(40, (card.content_region.width or self.app.size.width - 8) - 1)
        lines = list(problem_lines(tuple(p for p in opinion.stops if p.level == "stop"), self.marks, width))
        lines += [Content("")] if lines else []
        lines += [Content(part) for part in folded(WHAT[opinion.way], width)]
        if opinion.way is Way.CHAINLOAD and opinion.possible:
            lines += [Content.assemble((part, "$accent")) for part in folded(self._key(opinion), width)]
        if opinion.way is not Way.CHAINLOAD and opinion.possible:
            lines += [Content.assemble((part, "$dim")) for part in folded(_PROOF, width)]
        self.query_one("#does-said", Static).update(Content("\n").join(lines))

    def _key(self, opinion: Opinion) -> str:
        key = next((fat for fat in self.said.seen.setup.fats if fat.uuid == opinion.uuid), None)
        if key is not None:
            return f"A SmartOS key is here: {key.path}, its UUID is {key.uuid}."
        return "No SmartOS key is plugged in. Plug one in, go back and look again; or Enter, and name the UUID of its partition SYSTEM."

    def resized(self) -> None:
        """Wrapped anew."""
        if self.query("#ways"):
            self._fill()
            self.call_after_refresh(self._tell)
            self._say_disk()

    def on_reading_widened(self) -> None:
        """The same."""
        self._tell()

    # ------------------------------------------------------------------ the disk

    def _say_disk(self) -> None:
        spare = self.said.seen.setup.unused
        if self.said.disk:
            words, style = f"SmartOS' pool shall take: {self.said.disk}", "bold $success"
        elif spare:
            words, style = "SmartOS' pool needs a disk of its own: d names it.", "$dim"
        else:
            words, style = (
                f"{self.marks.warn} No disk is free for SmartOS' pool: do not run its setup before you add one.",
                "bold $warning",
            )
        room = max(40, self.app.size.width - 8)
        words = words if len(words) <= room else f"{words[: room - 1]}…"
        self.query_one("#disk-said", Static).update(Content.assemble((words, style)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A disk is named where there is one."""
        del parameters
        return action != "disk" or bool(self.said.seen.setup.unused)

    def action_disk(self) -> None:
        """Those that Linux does not use."""
        spare = self.said.seen.setup.unused or ()
        offers = [Offer("", _LATER, "The end of the way tells how to find it."),
                  *(Offer(each, each.partition(" (")[0], each) for each in spare)]  # fmt: skip

        def picked(value: str | None) -> None:
            if value is not None:
                self.said = replace(self.said, disk=value)
                self._say_disk()

        words = "Only so that it can be told to you when setup asks. Nothing is done to it, and nothing of it is written down."
        _ = self.app.push_screen(
            Pick("Which disk shall SmartOS' pool take?", offers, self.marks, self.said.disk, words), picked
        )

    # ------------------------------------------------------------------ going on

    def on_option_list_option_selected(self) -> None:
        """Take it, where nothing speaks against it."""
        opinion = self.opinion
        if opinion is None:
            return
        stop = next((p for p in opinion.stops if p.level == "stop"), None)
        if stop is not None:
            self.notify(
                f"{stop.text} {hint_of(stop)}".strip(), title="Refused", severity="warning", timeout=10
            )
        elif opinion.way is Way.CHAINLOAD:
            self._ask_key(opinion)
        else:
            same = opinion.way is self.said.way
            self._on(replace(self.said, way=opinion.way, uuid="", image=self.said.image if same else None))

    def _ask_key(self, opinion: Opinion) -> None:
        keys = [fat for fat in self.said.seen.setup.fats if fat.smartos]
        if keys:
            self._on(
                replace(
                    self.said, way=opinion.way, uuid=(self.said.uuid or keys[0].uuid), stamp="", image=None
                )
            )
            return

        def judged(found: dict[str, str]) -> str:
            return "" if _UUID.fullmatch(found["uuid"].strip()) else "It looks like 1A2B-3C4D."

        def typed(found: dict[str, str] | None) -> None:
            if found is not None:
                self._on(
                    replace(self.said, way=opinion.way, uuid=found["uuid"].strip(), stamp="", image=None)
                )

        words = "The file system UUID of the partition with SmartOS' /EFI/BOOT/BOOTX64.EFI. On a key it is called SYSTEM; lsblk -o NAME,LABEL,UUID shows it."  # fmt: skip
        _ = self.app.push_screen(
            Box(
                "Whose loader?", words, (Asked("uuid", "UUID", self.said.uuid, "1A2B-3C4D"),), judged, "Go on"
            ),
            typed,
        )

    def _on(self, said: Beside) -> None:
        """A loader is told nothing here and nothing is copied for it: on to the entry."""
        self.said = said
        desk = self.desk
        self.ask_rooms(lambda: desk.refuse(said), lambda _none: self._show_next(said), self.wrong)

    def _show_next(self, said: Beside) -> None:
        if said.way is Way.CHAINLOAD:
            from smartos_wizard.screens.dualboot_entry import DualbootEntry

            self.wizard.show(DualbootEntry(said))
            return
        from smartos_wizard.screens.dualboot_release import DualbootRelease

        self.wizard.show(DualbootRelease(said))

    def action_back(self) -> None:
        """To this Linux."""
        from smartos_wizard.screens.dualboot_look import DualbootLook

        self.wizard.show(DualbootLook(self.said.seen.root))


_PROOF = "What is copied is compared with what was published, read back from the disk, and compared again by the kernel at each start."
