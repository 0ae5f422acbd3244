"""The pictures of the road to a clean machine. Used by pictures.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

NAMES = {
    "reinstall-machine", "reinstall-survey", "reinstall-keep", "reinstall-way", "reinstall-agree", "reinstall-review",
    "reinstall-hands", "reinstall-runbook",
}  # fmt: skip


async def road(app: Any, pilot: Any, world: Any) -> AsyncIterator[str]:
    """From a machine in use to its run, and to its runbook."""
    from pictures_guests import home

    from tests.screens import test_reinstall_looks as looks

    await home(app, pilot)
    async for name in looks.tour(app, pilot, world):
        yield name
