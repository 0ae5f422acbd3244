"""The pictures of guests: the road to one, those that are there, a console. Used by pictures.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

PLACE = Path("/tmp/smartos-wizard")  # shown in pictures, so the same each time
NAMES = {
    "sandbox-where", "sandbox-size", "sandbox-network", "sandbox-review", "sandbox-work", "guests", "guest", "guest-reinstall",
    "guest-console",
}  # fmt: skip


async def home(app: Any, pilot: Any) -> None:
    """Where every tour begins."""
    from tests.screens import conftest as steps

    vars(app.desk).pop("jobs", None)  # another tour left unfinished work
    app.go_home()
    await steps.until(pilot, steps.on(app, "Home"), "home")


async def road(app: Any, pilot: Any, world: Any) -> AsyncIterator[str]:
    """From a hypervisor to a guest that is being made."""
    from smartos_wizard.guests.sizing import HostSize
    from smartos_wizard.practice.hypervisor import PracticeHypervisor
    from tests.screens import test_sandbox_looks as looks
    from tests.screens.sandbox_parts import CONFLICT, MISSING, TOO_OLD, Found

    drivers = (Found(CONFLICT), Found(MISSING), Found(TOO_OLD), PracticeHypervisor())
    real = type(world)
    kept = {name: real.__dict__[name] for name in ("hypervisors", "host_size")}
    real.hypervisors = lambda _self: drivers
    real.host_size = lambda _self: HostSize(16384, 8, 200 << 30)
    try:
        await home(app, pilot)
        async for name in looks.tour(app, pilot, world):
            yield name
    finally:
        for name, value in kept.items():
            setattr(real, name, value)


async def there(app: Any, pilot: Any, world: Any) -> AsyncIterator[str]:
    """Guests that were made, and the console of one."""
    import shutil

    from smartos_wizard.core.paths import below
    from tests.screens import test_guests_looks as looks
    from tests.screens.guest_parts import GIB, make

    shutil.rmtree(PLACE, ignore_errors=True)
    kept = world.paths
    world.paths = replace(kept, state=below(PLACE).state)
    try:
        make(world, "drifts", disks=(40 * GIB, 20 * GIB))
        (make(world, "gone").folder / "machine.json").unlink()
        world.guests.begin(make(world, "half"))
        make(world, "lab", starts=True)
        world.hypervisors()[0].snapshot(world.guests.find("drifts"), "take", "clean")
        await home(app, pilot)
        async for name in looks.tour(app, pilot):
            yield name
    finally:
        world.paths = kept
        shutil.rmtree(PLACE, ignore_errors=True)
