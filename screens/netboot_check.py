"""Check a tree: a directory, or any web server's."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.screens.netboot_desk import OFFICIAL
from smartos_wizard.screens.netboot_page import LongRow, NetbootForm
from smartos_wizard.screens.netboot_words import check_words
from smartos_wizard.screens.options_fields import Row, Turning, typed
from smartos_wizard.screens.options_list import Offer

_HOW = (
    Offer("", "as is usual", "Of a directory every archive is read and compared with its hash; of a server only sizes are asked for."),
    Offer("full", "all of it", "Every archive is read and compared: of a server some 300 MB for each release."),
    Offer("quick", "no archive", "Scripts, names and sizes only: a few kilobytes."),
)  # fmt: skip


class CheckTree(NetbootForm):
    """Which tree is checked?"""

    HEAD: ClassVar[str] = "Which tree is checked?"
    GO: ClassVar[str] = "Check it"
    HINTS: ClassVar[dict[str, str]] = {
        "directory": "A directory, the address of a tree (http://192.0.2.1:8080/) or of one of its scripts. F4 shows trees, the official one too."
    }
    HELP = """
### What is this?
Every script of a tree is read (iPXE, PXELINUX, GRUB) and followed to every file it can name: is it there, has it a size
that can be, does it lie where SmartOS insists on it, is the archive what its hash says?

### What happens?
`F2`, or `Enter` in the address, begins. Findings are told in words, and every file with what it is. `c` gives up.
A hash that does not hold means that SmartOS would panic at boot.

### What is not touched?
Everything: it only reads.
"""

    def __init__(self, directory: str) -> None:
        super().__init__()
        self._where, self._how, self._going = directory, "", False

    def rows(self) -> ComposeResult:
        """The fields."""
        yield LongRow(
            "directory", "Tree", typed(self._where, id="directory", example="directory or URL"), self.marks
        )
        yield Row("how", "Read", Turning(_HOW, self._how, id="how"), self.marks)

    def below(self) -> ComposeResult:
        """What is there."""
        yield Static("", id="drawn", classes="gap", markup=False)

    @property
    def directory(self) -> str:
        """What is checked."""
        return self._where

    @property
    def full(self) -> bool:
        """Whether archives are read whole."""
        return self._how == "full" or (not self._how and "://" not in self._where)

    def words(self) -> str:
        """The same by command."""
        return check_words(self._where, self.full)

    def take(self, name: str, value: str) -> None:
        """A field says something else."""
        if name == "directory":
            self._where = value
        else:
            self._how = value

    def changed(self) -> None:
        """What is there."""
        if not self.query("#drawn"):
            return
        remote = "://" in self._where
        words = Content.assemble(("A web server: it is asked.", "$dim")) if remote else self.tree_words()
        self.query_one("#drawn", Static).update(Content.assemble(" ", words))
        self.note("how", "every archive, whole" if self.full else "names and sizes")
        self.sum("It only reads")

    def more_trees(self) -> tuple[Offer, ...]:
        """The official one."""
        return (Offer(OFFICIAL, "the official tree", f"{OFFICIAL}: only sizes are asked for."),)

    def on_input_submitted(self, event: Input.Submitted) -> None:  # type: ignore[override]
        """Begin."""
        del event
        self.action_next()

    def action_next(self) -> None:
        """Begin."""
        where, full, desk = self._where, self.full, self.wizard.desk
        if self._going:
            return
        self._going = True
        self.ask_rooms(
            lambda: desk.start(desk.netboot.check_plan(where, full=full)), self._begun, self._refused
        )

    def _begun(self, job: Job) -> None:
        self.wizard.watch_job(job)

    def _refused(self, error: ErrorReport) -> None:
        self._going = False
        self.wrong(error)
