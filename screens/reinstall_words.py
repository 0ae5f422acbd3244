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
    words += ["--console", shlex.quote(said.console)] if said.console else []
    return " ".join(words)


def fates(outcome: Outcome) -> Iterator[tuple[str, str, str]]:
    """A row for each pool, those that die first: `DIES`, `AT RISK` or `lives`, the pool with its guid, and why."""
    for fate in outcome.fates:
        word = "lives" if not fate.dies else "AT RISK" if fate.fate.value == "risked" else "DIES"
        yield word, pool_line(fate.pool), f"{fate.why[:1].upper()}{fate.why[1:]}."


def letter(opinion: Opinion) -> str:
    """The way's letter, with a star where it is limited to one pool."""
    return opinion.choices.way.value + ("*" if opinion.outcome.limited else "")


def short_name(opinion: Opinion) -> str:
    """The way without its letter, in at most 30 characters."""
    limited = opinion.outcome.limited
    return {
        "A": "mark, limit typed, reboot" if limited else "factory-reset mark, reboot",
        "B": "the same, one pool imported" if limited else "destroy_zpools at the loader",
        "C": "Rescue Mode, zpool destroy",
    }[opinion.choices.way.value]


_HERE = {
    "no-medium": "Attach a SmartOS key and press r, or press p and name the receipt of a key that was written or checked.",
    "survey-old": "Press r to ask the machine again.",
    "survey-clock": "Set the clocks, then press r to ask the machine again.",
    "no-backup": "Go back to “Keep” to make one.",
    "backup-incomplete": "Go back to “Keep” to keep more.",
}
"""What to do, in the wizard, where the hint speaks of commands."""


def hint_of(stop: Stop) -> str:
    """What to do about it here."""
    found = _HERE.get(stop.reference)
    return found if found is not None else stop.hint.partition(": --consent")[0].strip()


def way_line(outcome: Outcome, host: str) -> str:
    """What the chosen way does, in one sentence with every pool in it."""
    from smartos_wizard.reinstall.saying import doomed
    from smartos_wizard.reinstall.ways import Fate, way_title

    lost = doomed(outcome.of(Fate.DESTROYED, Fate.OVERWRITTEN), outcome.of(Fate.RISKED))
    return f"Way {way_title(outcome.way, outcome.limited)}: destroys {lost} of {host}."


def asked_of(stops: tuple[Stop, ...]) -> tuple[Stop, ...]:
    """What must be agreed to, each token once: what several reasons ask for is agreed to once, with all reasons."""
    found: dict[str, Stop] = {}
    for stop in stops:
        if stop.level != "consent":
            continue
        before = found.get(stop.token)
        found[stop.token] = stop if before is None else _both(before, stop)
    return tuple(found.values())


def by_hand_stop(outcome: Outcome) -> Stop:
    """That the new pool is made by hand, so that other pools live; `outcome` is what would happen otherwise."""
    from smartos_wizard.reinstall.choices import MANUAL
    from smartos_wizard.reinstall.model import Stop
    from smartos_wizard.reinstall.saying import listed, pool_name

    names = listed([pool_name(fate.pool) for fate in outcome.fates if fate.spared_by_hand])
    text = (
        f"Setup's default layout counts in the disks of {names}: it would stop at them, or overwrite them. To let that live, "
        "you answer “manual” in setup and make the new pool by hand; the plan says how."
    )
    hint = "A key in the machine must hold no answers file that takes the layout unasked."
    return Stop("layout-takes-others", text, "consent", hint, MANUAL)


def _both(one: Stop, other: Stop) -> Stop:
    from dataclasses import replace

    return replace(one, text=f"{one.text} {other.text}", hint=one.hint or other.hint)
