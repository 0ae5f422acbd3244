"""Which screen belongs to a stage of a road, and which to a job. Each is imported when it is shown."""

from __future__ import annotations

from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.screens.flow import REINSTALL_ROAD, SANDBOX_ROAD, Flow, Stage
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.working import Working


def screen_of(flow: Flow) -> Page:
    """The screen of the flow's stage."""
    if flow.road == REINSTALL_ROAD:
        return _of_a_machine(flow.stage)
    match flow.stage:
        case Stage.RELEASE if flow.road == SANDBOX_ROAD:
            from smartos_wizard.screens.sandbox_release import ChooseStart

            return ChooseStart()
        case Stage.RELEASE:
            from smartos_wizard.screens.release import ChooseRelease

            return ChooseRelease()
        case Stage.CHECK:
            from smartos_wizard.screens.download import Download

            return Download()
        case _:
            return _of_a_guest(flow.stage) if flow.road == SANDBOX_ROAD else _of_a_key(flow.stage)


def _of_a_key(stage: Stage) -> Page:
    match stage:
        case Stage.TARGET:
            from smartos_wizard.screens.target import ChooseTarget

            return ChooseTarget()
        case Stage.OPTIONS:
            from smartos_wizard.screens.options import Options

            return Options()
        case Stage.REVIEW:
            from smartos_wizard.screens.review import Review

            return Review()
        case _:
            from smartos_wizard.screens.done import Done

            return Done({})


def _of_a_guest(stage: Stage) -> Page:
    match stage:
        case Stage.HYPERVISOR:
            from smartos_wizard.screens.sandbox_where import ChooseHypervisor

            return ChooseHypervisor()
        case Stage.SIZE:
            from smartos_wizard.screens.sandbox_size import ChooseSize

            return ChooseSize()
        case Stage.NETWORK:
            from smartos_wizard.screens.sandbox_network import ChooseNetwork

            return ChooseNetwork()
        case Stage.OPTIONS:
            from smartos_wizard.screens.sandbox_options import GuestOptions

            return GuestOptions()
        case _:
            from smartos_wizard.screens.sandbox_review import GuestReview

            return GuestReview()


def _of_a_machine(stage: Stage) -> Page:
    match stage:
        case Stage.SURVEY:
            from smartos_wizard.screens.reinstall_survey import ShowSurvey

            return ShowSurvey()
        case Stage.KEEP:
            from smartos_wizard.screens.reinstall_keep import Keep

            return Keep()
        case Stage.WAY:
            from smartos_wizard.screens.reinstall_way import ChooseWay

            return ChooseWay()
        case Stage.AGREE:
            from smartos_wizard.screens.reinstall_agree import Agree

            return Agree()
        case Stage.REVIEW:
            from smartos_wizard.screens.reinstall_review import ReinstallReview

            return ReinstallReview()
        case _:
            from smartos_wizard.screens.reinstall_machine import ChooseMachine

            return ChooseMachine()


def work_of(job: Job, plan: Plan) -> Working:
    """The screen that shows a job of that kind."""
    if plan.kind.startswith("guest-"):
        from smartos_wizard.screens.guest_work import GuestWork

        return GuestWork(job, plan)
    if plan.kind == "reinstall-restore":
        from smartos_wizard.screens.restore_work import RestoreWork

        return RestoreWork(job, plan)
    if plan.kind == "reinstall-inventory":
        from smartos_wizard.screens.reinstall_inventory_work import InventoryWork

        return InventoryWork(job, plan)
    if plan.kind.startswith("dualboot-"):
        from smartos_wizard.screens.dualboot_work import DualbootWork

        return DualbootWork(job, plan)
    if plan.kind.startswith("reinstall-"):
        from smartos_wizard.screens.reinstall_work import ReinstallWork

        return ReinstallWork(job, plan)
    if plan.kind.startswith("netboot-"):
        from smartos_wizard.screens.netboot_work import netboot_work

        return netboot_work(job, plan)
    from smartos_wizard.screens.work import Work

    return Work(job, plan)
