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
from smartos_wizard.media.model import Judged, Target
from smartos_wizard.screens.desk import JobRow, Offer
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.wordmark import Wordmark

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
        """The name, unfinished work, the menu, the news."""
        yield Wordmark(ascii_only=self.wizard.ascii_only)
        with Vertical(classes="card -unfinished", id="left") as card:
            card.border_title = "Unfinished"
            card.display = False
            yield Choices(self.marks, id="jobs")
        with Vertical(classes="card", id="what") as card:
            card.border_title = "What do you want to do?"
            yield Choices(self.marks, id="menu")
        with Vertical(classes="card -quiet", id="now") as card:
            card.border_title = "Now"
            yield Static("Release    asking the mirror …", id="news", markup=False)
            yield Static("Disks      looking …", id="attached", markup=False)
            if self.wizard.desk.world.practice:
                yield Static(_practice(), id="practice", markup=False)

    def ready(self) -> None:
        """Show the menu now, the rest when it is known."""
        self._rows: dict[str, JobRow] = {}
        self._guests = 0
        self._menu()
        self.query_one("#menu").focus()
        self._look()
        self.set_interval(2.0, self._look)
        desk = self.wizard.desk
        self.ask_rooms(lambda: (desk.offer(details=False), desk.stored()), self._news, self._no_news)
        self.ask_rooms(desk.judged, self._attached, self._no_disks)

    def _menu(self) -> None:
        menu = self.query_one("#menu", Choices)
        short, room = self.app.size.width < 76, self._room()
        offered = [entry for entry in _MENU if entry[0] != "guests" or self._guests]
        # the name and a line between the cards come first
        air = self.app.size.height >= self._needs() + len(offered) - 1 + 6
        gap = [("", Content(" "), False)] if air else []
        rows = [
            (name, _entry(head, "" if short else _fitted(words, room - 36)), True)
            for name, head, words in offered
        ]
        menu.fill(
            [x for row in rows for x in (row, *gap)][: None if not gap else -1], keep=menu.chosen or "make"
        )

    def resized(self) -> None:
        """More air where there is room; the name gives way to unfinished work."""
        if hasattr(self, "_rows"):
            self._menu()
            self._make_room()

    def _make_room(self) -> None:
        """The name goes first, then the air between the cards, then the news: unfinished work and the menu stay."""
        height, width, needs = self.app.size.height, self.app.size.width, self._needs()
        gaps = 3 if self._rows else 2
        self.query_one("#wordmark").display = height >= needs + 4 and width >= 60
        self.query_one("#now").display = not self._rows or height >= needs
        for card in self.query(".card"):
            card.set_class(height < needs + 4 + gaps, "-tight")

    def _room(self) -> int:
        """The columns of a line in a card, the room of a scroll bar left out."""
        wide = self.app.size.width
        return wide - 9 - (42 if wide >= 110 else 0)

    def _needs(self) -> int:
        """The lines of everything, close together."""
        news = 4 if self.wizard.desk.world.practice else 3
        jobs = 2 + 4 * min(3, len(self._rows)) if self._rows else 0
        return 4 + (len(_MENU) - (not self._guests) + 2) + (news + 2) + jobs

    def command(self) -> str:
        """The list of commands."""
        return "smartos-wizard --help"

    def _look(self) -> None:
        desk = self.wizard.desk
        self.ask_rooms(desk.jobs, self._jobs, lambda _error: None)
        self.ask_rooms(lambda: len(desk.sandbox.guests()), self._counted, lambda _error: None)

    def _counted(self, guests: int) -> None:
        if bool(guests) != bool(self._guests):
            self._guests = guests
            self._menu()
            self._make_room()

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
        self._menu()
        self._make_room()
        if rows and first:
            choices.focus()
        elif not rows and self.focused is choices:
            self.query_one("#menu").focus()
        self.refresh_bindings()

    def _job(self, row: JobRow) -> Content:
        mark, style = (self.marks.now, "$accent") if row.state == "running" else (self.marks.warn, "$warning")
        room = max(30, self._room() - 4)
        key = "[Enter] follow" if row.state == "running" else "[Enter] take it up again   [d] dismiss"
        if row.state == "running":
            key += "   [c] cancel"
        title = _fitted(row.title, room)
        return Content.assemble(
            "  ", (mark, style), (f" {title}", "bold"),
            f"\n    {_WORDS[row.state]}" + (f" at {row.where}" if row.where else ""),
            ("\n    " + _fitted(row.means, room), "$dim"), (f"\n    {key}", "$secondary"),
        )  # fmt: skip

    def _news(self, found: tuple[Offer, frozenset[str]]) -> None:
        offer, stored = found
        newest = next((r for r in offer.rows if r.latest), offer.rows[0] if offer.rows else None)
        parts: list[str | tuple[str, str]] = [("Release    ", "$dim")]
        if offer.offline:
            parts.append((f"{self.marks.warn} offline, list of {offer.offline}   ", "$warning"))
        if newest is not None:
            age = text.age(newest.age)
            parts += [
                "Newest ",
                (newest.stamp, "bold"),
                ", built today" if age == "today" else f", {age} old",
            ]
        mine = sorted(stored, reverse=True)
        if newest is not None and mine and mine[0] == newest.stamp:
            parts.append((f"   {self.marks.good} stored here", "$success"))
        parts.append("\n")
        parts.append(("Stored     ", "$dim"))
        parts.append(f"{len(mine)} checked: {', '.join(mine[:2])}" if mine else "none yet")
        self.query_one("#news", Static).update(Content.assemble(*parts))

    def _no_news(self, error: ErrorReport) -> None:
        self.query_one("#news", Static).update(
            Content.assemble(
                ("Release    ", "$dim"),
                (f"{self.marks.warn} The mirror did not answer: {error.message}", "$warning"),
            )
        )

    def _attached(self, found: tuple[Judged, ...]) -> None:
        good = sum(isinstance(d, Target) for d in found)
        rest = len(found) - good
        word = "disk" if good == 1 else "disks"
        words = f"{good} {word} may become a key, {rest} withheld, each with its reason"
        self.query_one("#attached", Static).update(Content.assemble(("Disks      ", "$dim"), words))

    def _no_disks(self, error: ErrorReport) -> None:
        self.query_one("#attached", Static).update(
            Content.assemble(("Disks      ", "$dim"), (f"{self.marks.warn} {error.message}", "$warning"))
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
        elif name == "sandbox":
            self.wizard.start_sandbox()
        elif name == "reinstall":
            self.wizard.start_reinstall()
        elif name == "netboot":
            self.wizard.start_netboot()
        elif name == "dualboot":
            self.wizard.start_dualboot()
        elif name == "guests":
            self.wizard.show_guests()
        elif name == "how":
            self.wizard.action_help()
        elif name == "fit":
            self.wizard.check_machine()
        elif name == "pool":
            self.wizard.preview_pool()
        elif name in self._rows:
            self._take_up(self._rows[name])

    def _take_up(self, row: JobRow) -> None:
        from smartos_wizard.screens.taking_up import take_up

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
            self.wizard.desk.boot.forget(row.job.plan())
            self._look()

    def action_cancel_job(self) -> None:
        """Ask it to stop."""
        row = self._chosen()
        if row is not None:
            row.job.request_cancel()
            self.notify("Asked to stop; it does so at the next safe moment.")


_MENU = (
    ("make", "Make a USB key", "download, check, write, prove"),
    ("keys", "Look after a key", "show, prove, configure, upgrade"),
    ("sandbox", "Try SmartOS in a sandbox", "a machine that can harm nothing"),
    ("guests", "Your guests", "start, stop, console, delete"),
    ("reinstall", "Re-install a SmartOS machine", "survey first, wipe one pool"),
    ("netboot", "Boot over the network", "a tree, served from this computer"),
    ("dualboot", "Beside Linux, through GRUB", "one entry more in its menu"),
    ("fit", "Is this machine fit for SmartOS?", "what it has, and what to do"),
    ("pool", "What would the pool look like?", "type disks, see vdevs and spares"),
    ("how", "How this works", "what may be lost, and why not"),
)


def _fitted(words: str, room: int) -> str:
    return words if len(words) <= room else f"{words[: max(0, room - 1)]}…"


def _entry(name: str, words: str) -> Content:
    return Content.assemble("  ", (f"{name:<34}", "bold"), (words, "$dim"))


def _practice() -> Content:
    return Content.assemble(
        ("Practice   ", "bold $warning"), "sdb good · sdf slow · sdg pulled at 60 % · sdh lies"
    )
