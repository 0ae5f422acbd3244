"""Taking up work that was left unfinished, from the facts as they are now."""

from __future__ import annotations

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.media.as_json import image_from_json, target_from_json
from smartos_wizard.media.model import Target
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.desk import Desk
from smartos_wizard.screens.flow import Answers, Flow, Stage
from smartos_wizard.screens.keys_desk import Told
from smartos_wizard.screens.page import Page, error_words


def targets_of(plan: Plan) -> tuple[Target, ...]:
    """The disks a plan is about."""
    found = plan.params.get("targets") or ([plan.params["target"]] if plan.params.get("target") else [])
    return tuple(target_from_json(t) for t in found)


def download_again(desk: Desk, plan: Plan) -> Plan:
    """The download that goes on where `plan` ended. Raises NetworkFailed, ChecksumFailed, Refused."""
    params = plan.steps[0].params
    stamp = str(params.get("stamp") or params.get("artifact", {}).get("stamp", ""))
    if params.get("kind") == "platform":
        return desk.care.platform_download(stamp)[0]
    return desk.download_plan(stamp)


def begin_again(plan: Plan, desk: Desk, target: Target) -> Plan:
    """The plan, made afresh, that ends what a change of a key began. Raises Refused, UsageProblem.

    An upgrade whose switch was begun has only to be finished, and needs no file for it.
    """
    if plan.kind == "key-configure":
        return desk.care.configure_plan(target, desk.care.told_by(plan, target).choices)
    if plan.kind == "key-upgrade" and plan.params.get("image"):
        return desk.care.upgrade_plan(target, image_from_json(plan.params["image"]))
    return desk.care.rollback_plan(target, goal_of(plan))


def goal_of(plan: Plan) -> str:
    """The release that the key shall start after going back, or after finishing what was begun."""
    return str(
        plan.params.get("kept" if plan.kind == "key-rollback" and not _finishes(plan) else "was") or ""
    )


def _finishes(plan: Plan) -> bool:
    return any(step.action == "finish" for step in plan.steps)


def take_up(page: Page, job: Job) -> None:
    """Take up a job: start it again, or show the plan anew where it must be confirmed."""
    plan, wizard = job.plan(), page.wizard
    desk = wizard.desk

    def again(fresh: Job) -> None:
        job.seen_file.touch()
        wizard.watch_job(fresh)

    def failed(error: ErrorReport) -> None:
        wizard.ask(Asking("It cannot be taken up now", error_words(error), (("ok", "Close"),)))

    def found(here: tuple[tuple[Target, ...], Told]) -> None:
        wizard.resumes = job
        _review(page, plan, *here)

    if plan.kind == "release-download":
        page.ask_rooms(lambda: desk.start(download_again(desk, plan)), again, failed)
    elif not plan.destroys and plan.confirmation is None:
        page.ask_rooms(lambda: desk.start(plan), again, failed)
    else:
        page.ask_rooms(lambda: _here(desk, plan), found, failed)


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
