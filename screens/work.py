"""Work that runs: the device, the phases, a bar in true bytes, the speed with numbers, what is safe, what is slow.

The work itself is a job in a process of its own. This screen only draws its newest picture.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from smartos_wizard.core import text
from smartos_wizard.core.events import PlanCancelled, PlanFinished
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Meter, Progress
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.taking_up import take_up
from smartos_wizard.screens.unfinished import targets_of
from smartos_wizard.screens.widgets.gauges import (
    amount,
    bar,
    clock_time,
    graph,
    phases,
    shown_span,
    wrapped,
)
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.widgets.rail import Rail
from smartos_wizard.screens.words import disk_line, more_about, where_it_is

_SILENT = 2.0  # seconds without progress before it is said
_STAGES = {"release-download": Stage.CHECK, "key-write": Stage.WRITE}
_STOPPING = {
    "key-write": "If you stop now the key will not boot; the rest can be written later.",
    "release-download": "If you stop now, what came is kept and the rest can be fetched later.",
    "key-restore": "If you stop now the stick is unreadable until this is done again.",
    "key-configure": "If you stop now the key says the old or the new, whole; the same can be asked again.",
    "key-upgrade": "If you stop now the key starts the old platform or the new, whole.",
    "key-rollback": "If you stop now the key starts one platform or the other, whole.",
}
_KEPT = ("key-check", "key-boot-test", "key-configure", "key-upgrade", "key-rollback")
"""Kinds of work after which the key is still what it was: one may look at it."""


class Work(Page):
    """One job, as it goes."""

    SIDE_TITLE = "The device and what happened"

    HELP = """
### What is this?
The work, in a process of its own. **Safe on the device** is what the device said it has on its medium,
not what was only handed to it.

### What happens?
If this window closes, the work goes on: start the wizard again and follow it from Home.
`c` cancels at the next safe moment. `F10` asks whether to leave it running.
Only the proof, a second pass that reads every byte back, lets this program say that it is done.

