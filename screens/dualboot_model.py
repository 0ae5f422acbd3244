"""What is decided on the way to SmartOS beside a Linux, and what is known of that Linux. Pure; no Textual."""

from __future__ import annotations

from dataclasses import dataclass, field

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.netboot.dualboot_draft import Draft
from smartos_wizard.netboot.dualboot_model import Installed, Problem, Setup, Volume, Way
from smartos_wizard.screens.options_model import Given


@dataclass(frozen=True, slots=True)
class Opinion:
    """A way, what speaks against it, and whether it is the one to take. `uuid` is of the partition it is chained from."""

    way: Way
    stops: tuple[Problem, ...]
    uuid: str = ""
    recommended: bool = False

    @property
    def possible(self) -> bool:
        """Whether nothing refuses it."""
        return not any(stop.level == "stop" for stop in self.stops)


@dataclass(frozen=True, slots=True)
class Seen:
    """A Linux as it starts now. `traces` are our files that are there, `record` what they say of themselves.

    `unreadable` says why the record cannot be read, `changeable` whether this process has the rights to change it.
    """

    root: str
    setup: Setup
    ways: tuple[Opinion, ...]
    dangers: tuple[Problem, ...]
    traces: tuple[str, ...] = ()
    record: Installed | None = None
    unreadable: str = ""
    changeable: bool = True

    @property
    def best(self) -> Opinion | None:
        """The way to take; None where every way is refused."""
        return next((o for o in self.ways if o.recommended), None)

    @property
    def why_not(self) -> tuple[Problem, ...]:
        """Why no way leads there, the reasons that hold for every way first; nothing where one does."""
        if self.best is not None:
            return ()
        found = {p.reference: p for o in self.ways for p in o.stops if p.level == "stop"}
        common = [r for r in found if all(any(p.reference == r for p in o.stops) for o in self.ways)]
        return tuple(found[r] for r in (common or list(found)))


@dataclass(frozen=True, slots=True)
class Beside:
    """Everything decided so far. `disk` is the one that SmartOS' pool shall take, in words; empty where that is left open."""

    seen: Seen
    way: Way = Way.UNPACKED
    uuid: str = ""
    stamp: str = ""
    image: VerifiedImage | None = None
    choices: BootChoices = field(default_factory=BootChoices, repr=False)
    given: Given = field(default_factory=Given, repr=False)
    disk: str = ""

    @property
    def artifact(self) -> str:
        """The kind of artifact of the release that this way takes."""
        return "iso" if self.way is Way.ISO else "platform"


@dataclass(frozen=True, slots=True)
class Drawn:
    """How it would be: the files, the entries, the file system they lie on, and what has to be known."""

    draft: Draft = field(repr=False)
    volume: Volume
    problems: tuple[Problem, ...]
