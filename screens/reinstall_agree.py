"""What must be agreed to before there is a plan, one by one, and the pool that setup will make afterwards."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.boot.pool_picture import pool_picture
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.text import folded
from smartos_wizard.reinstall.model import Stop
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_boxes import Asked as Field
from smartos_wizard.screens.options_boxes import Box
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.reinstall_desk import Asked
from smartos_wizard.screens.reinstall_page import MachinePage
from smartos_wizard.screens.reinstall_way import paragraph
from smartos_wizard.screens.reinstall_words import hint_of, plan_words_of, way_line
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.reading import Reading

_TALL = 32  # rows of the window from which on everything stands on it


class Agree(MachinePage):
    """Do you agree to each of these?"""

    STAGE = Stage.AGREE
    HELP = """
### What is this?
What this way costs on this machine, beyond its system pool. Nothing is planned before you have agreed to each, one by
one, with `Space`. The words in brackets are what you type once more at the review.

### What happens?
Below stands which pool SmartOS's setup will make of the disks, as setup itself would compute it. `a` names the answers file
that the next setup will use. `c` names a serial console, where a person is not to stand at the machine. `F2` goes on to
the plan.

### What is not touched?
Everything, still.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "Agree", id="agree.tick", show=False, tooltip="Agree, or not"),
        Binding("f2", "onward", "The plan", id="agree.onward", key_display="F2", tooltip="See every step"),
        Binding("f3", "after", "The pool", id="agree.after", key_display="F3", tooltip="What setup makes afterwards"),
        Binding("a", "answers", "Answers", id="agree.answers", tooltip="The answers file that the next setup will use"),
        Binding("c", "console", "Console", id="agree.console", show=False, tooltip="A serial console of the machine"),
    ]  # fmt: skip

    _asked: Asked | None = None

    def frame(self) -> Widget:
        """What is asked stays, what comes after scrolls."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """Consents, and what setup makes."""
        with Vertical(id="agree-card", classes="card -fill") as card:
            card.border_title = "Do you agree?"
            yield Static("", id="agree-said", markup=False)
            yield Choices(self.marks, id="agreed")
        with Reading(how="Tab, arrow keys", id="after", classes="card -fill") as after:
            after.border_title = "What setup makes afterwards"
            yield Static("", id="after-said", markup=False)
        yield Static("", id="after-short", markup=False)

    def ready(self) -> None:
        """Ask in a thread."""
        self._look()

    def words(self) -> str:
        """The same by command."""
        return plan_words_of(self.said)

    def _look(self) -> None:
        said = self.said
        self.ask_rooms(lambda: self.desk.asked(said), self._there, self._failed)

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#agree-said", Static).update(error_words(error))

    def _there(self, asked: Asked) -> None:
        first = self._asked is None
        self._asked = asked
        self._draw()
        self._tell()
        if first:
            self.query_one("#agreed" if asked.consents or not self._tall else "#after").focus()

    # ------------------------------------------------------------------ what is shown

    def resized(self) -> None:
        """Rows follow the width."""
        self.call_after_refresh(self._draw)
        self.call_after_refresh(self._tell)

    def on_reading_widened(self) -> None:
        """Wrapped to the new width."""
        self._draw()
        self._tell()

    def _draw(self) -> None:
        asked = self._asked
        if asked is None or not self.query("#agreed"):
            return
        choices = self.query_one("#agreed", Choices)
        card = self.query_one("#agree-card", Vertical)
        width = max(40, (card.content_region.width or self.app.size.width - 8) - 2)
        rows = [(f"c{number}", self._row(stop, width), True) for number, stop in enumerate(asked.consents)]
        choices.fill(rows, keep=choices.chosen or "c0")
        choices.display = bool(rows)
        lines = [
            Content.assemble((part, "bold"))
            for part in folded(way_line(asked.outcome, self.said.name), width)
        ]
        for stop in asked.against:
            lines += paragraph("REFUSED", "bold $error", stop.text, hint_of(stop), width)
        if not rows:
            lines.append(
                Content.assemble((f"{self.marks.good} ", "$success"), "Nothing more has to be agreed to.")
            )
        self.query_one("#agree-said", Static).update(Content("\n").join(lines))
        done = len(asked.tokens & self.said.consents)
        card.border_title = (
            f"Do you agree to each of these? {done} of {len(rows)}" if rows else "Do you agree?"
        )
        card.border_subtitle = "Space agrees" if rows else ""

    def _row(self, stop: Stop, width: int) -> Content:
        agreed = stop.token in self.said.consents
        box, style = ("[x]", "bold $success") if agreed else ("[ ]", "bold $warning")
        room = width - 6
        head, *rest = folded(stop.text, room) or [""]
        gap = " " * 6
        lines = [Content.assemble("  ", (box, style), f" {head}"), *(Content(gap + part) for part in rest)]
        lines += [
            Content.assemble(gap, (part, "$dim"))
            for part in folded(f"{hint_of(stop)} [{stop.token}]".strip(), room)
        ]
        return Content("\n").join(lines)

    @property
    def _tall(self) -> bool:
        return self.app.size.height >= _TALL

    def _tell(self) -> None:
        """What comes after: beside the list where there is room, in a few words otherwise."""
        asked, said = self._asked, self.said
        if asked is None:
            return
        place, short = self.query_one("#after", Reading), self.query_one("#after-short", Static)
        place.display, short.display = self._tall, not self._tall
        if self._tall:
            width = max(40, (place.content_region.width or self.app.size.width - 8) - 1)
            self.query_one("#after-said", Static).update(Content("\n").join(self._after(asked, width)))
            return
        width = max(40, self.app.size.width - (50 if self.app.size.width >= 110 else 8))
        preview = asked.after.preview
        pool = pool_picture(preview.layout, 60, True)[0] if preview is not None else asked.after.problem
        hand = "made by hand" if asked.outcome.by_hand else "by setup"
        rows = [("Then", f"a new pool, {hand}: {pool} (F3)"), ("Answers", end_of(said.answers.name, width - 9) if said.answers is not None else "none; setup asks on the console"),
                ("Console", said.console or "none; where keys must be pressed, a person is there (c)")]  # fmt: skip
        lines = [Content.assemble((f"{word:<9}", "$dim"), fitted(words, width - 9)) for word, words in rows]
        short.update(Content("\n").join(lines))

    def _after(self, asked: Asked, width: int) -> list[Content]:
        said, after = self.said, asked.after
        lines: list[Content] = []
        answers = (
            said.answers.name if said.answers is not None else "none: setup asks its questions on the console"
        )
        console = said.console or "none: where keys must be pressed, a person stands at the machine"
        for word, words in (("answers", answers), ("console", console)):
            lines += paragraph(word, "$dim", words, "", width)
        if after.preview is not None:
            drawn = pool_picture(after.preview.layout, width - 10, self.wizard.ascii_only)
            lines += [
                Content.assemble((f"{'the pool' if not n else '':<10}", "$dim"), line)
                for n, line in enumerate(drawn)
            ]
        for number, words in enumerate(after.words):
            lines += paragraph("" if number else "setup", "$dim", words, "", width)
        if after.command:
            lines += paragraph("type", "bold $accent", after.command, "", width)
        for note in (*after.warnings, *after.traps):
            lines += paragraph(
                note.level, "bold $warning" if note.level != "info" else "$dim", note.text, "", width
            )
        return lines

    def action_after(self) -> None:
        """All of it in a box."""
        if self._asked is not None:
            words = Content("\n").join(self._after(self._asked, 68))
            self.wizard.ask(Asking("What setup makes afterwards", words, (("ok", "Close"),), tall=True))

    # ------------------------------------------------------------------ agreeing

    def on_option_list_option_selected(self) -> None:
        """Enter ticks, as space does."""
        self.action_tick()

    def action_tick(self) -> None:
        """Agree to the line under the pointer, or not."""
        asked = self._asked
        name = self.query_one("#agreed", Choices).chosen
        if asked is None or not name:
            return
        self.decide(consents=self.said.consents ^ {asked.consents[int(name[1:])].token})
        self._draw()
        if asked.tokens <= self.said.consents:
            self.notify("Agreed to all of it. F2 shows the plan.", timeout=3)

    def action_onward(self) -> None:
        """To the plan, once everything is agreed to."""
        asked = self._asked
        if asked is None:
            return
        left = [stop for stop in asked.consents if stop.token not in self.said.consents]
        if asked.against:
            self.notify(
                f"{asked.against[0].text} {hint_of(asked.against[0])}", title="Refused", severity="warning"
            )
        elif left:
            self.notify(f"Not agreed to yet: {left[0].text}", severity="warning")
        else:
            self.onward(consents=self.said.consents & asked.tokens)

    def action_answers(self) -> None:
        """Ask for the answers file."""
        words = (
            "The answers file for the next setup (`answers new` makes one). Empty: setup asks on the console."
        )
        now = self.said.answers.name if self.said.answers is not None else ""

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                path = found["file"].strip()
                self.ask_rooms(
                    lambda: self.desk.answers_in(path) if path else None, self._answers, self.wrong
                )

        _ = self.app.push_screen(
            Box("Answers for setup", words, (Field("file", "File", now),), lambda _said: ""), answered
        )

    def _answers(self, found: object) -> None:
        self.decide(answers=found)
        self._look()

    def action_console(self) -> None:
        """Ask for the serial console."""
        words = (
            "The serial console of the machine: guest:NAME for a guest of this program, the path of a socket, or HOST:PORT. "
            "The wizard presses the keys itself then. Empty: a person does, where it is said."
        )

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                self.decide(console=found["console"].strip())
                self._tell()

        field = (Field("console", "Console", self.said.console, "guest:lab"),)
        _ = self.app.push_screen(
            Box("A serial console", words, field, lambda said: wrong_console(said["console"])), answered
        )

    def action_again(self) -> None:
        """Ask the machine once more."""
        self.survey_again()


def fitted(words: str, room: int) -> str:
    """The words, cut where they are longer."""
    return words if len(words) <= room else words[: room - 1] + "…"


def end_of(path: str, room: int) -> str:
    """The path, its beginning cut off where it is longer: its end tells what it is."""
    return path if len(path) <= room else f"…{path[1 - room :]}"


def wrong_console(words: str) -> str:
    """What is wrong with the name of a console; empty where nothing is."""
    words = words.strip()
    if not words or words.startswith(("guest:", "/", "~", ".")):
        return "" if words != "guest:" else "Which guest?"
    host, _, port = words.rpartition(":")
    good = host and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536
    return "" if good else "guest:NAME, a path, or HOST:PORT"
