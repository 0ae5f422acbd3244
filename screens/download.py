"""Download and check: starts the job, or says why it cannot."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.page import Page, error_words


class Download(Page):
    """There for the moment between choosing a release and the first byte."""

    STAGE = Stage.CHECK
    HELP = """
### What is this?
The release is fetched and its checksum computed while it arrives.

### What happens?
Only a file that is exactly what was published is kept. Stopped, it goes on later where it was.

### What is not touched?
No disk but this program's cache directory.
"""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "again", "Try again", id="download.again")]

    def body(self) -> ComposeResult:
        """One line."""
        with Vertical(classes="card") as card:
            card.border_title = "Download and check"
            yield Static("Reading the release's own lists …", id="state", markup=False)

    def ready(self) -> None:
        """Make the plan and start it."""
        self.action_again()

    def action_again(self) -> None:
        """Once more."""
        desk, stamp, kind = self.wizard.desk, self.wizard.flow.answers.stamp, self.wizard.flow.artifact
        self.ask_rooms(lambda: desk.start(desk.download_plan(stamp, kind)), self._started, self._failed)

    def _started(self, job: Job) -> None:
        self.wizard.watch_job(job)

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#state", Static).update(error_words(error))
