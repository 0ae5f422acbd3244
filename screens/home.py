"""Home: unfinished work first, then what one may do."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.desk import JobRow, Offer
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.widgets.choices import Choices

_WORDS = {"running": "running", "interrupted": "interrupted", "cancelled": "stopped", "failed": "failed"}


class Home(Page):
    """What do you want to do?"""

    HELP = """
### What is this?
From nothing to a USB key that is **known** to hold exactly the released bytes of SmartOS:
download, check, write, read everything back and compare.

### What happens?
Nothing, until you typed which disk you mean. Every way there can be walked back with `Esc`.

### What is not touched?
No disk is opened before that; this computer's own disk is never offered.
"""
    SIDE_TITLE = "Welcome"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "nothing", show=False),
        Binding(
            "d", "dismiss_job", "Dismiss", id="home.dismiss", tooltip="Do not show this unfinished work again"
        ),
        Binding("c", "cancel_job", "Cancel", id="home.cancel", tooltip="Ask the running work to stop"),
    ]

    def body(self) -> ComposeResult:
        """Unfinished work, the menu, the news."""
        with Vertical(classes="card -unfinished", id="left") as card:
            card.border_title = "Unfinished"
            card.display = False
            yield Choices(self.marks, id="jobs")
        yield Static("What do you want to do?", classes="heading")
        yield Choices(self.marks, id="menu")
        yield Static(
            "Asking the mirror for the newest release …", id="news", classes="muted gap", markup=False
        )

    def ready(self) -> None:
        """Show the menu now, the rest when it is known."""
        self._rows: dict[str, JobRow] = {}
        self.query_one("#menu", Choices).fill(
            [
                ("make", _entry("Make a USB key", "download, check, write, prove"), True),
                ("keys", _entry("Look after a key", "what is on it · prove · boot-test · make plain"), True),
            ],
            keep="make",
        )
        self.query_one("#menu").focus()
        self._look()
        self.set_interval(2.0, self._look)
        self.ask_rooms(
            lambda: (self.wizard.desk.offer(details=False), self.wizard.desk.stored()),
            self._news,
            self._no_news,
        )

    def command(self) -> str:
        """The list of commands."""
        return "smartos-wizard --help"

    def _look(self) -> None:
        self.ask_rooms(self.wizard.desk.jobs, self._jobs, lambda _error: None)

    def _jobs(self, rows: tuple[JobRow, ...]) -> None:
        choices = self.query_one("#jobs", Choices)
        known = {row.job.id: row for row in rows}
        if known == self._rows:
            return
        first = not self._rows and choices.chosen == ""
        keep = choices.chosen
        self._rows = known
        choices.fill(
            [(row.job.id, self._job(row), True) for row in rows[:3]],
            keep=keep or (rows[0].job.id if rows else ""),
        )
        self.query_one("#left").display = bool(rows)
        if rows and first:
            choices.focus()
        elif not rows and self.focused is choices:
            self.query_one("#menu").focus()
        self.refresh_bindings()

    def _job(self, row: JobRow) -> Content:
        mark, style = (self.marks.now, "$accent") if row.state == "running" else (self.marks.warn, "$warning")
        room = max(30, self.app.size.width - 12)
        key = "[Enter] follow" if row.state == "running" else "[Enter] take it up again   [d] dismiss"
        if row.state == "running":
            key += "   [c] cancel"
        return Content.assemble(
            "  ", (mark, style), (f" {row.title}"[:room], "bold"),
            f"\n    {_WORDS[row.state]}" + (f" at {row.where}" if row.where else ""),
            (f"\n    {row.means}"[: room * 2], "$dim"), (f"\n    {key}", "$secondary"),
        )  # fmt: skip

    def _news(self, found: tuple[Offer, frozenset[str]]) -> None:
        offer, stored = found
        newest = next((r for r in offer.rows if r.latest), offer.rows[0] if offer.rows else None)
        words = ""
        if newest is not None:
            age = text.age(newest.age)
            words = f"Newest release {newest.stamp}, " + ("built today." if age == "today" else f"{age} old.")
        mine = sorted(stored, reverse=True)
        words += f" You have {mine[0]} stored." if mine else " None is stored here yet."
        if offer.offline:
            words = f"{self.marks.warn} Offline: the list is from {offer.offline}. {words}"
        self.query_one("#news", Static).update(Content(words))

    def _no_news(self, error: ErrorReport) -> None:
        self.query_one("#news", Static).update(
            Content(f"{self.marks.warn} The mirror did not answer: {error.message}")
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys for jobs are shown while the pointer is on one."""
        del parameters
        if action in ("dismiss_job", "cancel_job"):
            row = self._chosen() if self.is_mounted else None
            return row is not None and (row.state == "running") == (action == "cancel_job")
        return True

    def on_descendant_focus(self) -> None:
        """The footer follows."""
        super().on_descendant_focus()
        self.refresh_bindings()

    def _chosen(self) -> JobRow | None:
        jobs = self.query("#jobs").first(Choices) if self.query("#jobs") else None
        if jobs is None or self.focused is not jobs:
            return None
        return getattr(self, "_rows", {}).get(jobs.chosen)

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Enter or a click."""
        name = event.option.id or ""
        if name == "make":
            self.wizard.start_flow()
        elif name == "keys":
            self.wizard.look_after()
        elif name in self._rows:
            self._take_up(self._rows[name])

    def _take_up(self, row: JobRow) -> None:
        from smartos_wizard.screens.work import take_up

        if row.state == "running":
            self.wizard.watch_job(row.job)
        else:
            take_up(self, row.job)

    def action_nothing(self) -> None:
        """Escape leaves nothing from here."""

    def action_dismiss_job(self) -> None:
        """Let go of what was left unfinished."""
        row = self._chosen()
        if row is not None:
            row.job.seen_file.touch()
            self._look()

    def action_cancel_job(self) -> None:
        """Ask it to stop."""
        row = self._chosen()
        if row is not None:
            row.job.request_cancel()
            self.notify("Asked to stop; it does so at the next safe moment.")


def _entry(name: str, words: str) -> Content:
    return Content.assemble("  ", (f"{name:<22}", "bold"), (words, "$dim"))
