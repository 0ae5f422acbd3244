"""The answers form: what setup shall not ask, with what it will do about the rest told while one types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from smartos_wizard.boot.answers_schema import BY_NAME, KEYS, start
from smartos_wizard.screens.answers_form_ask import AnswersAsking
from smartos_wizard.screens.answers_form_model import (
    ADDRESS,
    HOW,
    MADE,
    Beside,
    address_of,
    beside_all,
    example,
    fitting,
    how_of,
    matters,
    offers,
    put_address,
    put_how,
    put_key,
    stop_line,
    title,
)
from smartos_wizard.screens.answers_form_words import what_happens
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_boxes import Pick
from smartos_wizard.screens.options_fields import Opener, Row, Turning, put, say, typed
from smartos_wizard.screens.page import Page

Done = Callable[[dict[str, str] | None, str], None]
"""Takes the answers, or None for no answers file, and the local file that holds them (empty where none does)."""

_FILES = (
    ("load", "From a file", "choose", "Read an answers file of yours into this form, in the place of what stands here."),
    ("save", "To a file", "name it", "Keep these answers in a file that only you can read, for `key write --answers`."),
    ("drop", "No answers", "take them off", "The key gets no answers file; setup asks everything at the machine."),
)  # fmt: skip


class AnswersForm(Page):
    """The keys of the answers file, those that matter first."""

    STAGE = Stage.OPTIONS
    SIDE_TITLE = "What setup will do"
    HELP = """
### What is this?
The answers that SmartOS's setup finds on the key. Whatever is left empty it stops for and asks.

### What happens?
The form shows what most people decide; `F3` shows all 21 keys that setup reads. What is wrong is said
beside its row: setup itself checks little, and would fail later. `F4` tells where setup will stop and
what to know before. `F2` uses the answers. `Esc` goes back and keeps them as they are.

