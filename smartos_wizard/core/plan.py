"""Everything that changes anything is first a plan, and nothing is executed that is not in one.

The same plan is shown on the review screen, printed by `--dry-run`, dumped by `--json`, and executed.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from smartos_wizard.core.errors import Refused


class Effect(StrEnum):
    """What a step does to the world."""

    READS = "reads"
    CREATES = "creates"
    CHANGES = "changes"
    DESTROYS = "destroys"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that will happen.

    `action` names the code that does it, `params` is all that code is told (JSON values only), `undo` says
    what takes it back (empty where nothing can), `by_hand` what a person would type to do the same.
    """

    id: str
    action: str
    title: str
    effect: Effect
    details: tuple[str, ...] = ()
    undo: str = ""
    by_hand: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The step as a JSON object."""
        return {
            "id": self.id,
            "action": self.action,
            "title": self.title,
            "effect": self.effect.value,
            "details": list(self.details),
            "undo": self.undo,
            "by_hand": self.by_hand,
            "params": self.params,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Step:
        """The inverse of `to_json`."""
        return cls(
            id=data["id"],
            action=data["action"],
            title=data["title"],
            effect=Effect(data["effect"]),
            details=tuple(data["details"]),
            undo=data["undo"],
            by_hand=data["by_hand"],
            params=dict(data["params"]),
        )


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What must be typed before a plan that destroys may run: every token, each naming one thing lost."""

    prompt: str
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """An ordered list of steps and what they leave alone.

    `kind` selects the actions that can run it, `untouched` names what is not changed, `seconds` is an
    estimate or None, `locks` are the names (disk paths, files) that two plans may not share.
    """

    kind: str
    title: str
    steps: tuple[Step, ...]
    untouched: tuple[str, ...] = ()
    confirmation: Confirmation | None = None
    seconds: float | None = None
    locks: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def destroys(self) -> bool:
        """Whether any step destroys something."""
        return any(step.effect is Effect.DESTROYS for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """The plan as a JSON object; `Plan.from_json` makes the same plan of it in another process."""
        return {
            "plan": self.kind,
            "title": self.title,
            "steps": [step.to_json() for step in self.steps],
            "untouched": list(self.untouched),
            "confirmation": None
            if self.confirmation is None
            else {"prompt": self.confirmation.prompt, "tokens": list(self.confirmation.tokens)},
            "seconds": self.seconds,
            "locks": list(self.locks),
            "params": self.params,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        """The inverse of `to_json`."""
        asked = data["confirmation"]
        return cls(
            kind=data["plan"],
            title=data["title"],
            steps=tuple(Step.from_json(s) for s in data["steps"]),
            untouched=tuple(data["untouched"]),
            confirmation=None if asked is None else Confirmation(asked["prompt"], tuple(asked["tokens"])),
            seconds=data["seconds"],
            locks=tuple(data["locks"]),
            params=dict(data["params"]),
        )


def require_confirmed(plan: Plan, typed: tuple[str, ...]) -> None:
    """Raise Refused unless every token of the plan's confirmation was typed, exactly.

    A plan with a destroying step and no confirmation is never armed: that is a fault, and it is refused.
    """
    asked = plan.confirmation
    if asked is None or not asked.tokens:
        if plan.destroys:
            raise Refused(
                "confirmation-impossible", "This plan destroys something that has no name to confirm."
            )
        return
    if sorted(set(typed)) == sorted(set(asked.tokens)):
        return
    does, it = ("erases data", "erased") if plan.destroys else ("changes what is there", "changed")
    raise Refused(
        "not-confirmed" if not typed else "wrong-confirmation",
        f"Nothing was done: this {does} and was not confirmed."
        if not typed
        else f"Nothing was done: the confirmation names something else than what would be {it}.",
        hint=f"{asked.prompt}: " + " ".join(f"--confirm {shlex.quote(token)}" for token in asked.tokens),
        expected=list(asked.tokens),
    )
