"""Is the machine still the one of the plan, in every respect? It is surveyed anew, and judged anew, before anything is begun."""

from __future__ import annotations

from typing import Any

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.choices import Choices, Prepared
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.judging import judge, open_stops
from smartos_wizard.reinstall.model import Survey, Way
from smartos_wizard.reinstall.planning import identity_of, refuse_stops
from smartos_wizard.reinstall.run_door import Line
from smartos_wizard.reinstall.saying import listed
from smartos_wizard.reinstall.survey import require_global_zone, take

_WORDS = {
    "hostid": "its hostid", "hostname": "its name", "serial": "its serial number", "stamp": "the release it runs",
    "booted_from": "what it was started from", "mode": "how it was started", "pools": "its pools",
    "instances": "its instances", "macs": "its network cards", "host_key": "its ssh key",
}  # fmt: skip


def choices_of(params: dict[str, Any]) -> Choices:
    """What was decided when the plan was made. Of an answers file only the name was kept."""
    prepared = params.get("prepared") or {}
    return Choices(
        Way(params["way"]), bool(params["limited"]), tuple(params["consents"]),
        prepared=Prepared(prepared["medium"], prepared["proof"]) if prepared else None,
        backup=params.get("backup", ""), console=params.get("console", ""),
    )  # fmt: skip


def require_unchanged(run: Run[ReinstallWorld], step: Step, line: Line) -> Work:
    """Raise Refused `host-changed` with all that differs, or the stop that speaks against it now. Nothing was changed."""
    del step
    params = run.plan.params
    host = line.patiently(line.host)
    now = take(host, run.world.now)
    require_global_zone(now)
    differs = differences(params["identity"], now)
    if differs:
        raise Refused(
            "host-changed", f"{params['host']} is not as it was surveyed: {listed(differs)} changed. Nothing was done.",
            hint="Survey it again, and make a new plan.", context="nothing was changed there",
        )  # fmt: skip
    choices = choices_of(params)
    outcome, _, stops = judge(now, choices, run.world.now())
    dying = [{"name": f.pool.name, "guid": f.pool.guid, "fate": f.fate.value} for f in outcome.dying]
    if dying != params["dying"]:
        raise Refused("host-changed", f"On {params['host']} other pools would die now than the plan names. Nothing was done.", hint="Survey it again, and make a new plan.")  # fmt: skip
    left = open_stops(stops, choices)
    refuse_stops(now, left)
    if left:
        raise Refused("consent-missing", f"Something is so now that nobody agreed to: {left[0].text} Nothing was done.", hint="Survey it again, and make a new plan.", stops=[stop.text for stop in left])  # fmt: skip
    yield from ()
    return {"hostid": now.hostid}


def differences(identity: dict[str, Any], now: Survey) -> list[str]:
    """What is not as it was, in words. What was not known then is not compared."""
    found = identity_of(now)
    differs = []
    for name, words in _WORDS.items():
        then, is_now = identity.get(name), found[name]
        unknown = not then and name not in ("pools", "instances")  # none is known, too
        if unknown or (name == "host_key" and not is_now):
            continue
        if then != is_now:
            shown = f" ({tame(str(then), 40)}, now {tame(str(is_now), 40)})" if isinstance(then, str) else ""
            differs.append(f"{words}{shown}")
    return differs