### What is not touched?
Everything but the disks named above.
"""
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
        self.targets = targets_of(self.plan)
        self.progress = Progress(self.plan.title, self.plan.kind)
        self._ended = self._asked = False

    @property
    def stage(self) -> Stage | None:
        """Where this work stands on the way to a key."""
        return _STAGES.get(self.plan.kind)

    def body(self) -> ComposeResult:
        """Devices, phases, gauges, how it ended."""
        with Vertical(classes="card", id="going") as going:
            going.border_title = self.plan.title
            yield Static("", id="devices", markup=False)
            yield Static("", id="phases", markup=False)
            yield Static("", id="meters", classes="gap", markup=False)
        with Vertical(classes="card", id="speed") as speed:
            speed.border_title = "Speed, MB/s"
            yield Static("", id="graph", markup=False)
        yield Static("", id="stopping", classes="muted", markup=False)
        with Vertical(classes="card gap", id="end") as end:
            end.display = False
            yield Static("", id="said", markup=False)
        with Horizontal(classes="row", id="then") as then:
            then.display = False
            yield Button("Home", id="home", compact=True)
            yield Button("Go on", id="next", compact=True)

    def side(self) -> ComposeResult:
        """What is written to, and what was noted."""
        yield Static("", id="facts", markup=False)
        yield Static("Events", classes="heading gap", markup=False)
        yield Static("", id="events", markup=False)

    def frame(self) -> Widget:
        """The graph takes the room that is left."""
        return Vertical(id="body")

    def ready(self) -> None:
        """Draw, and keep the clock going."""
        self.title = "" if self.stage is not None else self.plan.title
        self._draw_title()
        self.draw()
        self.set_interval(0.5, self.draw)

    def command(self) -> str:
        """What follows the same job by command."""
        start = "smartos-wizard --practice" if self.wizard.desk.world.practice else "smartos-wizard"
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
        if not self.query("#body"):
            return
        now = self.wizard.desk.world.now()
        width = max(40, (self.query_one("#body").content_region.width or self.app.size.width - 4) - 1)
        width -= 4
        going = self.query_one("#going")
        devices = self.query_one("#devices", Static)
        devices.display = len(self.targets) != 1
        devices.update(self._devices())
        if len(self.targets) == 1:
            going.border_title = str(self._devices())[: width - 2]
        self._side()
        self.query_one("#phases", Static).update(wrapped(phases(self.progress, self.marks), width))
        step = self._shown()
        meters = self._meters(step)
        self.query_one("#meters", Static).update(self._gauges(meters, width, now))
        slowest = min(meters.values(), key=lambda m: m.rate, default=None)
        self._draw_graph(slowest, width, many=len(meters) > 1)
        stopping = (
            ""
            if self.progress.ended
            else _STOPPING.get(self.plan.kind, "It changes nothing; stop when you like.")
        )
        if self._asked and not self.progress.ended:
            stopping = "Stopping at the next safe moment …"
        self.query_one("#stopping", Static).update(Content(stopping))
        self._move_rail()

    def _draw_graph(self, meter: Meter | None, width: int, *, many: bool) -> None:
        speed = self.query_one("#speed")
        lines = 1 + (3 * len(self.targets) if many else 0)
        room = self.app.size.height >= (24 + lines if many else 24)
        speed.display = meter is not None and bool(meter.history) and room and not self._ended
        if meter is None or not speed.display:
            return
        inner = speed.content_region.height
        if not inner:  # not laid out yet: drawn once it is
            self.call_after_refresh(self.draw)
            return
        tall = max(2, min(20, inner - 1) // 2 * 2)
        self.query_one("#graph", Static).update(graph(meter.history, width, tall, self.marks))
        speed.border_subtitle = shown_span(meter.history)

    def _side(self) -> None:
        if not self.app.size.width >= 110:
            return
        rows = []
        for target in self.targets[:3]:
            rows += more_about(target)[:7]
        self.query_one("#facts", Static).update(pairs(rows or [("Work", self.plan.title)], width=34))
        notes = [
            Content.assemble((f"{clock_time(n.at)}  ", "$dim"), n.text) for n in self.progress.notes[-8:]
        ]
        done = [
            Content.assemble((f"{self.marks.done} ", "$success"), s.head.title)
            for s in self.progress.steps
            if s.state == "done"
        ]
        lines = [*done, *notes] or [Content("Nothing yet.")]
        self.query_one("#events", Static).update(Content("\n").join(lines))

    def _move_rail(self) -> None:
        stage = self.stage
        current = self.progress.current
        if stage is None:
            return
        if self.plan.kind == "key-write" and current is not None and current.head.id in ("prove", "receipt"):
            stage = Stage.PROVE
        failed = isinstance(self.progress.ended, PlanFinished) and self.progress.ended.exit_code != 0
        self.query_one(Rail).move(stage, failed=failed)

    def _devices(self) -> Content:
        if not self.targets:
            return Content.assemble((self.plan.title, "bold"))
        lines = []
        for target in self.targets[:4]:
            where = where_it_is(target.disk)
            lines.append(
                Content.assemble((disk_line(target.disk), "bold"), (f" · {where}" if where else "", "$dim"))
            )
        return Content("\n").join(lines)

    def _shown(self) -> Any:
        measured = [s for s in self.progress.steps if any(m.total or m.done for m in s.meters.values())]
        current = self.progress.current
        if current is not None and current in measured:
            return current
        return measured[-1] if measured else None

    def _meters(self, step: Any) -> dict[str, Meter]:
        if step is None:
            return {}
        named = {name: m for name, m in step.meters.items() if name}
        return named or dict(step.meters)

    def _gauges(self, meters: dict[str, Meter], width: int, now: float) -> Content:
        if not meters:
            words = "Waiting for the work to begin …"
            if any(n.reference == "needs-opener" for n in self.progress.notes):
                words = "Waiting for the right to open the disk …"
            return Content("" if self._ended else words)
        bad = {f.target for f in self.progress.failures if f.target}
        lines: list[Content] = []
        for name, meter in meters.items():
            if len(meters) > 1:
                word = " failed" if name in bad else ""
                lines.append(Content.assemble((name, "bold"), (word, "bold $error")))
            lines += self._gauge(meter, width, now, many=len(meters) > 1)
        return Content("\n").join(lines)

    def _gauge(self, meter: Meter, width: int, now: float, *, many: bool) -> list[Content]:
        words = amount(meter)
        lines = [Content.assemble(bar(meter.fraction, max(12, width - 30), self.marks), f"  {words}")]
        speed = [f"now {text.rate(meter.rate)}", f"mean {text.rate(meter.mean)}"]
        left = meter.remaining()
        running = self.progress.ended is None
        if left is not None and running and meter.done < (meter.total or 0):
            speed.append(f"{text.duration(left)} left, done at {clock_time(now + left)}")
        lines.append(Content("   ".join(speed)))
        safe = []
        if meter.durable is not None and self.plan.kind == "key-write":
            safe.append(f"safe on the device: {text.size(meter.durable)}")
        silent = meter.silent(now)
        quiet = running and silent >= _SILENT and meter.done < (meter.total or 0)
        if meter.bottleneck and not quiet:
            safe.append(f"slowest part: {meter.bottleneck}")
        pieces: list[Any] = [("   ".join(safe), "$dim")]
        if quiet:
            who = "the network" if self.plan.kind == "release-download" else "the device"
            pieces.append(
                (f"   {self.marks.warn} {who} is silent for {text.duration(silent)}", "bold $warning")
            )
        if safe or len(pieces) > 1:
            lines.append(Content.assemble(*pieces))
        return lines if not many else [lines[0], Content("   ").join(lines[1:])]

    # ------------------------------------------------------------------ the end

    def _end(self, *, lost: bool) -> None:
        ended = self.progress.ended
        good = isinstance(ended, PlanFinished) and ended.exit_code == 0
        if self.plan.kind == "key-write" and isinstance(ended, PlanFinished) and ended.result.get("keys"):
            self.wizard.written(self.plan, ended)
            return
        card = self.query_one("#end")
        card.display = self.query_one("#then").display = True
        card.set_class(good, "-good")
        card.set_class(not good, "-bad")
        card.border_title = (
            "Done" if good else "Stopped" if isinstance(ended, PlanCancelled) else "It did not work"
        )
        self.query_one("#said", Static).update(self._how_it_ended(lost))
        self.query_one("#speed").display = self.query_one("#stopping").display = False
        button = self.query_one("#next", Button)
        button.label = (self._onward() or "Done") if good else "Try again"
        button.display = not good or bool(self._onward())
        (button if good and button.display else self.query_one("#home")).focus()
        self.refresh_bindings()

    def _onward(self) -> str:
        """Where it goes from a good end, as the words of a button."""
        if self.plan.kind == "release-download":
            return "Choose the disk" if self.plan.steps[0].params.get("kind", "usb") == "usb" else ""
        return "Look at the key" if self.plan.kind in _KEPT and len(self.targets) == 1 else ""

    def _how_it_ended(self, lost: bool) -> Content:
        ended = self.progress.ended
        if lost or ended is None:
            return Content(
                "Nobody works on it any more: the process was stopped. What is right is kept; try again."
            )
        if isinstance(ended, PlanCancelled):
            return Content(f"Stopped. {ended.state}")
        if ended.error is not None:
            return error_words(ended.error)
        said = [str(x) for x in ended.result.get("say", [])]
        if self.plan.kind == "release-download":
            algorithm, digest = str(ended.result.get("algorithm", "")), str(ended.result.get("digest", ""))
            said = [f"{self.marks.good} VERIFIED. {ended.result.get('name', 'The file')} is what was published:",
                    f"{algorithm} {digest[:16]}…{digest[-8:]}"]  # fmt: skip
        return Content("\n").join([Content(line) for line in said or ["Done."]])

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """On, again, or home."""
        if event.button.id == "home":
            self.wizard.go_home()
        elif isinstance(self.progress.ended, PlanFinished) and self.progress.ended.exit_code == 0:
            if self.plan.kind in _KEPT:
                from smartos_wizard.screens.keys import OneKey

                self.wizard.show(OneKey(self.targets[0]))
            else:
                self.wizard.downloaded(self.progress.ended)
        else:
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
        words = _STOPPING.get(self.plan.kind, "It changes nothing.")
        ask = Asking("Cancel the work?", words, (("stay", "Go on working"), ("!stop", "Cancel it")))
        self.wizard.ask(ask, self._cancel_answered)

    def _cancel_answered(self, answer: str | None) -> None:
        if answer == "stop":
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
