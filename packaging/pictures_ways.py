"""The pictures of booting over the network, of the way beside Linux, and of the way back. Used by pictures.py."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

NAMES = {
    "netboot-start", "netboot-build", "netboot-wire", "netboot-serve", "netboot-found",
    "dualboot-look", "dualboot-entry", "dualboot-review", "restore-backup", "restore-what", "reinstall-inventory",
}  # fmt: skip


async def network(app: Any, pilot: Any, _world: Any) -> AsyncIterator[str]:
    """A tree, an evening of serving it, and a check that finds something."""
    from pictures_guests import home

    from tests.screens import test_netboot_looks as looks

    await home(app, pilot)
    async for name in looks.tour(app, pilot):
        yield name


async def beside(app: Any, pilot: Any, _world: Any) -> AsyncIterator[str]:
    """This Linux, the entry, the plan."""
    from pictures_guests import home

    from tests.screens import dualboot_parts as walk

    await home(app, pilot)
    await walk.to_look(app, pilot)
    yield "dualboot-look"
    await walk.to_entry(app, pilot)
    yield "dualboot-entry"
    await pilot.press("f2")
    await walk.to_review(app, pilot)
    yield "dualboot-review"


async def back(app: Any, pilot: Any, world: Any) -> AsyncIterator[str]:
    """What was kept, what is put back, and several machines."""
    from pictures_guests import home

    from tests.screens import restore_parts
    from tests.screens import test_restore_looks as looks

    with tempfile.TemporaryDirectory() as place:
        restore_parts.make_backup(world, Path(place) / "kept")
        await home(app, pilot)
        async for name in looks.tour(app, pilot, world, Path(place)):
            yield name
