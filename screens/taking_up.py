"""Taking up work that was left unfinished, from the facts as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.media.as_json import image_from_json
from smartos_wizard.media.model import Target
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.desk import Desk
from smartos_wizard.screens.flow import SANDBOX_ROAD, Answers, Flow, Stage
from smartos_wizard.screens.keys_desk import Told
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.unfinished import asks, download_again, goal_of, targets_of

if TYPE_CHECKING:
    from smartos_wizard.screens.restore_model import Restoring


def take_up(page: Page, job: Job) -> None:
    """Take up a job: start it again, or show the plan anew where it must be confirmed."""
    plan, wizard = job.plan(), page.wizard
    desk = wizard.desk

    def again(fresh: Job) -> None:
        job.seen_file.touch()
        if plan.kind == "guest-create":  # the fresh plan has a copy of its own of what is secret
            desk.boot.forget(plan)
        wizard.watch_job(fresh)

    def failed(error: ErrorReport) -> None:
        wizard.ask(Asking("It cannot be taken up now", error_words(error), (("ok", "Close"),)))

    def found(here: tuple[tuple[Target, ...], Told]) -> None:
        wizard.resumes = job
        _review(page, plan, *here)

    def told(answers: Answers) -> None:
        wizard.resumes = job
        stages = (Stage.HYPERVISOR, Stage.RELEASE, Stage.SIZE, Stage.NETWORK)
        behind = tuple((stage, answers) for stage in stages)
        wizard.go(Flow(Stage.OPTIONS, answers, behind, SANDBOX_ROAD))
        wizard.notify("What it was to be told at boot is no longer kept: say it once more.")

    def ask_again(error: ErrorReport) -> None:
        if error.reference == "secret-gone":
            page.ask_rooms(lambda: desk.sandbox.answers_again(plan), told, failed)
        else:
            failed(error)

    if plan.kind == "release-download":
        page.ask_rooms(lambda: desk.start(download_again(desk, plan)), again, failed)
    elif plan.kind == "guest-create":
        page.ask_rooms(lambda: desk.start(desk.sandbox.create_again(plan)), again, ask_again)
    elif plan.kind.startswith("reinstall-") and plan.kind not in ("reinstall-watch", "reinstall-export"):
        _again(page, job, plan)
    elif plan.kind.startswith("dualboot-"):
        from smartos_wizard.screens.dualboot_look import DualbootLook

        job.seen_file.touch()  # what is left of it is looked at, and shown
        desk.boot.forget(plan)
        wizard.show(DualbootLook(str(plan.params["root"])))
    elif plan.kind == "netboot-build":
        from smartos_wizard.screens.netboot_review import BuildAgain

        wizard.resumes = job
        wizard.show(BuildAgain(plan))
    elif plan.kind.startswith("guest-") and asks(plan):
        from smartos_wizard.screens.guest_review import review_again

        wizard.resumes = job
        wizard.show(review_again(plan, wizard.show_guests))
    elif not asks(plan):
        page.ask_rooms(lambda: desk.start(plan), again, failed)
    else:
        page.ask_rooms(lambda: _here(desk, plan), found, failed)


def _again(page: Page, job: Job, plan: Plan) -> None:
    """A run goes on with the very same plan or is taken back, a backup with what it has; a restore compares anew first."""
    from smartos_wizard.screens import reinstall_review as reviews
    from smartos_wizard.screens.reinstall_undo import UndoReview, go_on_or_back

    wizard = page.wizard

    def show(screen: Page) -> None:
        wizard.resumes = job
        wizard.show(screen)

    def failed(error: ErrorReport) -> None:
        wizard.ask(Asking("It cannot be taken up now", error_words(error), (("ok", "Close"),)))

    def known(undo: Plan | None) -> None:
        if undo is None:
            show(reviews.RunAgain(plan))
            return

        def answered(answer: str | None) -> None:
            if answer in ("on", "undo"):
                show(reviews.RunAgain(plan) if answer == "on" else UndoReview(undo))

        wizard.ask(go_on_or_back(plan, undo), answered)

    def restoring(said: Restoring) -> None:
        from smartos_wizard.screens.restore_machine import RestoreTo

        show(RestoreTo(said))

    match plan.kind:
        case "reinstall-run":
            page.ask_rooms(lambda: wizard.desk.reinstall.undo_plan(plan), known, failed)
        case "reinstall-restore":
            page.ask_rooms(lambda: wizard.desk.restore.again(plan), restoring, failed)
        case "reinstall-inventory":
            from smartos_wizard.screens.reinstall_inventory import ShowInventory

            show(ShowInventory(str(plan.params["inventory"])))
        case "reinstall-undo":
            show(UndoReview(plan))
        case _:
            show(reviews.BackupAgain(plan))


def _here(desk: Desk, plan: Plan) -> tuple[tuple[Target, ...], Told]:
    """The disks as they are attached now, and what they were to be told. Raises Refused, and what reading raises."""
    targets = desk.same_again(targets_of(plan))
    if plan.kind == "key-configure":
        return targets, desk.care.told_by(plan, targets[0])
    return targets, Told(desk.boot.planned(plan) if plan.kind == "key-write" else BootChoices())


def _review(page: Page, plan: Plan, targets: tuple[Target, ...], told: Told) -> None:
    """The plan, made afresh."""
    from smartos_wizard.screens import keys_review as reviews

    wizard = page.wizard
    match plan.kind:
        case "key-write":
            image = image_from_json(plan.params["image"])
            answers = Answers(image.stamp, image, targets, told.choices)
            wizard.go(Flow(Stage.REVIEW, answers, ((Stage.RELEASE, Answers()), (Stage.TARGET, answers))))
        case "key-configure":
            wizard.show(reviews.ConfigureReview(targets[0], told))
        case "key-upgrade" if plan.params.get("image"):
            wizard.show(reviews.UpgradeReview(targets[0], image_from_json(plan.params["image"])))
        case "key-upgrade" | "key-rollback":
            wizard.show(reviews.RollbackReview(targets[0], goal_of(plan)))
        case _:
            wizard.show(reviews.RestoreReview(targets[0]))
