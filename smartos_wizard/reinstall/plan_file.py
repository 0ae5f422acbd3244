"""A kept plan of a re-install, read back from its file. Imports nothing that connects."""

from __future__ import annotations

import json
from pathlib import Path

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.planning import KIND

_LIMIT = 16 << 20
_HINT = "`smartos-wizard reinstall plan --save FILE` keeps one."


def plan_from_file(path: Path) -> Plan:
    """The plan. Raises UsageProblem `no-such-file`, `unreadable-file`, `not-a-plan`, `other-plan`."""
    shown = tame(str(path), 200)
    try:
        if not path.is_file():
            raise UsageProblem("no-such-file", f"There is no file {shown}.", hint=_HINT)
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError as error:
        raise UsageProblem("unreadable-file", f"{shown}: {error.strerror}") from error
    try:
        said = json.loads(data[:_LIMIT].decode("utf-8"))
        plan = Plan.from_json(said["plan"] if isinstance(said.get("plan"), dict) else said)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageProblem("not-a-plan", f"{shown} is no plan.", hint=_HINT) from None
    if plan.kind != KIND:
        raise UsageProblem("other-plan", f"{shown} is a plan of another kind ({tame(str(plan.kind))}), not of a re-install.", hint=_HINT)  # fmt: skip
    _require_whole(plan, shown)
    return plan


def host_of(plan: Plan) -> str:
    """What the plan's machine is called: as in its tokens."""
    name, _, _ = token_of(plan).rpartition(":")
    return name


def token_of(plan: Plan) -> str:
    """The token that names the system pool: `HOSTNAME:zones`; empty where the plan has none."""
    return plan.confirmation.tokens[0] if plan.confirmation is not None else ""


def _require_whole(plan: Plan, shown: str) -> None:
    """Raise UsageProblem where something is missing that every plan of a re-install has."""
    params = plan.params
    try:
        whole = all((
            plan.destroys, plan.confirmation is not None, token_of(plan).endswith(f":{params['pool']['name']}"),
            isinstance(params["identity"]["hostid"], str), isinstance(params["surveyed"], int | float),
            all(isinstance(pool["guid"], str) for pool in params["identity"]["pools"]),
            isinstance(params["address"]["host"], str), all(isinstance(pool["guid"], str) for pool in params["dying"]),
        ))  # fmt: skip
    except (KeyError, TypeError, IndexError):
        whole = False
    if not whole:
        raise UsageProblem("not-a-plan", f"{shown}: something is missing in this plan.", hint=_HINT)
