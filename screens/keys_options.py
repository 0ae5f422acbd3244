"""What a key that is there already is to say at boot: the step “Options” of the wizard, filled in from the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Static

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.media.model import Target
from smartos_wizard.screens.keys_desk import Told
from smartos_wizard.screens.options import Options
from smartos_wizard.screens.options_model import Given
from smartos_wizard.screens.options_words import boot_flags
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.words import begin, disk_line

if TYPE_CHECKING:
    pass


class ReadChoices(Page):
    """There while the key is read; then the form, or what speaks against it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "afresh", "Begin as released", id="configure.afresh", key_display="F2",
                tooltip="Leave what stands on the key, and choose everything anew"),
    ]  # fmt: skip
    HELP = """
### What is this?
What the key says at boot is read, so that the form shows it.

### What happens?
Nothing is changed. Where it cannot be read, `F2` begins with what the release says instead.
"""

    def __init__(self, target: Target, *, grub: bool = False) -> None:
        super().__init__()
        self.target, self._grub = target, grub
        self._stuck = False

    def command(self) -> str:
        """The same by command."""
        start = begin(practice=self.wizard.desk.world.practice)
        return f"{start} key configure {self.target.path} …"

    def body(self) -> ComposeResult:
        """One line."""
        with Vertical(classes="card") as card:
            card.border_title = disk_line(self.target.disk)
            yield Static("Reading what it says at boot …", id="state", markup=False)

    def ready(self) -> None:
        """Read it in a thread."""
        desk, target = self.wizard.desk, self.target
        self.ask_rooms(lambda: desk.care.told(target), self._read, self._failed)

    def _read(self, told: Told) -> None:
        self.wizard.show(KeyOptions(self.target, told))

    def _failed(self, error: ErrorReport) -> None:
        self._stuck = error.reference == "answers-unreadable"
        self.query_one("#state", Static).update(error_words(error))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """To begin anew helps only where the old is unreadable."""
        del parameters
        return action != "afresh" or self._stuck

    def action_afresh(self) -> None:
        """The form, with everything as released."""
        self.wizard.show(KeyOptions(self.target, Told(BootChoices(), self._grub)))

    def action_back(self) -> None:
        """To the key."""
        from smartos_wizard.screens.keys import OneKey

        self.wizard.show(OneKey(self.target))


class KeyOptions(Options):
    """The form over a key, begun with what it says."""

    STAGE = None  # type: ignore[assignment]
    HELP = """
### What is this?
What this key tells SmartOS and its setup, as it stands on the key now. Change what you like:
`Up` and `Down` go from row to row, `Left` and `Right` change a value, `Enter` opens what has more to ask.

### What happens?
`F2` shows the difference, line by line. Only then, and only after you typed what names the key, is it changed.
What is set to **as released** is taken off the key.

### What is not touched?
SmartOS on the key and your own files on it. Root's password is kept as a hash only.
"""

    def __init__(self, target: Target, told: Told, given: Given | None = None) -> None:
        super().__init__()
        self.target, self._grub = target, told.grub
        self._begin = (told.choices, given or Given())

    def begin(self) -> tuple[BootChoices, Given]:
        """What is on the key."""
        return self._begin

    def starts_by_grub(self) -> bool:
        """As it was read from the key."""
        return self._grub

    def _note_down(self) -> None:
        """The way to a new key knows nothing of this one."""

    def ready(self) -> None:
        """The heading tells which key it is."""
        form = self.query_one(".form")
        form.border_title, form.border_subtitle = disk_line(self.target.disk), "what it says at boot"
        super().ready()

    def draw(self) -> None:
        """The button leads to the difference."""
        super().draw()
        if self.query("#go"):
            self.query_one("#go", Button).label = "Show what changes"

    def _sum(self, wrong: Mapping[str, str], clauses: tuple[str, ...]) -> Content:
        if not wrong and not clauses:
            return Content("It says what the release says.")
        return super()._sum(wrong, clauses)

    def command(self) -> str:
        """The same by command."""
        start = begin(practice=self.wizard.desk.world.practice)
        choices, given = getattr(self, "choices", self._begin[0]), getattr(self, "given", self._begin[1])
        return f"{start} key configure {self.target.path} --reset {boot_flags(choices, given)}".rstrip()

    def action_next(self) -> None:
        """To the difference; to the first row that is wrong, where one is."""
        from smartos_wizard.screens.keys_review import ConfigureReview

        wrong = list(self.wrong())
        if wrong:
            self.query_one(f"#{wrong[0]}").focus()
            self.app.clear_notifications()
            self.notify("This has to be put right first; the words beside it say why.", severity="warning")
            return
        self.wizard.show(ConfigureReview(self.target, Told(self.choices, self._grub), self.given))

    def action_back(self) -> None:
        """To the key; nothing was changed."""
        from smartos_wizard.screens.keys import OneKey

        self.wizard.show(OneKey(self.target))
