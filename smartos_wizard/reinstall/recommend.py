"""Which of the ways to take on this machine, why, and why not the others. Pure.

A is recommended where it destroys nothing but the system pool: it needs nobody at the machine, and until the reboot
it can be taken back. Everywhere else C is, because it names its pool. What is refused is never recommended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.choices import MANUAL, Choices, Prepared
from smartos_wizard.reinstall.judging import judge
from smartos_wizard.reinstall.judging_pools import others_die
from smartos_wizard.reinstall.model import Mode, Stop, Survey, Way
from smartos_wizard.reinstall.saying import listed, pool_name
from smartos_wizard.reinstall.ways import Outcome, others_of, outcome_of, target_of, way_title


@dataclass(frozen=True, slots=True)
class Opinion:
    """A way, what it does here and what is to be said of it. `why` is a sentence."""

    choices: Choices
    outcome: Outcome
    stops: tuple[Stop, ...]
    why: str
    recommended: bool = False

    @property
    def refused(self) -> bool:
        """Whether something speaks against it that no consent takes away."""
        return any(stop.level == "stop" for stop in self.stops)

    @property
    def verdict(self) -> str:
        """`recommended`, `possible` or `refused`."""
        return "recommended" if self.recommended else "refused" if self.refused else "possible"

    @property
    def consents(self) -> tuple[Stop, ...]:
        """What would have to be consented to."""
        return tuple(stop for stop in self.stops if stop.level == "consent")

    @property
    def title(self) -> str:
        """The way in words."""
        return way_title(self.choices.way, self.choices.limited)


@dataclass(frozen=True, slots=True)
class Advice:
    """An opinion of every way; `summary` says in words which one to take."""

    opinions: tuple[Opinion, ...]
    summary: str

    @property
    def recommended(self) -> Opinion | None:
        """The one to take; None where none is good."""
        return next((opinion for opinion in self.opinions if opinion.recommended), None)


def advise(survey: Survey, now: float, prepared: Prepared | None = None, *, attended: bool = False) -> Advice:
    """What to do with this machine. Ways that have to spare other pools count with the new pool made by hand."""
    variants = [(Way.RESET, False), (Way.LOADER, False), (Way.RESCUE, False)]
    if others_of(survey):
        variants.insert(2, (Way.LOADER, True))
    opinions = [_opinion(survey, way, limited, now, prepared, attended) for way, limited in variants]
    best = _best(survey, opinions)
    if best is not None:
        opinions[opinions.index(best)] = replace(best, recommended=True)
    return Advice(tuple(opinions), _summary(survey, best, opinions))


def _opinion(
    survey: Survey, way: Way, limited: bool, now: float, prepared: Prepared | None, attended: bool
) -> Opinion:
    bare = outcome_of(survey, way, limited=limited)
    spares = (MANUAL,) if bare.wants_by_hand else ()
    choices = Choices(way, limited, consents=spares, prepared=prepared)
    outcome, _, stops = judge(survey, choices, now, attended=attended)
    return Opinion(choices, outcome, stops, _why(survey, outcome, stops))


def _why(survey: Survey, outcome: Outcome, stops: tuple[Stop, ...]) -> str:
    against = [stop.text for stop in stops if stop.level == "stop"]
    if against:
        return against[0]
    others = [pool_name(pool) for pool in others_die(survey, outcome)]
    loss = f"It destroys {listed(others, most=len(others))} as well." if others else f"It destroys {tame(survey.system_pool)} and no other pool."  # fmt: skip
    how = {
        Way.RESET: "Nobody has to stand at the machine, and until the reboot it can be taken back.",
        Way.LOADER: "Somebody has to type at the console, within ten seconds after the loader's menu appears.",
        Way.RESCUE: "Somebody has to choose Rescue Mode at the console; the pool is named, and looked at before.",
    }[outcome.way]
    if outcome.way is Way.RESCUE and survey.mode is Mode.RESCUE:
        how = "The machine is in Rescue Mode already; the pool is named, and looked at before."
    return f"{loss} {how}"


def _best(survey: Survey, opinions: list[Opinion]) -> Opinion | None:
    usable = [o for o in opinions if not o.refused and not others_die(survey, o.outcome)]
    order = [(Way.RESET, False), (Way.RESCUE, False), (Way.LOADER, True), (Way.LOADER, False)]
    ranked = sorted(usable, key=lambda o: order.index((o.choices.way, o.choices.limited)))
    return ranked[0] if ranked else None


def _summary(survey: Survey, best: Opinion | None, opinions: list[Opinion]) -> str:
    if best is not None:
        by_hand = " The new pool has to be made with “manual” in setup, so that the other pools live." if best.choices.by_hand else ""  # fmt: skip
        return f"Take way {best.title}. {best.why}{by_hand}"
    if target_of(survey) is None or all(opinion.refused for opinion in opinions):
        return f"No way can be taken: {opinions[-1].why}"
    return "No way spares the other pools here. Take their disks out of the machine and survey it again; otherwise each of them has to be named."  # fmt: skip
