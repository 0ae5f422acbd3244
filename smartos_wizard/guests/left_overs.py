"""What guests left behind on this machine, and the command that clears each of it away. Looks only; changes nothing."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smartos_wizard.core import journal, text
from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.vault import Vault
from smartos_wizard.guests.model import Guest, State
from smartos_wizard.guests.ports import GuestWorld, driver, typed
from smartos_wizard.guests.store import MARK


@dataclass(frozen=True, slots=True)
class LeftOver:
    """One thing: a kind that never changes, where it is, what it is in words, and what to type to clear it away.

    Kinds: `half-made`, `unknown-to-hypervisor`, `unreadable-guest`, `strange-folder`, `sockets`, `process`, `secret`.
    """

    kind: str
    where: str
    text: str
    how: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def look(world: GuestWorld, tell: Callable[[str], None]) -> tuple[LeftOver, ...]:
    """Everything that was left over, of guests, processes and secrets. `tell` hears what is looked at; takes seconds."""
    guests, busy = world.guests.list(), _busy(world)
    found: list[LeftOver] = []
    for guest in guests:
        if guest.folder.name in busy:
            continue
        tell(f"Looking at the guest {guest.name} …")
        found += _of_guest(guest, world)
    found += _folders(world, guests, busy)
    found += _sockets(world, guests)
    found += _processes(world, guests, busy)
    found += _secrets(world)
    return tuple(found)


def forget_secrets(world: GuestWorld, uuid: str) -> None:
    """Forget what waits for work on a guest that broke off: it is made anew, or it is gone."""
    vault = Vault(world.paths)
    for job, plan in _jobs(world):
        if plan.kind == "guest-create" and uuid in str(plan.params.get("spec", "")) and not job.running():
            vault.forget_of(plan)


def _busy(world: GuestWorld) -> frozenset[str]:
    """The folders that running work is about: what is half made there is being made."""
    plans = [plan for job, plan in _jobs(world) if job.running()]
    return frozenset(str(plan.params.get("folder", "")) for plan in plans if plan.kind.startswith("guest-"))


def _jobs(world: GuestWorld) -> list[tuple[journal.Job, Plan]]:
    found = []
    for job in journal.list_jobs(world.paths.jobs):
        with contextlib.suppress(OSError, ValueError, KeyError):
            found.append((job, job.plan()))
    return found


def _of_guest(guest: Guest, world: GuestWorld) -> Iterator[LeftOver]:
    remove = typed(world, "guest", "delete", guest.name, "--confirm", guest.name)
    if not guest.made:
        yield LeftOver("half-made", str(guest.folder), f"Making the guest {guest.name} broke off.", remove)
        return
    try:
        hypervisor = driver(world, guest.spec.hypervisor)
        state = hypervisor.inspect(guest).state
    except WizardError:
        return  # the hypervisor's own problems are told with it
    if state in (State.MISSING, State.HALF_MADE):
        said = f"{hypervisor.title} does not know the guest {guest.name} any more; its files are here."
        yield LeftOver("unknown-to-hypervisor", str(guest.folder), said, remove)


def _folders(world: GuestWorld, guests: tuple[Guest, ...], busy: frozenset[str]) -> Iterator[LeftOver]:
    known = {guest.folder for guest in guests}
    for folder in sorted(world.guests.root.glob("*")):
        if folder in known or folder.name in busy or folder.is_symlink() or not folder.is_dir():
            continue
        how = f"Look into it; then rm -r {shlex.quote(str(folder))}"
        if (folder / MARK).exists():
            said = f"{folder.name} is a guest whose description cannot be read."
            yield LeftOver("unreadable-guest", str(folder), said, how)
        else:
            said = f"{folder.name} lies among the guests and was not made by this program."
            yield LeftOver("strange-folder", str(folder), said, how)


def _sockets(world: GuestWorld, guests: tuple[Guest, ...]) -> Iterator[LeftOver]:
    known = {guest.sockets for guest in guests}
    for place in sorted(world.guests.sockets_of("0" * 8).parent.glob("*")):
        if place not in known and place.is_dir():
            said = "Sockets of a guest that is not there any more."
            yield LeftOver("sockets", str(place), said, f"rm -r {shlex.quote(str(place))}")


def _processes(world: GuestWorld, guests: tuple[Guest, ...], busy: frozenset[str]) -> Iterator[LeftOver]:
    """Processes of this user that work on files of a guest that is gone: consoles, machines."""
    import psutil

    root, sockets = world.guests.root, world.guests.sockets_of("0" * 8).parent
    known = {guest.folder.name for guest in guests} | {guest.sockets.name for guest in guests} | busy
    for process in psutil.process_iter(["pid", "cmdline", "uids"]):
        facts = process.info
        if process.pid == os.getpid() or not facts["cmdline"] or (facts["uids"] and facts["uids"].real != os.getuid()):  # fmt: skip
            continue
        words = facts["cmdline"]
        of = {name for word in words for place in (root, sockets) if (name := _below(word, place))}
        if not of or of & known or not _serves_guests(words):
            continue
        what = "The console" if any("console" in word for word in words[:4]) else "A process"
        said = f"{what} of a guest that is not there any more still runs: {text.tame(Path(words[0]).name)}, {facts['pid']}."
        yield LeftOver("process", str(facts["pid"]), said, f"kill {facts['pid']}")


def _below(word: str, place: Path) -> str:
    """The name that follows `place` in a word of a command line; empty where it does not name it."""
    _, found, rest = word.partition(f"{place}{os.sep}")
    return rest.split(os.sep, maxsplit=1)[0].split(",", maxsplit=1)[0] if found else ""


def _serves_guests(words: list[str]) -> bool:
    """Whether it is a program that this one starts for guests, not an editor or a pager of the user's."""
    name = Path(words[0]).name
    modules = ("smartos_wizard.guests.console_tee", "smartos_wizard.practice.")
    return name.startswith(("qemu-system", "VBoxHeadless", "vmware-vmx")) or any(
        word.startswith(modules) for word in words[1:4]
    )


def _secrets(world: GuestWorld) -> Iterator[LeftOver]:
    """What waits in the vault: for unfinished work, or for nobody."""
    waiting = {
        value: job for job, plan in _jobs(world) for step in plan.steps for value in step.params.values() if isinstance(value, str)
    }  # fmt: skip
    for name, path, since in Vault(world.paths).waiting():
        job = waiting.get(name)
        if job is not None and job.running():
            continue
        age = text.duration(max(0.0, time.time() - since))
        if job is not None:
            said = (
                f"A secret waits for work that did not end ({text.tame(job.plan().title)}), kept for {age}."
            )
            how = f"Do that work again, or {typed(world, 'job', 'dismiss', job.id)}"
        else:
            said = f"A secret waits for work that was never begun, kept for {age}. It goes by itself after a week."
            how = f"rm {shlex.quote(str(path))}"
        yield LeftOver("secret", str(path), said, how)
