"""As new again: which disks of a guest are emptied, which kept, and whether a snapshot comes before."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.guest_review import ReinstallReview
from smartos_wizard.screens.guests_desk import DataDisk
from smartos_wizard.screens.guests_words import by_command
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.widgets.choices import Choices

Found = tuple[tuple[DataDisk, ...], str]
_SNAPSHOT = "?snapshot"
_STAYS = (
    "What stays in any case: its name and UUID, the addresses of its cards, its ports, and its own key with all it is "
    "told at boot. F2 shows the plan; nothing is erased before you typed the guest's name there."
)


class GuestReinstall(Page):
    """Each disk: empty it or keep it."""

    SIDE_TITLE = "About this"
    HELP = """
### What is this?
SmartOS sets itself up anew on empty disks. Here you choose which of the guest's disks are emptied.

### What happens?
`Space` changes the line under the pointer. `F2` shows the plan; nothing is erased before you typed the guest's name
there. A **snapshot** taken first is a way back, where the hypervisor keeps it apart from the disks.

### What is not touched?
The guest's name, UUID, addresses of its cards and ports, and what its key tells it at boot.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "change", "Change", id="reinstall.change", key_display="Space", tooltip="Keep it or empty it"),
        Binding("f2", "plan", "The plan", id="reinstall.plan", key_display="F2", tooltip="See what will happen"),
    ]  # fmt: skip

    def __init__(
        self, name: str, then: Callable[[], None], keep: frozenset[str] | None = None, snapshot: bool = False
    ) -> None:
        super().__init__()
        self.name_of_guest, self._then = name, then
        self._keep, self._snapshot = keep, snapshot
        self._found: Found | None = None

    def body(self) -> ComposeResult:
        """The disks, and what follows of them."""
        with Vertical(classes="card", id="reinstall-card") as card:
            card.border_title = f"Make {self.name_of_guest} as new: its disks"
            yield Static("Looking at its disks …", id="reinstall-said", markup=False)
            yield Choices(self.marks, id="reinstall-disks")
        yield Static("", id="reinstall-sum", classes="muted gap", markup=False)
        yield Static(_STAYS, classes="muted gap", markup=False)

    def ready(self) -> None:
        """Ask for the disks."""
        self.title = "Reinstall"
        self._draw_title()
        desk, name = self.wizard.desk.guests, self.name_of_guest

        def ask() -> Found:
            guest = desk.find(name)
            return desk.disks(guest), desk.why_no_snapshot(guest)

        self.ask_rooms(ask, self._there, self._failed)

    def command(self) -> str:
        """The same by command, only looked at."""
        kept = " ".join(f"--keep {disk}" for disk in sorted(self._keep or ()))
        more = f"{kept}{' --snapshot' if self._snapshot else ''} --dry-run".strip()
        practice = self.wizard.desk.world.practice
        return by_command("reinstall", self.name_of_guest, practice=practice, after=more)

    def _there(self, found: Found) -> None:
        self._found = found
        if self._keep is None:
            self._keep = frozenset(disk.name for disk in found[0] if disk.kept)
        self.query_one("#reinstall-said").display = False
        self.query_one("#reinstall-disks").focus()
        self._draw()

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#reinstall-said", Static).update(error_words(error))

    def _draw(self) -> None:
        if self._found is None:
            return
        disks, why_not = self._found
        choices = self.query_one("#reinstall-disks", Choices)
        width = max(40, choices.content_region.width or self.app.size.width - 8)
        rows = [(disk.name, self._row(disk, width), True) for disk in disks]
        rows.append((_SNAPSHOT, self._first(why_not, width), not why_not))
        choices.fill(rows, keep=choices.chosen or disks[0].name)
        emptied = [disk for disk in disks if disk.name not in (self._keep or ())]
        lost = sum(disk.taken for disk in emptied)
        words = (
            f"{len(emptied)} of {len(disks)} disks will be emptied, {text.size(lost)} in use on them."
            if emptied
            else "Every disk is kept, so there is nothing to do."
        )
        self.query_one("#reinstall-sum", Static).update(words)
        self.query_one("#same", Static).update(self._same())

    def _first(self, why_not: str, width: int) -> Content:
        """Whether a snapshot comes before."""
        words = "yes: before-reinstall" if self._snapshot else "no"
        if why_not:
            words = textwrap.fill(f"not possible: {why_not}", width - 20).replace("\n", "\n" + " " * 18)
        return Content.assemble((f"\n  {'Snapshot first':<16}", "bold"), (words, "$dim" if why_not else ""))

    def _row(self, disk: DataDisk, width: int) -> Content:
        kept = disk.name in (self._keep or ())
        word, style = ("keep", "bold $success") if kept else ("EMPTY IT", "bold $error")
        fixed = "  its spec says keep" if disk.kept else ""
        path = str(disk.path)
        path = path if len(path) <= width - 7 else "…" + path[-(width - 8) :]
        return Content.assemble(
            "  ", (f"{word:<10}", style), (f"{disk.name:<12}", "bold"),
            f"{text.size(disk.size)}, {text.size(disk.taken)} in use", (fixed, "$dim"), (f"\n    {path}", "$dim"),
        )  # fmt: skip

    def resized(self) -> None:
        """Rows follow the width."""
        self.call_after_refresh(self._draw)

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Enter changes the line, as space does."""
        self._toggle(event.option.id or "")

    def action_change(self) -> None:
        """Change the line under the pointer."""
        self._toggle(self.query_one("#reinstall-disks", Choices).chosen)

    def _toggle(self, name: str) -> None:
        if self._found is None or not name:
            return
        if name == _SNAPSHOT:
            self._snapshot = not self._snapshot
        elif any(disk.name == name and disk.kept for disk in self._found[0]):
            self.notify("The guest's own spec says that this disk is kept.")
        else:
            self._keep = (self._keep or frozenset()) ^ {name}
        self._draw()

    def action_plan(self) -> None:
        """What will happen."""
        if self._found is None:
            return
        keep = frozenset(self._keep or ())
        if len(keep) == len(self._found[0]):
            self.notify("Every disk is kept, so there is nothing to do.", severity="warning")
            return
        wizard, name, then, snapshot = self.wizard, self.name_of_guest, self._then, self._snapshot

        def back() -> None:
            wizard.show(GuestReinstall(name, then, keep, snapshot))

        wizard.show(ReinstallReview(name, tuple(sorted(keep)), snapshot, then, back))

    def action_back(self) -> None:
        """Where it was asked for."""
        self._then()
