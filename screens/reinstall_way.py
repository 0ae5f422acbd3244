"""The ways to a clean machine: which one to take and why, which are refused, and which pools die and live by each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.text import folded, tame
from smartos_wizard.reinstall.choices import NO_BACKUP
from smartos_wizard.reinstall.recommend import Advice, Opinion
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_boxes import Asked, Box
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.reinstall_page import MachinePage
from smartos_wizard.screens.reinstall_words import fates, hint_of, letter, plan_words_of, short_name
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.widgets.reading import Reading

_VERDICTS = {"recommended": ("recommended", "bold $success"), "possible": ("possible", "$accent"), "refused": ("refused", "bold $error")}  # fmt: skip
_FATES = {"DIES": "bold $error", "AT RISK": "bold $warning", "lives": "bold $success"}
_FROM_FILE = "This survey came from a file. The wizard cannot reach the machine: Enter makes the runbook, to be typed at its console."
_NAME = 31  # cells for the name of a way
_HEAD = 10  # cells for the word before what is said


class ChooseWay(MachinePage):
    """Which way?"""

    STAGE = Stage.WAY
    HELP = """
### What is this?
Three ways to an empty machine. **A** marks the system pool and reboots: every pool that can be imported then is
destroyed. **B** says `destroy_zpools=true` at the loader's prompt: the same. **C** starts Rescue Mode, where nothing is
imported, and destroys the one pool by name. A or B *limited* have only the system pool imported.

### What happens?
The arrow keys go from way to way; below stands which pools die by it, by name and guid, which live, and why. `Enter` takes
it. What is refused cannot be taken. `p` names the proof of a medium to start from afterwards, `u` makes a runbook of it.

