"""The way through the wizard: steps, answers, forward and back. Pure; knows neither Textual nor the rooms.

There are several roads over the same kind of flow: to a key, to a guest in a sandbox, to a machine that is clean
again. The full-screen and the line-by-line wizard walk the same flow. Answers are immutable snapshots in a list, so
going back shows a step as it was left and can undo nothing by accident.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.media.model import Target, VerifiedImage
from smartos_wizard.screens.options_model import Given
from smartos_wizard.screens.sandbox_model import GuestAnswers

if TYPE_CHECKING:  # the road to a clean machine is loaded when it is walked
    from smartos_wizard.screens.reinstall_model import MachineAnswers

LAST_CHARACTERS = 4
_LONG_SERIAL = 8


class Stage(StrEnum):
    """The decisions and the work on all roads; each road has some of them, in its own order."""

    HYPERVISOR = "hypervisor"
    RELEASE = "release"
    CHECK = "check"
    TARGET = "target"
    OPTIONS = "options"
    REVIEW = "review"
    WRITE = "write"
    PROVE = "prove"
    DONE = "done"
    SIZE = "size"
    NETWORK = "network"
    CREATE = "create"
    CONSOLE = "console"
    MACHINE = "machine"
    SURVEY = "survey"
    KEEP = "keep"
    WAY = "way"
    AGREE = "agree"
    RUN = "run"


Road = tuple[Stage, ...]

KEY_ROAD: Road = (
    Stage.RELEASE, Stage.CHECK, Stage.TARGET, Stage.OPTIONS, Stage.REVIEW, Stage.WRITE, Stage.PROVE, Stage.DONE,
)  # fmt: skip
"""From a release to a key that is proven."""
SANDBOX_ROAD: Road = (
    Stage.HYPERVISOR, Stage.RELEASE, Stage.CHECK, Stage.SIZE, Stage.NETWORK, Stage.OPTIONS, Stage.REVIEW,
    Stage.CREATE, Stage.CONSOLE,
)  # fmt: skip
"""From a hypervisor to the console of a guest."""
REINSTALL_ROAD: Road = (
    Stage.MACHINE, Stage.SURVEY, Stage.KEEP, Stage.WAY, Stage.AGREE, Stage.REVIEW, Stage.RUN,
)  # fmt: skip
"""From a SmartOS machine in use to the same one, clean."""

TITLES = {
    Stage.HYPERVISOR: "Hypervisor",
    Stage.RELEASE: "Release",
    Stage.CHECK: "Check",
    Stage.TARGET: "Target",
    Stage.OPTIONS: "Options",
    Stage.REVIEW: "Review",
    Stage.WRITE: "Write",
    Stage.PROVE: "Prove",
    Stage.DONE: "Done",
    Stage.SIZE: "Size",
    Stage.NETWORK: "Network",
    Stage.CREATE: "Create",
    Stage.CONSOLE: "Console",
    Stage.MACHINE: "Machine",
    Stage.SURVEY: "Survey",
    Stage.KEEP: "Keep",
    Stage.WAY: "Way",
    Stage.AGREE: "Agree",
    Stage.RUN: "Run",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything the user has decided so far. `choices` is what the machine is told at boot, `given` how it came.

    `guest` is what a guest shall be, on the road to one; `machine` is what is decided of a machine, on the road to a
    clean one.
    """

    stamp: str = ""
    image: VerifiedImage | None = None
    targets: tuple[Target, ...] = ()
    choices: BootChoices = field(default_factory=BootChoices, repr=False)
    given: Given = field(default_factory=Given, repr=False)
    guest: GuestAnswers = field(default_factory=GuestAnswers)
    machine: MachineAnswers | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the user is on which road, what was answered, and the snapshots behind."""

    stage: Stage = Stage.RELEASE
    answers: Answers = field(default_factory=Answers)
    behind: tuple[tuple[Stage, Answers], ...] = ()
    road: Road = KEY_ROAD

    @property
    def artifact(self) -> str:
        """The kind of artifact of the release that is wanted on this road."""
        return self.answers.guest.artifact if self.road == SANDBOX_ROAD else "usb"

    def forward(self, **answers: Any) -> Flow:
        """The flow after answering this stage; stages that have nothing to ask are passed over."""
        new = replace(self.answers, **answers)
        stage = self._after(self.stage)
        while skips(stage, new):
            stage = self._after(stage)
        return Flow(stage, new, (*self.behind, (self.stage, self.answers)), self.road)

    def back(self) -> Flow | None:
        """The flow as it was before this stage, with the later answers kept where they still hold; None at the first.

        The check of a file that is already here asks nothing, so going back passes over it.
        """
        if not self.behind:
            return None
        *rest, (stage, answers) = self.behind
        if stage is Stage.CHECK and rest:
            *rest, (stage, answers) = rest
        now = self.answers
        kept = replace(
            answers,
            stamp=answers.stamp or now.stamp,
            targets=now.targets,
            choices=now.choices,
            given=now.given,
            guest=now.guest,
            machine=now.machine,
        )
        return Flow(stage, kept, tuple(rest), self.road)

    def noted(self, **answers: Any) -> Flow:
        """The same place with some answers noted already, before the step is left."""
        return replace(self, answers=replace(self.answers, **answers))

    def _after(self, stage: Stage) -> Stage:
        at = self.road.index(stage)
        return self.road[min(at + 1, len(self.road) - 1)]

    def another(self) -> Flow:
        """The same release and options for another key: back at the target, with none chosen."""
        behind = tuple((s, a) for s, a in self.behind if s in (Stage.RELEASE, Stage.CHECK))
        return Flow(Stage.TARGET, replace(self.answers, targets=()), behind)


def skips(stage: Stage, answers: Answers) -> bool:
    """Whether there is nothing to ask or do at `stage`.

    That is so where the chosen release is here and verified, and where a guest starts from an ISO, which cannot be
    told anything.
    """
    if stage is Stage.OPTIONS:
        return answers.guest.boot == "iso"
    return stage is Stage.CHECK and answers.image is not None and answers.image.stamp == answers.stamp


def short_token(token: str) -> str:
    """What may be typed instead of `token` on a screen that shows the disk: the last four characters of a long serial.

    Empty where the whole must be typed: short serials, and paths (a path names a port, not a thing).
    """
    if "/" in token or len(token) < _LONG_SERIAL:
        return ""
    return token[-LAST_CHARACTERS:]


def tokens_for(typed: str, tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The tokens that the words in `typed` name; all of them must be there before anything is armed.

    Two keys whose serials end alike must both be named in full.
    """
    shorts = [short_token(t).lower() for t in tokens]
    words = typed.split()
    found = []
    for token, short in zip(tokens, shorts, strict=True):
        unique = bool(short) and shorts.count(short) == 1
        if token in words or (unique and short in [w.lower() for w in words]):
            found.append(token)
    return tuple(found)


def armed(typed: str, tokens: tuple[str, ...]) -> bool:
    """Whether `typed` names all of `tokens` and nothing else."""
    return bool(tokens) and len(typed.split()) == len(tokens) == len(tokens_for(typed, tokens))
