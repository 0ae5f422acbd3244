"""The Textual app: theme, keys, quit guard, the walk between screens, and the job it follows.

Screens are imported when they are shown, so that the first one is there at once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.segment import Segment
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.events import Advanced, PlanFinished
from smartos_wizard.core.journal import Job, follow
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress, reduce
from smartos_wizard.core.settings import Settings, save
from smartos_wizard.media.as_json import image_from_json
from smartos_wizard.screens.desk import Desk
from smartos_wizard.screens.flow import Answers, Flow, Stage
from smartos_wizard.screens.themes import THEMES
from smartos_wizard.screens.words import ASCII, UNICODE, to_ascii

if TYPE_CHECKING:
    from smartos_wizard.screens.page import Page
    from smartos_wizard.screens.work import Work
    from smartos_wizard.world import World

_EVERY = 0.1  # seconds between two pictures of a running job


class AsciiFilter(LineFilter):
    """The net under `--ascii`: every character that leaves is one ASCII character."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """The same line, in ASCII."""
        return [Segment(to_ascii(s.text), s.style, s.control) for s in segments]


class JobMoved(Message):
    """The followed job as it stands; a newer one swallows an older that was not handled yet."""

    def __init__(self, job: Job, progress: Progress, *, lost: bool = False) -> None:
        """`lost` says that nobody works on it any more though it did not end."""
        super().__init__()
        self.job, self.progress, self.lost = job, progress, lost

    def can_replace(self, message: Message) -> bool:
        """Only the newest picture of the same job matters."""
        return isinstance(message, JobMoved) and message.job == self.job


class WizardApp(App[int]):
    """The full-screen wizard over a world."""

    CSS_PATH = "assets/wizard.tcss"
    TITLE = "SmartOS Wizard"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it as of the instance
        (0, "-tiny"), (60, "-narrow"), (80, "-normal"), (110, "-wide"),
    ]  # fmt: skip
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - the same
        (0, "-flat"), (20, "-low"), (24, "-tall"),
    ]  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f1",
            "help",
            "Help",
            id="app.help",
            key_display="F1",
            tooltip="What is this, what happens, what is not touched",
        ),
        Binding("ctrl+t", "next_theme", "Theme", id="app.theme", show=False, priority=True),
        Binding(
            "f10",
            "quit",
            "Quit",
            id="app.quit",
            key_display="F10",
            tooltip="Leave; work that runs is asked about",
        ),
        Binding("ctrl+c,ctrl+q", "quit", show=False, priority=True),
    ]

    def __init__(self, world: World, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.desk = Desk(world)
        self.flow = Flow()
        self.ascii_only = ascii_only
        self.marks = ASCII if ascii_only else UNICODE
        self.watched: JobMoved | None = None
        self.resumes: Job | None = None
        self._opened: set[float] = set()
        for theme in THEMES:
            self.register_theme(theme)
        wanted = world.settings.theme
        self.theme = wanted if wanted in self.available_themes else THEMES[0].name

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and the ASCII net where asked for."""
        filters = list(super().get_line_filters())
        return [*filters, AsciiFilter()] if self.ascii_only else filters

    def _fatal_error(self) -> None:
        """As Textual's own, without the values of variables: one of them may be a password just being typed."""
        from rich.traceback import Traceback

        self.bell()
        self.panic(Traceback(show_locals=False, suppress=["textual"]))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own two greys, for themes that are not ours."""
        return {"dim": "#9a9a9a", "faint": "#777777"}

    def on_mount(self) -> None:
        """Home first."""
        self.set_class(self.ascii_only, "-ascii-only")
        self.go_home()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual\'s signature
        """What the command palette offers."""
        yield SystemCommand("Home", "Unfinished work, and what you may do", self.go_home)
        yield SystemCommand("Make a USB key", "Choose a release, then a disk", self.start_flow)
        yield SystemCommand(
            "Look after a key", "What is on it, prove it, make it plain again", self.look_after
        )
        yield SystemCommand(
            "Is this machine fit for SmartOS?", "What it has, and what to do", self.check_machine
        )
        yield SystemCommand(
            "What would the pool look like?", "Disks as SmartOS lays them out", self.preview_pool
        )
        yield SystemCommand("Help", "What is this, what happens, what is not touched", self.action_help)
        for theme in THEMES:
            yield SystemCommand(
                f"Theme: {theme.name}", "Change the colours", lambda n=theme.name: self.use_theme(n)
            )
        yield SystemCommand("Save a picture", "This screen as an SVG file", self.action_picture)
        yield SystemCommand("Quit", "Leave the wizard; work that runs is asked about", self.request_quit)

    # ------------------------------------------------------------------ the walk

    def show(self, screen: Screen[None]) -> None:
        """Put a screen in the place of the one that is there."""
        while len(self.screen_stack) > 2:
            _ = self.pop_screen()
        _ = self.switch_screen(screen) if len(self.screen_stack) == 2 else self.push_screen(screen)

    def go_home(self) -> None:
        """To the first screen; a job that runs goes on."""
        from smartos_wizard.screens.home import Home

        self.resumes = None
        self.show(Home())

    def start_flow(self) -> None:
        """Begin to make a key."""
        self.go(Flow())

    def look_after(self) -> None:
        """What is on a key, and what may be done with it."""
        from smartos_wizard.screens.keys_choose import LookAfter

        self.show(LookAfter())

    def check_machine(self) -> None:
        """Whether this machine is fit for SmartOS."""
        from smartos_wizard.screens.hardware import Fit

        self.show(Fit())

    def preview_pool(self) -> None:
        """The pool that SmartOS would make of some disks."""
        from smartos_wizard.screens.pool import Pool

        self.show(Pool())

    def go(self, flow: Flow) -> None:
        """Show the screen of the flow's stage, filled in from its answers."""
        self.flow = flow
        self.show(_screen_of(flow.stage))

    def go_back(self) -> None:
        """One step back; home from the first."""
        before = self.flow.back()
        if before is None:
            self.go_home()
        else:
            self.go(before)

    # ------------------------------------------------------------------ jobs

    def watch_job(self, job: Job, title: str = "", *, screen: Work | None = None) -> None:
        """Follow a job and show how it fares."""
        from smartos_wizard.screens.work import Work

        self.watched = JobMoved(job, Progress(title=title or job.plan().title, kind=job.plan().kind))
        self.workers.cancel_group(self, "watch")
        self.run_worker(lambda: self._follow(job), thread=True, exit_on_error=False, group="watch")
        self.show(screen or Work(job))

    def begun(self, job: Job) -> None:
        """A plan was confirmed and runs: what it takes up again is no longer unfinished."""
        if self.resumes is not None:
            self.resumes.seen_file.touch()
            self.desk.boot.forget(self.resumes.plan())
            self.resumes = None
        self.watch_job(job)

    def downloaded(self, ended: PlanFinished) -> None:
        """On with a release that was just verified."""
        stamp = str(ended.result.get("stamp", ""))
        flow = self.flow
        if flow.stage is not Stage.CHECK or flow.answers.stamp != stamp:
            flow = Flow(Stage.CHECK, Answers(stamp), ((Stage.RELEASE, Answers(stamp)),))
        self.go(flow.forward(image=self.desk.stored_image(stamp)))

    def written(self, plan: Plan, ended: PlanFinished) -> None:
        """The end of writing, good or bad."""
        from smartos_wizard.screens.done import Done
        from smartos_wizard.screens.unfinished import targets_of

        image = image_from_json(plan.params["image"])
        targets = targets_of(plan)
        mine = [t.path for t in self.flow.answers.targets] == [t.path for t in targets]
        answers = self.flow.answers if mine else Answers()
        if not mine:
            with contextlib.suppress(WizardError):
                answers = replace(answers, choices=self.desk.boot.planned(plan))
        answers = replace(answers, stamp=image.stamp, image=image, targets=targets)
        self.flow = Flow(Stage.DONE, answers, ((Stage.RELEASE, Answers()), (Stage.TARGET, answers)))
        self.show(Done(ended.result, ended.error))

    def ask(self, screen: Screen[str], then: Callable[[str | None], None] | None = None) -> None:
        """Put a question over the screen."""
        _ = self.push_screen(screen, then)

    def _follow(self, job: Job) -> None:
        """In a thread: reduce the journal, post a picture of it now and then, and the last one always."""
        from textual.worker import get_current_worker

        worker = get_current_worker()
        progress, posted = Progress(), 0.0
        for event in follow(job):
            if worker.is_cancelled:
                return
            progress = progress if event is None else reduce(progress, event)
            now = time.monotonic()
            if now - posted >= _EVERY or (event is not None and not isinstance(event, Advanced)):
                posted = now
                self.post_message(JobMoved(job, progress))
        self.post_message(JobMoved(job, progress, lost=progress.ended is None))

    def on_job_moved(self, message: JobMoved) -> None:
        """Keep the newest picture and show it."""
        from smartos_wizard.screens.work import Work

        self.watched = message
        for screen in self.screen_stack:
            if isinstance(screen, Work) and screen.job == message.job:
                screen.moved(message.progress, lost=message.lost)
        for note in message.progress.notes:
            fresh = note.reference == "needs-opener" and note.at not in self._opened
            if fresh and message.progress.ended is None:
                self._opened.add(note.at)
                self._let_open(str(note.data.get("command", "")))

    def _let_open(self, command: str) -> None:
        """Give the terminal away so that a password can be asked; the job waits for it."""
        from textual.app import SuspendNotSupported

        from smartos_wizard.media.attended import run_in_terminal

        words = "SmartOS Wizard needs root once, to open the disk you confirmed. Nothing else runs as root."
        try:
            with self.suspend():
                code = run_in_terminal(command, words)
        except SuspendNotSupported:
            code = -1
        if code:
            self.notify(
                f"Run this in another terminal:\n{command}", title="The disk is not open yet", timeout=60
            )

    @property
    def busy(self) -> bool:
        """Whether the followed job still runs."""
        return self.watched is not None and self.watched.progress.ended is None and not self.watched.lost

    async def action_quit(self) -> None:
        """Leave; ask first while a job runs."""
        self.request_quit()

    def request_quit(self) -> None:
        """The same, not asynchronous."""
        from smartos_wizard.screens.asking import Asking

        if isinstance(self.screen, Asking) and self.screen.id == "quitting":
            return
        if not self.busy:
            self.exit(0)
            return
        words = (
            "Work is going on. It runs in a process of its own, so you may leave it running: "
            "start the wizard again and it is followed from Home.\n\n"
            "Cancelling stops at the next safe moment. A key that is half written does not boot; "
            "the rest can be written later."
        )
        ask = Asking(
            "Leave?", words, (("stay", "Stay"), ("leave", "Leave it running"), ("!cancel", "Cancel the work"))
        )
        ask.id = "quitting"
        self.ask(ask, self._quit_answered)

    def _quit_answered(self, answer: str | None) -> None:
        if answer == "leave":
            self.exit(0)
        elif answer == "cancel" and self.watched is not None:
            self.watched.job.request_cancel()

    # ------------------------------------------------------------------ looks

    def action_next_theme(self) -> None:
        """The next palette."""
        names = [t.name for t in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.use_theme(names[(at + 1) % len(names)])

    def use_theme(self, name: str) -> None:
        """Change the palette and remember it."""
        self.theme = name
        self.notify(f"Theme: {name}", timeout=1.5)
        world = self.desk.world
        settings: Settings = replace(world.settings, theme=name)
        world.settings = settings
        with contextlib.suppress(OSError, WizardError):
            save(world.paths.settings_file, settings)

    def action_help(self) -> None:
        """The help of the screen, and its keys."""
        from smartos_wizard.screens.help import help_of

        if type(self.screen).__name__ != "Helping":
            _ = self.push_screen(help_of(self.screen))

    def action_picture(self) -> None:
        """Save the screen as SVG."""
        path = self.save_screenshot()
        self.notify(f"Saved as {path}")


def _screen_of(stage: Stage) -> Page:
    match stage:
        case Stage.RELEASE:
            from smartos_wizard.screens.release import ChooseRelease

            return ChooseRelease()
        case Stage.CHECK:
            from smartos_wizard.screens.download import Download

            return Download()
        case Stage.TARGET:
            from smartos_wizard.screens.target import ChooseTarget

            return ChooseTarget()
        case Stage.OPTIONS:
            from smartos_wizard.screens.options import Options

            return Options()
        case Stage.REVIEW:
            from smartos_wizard.screens.review import Review

            return Review()
        case Stage.WRITE | Stage.PROVE | Stage.DONE:
            from smartos_wizard.screens.done import Done

            return Done({})
