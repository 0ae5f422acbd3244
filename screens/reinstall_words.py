"""Words of the road to a clean machine: the command that does the same, pools that die and live, what is agreed to. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from smartos_wizard.reinstall.saying import pool_line
from smartos_wizard.reinstall.ways import Outcome

if TYPE_CHECKING:
    from smartos_wizard.reinstall.model import Stop
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.reinstall.recommend import Opinion
    from smartos_wizard.screens.reinstall_model import MachineAnswers

STEPS = ("machine", "survey", "keep", "way", "agree", "review", "run")
"""The stages of the road by name."""


def start(*, practice: bool) -> str:
    """How the command begins."""
    return "smartos-wizard --practice" if practice else "smartos-wizard"


def host_words(address: Address) -> str:
    """The machine and how it is reached, as the commands take it. A password is asked for."""
    words = [f"{address.user}@{address.host}" if address.user else address.host]
    words += ["--port", str(address.port)] if address.port else []
    words += ["--jump", address.jump] if address.jump else []
    words += ["--identity", address.identity] if address.identity else []
    words += ["--ask-password"] if address.password is not None else []
    for fingerprint in address.accept:
        words += ["--accept-host-key", fingerprint]
    return " ".join(shlex.quote(word) for word in words)


def survey_words(said: MachineAnswers) -> str:
    """The command that surveys the same machine."""
    if said.address is None:
        return f"reinstall survey --file {shlex.quote(said.file)}" if said.file else "reinstall survey HOST"
    return f"reinstall survey {host_words(said.address)}"


def backup_words(said: MachineAnswers) -> str:
    """The command that makes the same backup."""
    host = host_words(said.address) if said.address is not None else "HOST"
    kept = [("--dataset" if "/" in name else "--instance", name) for name in sorted(said.keep or ())]
    flags = " ".join(f"{flag} {shlex.quote(name)}" for flag, name in kept) or "--config-only"
    return f"reinstall backup {host} --to {shlex.quote(said.directory or 'DIR')} {flags}"


def plan_words_of(said: MachineAnswers) -> str:
    """The command that makes the same plan of a kept survey."""
    words = ["reinstall", "plan", "--survey", shlex.quote(said.file or f"{said.name}.json")]
    words += ["--way", said.way.value] if said.way is not None else []
    words += ["--limit"] if said.limited else []
    for token in sorted(said.consents):
        words += ["--consent", shlex.quote(token)]
    words += ["--backup", shlex.quote(said.directory)] if said.backup else []
    words += ["--answers", shlex.quote(said.answers.name)] if said.answers is not None else []
    return " ".join(words)


def fates(outcome: Outcome) -> Iterator[tuple[str, str, str]]:
    """A row for each pool, those that die first: `DIES`, `AT RISK` or `lives`, the pool with its guid, and why."""
    for fate in outcome.fates:
        word = "lives" if not fate.dies else "AT RISK" if fate.fate.value == "risked" else "DIES"
        yield word, pool_line(fate.pool), f"{fate.why[:1].upper()}{fate.why[1:]}."


def letter(opinion: Opinion) -> str:
    """The way's letter, with a star where it is limited to one pool."""
    return opinion.choices.way.value + ("*" if opinion.outcome.limited else "")


def name_of(opinion: Opinion) -> str:
    """The way without its letter."""
    return opinion.title.partition(", ")[2]


def asked_of(stops: tuple[Stop, ...]) -> tuple[Stop, ...]:
    """What must be agreed to, each token once: what several reasons ask for is agreed to once, with all reasons."""
    found: dict[str, Stop] = {}
    for stop in stops:
        if stop.level != "consent":
            continue
        before = found.get(stop.token)
        found[stop.token] = stop if before is None else _both(before, stop)
    return tuple(found.values())


def _both(one: Stop, other: Stop) -> Stop:
    from dataclasses import replace

    return replace(one, text=f"{one.text} {other.text}", hint=one.hint or other.hint)
