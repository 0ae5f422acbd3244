"""Plans that go on where others ended, made from the facts as they are now. No Textual here."""

from __future__ import annotations

from smartos_wizard.core.plan import Plan
from smartos_wizard.media.as_json import image_from_json, target_from_json
from smartos_wizard.media.model import Target
from smartos_wizard.screens.desk import Desk


def targets_of(plan: Plan) -> tuple[Target, ...]:
    """The disks a plan is about."""
    found = plan.params.get("targets") or ([plan.params["target"]] if plan.params.get("target") else [])
    return tuple(target_from_json(t) for t in found)


def asks(plan: Plan) -> bool:
    """Whether it was confirmed, and so must be again."""
    return plan.destroys or plan.confirmation is not None


def download_again(desk: Desk, plan: Plan) -> Plan:
    """The download that goes on where `plan` ended. Raises NetworkFailed, ChecksumFailed, Refused."""
    params = plan.steps[0].params
    stamp = str(params.get("stamp") or params.get("artifact", {}).get("stamp", ""))
    if params.get("kind") == "platform":
        return desk.care.platform_download(stamp)[0]
    return desk.download_plan(stamp, str(params.get("kind", "usb")))


def plan_again(desk: Desk, plan: Plan) -> Plan:
    """The same for the disks as they are attached now. Raises Refused where one is not here, and what planning raises.

    An upgrade whose switch was begun has only to be finished, and needs no file for it.
    """
    targets = desk.same_again(targets_of(plan))
    match plan.kind:
        case "key-write":
            return desk.write_plan(image_from_json(plan.params["image"]), targets, desk.boot.planned(plan))
        case "key-configure":
            return desk.care.configure_plan(targets[0], desk.care.told_by(plan, targets[0]).choices)
        case "key-upgrade" if plan.params.get("image"):
            return desk.care.upgrade_plan(targets[0], image_from_json(plan.params["image"]))
        case "key-upgrade" | "key-rollback":
            return desk.care.rollback_plan(targets[0], goal_of(plan))
        case _:
            return desk.restore_plan(targets[0])


def goal_of(plan: Plan) -> str:
    """The release that the key shall start after going back, or after finishing what was begun."""
    finishes = any(step.action == "finish" for step in plan.steps)
    return str(plan.params.get("kept" if plan.kind == "key-rollback" and not finishes else "was") or "")
