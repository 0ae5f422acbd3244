"""Look after a key: what is on it, prove it again, start it here, make it a plain stick again."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport, Refused
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.media.model import KeyContents, Target
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.review import Review
from smartos_wizard.screens.target import ChooseTarget
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.words import disk_line


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
        self.wizard.show(OneKey(targets[0]))

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()


class OneKey(Page):
    """What is on one key, and what may be done with it."""

    SIDE_TITLE = "About keys"
    HELP = """
### What is this?
What was read from the key: which SmartOS it starts, on which console, and what is wrong with it.

### What happens?
**Prove it again** compares every byte with the release. **Start it here** boots it in QEMU without writing.
**Plain stick** erases it and makes one empty FAT32 partition; that is reviewed and confirmed first.
"""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target
        self._stamp = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "eject", "Eject", id="key.eject"),
    ]

    def body(self) -> ComposeResult:
        """Who it is, what is on it, what may be done."""
        with Vertical(classes="card") as card:
            card.border_title = disk_line(self.target.disk)
            yield Static("Reading the key …", id="contents", markup=False)
        with Vertical(classes="card", id="do") as card:
            card.border_title = "What may be done"
            yield Choices(self.marks, id="todo")

    def command(self) -> str:
        """What shows this key."""
        start = "smartos-wizard --practice" if self.wizard.desk.world.practice else "smartos-wizard"
        return f"{start} key show {self.target.path}"

    def ready(self) -> None:
        """Read it in a thread."""
        self.query_one("#todo", Choices).fill(
            [
                ("check", _line("Prove it again", "every byte against the release"), True),
                ("boot", _line("Start it here", "in QEMU, read-only"), True),
                ("eject", _line("Eject it", "makes it safe to pull"), True),
                ("plain", _line("Make it a plain stick again", "erases it; confirmed first"), True),
            ],
            keep="check",
        )
        self.query_one("#todo").focus()
        desk, target = self.wizard.desk, self.target
        self.ask_rooms(lambda: desk.contents(target), self._contents, self._unread)

    def _contents(self, found: KeyContents) -> None:
        self._stamp = found.stamp or found.boot_stamp
        layouts = {"gpt": "SmartOS key", "mbr": "old SmartOS key (GRUB)", "iso": "an ISO written to a key"}
        if not found.stamp and not found.boot_stamp:
            kinds = ", ".join(str(p.get("fstype") or p.get("type") or "?") for p in found.partitions)
            layouts = dict.fromkeys(
                ("gpt", "mbr", ""), "no SmartOS" + (f" (partitions: {kinds})" if kinds else "")
            )
        rows = [("Layout", layouts.get(found.layout, "no SmartOS"))]
        if self._stamp:
            rows.append(("Release", self._stamp))
        if found.console:
            rows.append(("Console", found.console))
        if found.extra_files:
            rows.append(("Extra files", ", ".join(found.extra_files[:6])))
        rows += [(f"{self.marks.warn} Problem", p) for p in found.problems]
        rows += [("Note", n) for n in found.notes]
        if not found.problems:
            rows.append(("Health", "nothing wrong was seen; proving it again says more"))
        self.query_one("#contents", Static).update(
            pairs(rows, width=self.query_one("#contents").content_region.width or 70)
        )

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
            case "eject":
                self.action_eject()
            case "plain":
                self.wizard.show(RestoreReview(target))
            case _:
                pass

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
            start = "smartos-wizard --practice" if desk.world.practice else "smartos-wizard"
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


class RestoreReview(Review):
    """The plan to make a key a plain stick again."""

    STAGE = None  # type: ignore[assignment]
    HEADING = "Make it a plain stick again: what will happen"
    GO = "Erase"

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target

    def make_plan(self) -> Plan:
        """One FAT32 partition."""
        return self.wizard.desk.restore_plan(self.target)

    def command(self) -> str:
        """The same by command."""
        return f"smartos-wizard key restore {self.target.path} --confirm {self.target.token}"

    def action_back(self) -> None:
        """To the key."""
        self.wizard.show(OneKey(self.target))


def _line(name: str, words: str) -> Content:
    return Content.assemble("  ", (f"{name:<30}", "bold"), (words, "$dim"))