### What is not touched?
Everything, still. The plan comes after this.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "Ask again", id="way.again", tooltip="Survey the machine once more"),
        Binding("p", "prepared", "Medium", id="way.prepared", tooltip="The proof of a medium to boot from: a receipt of `key write`"),
        Binding("u", "runbook", "Runbook", id="way.runbook", tooltip="This way, to be typed at the console"),
    ]  # fmt: skip

    _advice: Advice | None = None

    def frame(self) -> Widget:
        """The ways stay, what is said of one scrolls."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The ways; what one does."""
        with Vertical(classes="card -tight", id="ways-card") as card:
            card.border_title = "Which way?"
            yield Choices(self.marks, id="ways")
            yield Static("Judging the ways …", id="ways-said", markup=False)
        with Reading(how="Tab, arrow keys", id="does") as does:
            does.border_title = "What it does"
            yield Static("", id="does-said", markup=False)

    def ready(self) -> None:
        """Judge the ways in a thread; once more from time to time, because a survey grows old."""
        self._judge()
        self.set_interval(20, self._judge)

    def words(self) -> str:
        """The same by command."""
        return plan_words_of(self.said)

    def _judge(self) -> None:
        said = self.said
        self.ask_rooms(lambda: self.desk.advice(said), self._judged, self._failed)

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#ways-said", Static).update(error_words(error))

    def _judged(self, advice: Advice) -> None:
        if advice == self._advice:
            return
        first = self._advice is None
        self._advice = advice
        self._draw()
        if first:
            self.query_one("#ways").focus()

    # ------------------------------------------------------------------ what is shown

    def resized(self) -> None:
        """Rows follow the width."""
        self.call_after_refresh(self._draw)

    def on_choices_widened(self) -> None:
        """The ways to the new width, too."""
        self._draw()

    def on_reading_widened(self) -> None:
        """Wrapped to the new width."""
        self._tell()

    def _draw(self) -> None:
        advice = self._advice
        if advice is None or not self.query("#ways"):
            return
        choices = self.query_one("#ways", Choices)
        width = max(40, (choices.content_region.width or self.app.size.width - 8) - 1)
        rows = [("", self._heading(width), False)]
        rows += [
            (f"w{number}", self._way(opinion, width), True) for number, opinion in enumerate(advice.opinions)
        ]
        choices.fill(rows, keep=choices.chosen or f"w{self._first(advice)}")
        lines = []
        if advice.recommended is None:
            lines += [
                Content.assemble((part, "bold $error"))
                for part in folded(f"{self.marks.failed} {advice.summary}", width)
            ]
        if not self.said.reachable:
            lines += [Content.assemble((part, "$dim")) for part in folded(_FROM_FILE, width)]
        self.query_one("#ways-said").display = bool(lines)
        self.query_one("#ways-said", Static).update(Content("\n").join(lines))
        self._tell()

    def _first(self, advice: Advice) -> int:
        """The one chosen before, else the recommended one."""
        said, ways = self.said, advice.opinions
        before = [
            n for n, o in enumerate(ways) if o.choices.way is said.way and o.choices.limited == said.limited
        ]
        best = [n for n, o in enumerate(ways) if o.recommended]
        return (before or best or [0])[0]

    def _heading(self, width: int) -> Content:
        room = max(10, width - _NAME - 21)
        return Content.assemble((f"     {'Way':<{_NAME}}{'Destroys':<{room}}", "$dim"))

    def _way(self, opinion: Opinion, width: int) -> Content:
        word, style = _VERDICTS[opinion.verdict]
        mark = {"recommended": self.marks.good, "refused": self.marks.failed}.get(opinion.verdict, " ")
        room = max(10, width - _NAME - 21)
        dies = [tame(fate.pool.name, 24) for fate in opinion.outcome.dying]
        words = ", ".join(dies) or "nothing"
        words = words if len(words) < room else f"{len(dies)} pools, see below"
        return Content.assemble(
            "  ", (f"{letter(opinion)[:1]}  ", "bold $accent"), f"{short_name(opinion):<{_NAME}}",
            (f"{words:<{room}}", "bold $error" if len(dies) > 1 else "bold"), (f"{mark} {word}", style),
        )  # fmt: skip

    @property
    def opinion(self) -> Opinion | None:
        """The way under the pointer."""
        name = self.query_one("#ways", Choices).chosen if self.query("#ways") else ""
        return self._advice.opinions[int(name[1:])] if name and self._advice is not None else None

    def on_option_list_option_highlighted(self) -> None:
        """Say what this one does."""
        super().on_option_list_option_highlighted()
        self._tell()
        self.query_one("#does").scroll_home(animate=False)

    def _tell(self) -> None:
        opinion = self.opinion
        if opinion is None:
            return
        card = self.query_one("#does")
        width = max(40, (card.content_region.width or self.app.size.width - 8) - 1)
        card.border_title = f"Way {letter(opinion)[:1]} on {self.said.name}"
        lines = [line for each in self._said_of(opinion) for line in paragraph(*each, width)]
        self.query_one("#does-said", Static).update(Content("\n").join(lines))

    def _said_of(self, opinion: Opinion) -> Iterator[tuple[str, str, str, str]]:
        """Word, its style, what is said, and more of it."""
        against = [stop for stop in opinion.stops if stop.level == "stop"]
        for stop in against:
            yield "REFUSED", "bold $error", stop.text, hint_of(stop)
        if not against:
            yield "why", "$dim", opinion.why, ""
        for word, pool, why in fates(opinion.outcome):
            yield word, _FATES[word], pool, why
        for stop in opinion.stops:
            if stop.level == "consent":
                yield "to agree", "bold $warning", stop.text, ""
        for stop in opinion.stops:
            if stop.level == "note":
                yield "note", "$dim", stop.text, hint_of(stop)

    # ------------------------------------------------------------------ going on

    def on_option_list_option_selected(self) -> None:
        """Take it, where nothing speaks against it."""
        opinion = self.opinion
        if opinion is None:
            return
        against = [stop for stop in opinion.stops if stop.level == "stop"]
        if against:
            self.notify(
                f"{against[0].text} {hint_of(against[0])}".strip(),
                title="Refused",
                severity="warning",
                timeout=10,
            )
            return
        if not self.said.reachable:
            self.action_runbook()
            return
        way, limited = opinion.choices.way, opinion.choices.limited
        same = (way, limited) == (self.said.way, self.said.limited)
        consents = (
            self.said.consents if same else self.said.consents & {NO_BACKUP}
        )  # the rest was said of another way
        self.onward(way=way, limited=limited, consents=consents)

    def action_again(self) -> None:
        """Ask the machine once more."""
        self.survey_again()

    def action_runbook(self) -> None:
        """This way on paper."""
        opinion = self.opinion
        if opinion is None:
            return
        from smartos_wizard.screens.reinstall_runbook import make_runbook

        self.decide(way=opinion.choices.way, limited=opinion.choices.limited)
        make_runbook(self, self.said)

    def action_prepared(self) -> None:
        """Ask for the proof."""
        words = (
            "Something to start the machine from after the wipe: the receipt of `key write`, or what `key check --json` printed. "
            "Not needed where a SmartOS key or CD is in the machine."
        )

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                path = found["file"].strip()
                self.ask_rooms(
                    lambda: self.desk.prepared_in(path) if path else None, self._prepared, self.wrong
                )

        box = Box("A medium that was proven", words, (Asked("file", "File"),), lambda _said: "")
        _ = self.app.push_screen(box, answered)

    def _prepared(self, found: object) -> None:
        self.decide(prepared=found)
        self._judge()


def paragraph(word: str, style: str, text: str, more: str, width: int) -> Iterator[Content]:
    """A word in its column, and what is said beside it; `more` is dimmed."""
    room = max(24, width - _HEAD)
    head, *rest = folded(text, room) or [""]
    yield Content.assemble((f"{word:<{_HEAD}}", style), head)
    gap = " " * _HEAD
    yield from (Content(gap + part) for part in rest)
    yield from (Content.assemble(gap, (part, "$dim")) for part in folded(more, room))
