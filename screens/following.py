"""The part of the app that follows a job: its newest picture, where it goes on, and the password that is asked for."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import App
from textual.message import Message
from textual.screen import Screen

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.events import Advanced, PlanFinished
from smartos_wizard.core.journal import Job, follow
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress, reduce
from smartos_wizard.media.as_json import image_from_json
from smartos_wizard.screens.desk import Desk
from smartos_wizard.screens.flow import Answers, Flow, Stage

if TYPE_CHECKING:
    from smartos_wizard.screens.working import Working
    from smartos_wizard.world import World

_EVERY = 0.1  # seconds between two pictures of a running job


class JobMoved(Message):
    """The followed job as it stands; a newer one swallows an older that was not handled yet."""

    def __init__(self, job: Job, progress: Progress, *, lost: bool = False) -> None:
        """`lost` says that nobody works on it any more though it did not end."""
        super().__init__()
        self.job, self.progress, self.lost = job, progress, lost

    def can_replace(self, message: Message) -> bool:
        """Only the newest picture of the same job matters."""
        return isinstance(message, JobMoved) and message.job == self.job


class Following(App[int]):
    """An app with a desk and a flow that follows one job at a time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.desk = Desk(world)
        self.flow = Flow()
        self.watched: JobMoved | None = None
        self.resumes: Job | None = None
        self._opened: set[float] = set()

    def show(self, screen: Screen[None]) -> None:
        """Put a screen in the place of the one that is there."""
        while len(self.screen_stack) > 2:
            _ = self.pop_screen()
        _ = self.switch_screen(screen) if len(self.screen_stack) == 2 else self.push_screen(screen)

    def go(self, flow: Flow) -> None:
        """Show the screen of the flow's stage, filled in from its answers."""
        from smartos_wizard.screens.roads import screen_of

        self.flow = flow
        self.show(screen_of(flow))

    # ------------------------------------------------------------------ jobs

    def watch_job(self, job: Job, title: str = "", *, screen: Working | None = None) -> None:
        """Follow a job and show how it fares."""
        from smartos_wizard.screens.roads import work_of

        plan = job.plan()
        self.watched = JobMoved(job, Progress(title=title or plan.title, kind=plan.kind))
        self.workers.cancel_group(self, "watch")
        self.run_worker(lambda: self._follow(job), thread=True, exit_on_error=False, group="watch")
        self.show(screen or work_of(job, plan))

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
        self.go(flow.forward(image=self.desk.stored_image(stamp, flow.artifact)))

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

    @property
    def busy(self) -> bool:
        """Whether the followed job still runs."""
        return self.watched is not None and self.watched.progress.ended is None and not self.watched.lost

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
        from smartos_wizard.screens.asking import Asking
        from smartos_wizard.screens.working import Working

        self.watched = message
        for screen in self.screen_stack:
            if isinstance(screen, Working) and screen.job == message.job:
                screen.moved(message.progress, lost=message.lost)
        if not self.busy:
            for question in [each for each in self.screen_stack if isinstance(each, Asking)]:
                question.work_ended()
        for note in message.progress.notes:
            fresh = note.reference == "needs-opener" and note.at not in self._opened
            step = message.progress.step(note.step)
            if fresh and message.progress.ended is None and (step is None or step.state == "now"):
                self._opened.add(note.at)
                self._let_open(str(note.data.get("command", "")), str(note.data.get("why", "")))

    def _let_open(self, command: str, why: str = "") -> None:
        """Give the terminal away so that a password can be asked; the job waits for it."""
        from textual.app import SuspendNotSupported

        from smartos_wizard.media.attended import run_in_terminal

        words = (
            why
            or "SmartOS Wizard needs root once, to open the disk you confirmed. Nothing else runs as root."
        )
        try:
            with self.suspend():
                code = run_in_terminal(command, words)
        except SuspendNotSupported:
            code = -1
        if code:
            self.notify(
                f"Run this in another terminal:\n{command}",
                title="Root's rights are not there yet" if why else "The disk is not open yet",
                timeout=60,
            )
