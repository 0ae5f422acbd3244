"""Where it goes on from work on a machine that ended: the way with a backup, putting back, taking back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.plan import Plan
from smartos_wizard.reinstall.choices import NO_BACKUP
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.reinstall_model import MachineAnswers
from smartos_wizard.screens.restore_model import Restoring, directory_of

if TYPE_CHECKING:
    from smartos_wizard.screens.working import Working


def take_backup(page: Working, kept: str, directory: str) -> None:
    """On to the way, with that backup."""
    flow = page.wizard.flow
    said = flow.answers.machine or MachineAnswers()
    machine = replace(said, backup=kept, directory=directory, consents=said.consents - {NO_BACKUP})
    page.wizard.go(flow.forward(machine=machine))


def backup_of(plan: Plan) -> str:
    """The directory of the backup that the plan of a re-install names; empty without one."""
    words = str(plan.params.get("backup") or "") if plan.kind == "reinstall-run" else ""
    return directory_of(words) if words else ""


def put_back(page: Working, plan: Plan) -> None:
    """To the machine, as it is now: its new keys were agreed to while it ran."""
    desk = page.wizard.desk

    def there(said: Restoring) -> None:
        from smartos_wizard.screens.restore_machine import RestoreTo

        page.wizard.show(RestoreTo(said))

    page.ask_rooms(
        lambda: desk.restore.after(plan, desk.reinstall.accepted(plan)), there,
        lambda error: page.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),))),
    )  # fmt: skip


def take_back(page: Working, undo: Plan) -> None:
    """To the plan that takes it back; Escape leads to the work again."""
    from smartos_wizard.screens.reinstall_undo import UndoReview

    job, plan, wizard = page.job, page.plan, page.wizard
    wizard.resumes = job
    wizard.show(UndoReview(undo, lambda: wizard.watch_job(job, screen=type(page)(job, plan))))


def say_before(place: Static, line: Content) -> None:
    """A line before what is said there already."""
    said = place.content
    place.update(Content("\n").join([line, said if isinstance(said, Content) else Content(str(said))]))
