"""Steps of the road to a guest that several tests take."""

from __future__ import annotations

import threading
from typing import Any

from smartos_wizard.guests.model import Detection, Finding
from tests.screens.conftest import on, until


class Found:
    """A driver of which only its detection is asked."""

    def __init__(self, detection: Detection, gate: threading.Event | None = None) -> None:
        self.id, self.title, self._detection, self._gate = detection.id, detection.title, detection, gate

    def detect(self) -> Detection:
        if self._gate is not None:
            self._gate.wait(20)
        return self._detection


MISSING = Detection("vmware", "VMware", found=False, how="Get it from Broadcom's support site.")
CONFLICT = Detection(
    "virtualbox", "VirtualBox", True, "7.0.12", "/usr/bin/VBoxManage", usable=True, starts=False,
    problems=(Finding("virtualbox-conflict", "KVM holds the processor.", hint="modprobe -r kvm_intel"),),
)  # fmt: skip
TOO_OLD = Detection(
    "old", "Old one", True, "1.0", "/opt/old",
    problems=(Finding("too-old", "Old one 1.0 is too old.", hint="Install a newer one."),),
)  # fmt: skip


async def to_where(app: Any, pilot: Any) -> None:
    """From Home to the hypervisors, all of them looked for."""
    while app.screen.query_one("#menu").chosen != "sandbox":
        await pilot.press("down")
    await pilot.press("enter")
    await until(pilot, on(app, "ChooseHypervisor"), "the hypervisors")
    await until(pilot, lambda: len(app.screen._found) == len(app.screen._names) > 0, "all found")


async def to_size(app: Any, pilot: Any) -> None:
    """On to its size, with the newest release, which is stored."""
    await to_where(app, pilot)
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "ChooseStart")() and app.screen.query_one("#releases").chosen)
    await pilot.press("enter")
    await until(pilot, on(app, "ChooseSize"), "its size")
    await until(pilot, lambda: app.screen._judged.spec is not None, "judged")


async def to_network(app: Any, pilot: Any, name: str = "") -> None:
    """On to its sandbox."""
    await to_size(app, pilot)
    if name:
        app.screen.query_one("#name").value = name
    await pilot.press("f2")
    await until(pilot, on(app, "ChooseNetwork"), "its sandbox")
    await until(pilot, lambda: app.screen._judged.spec is not None, "judged")


async def to_guest_review(app: Any, pilot: Any, name: str = "") -> None:
    """On to the plan, with everything else as it comes."""
    await to_network(app, pilot, name)
    await pilot.press("f2")
    await until(pilot, lambda: on(app, "GuestOptions")() and app.focused is not None, "options")
    await pilot.press("enter")
    await until(pilot, on(app, "GuestReview"), "the review")
    await until(pilot, lambda: app.screen._plan is not None, "the plan")


async def to_made(app: Any, pilot: Any, name: str = "") -> None:
    """On to the end of making it, good or bad."""
    await to_guest_review(app, pilot, name)
    await pilot.press("enter")
    await until(pilot, on(app, "GuestWork"), "the work")
    await until(pilot, lambda: app.screen._ended, "the end", 60)
