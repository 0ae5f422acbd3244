"""Which disk becomes the key? Nothing is chosen for the user; what is not offered is shown with its reason."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import get_current_worker

from smartos_wizard.core.errors import ErrorReport, report_of
from smartos_wizard.media.model import Judged, Target
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.disk_table import disk_rows
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.words import more_about


class ChooseTarget(Page):
    """The disks of this machine, following what is plugged in and out."""

    STAGE = Stage.TARGET
    SIDE_TITLE = "More about it"
    HELP = """
### What is this?
Every disk this machine has. Those that may become the key are on top.
The others are **not offered**, each with its reason.

### What happens?
You choose one with `Enter`, or mark several with `space` and go on with `Enter`.
Plug a key in or out: the list follows. Nothing is chosen for you, even if there is only one.

### What is not touched?
Choosing touches nothing. The disk of this system is never offered.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space",
            "mark",
            "Mark several",
            id="target.mark",
            tooltip="Mark or unmark, to write several keys at once",
        ),
        Binding("i", "more", "More", id="target.more", tooltip="Everything known of this disk"),
    ]

    def frame(self) -> Widget:
        """The list itself scrolls, the words around it stay."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """Question, list, what to know."""
        with Vertical(classes="card -fill", id="list") as card:
            card.border_title = self.question()
            yield Choices(self.marks, id="disks")
        with VerticalScroll(classes="card -fill", id="manual") as manual:
            manual.display = False
            manual.border_title = "By hand, on this system"
            yield Static("", id="recipe", markup=False)
        yield Static("", id="count", classes="muted", markup=False)

    def question(self) -> Content:
        """The heading."""
        return Content.assemble(
            "Which disk becomes the key?   ", ("Everything on it will be erased.", "$error")
        )

    def side(self) -> ComposeResult:
        """Everything known of the disk under the pointer."""
        yield Static("Move the pointer to a disk.", id="facts", markup=False)

    def ready(self) -> None:
        """Look once, then follow the ports."""
        self._disks: dict[str, Judged] = {}
        self._marked: list[str] = []
        self.query_one("#disks", Choices).add_class("-fill")
        self.query_one("#disks").focus()
        self._follow()
        self._say()

    def _follow(self) -> None:
        desk = self.wizard.desk

        def run() -> None:
            worker = get_current_worker()
            while not worker.is_cancelled:
                try:
                    found = desk.judged()
                except Exception as error:
                    self._later(self.trouble, report_of(error))
                else:
                    self._later(self.fill, found)
                while not worker.is_cancelled:
                    try:
                        if desk.disks_changed(0.5):
                            break
                    except Exception as error:
                        self._later(self.trouble, report_of(error))
                        return

        self.run_worker(run, thread=True, exit_on_error=False, group="ports")

    def fill(self, disks: tuple[Judged, ...]) -> None:
        """Show `disks`; the pointer stays on the very disk it was on, or on none."""
        choices = self.query_one("#disks", Choices)
        old, keep = self._disks, choices.chosen
        new = {_key(d): d for d in disks}
        if keep in old and (keep not in new or not _same(old[keep], new[keep])):
            keep = ""
        self._marked = [p for p in self._marked if p in new and p in old and _same(old[p], new[p])]
        self._disks = new
        self._draw(keep)

    def _draw(self, keep: str) -> None:
        width = self.query_one("#disks").content_region.width or self.app.size.width - 8
        choices = self.query_one("#disks", Choices)
        choices.fill(disk_rows(self._disks.values(), self._marked, self.marks, width), keep=keep)
        self._say()
        self._facts()

    def resized(self) -> None:
        """Columns follow the width."""
        if hasattr(self, "_disks"):
            self.call_after_refresh(lambda: self._draw(self.query_one("#disks", Choices).chosen))

    def trouble(self, error: ErrorReport) -> None:
        """Could not list is not the same as none; on other systems the commands to type are shown."""
        if error.reference == "not-linux":
            self._by_hand(error)
            return
        self.query_one("#count", Static).update(error_words(error))

    def _by_hand(self, error: ErrorReport) -> None:
        from smartos_wizard.media.disks.manual import manual_commands

        image = self.wizard.flow.answers.image
        system = str(error.details.get("system", ""))
        recipe = manual_commands(
            system, str(image.path) if image else "IMAGE.img.gz", image.digest if image else ""
        )
        self.query_one("#list").display = False
        manual = self.query_one("#manual")
        manual.display = True
        manual.focus()
        self.query_one("#recipe", Static).update(Content.assemble((error.message, "bold"), "\n\n", recipe))
        self.query_one("#count", Static).update(
            Content("The file is here and was checked. Arrow keys scroll." if image else "Arrow keys scroll.")
        )

    def _say(self) -> None:
        words = "Nothing is chosen for you. Plug a key in or out: the list follows."
        if self._marked:
            words = f"Marked: {', '.join(self._marked)}. Enter goes on with all of them."
        self.query_one("#count", Static).update(Content(words))

    def _facts(self) -> None:
        judged = self._disks.get(self.query_one("#disks", Choices).chosen)
        words = (
            Content("Move the pointer to a disk.") if judged is None else pairs(more_about(judged), width=34)
        )
        self.query_one("#facts", Static).update(words)

    def on_option_list_option_highlighted(self) -> None:
        """The side panel follows the pointer."""
        super().on_option_list_option_highlighted()
        self._facts()

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Go on with the marked ones, or with this one; say why where it is withheld."""
        judged = self._disks.get(event.option.id or "")
        marked = tuple(d for d in (self._disks.get(p) for p in self._marked) if isinstance(d, Target))
        if marked:
            self.use(marked)
        elif isinstance(judged, Target):
            self.use((judged,))
        elif judged is not None:
            self.action_more()

    def use(self, targets: tuple[Target, ...]) -> None:
        """On to the options."""
        self.wizard.go(self.wizard.flow.forward(targets=targets))

    def action_mark(self) -> None:
        """Mark or unmark the disk under the pointer."""
        name = self.query_one("#disks", Choices).chosen
        if not isinstance(self._disks.get(name), Target):
            return
        self._marked = (
            [p for p in self._marked if p != name] if name in self._marked else [*self._marked, name]
        )
        self._draw(name)

    def action_more(self) -> None:
        """Everything known of the disk under the pointer."""
        judged = self._disks.get(self.query_one("#disks", Choices).chosen)
        if judged is None:
            self.notify("Move the pointer to a disk first (arrow keys).")
            return
        self.wizard.ask(
            Asking(
                judged.disk.path,
                pairs(more_about(judged), width=min(74, self.app.size.width - 12)),
                (("ok", "Close"),),
                tall=True,
            )
        )


def _key(judged: Judged) -> str:
    return judged.disk.path if isinstance(judged, Target) else f"not:{judged.disk.path}"


def _same(one: Judged, other: Judged) -> bool:
    """Whether two looks at a path saw the same thing in the same port."""
    a, b = one.disk, other.disk
    return (a.path, a.serial, a.size, a.diskseq) == (b.path, b.serial, b.size, b.diskseq)
