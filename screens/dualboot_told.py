"""What SmartOS is told beside Linux: the rows of the step “Options” that mean something in GRUB's menu, in its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.dualboot_model import Beside
from smartos_wizard.screens.dualboot_options import OPTIONS, ZONES, option_of
from smartos_wizard.screens.dualboot_page import step_title
from smartos_wizard.screens.dualboot_words import command_words
from smartos_wizard.screens.options import Options
from smartos_wizard.screens.options_ask import OptionsAsking, said_by
from smartos_wizard.screens.options_boxes import Asked, Box, Pick
from smartos_wizard.screens.options_fields import Row, Turning, put, say
from smartos_wizard.screens.options_list import OPENED, Offer, Option
from smartos_wizard.screens.options_model import Given, asks_speed, in_words, shown, sum_up, take
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.words import begin


class DualbootTold(Options):
    """The form for an entry of GRUB's menu."""

    STAGE = None  # type: ignore[assignment]
    SIDE_TITLE: ClassVar[str] = "What the kernel is told"
    IDLE = "All of it may be left as it is. Up and Down go to the rows, Left and Right change a value."
    HELP = """
### What is this?
What SmartOS is told when it is started from GRUB's menu: its console, and which pools it may take. **All of it may be left
as it is**: `F2` goes on. A second entry, **rescue**, is there in any case: it imports no pool and runs no setup.

### What happens?
`Up` and `Down` go from row to row, `Left` and `Right` change a value, `Enter` opens what has more to ask. The next screen shows
the entry as it will stand in the menu.

### What is not touched?
This Linux, so far. Secrets go into a file that only root can read, never into the menu.
"""

    def __init__(self, said: Beside) -> None:
        super().__init__()
        self.said = said

    def body(self) -> ComposeResult:
        """The rows, what is always so, help, button."""
        self.choices, self.given = self.said.choices, self.said.given
        self._legacy = False
        with VerticalScroll(classes="card -fill form", can_focus=False) as form:
            form.border_title = f"What SmartOS {self.said.stamp} is told here"
            for option in OPTIONS:
                yield Row(option.name, option.title, self._field(option), self.marks)
            with Vertical(id="always"):
                yield Static("", id="always-said", markup=False)
        yield Static("", id="hint", markup=False)
        with Horizontal(id="onward"):
            yield Static("", id="sum", markup=False)
            yield Button("Go on: the entry", id="go", compact=True)

    def ready(self) -> None:
        """As in the step it is made of, with boxes of its own."""
        self.title = step_title("Told")
        self._draw_title()
        super().ready()
        self._asking = _Boxes(self)

    def offers(self, option: Option) -> tuple[Offer, ...]:
        """The values of a row."""
        return super().offers(option_of(option.name))

    # ------------------------------------------------------------------ what is decided

    def took(self, choices: BootChoices, given: Given | None = None) -> None:
        """These are the choices now. What a profile says of a key's own menu means nothing here and is left out."""
        if choices.delay is not None or choices.rescue is not None or choices.files:
            choices = choices.with_(delay=None, rescue=None, files={})
            self.notify(
                "How long a menu waits, rescue and extra files mean nothing beside Linux: left out.",
                timeout=8,
            )
        self.choices = choices.with_(console="") if choices.console == "text" else choices
        self.given = given if given is not None else self.given
        self._note_down()
        for option in OPTIONS:
            if option.name in OPENED:
                put(self._widget(option), in_words(option.name, self.choices))
            elif option.name not in self.given.bad:
                offers = self.offers(option) if option.offers else None
                put(self._widget(option), shown(option.name, self.choices), offers)
        self.draw()

    def _note_down(self) -> None:
        self.said = replace(self.said, choices=self.choices, given=self.given)

    def wrong(self) -> dict[str, str]:
        """What must be put right, by the name of the row; answers that would erase this Linux most of all."""
        from smartos_wizard.netboot.dualboot_judging import answers_stop

        found = super().wrong()
        stop = answers_stop(self.choices.answers)
        return {**found, "answers": stop.text} if stop is not None else found

    def on_turning_opened(self, event: Turning.Opened) -> None:
        """All values of a row, each with what it leads to."""
        option = option_of(event.field.id or "")

        def picked(value: str | None) -> None:
            if value is not None:
                self.took(take(option.name, value, self.choices))

        pick = Pick(option.title, event.field.offers, self.marks, event.field.value, option.help)
        _ = self.app.push_screen(pick, picked)

    # ------------------------------------------------------------------ what is shown

    def draw(self) -> None:
        """Notes, help, what is always so, what the kernel is told."""
        if not self.query("#go") or not self.query("#always-said"):
            return
        wrong = self.wrong()
        for row in self.query(Row):
            row.display = row.key != "speed" or asks_speed(self.choices)
            row.note("see below" if row.key == "answers" and row.key in wrong else wrong.get(row.key) or self._beside(row.key), bad=row.key in wrong)  # fmt: skip
        self._say(wrong)
        say(self.query_one("#sum", Static), self._sum(wrong, sum_up(self.choices)))
        say(self.query_one("#same", Static), self._same())
        say(self.query_one("#preview", Static), self._preview(wrong), grows=True)
        say(self.query_one("#always-said", Static), self._always(), grows=True)

    def _always(self) -> Content:
        pools = ", ".join(self.choices.pools) or ZONES
        return Content("\n").join(
            [
                Content(""),
                Content.assemble(("  In any case", "bold $primary")),
                Content.assemble(f"  {self.marks.done} it takes no pool but ", (pools, "bold")),
                Content.assemble(f"  {self.marks.done} a second entry, ", ("rescue", "bold"), ": no pool, no setup"),
                Content.assemble(f"  {self.marks.done} the pool layout is ", ("asked", "bold"), ": answer manual, name a disk"),
            ]
        )  # fmt: skip

    def _beside(self, name: str) -> str:
        match name:
            case "pools":
                return "" if self.choices.pools else "no pool but zones"
            case "console" if not self.choices.console:
                return "screen and keyboard"
            case "root_shadow":
                return "" if self.choices.root_shadow else "in rescue it is: root"
            case _:
                return super()._beside(name)

    def _say(self, wrong: Mapping[str, str]) -> None:
        row = self.focused.parent if self.focused is not None else None
        if isinstance(row, Row):
            words, style = (
                wrong.get(row.key, option_of(row.key).help),
                "bold $error" if row.key in wrong else "",
            )
        elif wrong:
            words, style = next(iter(wrong.values())), "bold $error"
        else:
            words, style = self.IDLE, ""
        say(self.query_one("#hint", Static), Content.assemble((words, style)))

    def _sum(self, wrong: Mapping[str, str], clauses: tuple[str, ...]) -> Content:
        if wrong:
            names = ", ".join(option_of(n).title for n in wrong)
            return Content.assemble((f"{self.marks.failed} to put right: {names}", "bold $error"))
        return Content.assemble(
            (f"{self.marks.good} ", "$success"), "; ".join(clauses) or "on the screen; only the pool zones"
        )

    def _preview(self, wrong: Mapping[str, str]) -> Content:
        from smartos_wizard.netboot.grub_entry import choices_beside_linux, told

        if wrong:
            return Content("Shown once everything is right.")
        lines: list[Content] = []
        try:
            for title, rescue in (("The entry SmartOS", False), ("The entry rescue", True)):
                what = told(
                    choices_beside_linux(self.choices, rescue=rescue), secret=self.choices.root_shadow
                )
                lines.append(Content.assemble((title, "bold $primary")))
                lines += [
                    Content(f"{name}={value}") for name, value in what.line.items() if name != "root_shadow"
                ]
                lines += [
                    Content.assemble(f"{name}=", ("in a file for root", "$dim")) for name in what.environment
                ]
                lines.append(Content(""))
        except UsageProblem as problem:
            return Content(str(problem))
        return Content("\n").join(lines)

    def command(self) -> str:
        """The same by command."""
        return f"{begin(practice=self.wizard.desk.world.practice)} {command_words('plan', self.said)}"

    # ------------------------------------------------------------------ on

    def action_next(self) -> None:
        """To the entry; to the first row that is wrong, where one is."""
        wrong = list(self.wrong())
        if wrong:
            self.query_one(f"#{wrong[0]}").focus()
            self.app.clear_notifications()
            self.notify("This has to be put right first; the words below say why.", severity="warning")
            return
        desk, said = self.wizard.desk.dualboot, self.said
        self.ask_rooms(lambda: desk.refuse(said), lambda _none: self._entry(said), self._refused)

    def _entry(self, said: Beside) -> None:
        from smartos_wizard.screens.dualboot_entry import DualbootEntry

        self.wizard.show(DualbootEntry(said))

    def _refused(self, error: Any) -> None:
        self.wizard.ask(Asking("That is refused", error_words(error), (("ok", "Close"),), tall=True))

    def action_back(self) -> None:
        """To the releases; what was decided here is kept."""
        from smartos_wizard.screens.dualboot_release import DualbootRelease

        self.wizard.show(DualbootRelease(self.said))


