"""Guests in the real QEMU, made and used by the real command; and what must not be left of them."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from smartos_wizard.core.journal import list_jobs
from smartos_wizard.core.paths import below
from smartos_wizard.guests.model import Guest
from smartos_wizard.guests.qemu import probe
from smartos_wizard.guests.qemu.driver import PROGRAM, QemuDriver
from smartos_wizard.guests.store import GuestStore
from tests.lab.rig import command, parts
from tests.lab.rig.command import Outcome
from tests.lab.rig.parts import PYTHON
from tests.lab.rig.tinyboot import Media

SMALL = ("--hypervisor", "qemu", "--memory", "1GiB", "--cpus", "1", "--unverified", "--confirm", "unverified")


@dataclass(frozen=True, slots=True)
class Desk:
    """One user's guests: all commands run in this home. The imitated processor is used, as it starts in 0.1 s."""

    home: Path
    media: Media

    @property
    def store(self) -> GuestStore:
        """The guests, as the program reads them."""
        return GuestStore(below(self.home))

    @property
    def driver(self) -> QemuDriver:
        """The driver with this home."""
        return QemuDriver(below(self.home))

    def run(self, *words: str, code: int | None = 0, **more: str) -> Outcome:
        """`smartos-wizard guest …` to its end."""
        done = command.run(self.home, "guest", *words, more=more)
        assert code is None or done.code == code, done.told()
        return done

    def trapped(self, moment: str, what: str, *words: str, **more: str) -> Outcome:
        """The same, with something that happens at a moment of its plan (`at_event.py`)."""
        line = [PYTHON, "-m", "tests.lab.rig.at_event", moment, what, "guest", *words]
        return command.Running(line, self.home, more).end()

    def create_words(self, name: str = "lab", *more: str, iso: bool = False) -> tuple[str, ...]:
        """The words of `guest create` for a small guest."""
        medium = ("--iso", str(self.media.iso)) if iso else ("--image", str(self.media.image))
        disks = () if "--disk" in more else ("--disk", "20GiB")
        return ("create", name, *SMALL, *medium, *disks, *more)

    def create(self, name: str = "lab", *more: str, iso: bool = False) -> Guest:
        """A guest, made."""
        self.run(*self.create_words(name, *more, iso=iso))
        return self.store.find(name)

    def dismiss(self) -> None:
        """`job dismiss` of the last job: its secrets wait until it is taken up or let go."""
        job = list_jobs(below(self.home).jobs)[-1]
        done = command.run(self.home, "job", "dismiss", job.id)
        assert done.code == 0, done.told()

    def listed(self) -> dict[str, dict[str, Any]]:
        """`guest list --json`, by name."""
        return {each["name"]: each for each in self.run("list", "--json").document}

    def shown(self, name: str = "lab") -> dict[str, Any]:
        """`guest show --json`."""
        found: dict[str, Any] = self.run("show", name, "--json").document
        return found

    def said(self, guest: Guest) -> str:
        """All its console said."""
        log = guest.folder / "console.log"
        return log.read_bytes().decode(errors="replace") if log.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """Everything that runs with this home in its command, but the test itself."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if str(self.home) in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def process(self, guest: Guest) -> psutil.Process:
        """The guest's QEMU."""
        (found,) = [each for each in self.processes() if guest.spec.uuid in each.cmdline()]
        return found

    def left(self) -> list[str]:
        """What there is of any guest: folders, sockets, secrets, processes."""
        paths = below(self.home)
        places = (self.store.root, paths.runtime / "guests", paths.state / "vault")
        found = [str(path) for place in places if place.is_dir() for path in place.rglob("*")]
        return found + [" ".join(each.cmdline()) for each in self.processes()]


@contextmanager
def desk(home: Path, media: Media) -> Iterator[Desk]:
    """A home with nothing in it; every process that was started in it ends with it."""
    parts.need_programs([PROGRAM, "qemu-img"])
    made = Desk(home, media)
    _know_engine(made)
    try:
        yield made
    finally:
        for process in made.processes():
            with suppress(psutil.Error):
                process.kill()
        shutil.rmtree(home, ignore_errors=True)


def _know_engine(made: Desk) -> None:
    """What finding the engine would write, for the imitated processor."""
    version = made.driver._version(shutil.which(PROGRAM) or PROGRAM)
    known = {"for": probe.identity(version), "accelerator": "tcg", "cpu": "Haswell", "note": "the lab"}
    cache = below(made.home).cache
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "qemu-engine.json").write_text(json.dumps(known))
    assert probe.find_engine(PROGRAM, version, cache) == probe.Engine("tcg", "Haswell", "the lab")


def until(holds: Callable[[], Any], seconds: float = 30, what: str = "") -> None:
    """Wait until it holds; fail where it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what or "it did not come"
        time.sleep(0.1)


def listening(pid: int) -> list[tuple[str, int]]:
    """The TCP sockets on which a process waits for connections, as the kernel lists them."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        match = re.match(r"socket:\[(\d+)\]", str(fd.readlink()))
        inodes |= {match[1]} if match else set()
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                found.append((address, int(port, 16)))
    return found
