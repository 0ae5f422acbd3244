"""The plan of a re-install: every step on this machine, in order, before anything is done.

A plan is made only where nothing speaks against it and everything that needs consent was consented to by name. It
destroys no pool that its title, its steps and its prompt do not name with its guid. `planning_steps` makes the
steps and says what each action has to do. Pure.
"""

from __future__ import annotations

import shlex
from typing import Any

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.plan import Confirmation, Plan
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.doors import address_to_json
from smartos_wizard.reinstall.judging import judge, open_stops, unknown_consents
from smartos_wizard.reinstall.model import Stop, Survey
from smartos_wizard.reinstall.planning_steps import Scene, steps_of
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.saying import doomed, host_name, listed, pool_name, token_of
from smartos_wizard.reinstall.ways import Fate, Outcome, target_of, way_title

KIND = "reinstall-run"
SECONDS = 15 * 60
"""A boot, the wipe, another boot: a guess, without what the new setup takes."""


def plan_reinstall(survey: Survey, choices: Choices, now: float, address: Address | None = None) -> Plan:
    """The plan; `address` says how the machine is reached, where its survey does not.

    Raises Refused with every stop and every consent that is missing, UsageProblem `odd-consent`.
    """
    outcome, after, stops = judge(survey, choices, now)
    refuse(survey, choices, stops)
    scene = Scene(survey, choices, outcome, after, stops)
    return Plan(
        kind=KIND,
        title=_title(survey, outcome),
        steps=steps_of(scene),
        untouched=_untouched(outcome),
        confirmation=confirmation_of(survey, choices, outcome, stops),
        seconds=SECONDS,
        locks=(f"host:{tame(survey.hostid)}",),
        params=_params(survey, choices, outcome, address),
    )


def refuse(survey: Survey, choices: Choices, stops: tuple[Stop, ...]) -> None:
    """Raise Refused for a stop or a missing consent; UsageProblem for a consent nobody asked for."""
    left = open_stops(stops, choices)
    refuse_stops(survey, left)
    odd = unknown_consents(survey, stops, choices)
    if odd:
        raise UsageProblem("odd-consent", f"Nothing here asks for the consent {listed([tame(o) for o in odd])}.", hint="Without --consent the plan says which it needs.")  # fmt: skip
    if left:
        words = " ".join(f"{number}. {stop.text}" for number, stop in enumerate(left, 1))
        tokens = list(dict.fromkeys(stop.token for stop in left))
        raise Refused("consent-missing", f"Nothing is planned before you have agreed to this. {words}", hint="If you do: " + " ".join(f"--consent {shlex.quote(token)}" for token in tokens), context=host_name(survey), tokens=tokens, stops=[stop_to_json(stop) for stop in left])  # fmt: skip


def refuse_stops(survey: Survey, stops: tuple[Stop, ...]) -> None:
    """Raise Refused for the first of the stops that no consent takes away, with all of them in its details."""
    against = [stop for stop in stops if stop.level == "stop"]
    if against:
        first = against[0]
        raise Refused(first.reference, f"Nothing is planned. {first.text}", hint=first.hint, context=host_name(survey), stops=[stop_to_json(stop) for stop in stops if stop.level != "note"])  # fmt: skip


def confirmation_of(
    survey: Survey, choices: Choices, outcome: Outcome, stops: tuple[Stop, ...]
) -> Confirmation:
    """What is to be typed: `HOSTNAME:zones`, one such token for each other pool that dies, one for each consent."""
    tokens = [token_of(survey, fate.pool.name) for fate in outcome.dying]
    tokens += [stop.token for stop in stops if stop.level == "consent"]
    tokens += list(choices.consents)
    lost = doomed(outcome.of(Fate.DESTROYED, Fate.OVERWRITTEN), outcome.of(Fate.RISKED))
    prompt = f"To destroy {lost} of {host_name(survey)} for good, type what stands here"
    return Confirmation(prompt, tuple(dict.fromkeys(tokens)))


def stop_to_json(stop: Stop) -> dict[str, Any]:
    """A stop as an object; `token` and `hint` only where there is one."""
    said = {"reference": stop.reference, "level": stop.level, "text": stop.text}
    return said | {name: value for name, value in (("hint", stop.hint), ("token", stop.token)) if value}


def _title(survey: Survey, outcome: Outcome) -> str:
    """Names every pool: nobody reads further than the title."""
    sure = outcome.of(Fate.DESTROYED, Fate.OVERWRITTEN)
    return f"Re-install {host_name(survey)}: destroys {doomed(sure, outcome.of(Fate.RISKED))}, way {way_title(outcome.way, outcome.limited)}"


def _untouched(outcome: Outcome) -> tuple[str, ...]:
    kept = [f"{pool_name(fate.pool)}: {fate.why}" for fate in outcome.fates if not fate.dies]
    return (*kept, "the firmware of the machine", "the medium it boots from")


def _params(survey: Survey, choices: Choices, outcome: Outcome, address: Address | None) -> dict[str, Any]:
    """All that the run compares again before it begins, and what it needs to reach the machine."""
    target = target_of(survey)
    reached = address or Address(survey.host, port=survey.port)
    return {
        "way": choices.way.value,
        "limited": outcome.limited,
        "host": survey.host,
        "port": survey.port,
        "address": address_to_json(reached, survey),
        "console": choices.console,
        "surveyed": survey.taken,
        "identity": identity_of(survey),
        "pool": {"name": survey.system_pool, "guid": target.guid if target is not None else ""},
        "dying": [{"name": fate.pool.name, "guid": fate.pool.guid, "fate": fate.fate.value} for fate in outcome.dying],
        "kept": [{"name": fate.pool.name, "guid": fate.pool.guid} for fate in outcome.fates if not fate.dies],
        "by_hand": choices.by_hand,
        "consents": list(choices.consents),
        "answers": {"name": choices.answers.name, "sha256": choices.answers.digest} if choices.answers else {},
        "prepared": {"medium": choices.prepared.medium, "proof": choices.prepared.proof} if choices.prepared else {},
        "backup": choices.backup,
    }  # fmt: skip


def identity_of(survey: Survey) -> dict[str, Any]:
    """By what the machine is known again: nothing begins where one of these differs."""
    return {
        "host_key": survey.host_key,
        "hostid": survey.hostid,
        "hostname": survey.hostname,
        "serial": survey.serial,
        "stamp": survey.stamp,
        "booted_from": survey.booted_from.value,
        "mode": survey.mode.value,
        "pools": [{"name": pool.name, "guid": pool.guid, "imported": pool.imported} for pool in survey.pools],
        "instances": sorted(instance.uuid for instance in survey.instances),
        "macs": sorted(nic.mac for nic in survey.nics if nic.mac),
    }