class _Boxes(OptionsAsking):
    """The boxes, in the words of an entry beside Linux. Answers come from a file, which root can read too."""

    PASSWORD = "For the entry “rescue”. Only a hash is kept, in a file that root alone can read; it does not stand in the menu."

    def answers(self) -> None:
        """A file of answers, or none."""
        if self.page.choices.answers is None:
            self._ask_answers()
            return
        offers = [Offer("new", "Another file"), Offer("", "No answers", "SmartOS' setup asks everything.")]
        self._pick("Answers", offers, lambda v: self._ask_answers() if v else self._take_answers(None, ""))

    def _ask_answers(self) -> None:
        read: list[dict[str, str]] = []

        def check(found: dict[str, str]) -> str:
            read.clear()
            return said_by(lambda: read.append(dict(self.desk.read_answers(found["place"]).parsed.answers)))

        words = (
            "A file with what setup shall not ask; smartos-wizard answers new makes one. It must not accept the pool layout: setup "
            "then asks for it, and you answer manual."
        )
        box = Box(
            "Answers for setup",
            words,
            [Asked("place", "File", self.page.given.answers_file, "answers.json")],
            check,
        )
        self._box(box, lambda found: self._take_answers(read[0], found["place"].strip()))

    def _take_answers(self, answers: dict[str, str] | None, place: str) -> None:
        page = self.page
        page.took(page.choices.with_(answers=answers), replace(page.given, answers_file=place))
