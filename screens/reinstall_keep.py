"""What would be lost, with sizes, and what of it is to be kept: a backup, one that is there already, or none, in words."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.text import folded
from smartos_wizard.reinstall.backup_choice import Row
from smartos_wizard.reinstall.choices import NO_BACKUP
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_boxes import Asked, Box
from smartos_wizard.screens.reinstall_page import MachinePage
from smartos_wizard.screens.reinstall_words import backup_words
from smartos_wizard.screens.widgets.choices import Choices

_HOW = {
    "always": ("kept", "$success"), "instance": ("", ""), "dataset": ("", ""),
    "along": ("with it", "$dim"), "": ("not kept", "$warning"),
}  # fmt: skip


class Keep(MachinePage):
    """What is to be kept?"""

    STAGE = Stage.KEEP
    HELP = """
### What is this?
Everything that the re-install can take, with its size. Configuration is always part of a backup; instances and datasets as
you choose, with `Space`. What cannot be kept is named too.

### What happens?
`F2` shows the plan of the backup, which goes into a directory **here**: each stream with its digest, and everything is read
back from the disk before it counts. `F4` takes a backup that is there already. `F3` goes on without one: you are asked
in words, and asked to agree once more later.

### What is not touched?
The machine, but for snapshots that are made for the backup and taken away after it.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "change", "Change", id="keep.change", show=False, tooltip="Keep it, or not"),
        Binding("f2", "back_up", "Back up", id="keep.backup", key_display="F2", tooltip="The plan of the backup"),
        Binding("f3", "without", "Without", id="keep.without", key_display="F3", tooltip="Go on without a backup"),
        Binding("f4", "present", "Have one", id="keep.present", key_display="F4", tooltip="Take a backup that is there already"),
        Binding("t", "to", "Where to", id="keep.to", show=False, tooltip="The directory of the backup"),
        Binding("a", "every", "All", id="keep.all", show=False, tooltip="Keep everything that can be kept, or only configuration"),
    ]  # fmt: skip

    _rows: tuple[Row, ...] = ()
    _busy = False

    def frame(self) -> Widget:
        """The list scrolls by itself."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The list, and what follows of it."""
        with Vertical(classes="card -fill", id="losses-card") as card:
            card.border_title = "What would be lost"
            yield Choices(self.marks, id="losses")
        yield Static("", id="keep-sum", markup=False)

    def ready(self) -> None:
        """Show what would be lost."""
        said = self.said
        card = self.query_one("#losses-card")
        card.border_title = f"What would be lost on {said.name}, and what is to be kept"
        card.border_subtitle = "Space keep or lose · a all · t where to"
        if not said.directory:
            self.decide(directory=self.desk.directory_for(said.name))
        self.ask_rooms(lambda: self.desk.losses(said.seen), self._there, self.wrong)

    def words(self) -> str:
        """The same by command."""
        return backup_words(self.said)

    def _there(self, rows: tuple[Row, ...]) -> None:
        self._rows = rows
        if self.said.keep is None:
            self.decide(keep=frozenset(row.name for row in rows if row.keep in ("instance", "dataset")))
        self._draw()
        self.query_one("#losses").focus()

    def resized(self) -> None:
        """Rows follow the width."""
        self.call_after_refresh(self._draw)

    def on_choices_widened(self) -> None:
        """Wrapped to the new width."""
        self._draw()

    def _draw(self) -> None:
        if not self._rows or not self.query("#losses"):
            return
        choices = self.query_one("#losses", Choices)
        width = max(40, (choices.content_region.width or self.app.size.width - 8) - 1)
        rows = [(f"r{number}", self._row(row, width), True) for number, row in enumerate(self._rows)]
        choices.fill(rows, keep=choices.chosen or "r0")
        self._sum()

    def _row(self, row: Row, width: int) -> Content:
        free = row.keep in ("instance", "dataset")
        kept = row.name in (self.said.keep or ())
        word, style = (
            (("[x] keep", "bold $success") if kept else ("[ ] lost", "bold $error"))
            if free
            else _HOW[row.keep]
        )
        size = "" if row.size is None else text.size(row.size)
        head, *rest = folded(row.what, width - 25) or [""]
        lines = [Content.assemble("  ", (f"{word:<9}", style), (f"{size:>10}  ", "$dim"), head)]
        lines += [Content(" " * 23 + part) for part in rest]
        return Content("\n").join(lines)

    def _sum(self) -> None:
        said = self.said
        width = max(40, self.app.size.width - (48 if self.app.size.width >= 110 else 6))
        kept = [row for row in self._rows if row.name and row.name in (said.keep or ())]
        lost = [row for row in self._rows if row.keep in ("instance", "dataset") and row not in kept]
        size = sum(row.size or 0 for row in kept)
        words = (
            f"A backup of {text.size(size)} and the configuration"
            if kept
            else "A backup of the configuration only"
        )
        lines = [Content("\n").join(map(Content, folded(f"{words}, into {said.directory}", width)))]
        if said.why_no_backup:
            lines = [
                Content("\n").join(
                    Content.assemble((part, "$warning")) for part in folded(said.why_no_backup, width)
                )
            ]
        elif lost:
            names = (
                f"{len(lost)} of these would be gone for good."
                if len(lost) > 1
                else f"{lost[0].what} would be gone for good."
            )
            lines.append(Content.assemble((f"{self.marks.warn} {names}", "bold $warning")))
        if said.backup:
            lines.append(
                Content.assemble(
                    (f"{self.marks.good} There is a backup: ", "bold $success"),
                    *self._cut(said.backup, width - 24),
                )
            )
        elif said.without_backup:
            lines.append(
                Content.assemble((f"{self.marks.warn} You said that nothing is to be kept.", "bold $warning"))
            )
        self.query_one("#keep-sum", Static).update(Content("\n").join(lines))

    def _cut(self, words: str, width: int) -> tuple[str, ...]:
        return (words if len(words) <= width else words[: width - 1] + "…",)

    # ------------------------------------------------------------------ choosing

    def on_option_list_option_selected(self) -> None:
        """Enter changes the line; it goes on where there is nothing to change: the decision was made."""
        if self._free(self._chosen()):
            self.action_change()
        elif self.said.backup or self.said.without_backup:
            self.onward()
        else:
            self.notify("Decide first: F2 makes a backup, F4 takes one that is there, F3 goes on without.")

    def _chosen(self) -> Row | None:
        name = self.query_one("#losses", Choices).chosen
        return self._rows[int(name[1:])] if name else None

    def _free(self, row: Row | None) -> bool:
        return row is not None and row.keep in ("instance", "dataset")

    def action_change(self) -> None:
        """The line under the pointer."""
        row = self._chosen()
        if row is None:
            return
        if not self._free(row):
            words = {"always": "That is always kept.", "along": "That comes with what it belongs to."}
            self.notify(
                words.get(
                    row.keep, "That cannot be kept: SmartOS makes it anew, or it is of no use elsewhere."
                )
            )
            return
        self.decide(keep=(self.said.keep or frozenset()) ^ {row.name})
        self._draw()

    def action_every(self) -> None:
        """Everything, or configuration only."""
        every = frozenset(row.name for row in self._rows if self._free(row))
        self.decide(keep=frozenset() if self.said.keep == every else every)
        self._draw()

    def action_to(self) -> None:
        """Ask for the directory."""
        words = "A directory on this computer. It will hold password hashes, host keys and metadata; only you may read it."

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                self.decide(directory=found["to"].strip())
                self._draw()

        box = Box("Where to?", words, (Asked("to", "Directory", self.said.directory),),
                  lambda said: "" if said["to"].strip() else "Which directory?")  # fmt: skip
        _ = self.app.push_screen(box, answered)

    # ------------------------------------------------------------------ going on

    def action_back_up(self) -> None:
        """The plan of the backup."""
        if self.said.why_no_backup:
            self.notify(self.said.why_no_backup, severity="warning")
            return
        from smartos_wizard.screens.reinstall_review import BackupReview

        self.wizard.show(BackupReview())

    def action_without(self) -> None:
        """Only in words."""
        free = [row for row in self._rows if self._free(row)]
        lines = [f"  {row.what}, {text.size(row.size or 0)}" for row in free[:8]]
        lines += [f"  and {len(free) - 8} more"] if len(free) > 8 else []
        words = Content.assemble(
            f"What is on the pools of {self.said.name} that are destroyed is gone for good then; nobody can bring it back:\n\n",
            ("\n".join([*lines, "  its configuration: addresses, passwords, keys, services"]), "bold"),
            f"\n\nThe plan asks for it once more, in a word that you type: {NO_BACKUP}.",
        )

        def answered(answer: str | None) -> None:
            if answer == "none":
                self.onward(backup="", consents=self.said.consents | {NO_BACKUP})

        buttons = (("stay", "Back"), ("!none", "Keep nothing, go on"))
        self.wizard.ask(Asking("Without a backup?", words, buttons, tall=True), answered)

    def action_present(self) -> None:
        """A backup that is there already; every file of it is read back."""
        words = "The directory of a backup of this machine. Every file in it is read back and compared first."

        def answered(found: dict[str, str] | None) -> None:
            if found is not None and not self._busy:
                directory, survey = found["directory"].strip(), self.said.seen
                self._busy = True
                self.query_one("#keep-sum", Static).update(f"Reading the backup in {directory} back …")
                self.ask_rooms(
                    lambda: self.desk.backup_words(directory, survey),
                    lambda kept: self.take(kept, directory),
                    self._not_taken,
                )

        box = Box("A backup that is there", words, (Asked("directory", "Directory", self.said.directory),),
                  lambda said: "" if said["directory"].strip() else "Which directory?", go="Read it back")  # fmt: skip
        _ = self.app.push_screen(box, answered)

    def take(self, kept: str, directory: str) -> None:
        """That backup counts; on."""
        self.onward(backup=kept, directory=directory, consents=self.said.consents - {NO_BACKUP})

    def _not_taken(self, error: ErrorReport) -> None:
        self._busy = False
        self._sum()
        self.wrong(error)
