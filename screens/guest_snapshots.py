"""The snapshots of a guest: take, go back, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.guests.looking import Look
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.guest_review import SnapshotReview
from smartos_wizard.screens.guest_stop_first import stop_first
from smartos_wizard.screens.guests_words import by_command, runs
from smartos_wizard.screens.options_boxes import Asked, Box
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.widgets.choices import Choices

_LONGEST = 40
_WHY = "It runs, and snapshots are of disks that are at rest."
_RUNS = f"{_WHY} t offers to stop it first."


class GuestSnapshots(Page):
    """The list of snapshots."""

    SIDE_TITLE = "About snapshots"
    HELP = """
### What is this?
A snapshot keeps all disks of the guest as they are at one moment, together, to go back to.

### What happens?
`t` takes one. `Enter` goes back to the one under the pointer: everything since then is gone, so it shows its plan
and wants the guest's name typed. `x` deletes one; the disks stay as they are.

### What is not touched?
The guest's key, its spec, other guests.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "take", "Take one", id="snapshots.take", tooltip="Keep the disks as they are now"),
        Binding("x", "remove", "Delete", id="snapshots.delete", tooltip="Delete this one; the disks stay"),
    ]

    def __init__(self, name: str, then: Callable[[], None], *, take: bool = False) -> None:
        """`then` is where Escape leads; `take` asks for a snapshot's name at once."""
        super().__init__()
        self.name_of_guest, self._then, self._take_now = name, then, take
        self._names: tuple[str, ...] = ()
        self._look: Look | None = None

    def frame(self) -> Widget:
        """The list scrolls by itself."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="card -fill", id="snapshots-card") as card:
            card.border_title = f"Snapshots of {self.name_of_guest}"
            yield Choices(self.marks, id="snapshots")

    def ready(self) -> None:
        """Ask for them."""
        self.title = "Snapshots"
        self._draw_title()
        choices = self.query_one("#snapshots", Choices)
        choices.fill([("", Content("  Asking its hypervisor …"), False)])
        choices.focus()
        desk, name = self.wizard.desk.guests, self.name_of_guest

        def ask() -> tuple[Look, tuple[str, ...]]:
            look = desk.look_at(name)
            return look, desk.snapshots(look.guest)

        self.ask_rooms(ask, self._there, self._failed)

    def command(self) -> str:
        """The list by command."""
        return by_command(
            "snapshot", self.name_of_guest, practice=self.wizard.desk.world.practice, after="list"
        )

    def _there(self, found: tuple[Look, tuple[str, ...]]) -> None:
        self._look, self._names = found
        rows = [(f"={name}", Content.assemble("  ", (text.tame(name), "bold"), ("   Enter goes back to it", "$dim")), True) for name in self._names]  # fmt: skip
        if not rows:
            rows = [("", Content.assemble("  ", ("There are none yet.", "bold"), ("\n\n    t takes one.", "$accent")), False)]  # fmt: skip
        if self._runs:
            rows.append(("", Content.assemble((f"\n  {_RUNS}", "$warning")), False))
        self.query_one("#snapshots", Choices).fill(rows, keep=rows[0][0])
        self.refresh_bindings()
        if self._take_now:
            self._take_now = False
            self.action_take()

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#snapshots", Choices).fill([("", error_words(error), False)])

    @property
    def _chosen(self) -> str:
        chosen = self.query_one("#snapshots", Choices).chosen if self.query("#snapshots") else ""
        return chosen[1:]

    @property
    def _runs(self) -> bool:
        return self._look is not None and runs(self._look)

    def _at_rest(self, then: Callable[[], None], words: str) -> bool:
        """Whether it is off; where it is not, stopping it is offered, and after that `then`."""
        if self._runs:
            stop_first(self, self.name_of_guest, _WHY, then, words)
        return not self._runs

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing to delete where there is none."""
        del parameters
        return action != "remove" or (self.is_mounted and bool(self._chosen))

    def action_take(self) -> None:
        """Ask for a name."""
        if not self._at_rest(lambda: self._again(take=True), "Take the snapshot"):
            return
        number = next(n for n in range(1, 1000) if f"snapshot-{n}" not in self._names)
        words = "All disks of the guest are kept as they are now, under this name."
        _ = self.wizard.push_screen(
            Box("Take a snapshot", words, (Asked("name", "Its name", f"snapshot-{number}"),), self._wrong, "Take it"),
            self._take,
        )  # fmt: skip

    def _wrong(self, typed: dict[str, str]) -> str:
        name = typed["name"].strip()
        if not name or len(name) > _LONGEST or not all(c.isalnum() or c in "-_. " for c in name):
            return f"Letters, digits, blanks, dots and dashes; {_LONGEST} at most."
        if name.startswith("-"):
            return "A name does not begin with a dash."
        return f"There is a snapshot {name} already." if name in self._names else ""

    def _take(self, typed: dict[str, str] | None) -> None:
        if typed is None:
            return
        desk, wizard, name = self.wizard.desk, self.wizard, self.name_of_guest
        wanted = typed["name"].strip()

        def started(job: Job) -> None:
            from smartos_wizard.screens.guest_work import GuestWork

            wizard.watch_job(job, screen=GuestWork(job, None, self._again, words="Its snapshots"))

        plan = desk.guests.snapshot_plan
        self.ask_rooms(lambda: desk.start(plan(name, "take", wanted)), started, self._not_done)

    def _not_done(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))

    def _again(self, *, take: bool = False) -> None:
        self.wizard.show(GuestSnapshots(self.name_of_guest, self._then, take=take))

    def _review(self, act: str, snapshot: str) -> None:
        wizard, name, again = self.wizard, self.name_of_guest, self._again

        def show() -> None:
            wizard.show(SnapshotReview(name, act, snapshot, again))

        if self._at_rest(show, "The plan"):
            show()

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Back to this one: the plan first."""
        if event.option.id:
            self._review("restore", event.option.id[1:])

    def action_remove(self) -> None:
        """The plan to delete this one."""
        if self._chosen:
            self._review("delete", self._chosen)

    def action_back(self) -> None:
        """Where it was asked for."""
        self._then()
