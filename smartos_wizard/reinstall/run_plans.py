"""A plan as it is kept in a file, what is said anew of the way to its machine, and the plans that follow from it: looking on,
and taking back. Pure, but for reading the record.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.planning import KIND
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.run_record import Record, plan_id

WATCH, UNDO = "reinstall-watch", "reinstall-undo"
_AFTER = ("wait-back", "verify", "receipt")


def plan_of(text: str, name: str) -> Plan:
    """The plan that `reinstall plan --save` kept. Raises UsageProblem `not-a-plan`."""
    try:
        plan = Plan.from_json(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        plan = None
    if plan is None or plan.kind != KIND or "address" not in plan.params:
        raise UsageProblem("not-a-plan", f"{tame(name, 200)} is no plan of a re-install.", hint="`smartos-wizard reinstall plan --survey FILE --save PLAN` makes one.")  # fmt: skip
    return plan


def reached(
    plan: Plan,
    address: Address | None = None,
    *,
    secret: str = "",
    console: str = "",
    wait: float | None = None,
) -> Plan:
    """The same plan, with what is said now of the way to its machine. What is empty in `address` stays as it was.

    `secret` names a password in the vault; `wait` is in minutes.
    """
    where: dict[str, Any] = dict(plan.params["address"])
    if address is not None:
        said = {"host": address.host, "user": address.user, "port": address.port, "jump": address.jump, "identity": address.identity}  # fmt: skip
        where |= {name: value for name, value in said.items() if value}
    more = {"secret": secret, "console": console, "wait": wait}
    params = {**plan.params, "address": where, **{name: value for name, value in more.items() if value is not None and value != ""}}  # fmt: skip
    return replace(plan, params=params)


def watching(plan: Plan, record: Record) -> Plan:
    """Look on: where the wipe was ordered, wait for the machine, verify and write the receipt; else say in which state it is."""
    params = {**plan.params, "run": plan_id(plan)}
    if record.destroying:
        steps = tuple(step for step in plan.steps if step.action in _AFTER)
    else:
        steps = (Step("watch", "watch", f"in which state {tame(plan.params['host'])} is", Effect.READS),)
    return replace(
        plan,
        kind=WATCH,
        title=f"Watch {tame(plan.params['host'])}",
        steps=steps,
        confirmation=None,
        params=params,
    )


def undoing(plan: Plan, record: Record) -> Plan:
    """Take back what a run began. Raises Refused `nothing-begun`, `too-late`."""
    if record.fresh:
        raise Refused(
            "nothing-begun", "Nothing of this plan was begun here, so there is nothing to take back."
        )
    if record.destroying:
        raise Refused("too-late", "What destroys was begun; that cannot be taken back.", hint="`smartos-wizard reinstall watch PLAN` says in which state the machine is. `zpool import -D` there, before anything new is written, may bring a pool back.")  # fmt: skip
    begun = [step for step in plan.steps if record.began(step.id) and step.effect is not Effect.READS]
    details = tuple(f"{step.undo.removeprefix('clear-reset: ')} (it was: {step.title})" for step in reversed(begun) if step.undo)  # fmt: skip
    step = Step("undo", "take-back", "take back what was begun", Effect.CHANGES, details, params={"steps": [each.to_json() for each in plan.steps]})  # fmt: skip
    params = {**plan.params, "run": plan_id(plan)}
    return replace(
        plan,
        kind=UNDO,
        title=f"Take back what was begun on {tame(plan.params['host'])}",
        steps=(step,),
        untouched=("every pool, and all data on it", *plan.untouched),
        confirmation=None,
        params=params,
    )
