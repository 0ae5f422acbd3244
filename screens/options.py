"""What the machine is told at boot: one row for each thing to decide, none of which has to be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.media.optioning import is_legacy
from smartos_wizard.screens.flow import Flow, Stage
from smartos_wizard.screens.options_ask import OptionsAsking
from smartos_wizard.screens.options_boxes import Pick
from smartos_wizard.screens.options_fields import Opener, Row, Turning, put, say, typed
from smartos_wizard.screens.options_list import BESIDE, BY_NAME, OPENED, OPTIONS, TYPED, Offer, Option
from smartos_wizard.screens.options_model import (
    Given,
    asks_speed,
    in_words,
    offers_of,
    problems,
    shown,
    sum_up,
    take,
)
from smartos_wizard.screens.options_words import preview_of
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.words import same_by_command


class Options(Page):
    """The choices, all of them left as released at first."""

    STAGE = Stage.OPTIONS
    SIDE_TITLE = "On the key, besides the release"
    HELP = """
### What is this?
What SmartOS and its setup are told by the key: which console, which answers, which password.
**All of it may be left as released**: `Enter` on the button below, or `F2`, goes on.

### What happens?
`Up` and `Down` go from row to row. `Left` and `Right` change a value; `Enter` shows all values, or
opens what a row has more to ask. What is wrong is said beside its row, and nobody goes on with it.
The choices become files on the key. They are shown before anything is written.

