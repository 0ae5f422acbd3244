"""In which hypervisor? Those that are here with what stands in their way; the others with how to get them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.sandbox_words import in_short
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.reading import Reading

if TYPE_CHECKING:
    from smartos_wizard.guests.model import Detection

_STYLES = {"error": "bold $error", "warning": "bold $warning", "info": "$dim"}


class ChooseHypervisor(Page):
    """The hypervisors, each looked for in a thread of its own."""

    STAGE = Stage.HYPERVISOR
    HELP = """
### What is this?
A hypervisor runs SmartOS as a **guest**: a machine inside this one, with disks that are files.
Any of them will do; the first that can start guests is pointed at.

### What happens?
Each is looked for where its installer puts it. Whether QEMU is fast here is found by really starting
a tiny machine, which may take seconds. `Enter` goes on with one; on one that cannot be used it says why.

### What is not touched?
Nothing is installed and no setting is changed. What must be done first is only said.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reload", "Look again", id="where.reload", tooltip="After something was installed"),
    ]

    def frame(self) -> Widget:
        """The words below the list scroll."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The list, and all about the one under the pointer."""
        with Vertical(classes="card", id="list") as card:
            card.border_title = "In which hypervisor?"
            yield Choices(self.marks, id="hypervisors")
        with Reading(how="Tab, then the arrow keys", id="about-it", keeps=False) as reading:
            reading.border_title = "About it"
            yield Static("", id="told", markup=False)

    def ready(self) -> None:
        """Ask for the names, then each by itself."""
        self._names: tuple[tuple[str, str], ...] = ()
        self._found: dict[str, Detection] = {}
        self._moved = False
        self.query_one("#hypervisors").focus()
        self.action_reload()

    def action_reload(self) -> None:
        """Once more."""
        self._found = {}
        self.ask_rooms(self.wizard.desk.sandbox.hypervisors, self._named, self._failed)

    def _named(self, names: tuple[tuple[str, str], ...]) -> None:
        self._names = names
        self._fill()
        for name, _title in names:
            self.ask_rooms(lambda n=name: self.wizard.desk.sandbox.detect(n), self._detected, self._failed)  # type: ignore[misc]

    def _detected(self, detection: Detection) -> None:
        self._found[detection.id] = detection
        self._fill()

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#told", Static).update(Content(error.message))

    # ------------------------------------------------------------------ what is shown

    def _fill(self) -> None:
        choices = self.query_one("#hypervisors", Choices)
        best = next((n for n, _t in self._names if n in self._found and self._found[n].starts), "")
        mine = self.wizard.flow.answers.guest.hypervisor
        keep = choices.chosen if self._moved else mine if mine in self._found else best
        rows = [(name, self._row(name, title), True) for name, title in self._names]
        with choices.prevent(Choices.OptionHighlighted):
            choices.fill(rows, keep=keep or choices.chosen)
        self._about()
        self.point()

    def _row(self, name: str, title: str) -> Content:
        detection = self._found.get(name)
        if detection is None:
            return Content.assemble("  ", f"{title:<22}", ("looking …", "$dim"))
        word, style = in_short(detection)
        marks = self.marks
        mark = {"$success": marks.good, "$warning": marks.warn, "$faint": marks.todo}.get(style, marks.failed)
        bold = "bold" if detection.usable else "$faint"
        return Content.assemble(
            "  ", (f"{detection.title:<22}", bold), (f"{detection.version or '-':<14}"[:14], "$dim"),
            (f"{mark} {word}", style),
        )  # fmt: skip

    def _about(self) -> None:
        name = self.query_one("#hypervisors", Choices).chosen
        detection = self._found.get(name)
        place = self.query_one("#told", Static)
        if detection is None:
            waits = len(self._found) < len(self._names) or not self._names
            words = "Looking; QEMU tries a tiny machine, which may take seconds." if waits else self._none()
            place.update(Content.assemble((words, "$dim" if waits else "bold $warning")))
            return
        place.update(self._all_about(detection))

    def _none(self) -> str:
        if any(d.starts for d in self._found.values()):
            return ""
        return "None of them can start a guest here. Up and Down show what to do for each."

    def _all_about(self, detection: Detection) -> Content:
        lines: list[Content] = []
        if detection.found:
            where = f" at {detection.path}" if detection.path else ""
            lines.append(
                Content.assemble((f"{detection.title} {detection.version}".strip(), "bold"), (where, "$dim"))
            )
        else:
            lines.append(Content.assemble((f"{detection.title} is not here.", "bold")))
        for problem in detection.problems:
            style = _STYLES.get(problem.level, "")
            lines.append(Content.assemble((f"{self.marks.warn} {problem.text}", style)))
            if problem.hint:
                lines.append(Content.assemble(("  what to do  ", "$dim"), problem.hint))
        if detection.usable and not detection.starts:
            lines.append(Content("Guests can be made in it, but none can be started until that is done."))
        if not detection.found and detection.how:
            lines.append(Content.assemble(("How to get it  ", "$dim"), detection.how))
        if detection.starts and not detection.problems:
            lines.append(Content.assemble((f"{self.marks.good} Nothing stands in its way.", "$success")))
        return Content("\n").join(lines)

    def on_option_list_option_highlighted(self) -> None:
        """The words follow the pointer."""
        super().on_option_list_option_highlighted()
        if hasattr(self, "_names"):
            self._moved = True
            self._about()

    # ------------------------------------------------------------------ on

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """On with it, or why not."""
        detection = self._found.get(event.option.id or "")
        if detection is None:
            self.notify("It is still being looked for.")
        elif not detection.usable:
            from smartos_wizard.screens.asking import Asking

            words = self._all_about(detection)
            title = f"{detection.title} cannot be used here"
            self.wizard.ask(Asking(title, words, (("ok", "Close"),)))
        else:
            guest = replace(self.wizard.flow.answers.guest, hypervisor=detection.id, title=detection.title)
            self.wizard.go(self.wizard.flow.forward(guest=guest))
