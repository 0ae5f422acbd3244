"""What all actions of plans about guests share: which guest it is, its driver, and words for a disk that is full."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from smartos_wizard.core.errors import Refused, WriteFailed
from smartos_wizard.core.files import exclusive
from smartos_wizard.core.runner import Run
from smartos_wizard.guests import spec_toml
from smartos_wizard.guests.hypervisor import Hypervisor
from smartos_wizard.guests.model import Guest
from smartos_wizard.guests.ports import GuestWorld, driver


def guest_of(run: Run[GuestWorld]) -> Guest:
    """The guest of this run; its lock is held until the end. Raises Refused `guest-busy`."""
    found = run.found.get("guest")
    if isinstance(found, Guest):
        return found
    spec = spec_toml.load(run.plan.params["spec"], "the plan")
    store = run.world.guests
    folder = store.root / run.plan.params["folder"]
    guest = Guest(spec, folder, store.sockets_of(spec.uuid))
    busy = Refused(
        "guest-busy", f"{spec.name} is being worked on by another process of this program.",
        hint="`smartos-wizard job list` shows it; wait for it or cancel it.",
    )  # fmt: skip
    stack = contextlib.ExitStack()
    run.on_end.append(stack.close)
    stack.enter_context(exclusive(run.world.paths.state / "locks" / f"guest-{spec.uuid}.lock", busy))
    run.found["guest"] = guest
    run.result["guest"] = {"name": spec.name, "uuid": spec.uuid, "folder": str(folder)}
    return guest


def driver_of(run: Run[GuestWorld]) -> Hypervisor:
    """The driver of its hypervisor."""
    return driver(run.world, guest_of(run).spec.hypervisor)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in words what is wrong where a small file cannot be written. Raises WriteFailed."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise WriteFailed(
            "guest-disk-full" if full else "guest-not-written",
            f"{path} cannot be written: {error.strerror or error}.", context=str(path),
            hint="Make room where guests lie." if full else "Is the disk where guests lie in order, and may you write there?",
        ) from error  # fmt: skip