### What is not touched?
No disk. Nothing is kept but a profile or an answers file that you ask for. Of root's password only
a hash is kept. A password in the answers stands in clear text on the key: the form offers better.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "next", "Go on", id="options.next", key_display="F2", tooltip="To the review"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    IDLE = "Enter goes on. Up and Down go to the rows, Left and Right change a value."

    choices: BootChoices
    given: Given

    def frame(self) -> Widget:
        """The rows scroll, what is said of them stays."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """Rows in groups, help, button."""
        self.choices, self.given = self.begin()
        self._legacy = self.starts_by_grub()
        with VerticalScroll(classes="card -fill form", can_focus=False) as form:
            form.border_title = "What the machine is told at boot"
            group = ""
            for option in OPTIONS:
                if option.group != group:
                    group = option.group
                    yield Static(group, classes="form-head", markup=False)
                yield Row(option.name, option.title, self._field(option), self.marks)
        yield Static("", id="hint", markup=False)
        with Horizontal(id="onward"):
            yield Static("", id="sum", markup=False)
            yield Button("Leave it as released", id="go", compact=True)

    def begin(self) -> tuple[BootChoices, Given]:
        """What was decided before."""
        answers = self.wizard.flow.answers
        return answers.choices, answers.given

    def starts_by_grub(self) -> bool:
        """Whether the release is one from before 2019-04, which takes less."""
        image = self.wizard.flow.answers.image if self.STAGE is Stage.OPTIONS else None
        return image is not None and is_legacy(image)

    def _field(self, option: Option) -> Widget:
        if option.name in TYPED:
            text = self.given.bad.get(option.name, shown(option.name, self.choices))
            return typed(text, id=option.name, example=option.example)
        if option.name in OPENED:
            return Opener(in_words(option.name, self.choices), id=option.name)
        return Turning(self.offers(option), shown(option.name, self.choices), id=option.name)

    def offers(self, option: Option) -> tuple[Offer, ...]:
        """The values of a row."""
        return offers_of(option, self.choices)

    def side(self) -> ComposeResult:
        """What will be on the key."""
        yield Static("", id="preview", markup=False)

    def ready(self) -> None:
        """The button has the focus: Enter leaves everything as it is."""
        self._asking = OptionsAsking(self)
        self.query_one("#go").focus()
        self.draw()

    # ------------------------------------------------------------------ what is decided

    def wrong(self) -> dict[str, str]:
        """What must be put right, by the name of the row."""
        return dict(problems(self.choices, self.given, legacy=self._legacy))

    def took(self, choices: BootChoices, given: Given | None = None) -> None:
        """These are the choices now; show them everywhere."""
        self.choices = choices
        self.given = given if given is not None else self.given
        self._note_down()
        for option in OPTIONS:
            if option.name in OPENED:
                put(self._widget(option), in_words(option.name, choices))
            elif option.name not in self.given.bad:
                offers = self.offers(option) if option.offers else None
                put(self._widget(option), shown(option.name, choices), offers)
        self.draw()

    def _widget(self, option: Option) -> Widget:
        return self.query_one(f"#{option.name}")

    def _note_down(self) -> None:
        wizard = self.wizard
        wizard.flow = wizard.flow.noted(choices=self.choices, given=self.given)

    def on_turning_turned(self, event: Turning.Turned) -> None:
        """Another value."""
        self.took(take(event.field.id or "", event.field.value, self.choices))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge what is typed; while it is wrong the option counts as left alone."""
        name = event.input.id or ""
        bad = {k: v for k, v in self.given.bad.items() if k != name}
        try:
            choices = take(name, event.value, self.choices)
        except UsageProblem:
            bad[name] = event.value
            choices = take(name, "", self.choices)
        self.choices, self.given = choices, replace(self.given, bad=bad)
        self._note_down()
        self.draw()

    def on_input_submitted(self) -> None:
        """Enter goes to the next row."""
        self.focus_next()

    def on_turning_opened(self, event: Turning.Opened) -> None:
        """All values of a row, each with what it leads to."""
        option = BY_NAME[event.field.id or ""]

        def picked(value: str | None) -> None:
            if value is not None:
                self.took(take(option.name, value, self.choices))

        pick = Pick(option.title, event.field.offers, self.marks, event.field.value, option.help)
        _ = self.app.push_screen(pick, picked)

    def on_opener_opened(self, event: Opener.Opened) -> None:
        """What has a box or a form of its own."""
        self._asking.open(event.field.id or "")

    # ------------------------------------------------------------------ what is shown

    def draw(self) -> None:
        """Notes, help, button, what will be on the key, the same by command."""
        if not self.query("#go"):
            return
        self.query_one(".form").set_class(self.app.size.height >= 32, "-airy")
        wrong = self.wrong()
        for row in self.query(Row):
            row.display = row.key != "speed" or asks_speed(self.choices)
            row.note(wrong.get(row.key) or self._beside(row.key), bad=row.key in wrong)
        self._say(wrong)
        clauses = sum_up(self.choices)
        say(self.query_one("#sum", Static), self._sum(wrong, clauses))
        button = self.query_one("#go", Button)
        button.label = "Go on with these" if clauses or wrong else "Leave it as released"
        say(self.query_one("#same", Static), self._same())
        say(self.query_one("#preview", Static), self._preview(wrong), grows=True)

    def resized(self) -> None:
        """More air where there is room."""
        if hasattr(self, "choices"):
            self.draw()

    def _beside(self, name: str) -> str:
        match name:
            case "console":
                return BESIDE.get(self.choices.console, "on the screen")
            case "root_shadow":
                return "" if self.choices.root_shadow else "it is: root"
            case "load":
                return f"taken: {self.given.profile}" if self.given.profile else ""
            case "delay":
                return {None: "", -1: "waits for ever", 0: "boots at once"}.get(self.choices.delay, "seconds")
            case "rescue":
                return "no pool, no setup" if self.choices.rescue else ""
            case "speed":
                return "bits per second"
            case _:
                return ""

    def _say(self, wrong: Mapping[str, str]) -> None:
        row = self.focused.parent if self.focused is not None else None
        if isinstance(row, Row):
            words = wrong.get(row.key, BY_NAME[row.key].help)
            style = "bold $error" if row.key in wrong else ""
        elif wrong:
            words, style = f"{len(wrong)} to be put right before going on.", "bold $error"
        else:
            words, style = self.IDLE, ""
        say(self.query_one("#hint", Static), Content.assemble((words, style)))

    def _sum(self, wrong: Mapping[str, str], clauses: tuple[str, ...]) -> Content:
        if wrong:
            names = ", ".join(BY_NAME[n].title for n in wrong)
            return Content.assemble((f"{self.marks.failed} to put right: {names}", "bold $error"))
        if not clauses:
            return Content("Nothing is changed: the key stays as released.")
        return Content.assemble((f"{self.marks.good} ", "$success"), "; ".join(clauses))

    def _preview(self, wrong: Mapping[str, str]) -> Content:
        if wrong:
            return Content("Shown once everything is right.")
        if self.choices.empty:
            return Content("Nothing: it is written exactly as released.")
        try:
            return Content(preview_of(self.choices, legacy=self._legacy))
        except UsageProblem as problem:
            return Content(str(problem))

    def on_descendant_focus(self, *_event: Any) -> None:
        """The help follows the focus."""
        super().on_descendant_focus()
        if hasattr(self, "choices") and self.query("#hint"):
            self._say(self.wrong())

    def command(self) -> str:
        """The same by command, as far as it goes by now."""
        flow: Flow = self.wizard.flow
        return same_by_command(Stage.OPTIONS, flow.answers, practice=self.wizard.desk.world.practice)

    # ------------------------------------------------------------------ on

    def action_next(self) -> None:
        """To the review; to the first row that is wrong, where one is."""
        wrong = list(self.wrong())
        if wrong:
            self.query_one(f"#{wrong[0]}").focus()
            self.app.clear_notifications()
            self.notify("This has to be put right first; the words beside it say why.", severity="warning")
            return
        self.wizard.go(self.wizard.flow.forward(choices=self.choices, given=self.given))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """On."""
        if event.button.id == "go":
            self.action_next()
