"""Which backup is to be put back? Those known here, or one in a directory, with what each holds."""

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
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.options_boxes import Asked, Box
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.restore_model import Backup, Restoring, facts_of, files_of
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.widgets.reading import Reading
from smartos_wizard.screens.words import begin


class ChooseBackup(Page):
    """Which backup?"""

    SIDE_TITLE = "About putting back"
    HELP = """
### What is this?
The backups that were made from here, the newest first. Below stands what the one under the pointer holds, when it was made,
of which machine, and what of it lies on another host. `F4` lists every file with its digest.

### What happens?
`Enter` goes on to the machine that it is to be put back on. `F3` takes a backup in another directory.

### What is not touched?
Everything: a backup is only read, and no machine is asked yet.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "directory", "A directory", id="restore.directory", key_display="F3", tooltip="A backup that lies elsewhere"),
        Binding("f4", "files", "Its files", id="restore.files", key_display="F4", tooltip="Every file with size and digest"),
    ]  # fmt: skip

    def __init__(self, keep: str = "") -> None:
        """`keep` is the directory of the backup that has the pointer first."""
        super().__init__()
        self._kept, self._first = keep, True
        self._backups: dict[str, Backup] = {}

    def frame(self) -> Widget:
        """The list keeps to its rows, what is in it scrolls."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The list, and what the chosen one holds."""
        with Vertical(classes="card", id="backups-card") as card:
            card.border_title = "Which backup is to be put back?"
            yield Choices(self.marks, id="backups")
        with Reading(how="Tab, then the arrow keys", id="holds", keeps=False) as card:
            card.border_title = "What it holds"
            yield Static("Looking …", id="holds-said", markup=False)

    def ready(self) -> None:
        """Look for them in a thread."""
        self.title = "Put back a backup"
        self._draw_title()
        self.query_one("#backups").focus()
        self.ask_rooms(self.wizard.desk.restore.backups, self._there, self._failed)

    def command(self) -> str:
        """The same by command."""
        one = self._backups.get(self._chosen()) if self.is_mounted else None
        words = f"reinstall backup-check {one.directory}" if one is not None else "reinstall restore DIR HOST"
        return f"{begin(practice=self.wizard.desk.world.practice)} {words}"

    def _chosen(self) -> str:
        found = self.query("#backups")
        return found.first(Choices).chosen if found else ""

    def _there(self, found: tuple[Backup, ...]) -> None:
        self._backups |= {each.directory: each for each in found}
        self._draw()

    def _draw(self) -> None:
        rows = [(each.directory, self._row(each), True) for each in self._backups.values()]
        if not rows:
            words = "  No backup is known here. F3 takes one in a directory; the road to a clean machine makes one."
            rows = [("", Content(words), False)]
        choices = self.query_one("#backups", Choices)
        choices.fill(rows, keep=choices.chosen or self._kept or rows[0][0])
        choices.styles.max_height = max(2, self.app.size.height // 4)
        self._show()
        self.refresh_bindings()

    def _row(self, each: Backup) -> Content:
        when = text.age(max(0.0, self.wizard.desk.world.now() - each.manifest.made))
        room = max(20, (self.query_one("#backups").content_region.width or self.app.size.width - 8) - 46)
        place = each.directory if len(each.directory) <= room else "…" + each.directory[1 - room :]
        return Content.assemble(
            "  ", (f"{each.host[:18]:<19}", "bold"), f"{'today' if when == 'today' else when + ' old':<13}",
            (f"{text.size(each.size):>10}  ", "$dim"), (place, "$dim"),
        )  # fmt: skip

    def _show(self) -> None:
        one = self._backups.get(self._chosen())
        place = self.query_one("#holds", Reading)
        width = max(40, (place.content_region.width or self.app.size.width - 8) - 1)
        rows = list(facts_of(one, self.wizard.desk.world.now())) if one is not None else []
        said = pairs(rows, width=width) if rows else Content("Nothing yet.")
        self.query_one("#holds-said", Static).update(said)
        self.query_one("#same", Static).update(self._same())

    def resized(self) -> None:
        """Rows follow the width."""
        if self._backups:
            self.call_after_refresh(self._draw)

    def on_choices_widened(self) -> None:
        """Paths are cut to the new width."""
        if self._backups:
            self._draw()

    def on_reading_widened(self) -> None:
        """Wrapped to the new width."""
        self._show()

    def on_option_list_option_highlighted(self) -> None:
        """What it holds follows."""
        super().on_option_list_option_highlighted()
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Files only where there is a backup."""
        del parameters
        return action != "files" or bool(self._backups)

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#holds-said", Static).update(error_words(error))

    # ------------------------------------------------------------------ choosing

    def on_option_list_option_selected(self) -> None:
        """On to the machine."""
        one = self._backups.get(self._chosen())
        if one is not None:
            self.onward(Restoring(one))

    def onward(self, said: Restoring) -> None:
        """To the machine."""
        from smartos_wizard.screens.restore_machine import RestoreTo

        self.wizard.show(RestoreTo(said))

    def action_directory(self) -> None:
        """Ask for a directory."""
        words = "The directory of a backup: the one that was named with --to, or “Where to” in the wizard."

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                path, desk = found["directory"], self.wizard.desk.restore
                self.ask_rooms(lambda: desk.backup_in(path), self._taken, self._not_taken)

        box = Box("A backup in a directory", words, (Asked("directory", "Directory", "", "~/kestrel-backup"),),
                  lambda said: "" if said["directory"].strip() else "Which directory?")  # fmt: skip
        _ = self.app.push_screen(box, answered)

    def _taken(self, one: Backup) -> None:
        self._backups = {one.directory: one, **self._backups}
        choices = self.query_one("#backups", Choices)
        self._draw()
        choices.highlighted = list(self._backups).index(one.directory)
        choices.focus()

    def _not_taken(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("That is no backup", error_words(error), (("ok", "Close"),)))

    def action_files(self) -> None:
        """Every file, with its digest."""
        one = self._backups.get(self._chosen())
        if one is not None:
            words = Content("\n".join(files_of(one)))
            self.wizard.ask(Asking("Every file of it, with its sha256", words, (("ok", "Close"),), tall=True))

    def action_back(self) -> None:
        """To the first screen of the road."""
        self.wizard.start_reinstall()
