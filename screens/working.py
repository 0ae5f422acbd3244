"""Work that runs, whatever it is: steps, a bar in true bytes, how it ended, cancelling, the log.

The work itself is a job in a process of its own. This screen only draws its newest picture.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from smartos_wizard.core.events import PlanCancelled, PlanFinished
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Meter, Progress
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.options_fields import say
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.taking_up import take_up
from smartos_wizard.screens.widgets.gauges import clock_time
from smartos_wizard.screens.words import begin
from smartos_wizard.screens.work_words import gauges, how_it_ended, measured, meters_of, stopping


class Working(Page):
    """One job, as it goes. Subclasses say what stands above and below the gauges, and where it goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "back", "Home", key_display="Esc", id="work.home", tooltip="To Home; the work goes on"
        ),
        Binding("c", "cancel", "Cancel", id="work.cancel", tooltip="Stop at the next safe moment"),
        Binding("l", "log", "Log", id="work.log", tooltip="What was noted so far"),
    ]

    def __init__(self, job: Job, plan: Plan | None = None) -> None:
        super().__init__()
        self.job = job
        self.plan = plan or job.plan()
        self.progress = Progress(self.plan.title, self.plan.kind)
        self._ended = self._asked = False

    def body(self) -> ComposeResult:
        """What is worked on, its steps, gauges, how it ended."""
        with Vertical(classes="card", id="going") as going:
            going.border_title = self.plan.title
            yield from self.head()
            yield Static("", id="phases", markup=False)
            yield Static("", id="meters", classes="gap", markup=False)
        yield from self.below()
        yield Static("", id="stopping", classes="muted", markup=False)
        with Vertical(classes="card gap", id="end") as end:
            end.display = False
            yield Static("", id="said", markup=False)
        with Horizontal(classes="row", id="then") as then:
            then.display = False
            yield Button("Home", id="home", compact=True)
            yield Button("Go on", id="next", compact=True)

    def head(self) -> ComposeResult:
        """What stands above the steps."""
        yield from ()

    def below(self) -> ComposeResult:
        """What stands below the gauges."""
        yield from ()

    def frame(self) -> Widget:
        """What is below takes the room that is left."""
        return Vertical(id="body")

    def ready(self) -> None:
        """Draw, and keep the clock going."""
        self.title = "" if self.stage is not None else self.plan.title
        self._draw_title()
        self.draw()
        self.set_interval(0.5, self.draw)

    def command(self) -> str:
        """What follows the same job by command."""
        start = begin(practice=self.wizard.desk.world.practice)
        return f"{start} job attach {self.job.id}"

    def moved(self, progress: Progress, *, lost: bool = False) -> None:
        """A newer picture; `lost` when nobody works on it any more though it did not end."""
        self.progress = progress
        if self.is_mounted:
            self.draw()
        if (progress.ended is not None or lost) and not self._ended and self.is_mounted:
            self._ended = True
            self._end(lost=lost)

    def resized(self) -> None:
        """Gauges follow the width."""
        self.draw()

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Everything from the newest picture and the clock; nothing where the screen is gone already."""
        if self not in self.app.screen_stack or not self.query("#body"):
            return
        width = max(40, (self.query_one("#body").content_region.width or self.app.size.width - 4) - 1) - 4
        self.draw_head(width)
        say(self.query_one("#phases", Static), self.steps(width), grows=True)
        meters = meters_of(measured(self.progress))
        say(self.query_one("#meters", Static), self._gauges(meters, width), grows=True)
        self.draw_below(meters, width)
        words = "" if self.progress.ended else self.if_stopped()
        if self._asked and not self.progress.ended:
            words = "Stopping at the next safe moment …"
        say(self.query_one("#stopping", Static), words, grows=True)

    def draw_head(self, width: int) -> None:
        """Draw what `head` made."""

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """Draw what `below` made."""

    def steps(self, width: int) -> Content:
        """The steps, with a mark each."""
        raise NotImplementedError

    def _gauges(self, meters: dict[str, Meter], width: int) -> Content:
        if meters:
            now = self.wizard.desk.world.now()
            return gauges(self.progress, meters, width, now, self.marks, self.plan.kind)
        return Content("" if self._ended else self.waiting())

    def if_stopped(self, *otherwise: str) -> str:
        """What stopping it now would mean; `otherwise` where that is nothing."""
        return stopping(self.plan.kind, *otherwise)

    def waiting(self) -> str:
        """What is said while there is no gauge."""
        return "" if self.progress.current is not None else "Waiting for the work to begin …"

    @property
    def good(self) -> bool:
        """Whether it ended well."""
        ended = self.progress.ended
        return isinstance(ended, PlanFinished) and ended.exit_code == 0

    @property
    def failed(self) -> bool:
        """Whether it ended with an error."""
        ended = self.progress.ended
        return isinstance(ended, PlanFinished) and ended.exit_code != 0

    # ------------------------------------------------------------------ the end

    def _end(self, *, lost: bool) -> None:
        if self.leaves():
            return
        good = self.good
        card = self.query_one("#end")
        card.display = self.query_one("#then").display = True
        card.set_class(good, "-good")
        card.set_class(not good, "-bad")
        stopped = isinstance(self.progress.ended, PlanCancelled)
        card.border_title = "Done" if good else "Stopped" if stopped else "It did not work"
        self.query_one("#said", Static).update(self.how_it_ended(lost=lost))
        self.query_one("#stopping").display = False
        button = self.query_one("#next", Button)
        button.label = (self.onward() or "Done") if good else "Try again"
        button.display = not good or bool(self.onward())
        (button if good and button.display else self.query_one("#home")).focus()
        self.refresh_bindings()

    def leaves(self) -> bool:
        """Whether another screen tells the end, and is shown by now."""
        return False

    def onward(self) -> str:
        """Where it goes from a good end, as the words of a button; empty where nowhere."""
        return ""

    def go_on(self) -> None:
        """The button was pressed."""

    def how_it_ended(self, *, lost: bool) -> Content:
        """The end in words."""
        return how_it_ended(self.progress, lost=lost)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """On, again, or home."""
        if event.button.id == "home":
            self.wizard.go_home()
        elif self.good:
            self.go_on()
        else:
            self.again()

    def again(self) -> None:
        """Once more, after a bad end."""
        take_up(self, self.job)

    def action_back(self) -> None:
        """To Home; the work goes on."""
        if not self._ended:
            self.notify("The work goes on. Home shows it.")
        self.wizard.go_home()

    def action_cancel(self) -> None:
        """Ask once, then ask the job."""
        if self._ended:
            return
        words = self.if_stopped("It changes nothing.")
        buttons = (("stay", "Go on working"), ("!stop", "Cancel it"))
        ask = Asking("Cancel the work?", words, buttons, of_work=True)
        self.wizard.ask(ask, self._cancel_answered)

    def _cancel_answered(self, answer: str | None) -> None:
        if answer == "stop" and not self._ended:
            self.job.request_cancel()
            self._asked = True
            self.draw()

    def action_log(self) -> None:
        """What was noted."""
        lines = [f"{clock_time(n.at)}  {n.text}" for n in self.progress.notes]
        words = "\n".join(lines or ["Nothing was noted yet."])
        self.wizard.ask(
            Asking("Log", f"{words}\n\nAll of it: {self.job.journal_file}", (("ok", "Close"),), tall=True)
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing to cancel once it ended."""
        del parameters
        return not (action == "cancel" and self._ended)
