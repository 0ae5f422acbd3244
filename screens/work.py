"""Work on releases and keys: the device, the phases, the speed with numbers, what is safe, what is slow."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.events import PlanCancelled, PlanFinished
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Meter
from smartos_wizard.screens.flow import KEY_ROAD, Stage
from smartos_wizard.screens.unfinished import targets_of
from smartos_wizard.screens.widgets.gauges import clock_time, graph, phases, shown_span, wrapped
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.widgets.rail import Rail
from smartos_wizard.screens.words import disk_line, more_about, where_it_is
from smartos_wizard.screens.working import Working

_STAGES = {"release-download": Stage.CHECK, "key-write": Stage.WRITE}
_KEPT = ("key-check", "key-boot-test", "key-configure", "key-upgrade", "key-rollback")
"""Kinds of work after which the key is still what it was: one may look at it."""


class Work(Working):
    """One job about a release or a key, as it goes."""

    SIDE_TITLE: ClassVar[str] = "The device and what happened"

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

    def __init__(self, job: Job, plan: Plan | None = None) -> None:
        super().__init__(job, plan)
        self.targets = targets_of(self.plan)

    @property
    def stage(self) -> Stage | None:
        """Where this work stands on the way to a key, or to a guest."""
        return _STAGES.get(self.plan.kind)

    @property
    def road(self) -> tuple[Stage, ...]:
        """A download belongs to the way that waits for it."""
        flow = self.wizard.flow
        waits = flow.stage is Stage.CHECK and self.plan.kind == "release-download"
        return flow.road if waits else KEY_ROAD

    def head(self) -> ComposeResult:
        """The devices."""
        yield Static("", id="devices", markup=False)

    def below(self) -> ComposeResult:
        """The speed."""
        with Vertical(classes="card", id="speed") as speed:
            speed.border_title = "Speed, MB/s"
            yield Static("", id="graph", markup=False)

    def side(self) -> ComposeResult:
        """What is written to, and what was noted."""
        yield Static("", id="facts", markup=False)
        yield Static("Events", classes="heading gap", markup=False)
        yield Static("", id="events", markup=False)

    # ------------------------------------------------------------------ drawing

    def steps(self, width: int) -> Content:
        """A word for each, side by side."""
        return wrapped(phases(self.progress, self.marks), width)

    def draw_head(self, width: int) -> None:
        """One device in the title, several above the steps; the side and the rail as well."""
        going = self.query_one("#going")
        devices = self.query_one("#devices", Static)
        devices.display = len(self.targets) != 1
        devices.update(self._devices())
        if len(self.targets) == 1:
            going.border_title = str(self._devices())[: width - 2]
        self._side()
        self._move_rail()

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """The speed of the slowest."""
        slowest = min(meters.values(), key=lambda m: m.rate, default=None)
        self._draw_graph(slowest, width, many=len(meters) > 1)

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
        self.query_one(Rail).move(stage, failed=self.failed)

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

    def waiting(self) -> str:
        """The right to open the disk may be what is waited for."""
        if any(n.reference == "needs-opener" for n in self.progress.notes):
            return "Waiting for the right to open the disk …"
        return "Waiting for the work to begin …"

    # ------------------------------------------------------------------ the end

    def leaves(self) -> bool:
        """A key that was written has a screen of its own."""
        ended = self.progress.ended
        if self.plan.kind == "key-write" and isinstance(ended, PlanFinished) and ended.result.get("keys"):
            self.wizard.written(self.plan, ended)
            return True
        self.query_one("#speed").display = False
        return False

    def onward(self) -> str:
        """Where it goes from a good end, as the words of a button."""
        if self.plan.kind == "release-download":
            if self.plan.steps[0].params.get("kind", "usb") != self.wizard.flow.artifact:
                return ""
            return "Choose the disk" if self.road == KEY_ROAD else "Choose its size"
        return "Look at the key" if self.plan.kind in _KEPT and len(self.targets) == 1 else ""

    def go_on(self) -> None:
        """To the key, or on with the release."""
        if self.plan.kind in _KEPT:
            from smartos_wizard.screens.keys import OneKey

            self.wizard.show(OneKey(self.targets[0]))
        elif isinstance(self.progress.ended, PlanFinished):
            self.wizard.downloaded(self.progress.ended)

    def how_it_ended(self, *, lost: bool) -> Content:
        """The end in words; a download says what was verified."""
        ended = self.progress.ended
        verified = self.plan.kind == "release-download" and self.good and not lost
        if not verified or ended is None or isinstance(ended, PlanCancelled):
            return super().how_it_ended(lost=lost)
        algorithm, digest = str(ended.result.get("algorithm", "")), str(ended.result.get("digest", ""))
        said = [f"{self.marks.good} VERIFIED. {ended.result.get('name', 'The file')} is what was published:",
                f"{algorithm} {digest[:16]}…{digest[-8:]}"]  # fmt: skip
        return Content("\n").join([Content(line) for line in said])
