"""A small Linux in a directory, a small release, and one way to run the plans on them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import Event, PlanCancelled, PlanFinished
from smartos_wizard.core.paths import Paths, below
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.media.images import recognise
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.netboot.dualboot_copy import sizes_of
from smartos_wizard.netboot.dualboot_draft import draft, files_of
from smartos_wizard.netboot.dualboot_judging import home_for, volume_of
from smartos_wizard.netboot.dualboot_model import HOMES, Way
from smartos_wizard.netboot.dualboot_planning import plan_install, plan_remove
from smartos_wizard.netboot.dualboot_ports import Ran
from smartos_wizard.netboot.dualboot_removing import REMOVE_ACTIONS, installed, traces
from smartos_wizard.netboot.dualboot_setup import read_setup
from smartos_wizard.netboot.dualboot_steps import INSTALL_ACTIONS
from smartos_wizard.practice.linux import PracticeLinux
from smartos_wizard.practice.others import build_iso, build_platform_tarball

STAMP = "20260101T000000Z"
NOTHING = BootChoices()
ANSWERS = {"hostname": "box", "root_password": "secret-of-root"}


class Linux(PracticeLinux):
    """The make-believe Linux, whose programs may be made to fail: `faults` is by the program's name."""

    def __init__(self, root: Path) -> None:
        self.faults: dict[str, Callable[[], Ran]] = {}
        super().__init__(root)
        self.allowed = True

    def may_change(self) -> bool:
        return self.allowed

    def run(self, words: Sequence[str]) -> Ran:
        fault = self.faults.get(words[0])
        return fault() if fault else super().run(words)


class World:
    """What dual boot needs of the world."""

    def __init__(self, linux: Linux, home: Path) -> None:
        self.found = linux
        self.paths: Paths = below(home)

    def now(self) -> float:
        return 0.0

    def linux(self, root: str = "") -> Linux:
        return self.found


def image_of(place: Path, way: Way = Way.UNPACKED) -> VerifiedImage:
    """A small release: the tarball, or the ISO."""
    if way is Way.ISO:
        path = build_iso(place / f"smartos-{STAMP}.iso", STAMP, boot_archive_size=64 << 10)
    else:
        path = build_platform_tarball(place / f"platform-{STAMP}.tgz", STAMP, boot_archive_size=64 << 10)
    kind = ImageKind.ISO if way is Way.ISO else ImageKind.PLATFORM
    assert recognise(path).kind is kind
    return VerifiedImage(path, kind, "sha256", hashlib.sha256(path.read_bytes()).hexdigest(), "a test", STAMP)


def install_plan(
    world: World, image: VerifiedImage, choices: BootChoices = NOTHING, way: Way = Way.UNPACKED
) -> Plan:
    """The plan of an installation."""
    setup = read_setup(world.found)
    files = files_of(way, STAMP, sizes_of(image, way, STAMP))
    home = home_for(setup, sum(f.size for f in files)) or HOMES[0]
    volume = volume_of(setup, home)
    made = draft(way, home, volume, STAMP, files, choices)
    return plan_install(setup, made, volume, image, choices, world)


def remove_plan(world: World) -> Plan:
    """The plan of a removal."""
    present = traces(world.found)
    return plan_remove(read_setup(world.found), installed(world.found), present)


def events_of(world: World, plan: Plan, cancel: Cancel | None = None) -> Iterator[Event]:
    """Run a plan that went through JSON, as a job's does."""
    actions = INSTALL_ACTIONS if plan.kind == "dualboot-install" else REMOVE_ACTIONS
    return execute(Plan.from_json(plan.to_json()), actions, world, cancel)


def ran(world: World, plan: Plan) -> PlanFinished | PlanCancelled:
    """Run it to its end."""
    last = list(events_of(world, plan))[-1]
    assert isinstance(last, PlanFinished | PlanCancelled)
    return last


def tree(linux: Linux) -> dict[str, Any]:
    """Every file and directory: mode and content by path."""
    found: dict[str, Any] = {}
    for path in sorted(linux.root.rglob("*")):
        name = str(path.relative_to(linux.root))
        content: Any = path.read_bytes() if path.is_file() and not path.is_symlink() else "directory"
        found[name] = (path.lstat().st_mode, content)
    return found
