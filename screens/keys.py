"""Look after a key: what is on it, and everything that may be done with it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport, Refused
from smartos_wizard.core.journal import Job
from smartos_wizard.media.model import KeyContents, Target
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.keys_desk import Password
from smartos_wizard.screens.keys_model import entries, rows_of
from smartos_wizard.screens.keys_words import about_to_show, entry, password_words
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.widgets.reading import Reading
from smartos_wizard.screens.words import begin, disk_line

_NARROW = 76  # columns below which an entry is its name alone


class OneKey(Page):
    """What is on one key, and what may be done with it."""

    SIDE_TITLE = "About keys"
    HELP = """
### What is this?
What was read from the key: which SmartOS it starts, on which console, and what is wrong with it.

### What happens?
**Prove** compares every byte with the release. **Start it here** boots it in QEMU without writing.
**Configure** changes what it tells its machine at boot, **Upgrade** puts a newer platform beside the present one,
**Roll back** takes the one that was kept. **Plain stick** erases it and makes one empty FAT32 partition.

### What is not touched?
Nothing is changed before you saw the plan and typed what names the key.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "eject", "Eject", id="key.eject", tooltip="Make it safe to pull"),
    ]

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target
        self._contents: KeyContents | None = None

    def frame(self) -> Widget:
        """What is on it scrolls, what may be done stays."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """Who it is, what is on it, what may be done."""
        with Reading(how="Tab, then the arrow keys", id="on-it", classes="card", keeps=False) as card:
            card.border_title = disk_line(self.target.disk)
            yield Static("Reading the key …", id="contents", markup=False)
        with Vertical(classes="card", id="do") as card:
            card.border_title = "What may be done"
            yield Choices(self.marks, id="todo")

    def command(self) -> str:
        """What shows this key."""
        start = begin(practice=self.wizard.desk.world.practice)
        return f"{start} key show {self.target.path}"

    def ready(self) -> None:
        """Read it in a thread."""
        self._fill()
        self.query_one("#todo").focus()
        desk, target = self.wizard.desk, self.target
        self.ask_rooms(lambda: desk.contents(target), self._read, self._unread)

    @property
    def _stamp(self) -> str:
        return (self._contents.stamp or self._contents.boot_stamp) if self._contents else ""

    def _fill(self) -> None:
        choices = self.query_one("#todo", Choices)
        keep = choices.chosen or "check"
        self._make_room()
        rows = [
            (name, words, "" if self.app.size.width < _NARROW else more)
            for name, words, more in entries(self._contents)
        ]
        choices.fill([(name, entry(words, more), True) for name, words, more in rows], keep=keep)

    def _read(self, found: KeyContents) -> None:
        self._contents = found
        self._fill()
        self._show()

    def _show(self) -> None:
        if self._contents is not None and self.query("#contents"):
            place = self.query_one("#on-it")
            width = (place.content_region.width or self.app.size.width - 8) - 1
            self.query_one("#contents", Static).update(
                pairs(rows_of(self._contents, self.marks.warn), width=width)
            )

    def resized(self) -> None:
        """Wrapped anew; fewer words where it is narrow."""
        if self.query("#todo"):
            self._fill()
        self.call_after_refresh(self._show)

    def on_reading_widened(self) -> None:
        """Wrapped to the new width."""
        self._show()

    def _make_room(self) -> None:
        """What may be done is always all there; what is on the key scrolls where it is long."""
        if self.query("#on-it"):
            low = self.app.size.height < 28
            self.query_one("#do").styles.margin = self.query_one("#on-it").styles.margin = (
                0,
                0,
                0 if low else 1,
                0,
            )
            rest = self.query_one("#todo", Choices).option_count + 2 + (0 if low else 2)
            self.query_one("#on-it").styles.max_height = max(4, self.query_one("#body").size.height - rest)

    def _unread(self, error: ErrorReport) -> None:
        self.query_one("#contents", Static).update(error_words(error))

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Do what the pointer is on."""
        desk, target = self.wizard.desk, self.target
        match event.option.id:
            case "check":
                self.ask_rooms(self._check, self._started, self._failed)
            case "boot":
                self.ask_rooms(lambda: desk.start(desk.boot_test_plan(target)), self._started, self._failed)
            case "configure" | "upgrade" | "rollback" | "finish" | "plain" as change:
                self.wizard.show(self._about(change))
            case "password":
                self.wizard.ask(about_to_show(), self._show_password)
            case "eject":
                self.action_eject()
            case _:
                pass

    def _about(self, change: str) -> Page:
        """The screen on which that change begins; loaded when it is wanted."""
        from smartos_wizard.screens.keys_options import ReadChoices
        from smartos_wizard.screens.keys_review import RestoreReview, RollbackReview
        from smartos_wizard.screens.keys_upgrade import ChoosePlatform

        kept = self._contents.previous if self._contents else ""
        match change:
            case "configure":
                return ReadChoices(self.target, grub=self._grub)
            case "upgrade":
                return ChoosePlatform(self.target, self._stamp)
            case "plain":
                return RestoreReview(self.target)
            case _:
                return RollbackReview(self.target, kept if change == "rollback" else self._stamp)

    @property
    def _grub(self) -> bool:
        return self._contents is not None and self._contents.layout == "mbr"

    def _show_password(self, answer: str | None) -> None:
        desk, target = self.wizard.desk, self.target
        if answer == "show":
            self.ask_rooms(lambda: desk.care.password(target), self._password, self._failed)

    def _password(self, found: Password) -> None:
        self.wizard.ask(
            Asking(
                "Root's password",
                password_words(found, min(76, self.app.size.width - 14)),
                (("ok", "Close"),),
                tall=True,
            )
        )

    def _check(self) -> Job:
        desk = self.wizard.desk
        image = desk.stored_image(self._stamp) if self._stamp else None
        if not self._stamp:
            raise Refused(
                "no-release",
                "No release was recognised on this key.",
                hint="There is nothing to compare it with.",
            )
        if image is None:
            start = begin(practice=desk.world.practice)
            raise Refused(
                "not-in-store",
                f"Comparing needs release {self._stamp}, which is not stored here yet.",
                hint=f"Download it, then come back: {start} release download {self._stamp}",
            )
        return desk.start(desk.check_plan(image, self.target))

    def _started(self, job: Job) -> None:
        self.wizard.watch_job(job)

    def _failed(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))

    def action_eject(self) -> None:
        """Make it safe to pull."""
        desk, path = self.wizard.desk, self.target.path
        self.ask_rooms(lambda: desk.eject(path), self._ejected, self._failed)

    def _ejected(self, words: str) -> None:
        """The key is gone: back to those that are here."""
        self.wizard.notify(words, title="Eject")
        self.wizard.look_after()

    def action_back(self) -> None:
        """To the keys."""
        self.wizard.look_after()