### What is not touched?
No machine and no disk. A password that you put here stands in clear text on the key; better is to be
asked at the machine, or a one-time password that is changed after the first login.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "use", "Use them", id="answers.use", key_display="F2", tooltip="Back to the options"),
        Binding("f3", "every", "All keys", id="answers.all", key_display="F3", tooltip="All 21, or those that matter"),
        Binding("f4", "told", "What happens", id="answers.told", key_display="F4", tooltip="Stops and traps"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]  # fmt: skip

    def __init__(
        self, answers: Mapping[str, str] | None, file: str, done: Done, *, console_set: bool
    ) -> None:
        """`console_set` says that the options name the console."""
        super().__init__()
        self._none = answers is None
        self.answers: dict[str, str] = start() if answers is None else dict(answers)
        self._first = dict(self.answers)
        self.file, self._done, self._console_set = file, done, console_set
        self._address = address_of(self.answers)
        self._every = False
        self._beside: dict[str, Beside] = {}

    def frame(self) -> Widget:
        """The rows scroll, what is said of them stays."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """Rows, help, what setup will do, button."""
        with VerticalScroll(classes="card -fill form", can_focus=False) as form:
            form.border_title = "Answers for the first setup"
            for made in MADE:
                value = how_of(self.answers) if made.name == HOW else self._address
                yield Row(made.name, made.title, Turning(made.offers, value, id=made.name), self.marks)
            for key in KEYS:
                yield Row(key.name, title(key), self._field(key.name), self.marks)
            for name, head, words, _help in _FILES:
                yield Row(name, head, Opener(words, id=name), self.marks)
        yield Static("", id="hint", markup=False)
        yield Static("", id="stops", markup=False)
        with Horizontal(id="onward"):
            yield Static("", id="sum", markup=False)
            yield Button("Use these answers", id="go", compact=True)

    def _field(self, name: str) -> Widget:
        key, value = BY_NAME[name], self.answers.get(name, "")
        if key.secret:
            return Opener(self._password_words(), id=name)
        found = offers(key, value)
        if found:
            return Turning(found, value, id=name)
        return typed(value, id=name, example=example(name))

    def _password_words(self) -> str:
        return "on the key" if self.answers.get("root_password") else "not on the key"

    def side(self) -> ComposeResult:
        """Where setup stops, and the traps."""
        yield Static("", id="told", markup=False)

    def ready(self) -> None:
        """At the first row."""
        self._asking = AnswersAsking(self)
        self.query_one(f"#{HOW}").focus()
        self.draw()

    # ------------------------------------------------------------------ what is answered

    def took(self, answers: Mapping[str, str], file: str = "") -> None:
        """These are the answers now; show them everywhere."""
        self.answers, self.file = dict(answers), file
        for key in KEYS:
            value = self.answers.get(key.name, "")
            shown = self._password_words() if key.secret else value
            put(self.query_one(f"#{key.name}"), shown, offers(key, value) or None)
        put(self.query_one(f"#{HOW}"), how_of(self.answers))
        if self._address != "fixed" or self.answers.get("admin_ip") == "dhcp":
            self._address = address_of(self.answers)
        put(self.query_one(f"#{ADDRESS}"), self._address)
        self.draw()

    def on_turning_turned(self, event: Turning.Turned) -> None:
        """Another value."""
        self._turned(event.field.id or "", event.field.value)

    def _turned(self, name: str, value: str) -> None:
        if name == HOW:
            self.took(put_how(self.answers, value))
        elif name == ADDRESS:
            self._address = value
            self.took(put_address(self.answers, value))
        else:
            self.took(put_key(self.answers, name, value))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge on each key."""
        name = event.input.id or ""
        answers = put_key(self.answers, name, event.value)
        if answers == self.answers:
            return
        self.answers, self.file = answers, ""
        if "/" in event.value and name == "admin_ip":
            put(self.query_one("#admin_netmask"), answers.get("admin_netmask", ""))
        self.draw()

    def on_input_submitted(self) -> None:
        """Enter goes to the next row."""
        self.focus_next()

    def on_descendant_blur(self) -> None:
        """A field that is left shows what was understood of it."""
        for field in self.query(Input):
            if field.id in BY_NAME:
                put(field, self.answers.get(field.id or "", ""))

    def on_turning_opened(self, event: Turning.Opened) -> None:
        """All values of a row."""
        name = event.field.id or ""
        head, words = self._about(name)

        def picked(value: str | None) -> None:
            if value is not None:
                self._turned(name, value)

        _ = self.app.push_screen(Pick(head, event.field.offers, self.marks, event.field.value, words), picked)

    def on_opener_opened(self, event: Opener.Opened) -> None:
        """What has a box of its own."""
        self._asking.open(event.field.id or "")

    # ------------------------------------------------------------------ what is shown

    def _about(self, name: str) -> tuple[str, str]:
        if name in BY_NAME:
            return BY_NAME[name].title, BY_NAME[name].help
        for made in MADE:
            if made.name == name:
                return made.title, made.help
        return next((head, help_) for row, head, _words, help_ in _FILES if row == name)

    def draw(self) -> None:
        """Rows, notes, what setup will do, button."""
        if not self.query("#go"):
            return
        self._beside = beside_all(self.answers, console_set=self._console_set)
        for row in self.query(Row):
            said = self._beside.get(row.key, Beside())
            if row.key in BY_NAME:
                fixed = self._address == "fixed" and row.key in ("admin_ip", "headnode_default_gateway")
                row.display = fixed or matters(row.key, self.answers, self._beside, every=self._every)
            mark = f"{self.marks.warn} " if said.level == "warning" else ""
            row.note(f"{mark}{said.short}", bad=said.level == "error")
        self._say()
        wrong = [n for n, b in self._beside.items() if b.level == "error"]
        room = self.query_one("#stops").content_region.width or self.app.size.width - 6
        line = fitting(stop_line(self.answers), room, 2, "… F4 tells all")
        say(self.query_one("#stops", Static), Content.assemble((line, "$secondary")))
        say(self.query_one("#sum", Static), self._sum(wrong))
        say(self.query_one("#told", Static), self._told(), grows=True)

    def _sum(self, wrong: list[str]) -> Content:
        if wrong:
            names = ", ".join(title(BY_NAME[n]) if n in BY_NAME else n for n in wrong)
            return Content.assemble((f"{self.marks.failed} to put right: {names}", "bold $error"))
        return Content.assemble((f"{len(self.answers)} of 21 answered", "$dim"))

    def _say(self) -> None:
        row = self.focused.parent if self.focused is not None else None
        if not isinstance(row, Row):
            say(self.query_one("#hint", Static), "Enter uses these answers for the key.")
            return
        said = self._beside.get(row.key, Beside())
        words = said.long or self._about(row.key)[1]
        style = {"error": "bold $error", "warning": "$warning"}.get(said.level, "")
        say(self.query_one("#hint", Static), Content.assemble((words, style)))

    def on_descendant_focus(self, *_event: Any) -> None:
        """The help follows the focus."""
        super().on_descendant_focus()
        if self.query("#hint"):
            self._say()

    def resized(self) -> None:
        """What setup will do is cut anew."""
        self.call_after_refresh(self.draw)

    def _told(self) -> Content:
        return what_happens(self.answers, self.marks, console_set=self._console_set)

    def command(self) -> str:
        """The same by command."""
        return f"{'smartos-wizard --practice' if self.wizard.desk.world.practice else 'smartos-wizard'} answers new"

    # ------------------------------------------------------------------ keys

    def action_every(self) -> None:
        """All keys, or those that matter."""
        self._every = not self._every
        self.draw()
        self.notify("All 21 keys." if self._every else "Those that matter.", timeout=2)

    def action_told(self) -> None:
        """Everything setup will do."""
        self.wizard.ask(Asking("What setup will do", self._told(), (("ok", "Close"),), tall=True))

    def action_use(self) -> None:
        """Back to the options with these answers; to the first row that is wrong, where one is."""
        wrong = [n for n, b in self._beside.items() if b.level == "error"]
        if wrong:
            if wrong[0] in BY_NAME:
                self.query_one(f"#{wrong[0]}").focus()
            self.app.clear_notifications()
            self.notify("This has to be put right first; the words beside it say why.", severity="warning")
            return
        self.leave(self.answers)

    def action_back(self) -> None:
        """Back to the options; what was changed is kept, right or wrong."""
        self.leave(None if self._none and self.answers == self._first else self.answers)

    def leave(self, answers: dict[str, str] | None) -> None:
        """Hand the answers over and close."""
        self._done(answers, self.file if answers is not None else "")
        _ = self.dismiss(None)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Use them."""
        if event.button.id == "go":
            self.action_use()
