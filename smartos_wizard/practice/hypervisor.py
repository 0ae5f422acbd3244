"""A make-believe hypervisor: guests are a few small files, and starting one writes what a console would say.

Scripted faults are chosen by words of the guest's name: see `guest_faults.FAULTS`.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.guests import sandbox
from smartos_wizard.guests.hypervisor import Tell
from smartos_wizard.guests.model import (
    ABILITIES,
    Actual,
    Detection,
    DiskSpec,
    Endpoint,
    Finding,
    Guest,
    GuestSpec,
    State,
)
from smartos_wizard.practice import guest_faults
from smartos_wizard.practice.console import serve
from smartos_wizard.practice.guest_faults import faults_of

_MACHINE = "machine.json"
_SAYS = """SmartOS (build: {stamp})
Copyright (c) 2010-2026 Practice. This is make-believe; nothing runs.
Loading smf(5) service descriptions: 125/125

SmartOS Setup                                    practice
---------------------------------------------------------
{name} login: """


class PracticeHypervisor:
    """Satisfies `Hypervisor`."""

    id = "practice"
    title = "Practice hypervisor"

    def detect(self) -> Detection:
        """Always here, always well."""
        return Detection(
            self.id, self.title, found=True, version="1.0", path="(make-believe)", usable=True, starts=True,
            can=frozenset(ABILITIES),
        )  # fmt: skip

    def validate(self, spec: GuestSpec, detection: Detection) -> tuple[Finding, ...]:
        """Nothing speaks against anything, but faults that were asked for are told."""
        del detection
        return guest_faults.findings_of(spec)

    def disk_step(self, guest: Guest, disk: DiskSpec) -> Step:
        """A small file that stands for a disk."""
        path = guest.disk(disk, "disk")
        if "full" in faults_of(guest.name):
            return Step(f"disk-{disk.name}", "command", f"disk {disk.name}, {disk.size >> 30} GiB", Effect.CREATES, (str(path),),
                        undo="removed", params={"path": str(path), "commands": [["practice", "fill", str(path)]]})  # fmt: skip
        return Step(
            f"disk-{disk.name}", "write", f"disk {disk.name}, {disk.size >> 30} GiB", Effect.CREATES, (str(path),),
            undo="removed", params={"path": str(path), "text": f"practice disk of {disk.size} bytes\n"},
        )  # fmt: skip

    def create_steps(self, guest: Guest) -> tuple[Step, ...]:
        """Its file, and a command that fails for a guest called `broken`."""
        machine = {
            "state": "stopped",
            "snapshots": [],
            "audio": "on" if "drifts" in faults_of(guest.name) else "off",
        }
        path = guest.folder / _MACHINE
        return (
            Step("register", "command", f"{guest.name} known to the hypervisor", Effect.CREATES, undo="forgotten",
                 params={"commands": [["practice", "register", guest.name]],
                         "undo_commands": [["practice", "forget", guest.name]]}),
            Step("machine", "write", str(path), Effect.CREATES, undo="removed",
                 params={"path": str(path), "text": json.dumps(machine)}),
        )  # fmt: skip

    def delete_steps(self, guest: Guest) -> tuple[Step, ...]:
        """It is forgotten."""
        command = [["practice", "forget", guest.name]]
        return (
            Step(
                "forget",
                "command",
                f"the hypervisor's list: {guest.name} is forgotten",
                Effect.CHANGES,
                params={"commands": command},
            ),
        )

    def call(self, argv: tuple[str, ...]) -> str:
        """Do nothing, or fail as the guest's name asks for."""
        guest_faults.fail(argv)
        return ""

    def inspect(self, guest: Guest) -> Actual:
        """As its file says."""
        machine = self._machine(guest)
        if machine is None:
            return Actual(State.HALF_MADE if not guest.made else State.MISSING)
        spec = guest.spec
        switches: dict[str, str | None] = {
            **sandbox.asked(spec),
            "audio": str(machine["audio"]),
            **machine.get("forgot", {}),
        }
        return Actual(
            State(machine["state"]), spec.memory, spec.cpus,
            tuple(str(guest.disk(disk, "disk")) for disk in spec.disks), tuple(nic.mac for nic in spec.nics), switches,
            2222 if machine["state"] == "running" else None, tuple(machine["snapshots"]), spec.boot.kind.value,
        )  # fmt: skip

    def start(self, guest: Guest, tell: Tell) -> None:
        """Write what a console would say."""
        faults = faults_of(guest.name)
        guest_faults.refuse_start(guest.name)
        forgot = {"clipboard": "on"} if "forgetful" in faults else {}
        self._set(guest, state="running", forgot=forgot, off_at=guest_faults.off_at(guest.name, time.time()))
        tell("It starts; its console talks." if "silent" not in faults else "It starts.")
        if forgot:
            tell("The practice hypervisor has forgotten that the clipboard was to be off.")
        log = guest.console.log
        assert log is not None
        words = _SAYS.format(stamp=guest.spec.boot.stamp or "practice", name=guest.name)
        if "dies" in faults:
            words = words.split("\n\n")[0] + "\npanic: practice\n"
        words = words.replace("\n", "\r\n")  # as lines end on a serial line
        if "slow" in faults:
            guest_faults.talk_slowly(log, self._file(guest), words)
        elif "silent" not in faults:
            with log.open("a", encoding="utf-8") as file:
                file.write(words)

    def serve_console(self, guest: Guest) -> None:
        """Answer at its console from a thread of this process, until it is off."""
        serve(
            guest,
            lambda: self.inspect(guest).state is State.RUNNING,
            lambda: self._set(guest, state="stopped"),
        )

    def stop(self, guest: Guest, tell: Tell, *, patience: float, force: bool = False) -> None:
        """At once, or after a while for a guest called `stuck`."""
        if self._machine(guest) is None:
            return
        if "stuck" in faults_of(guest.name) and not force:
            tell(f"Asked it to shut down; waiting up to {patience:g} s.")
            time.sleep(min(patience, 2.0))
            tell("It did not switch itself off; switching it off.")
        self._set(guest, state="stopped")
        if "lost" in faults_of(guest.name):
            tell("The practice hypervisor has forgotten it.")
            self._file(guest).unlink(missing_ok=True)

    def ssh(self, guest: Guest) -> Endpoint | None:
        """A port at which nobody answers."""
        machine = self._machine(guest)
        return Endpoint("127.0.0.1", 2222) if machine and machine["state"] == "running" else None

    def snapshot(self, guest: Guest, act: str, name: str) -> tuple[str, ...]:
        """Names only."""
        names: list[str] = list((self._machine(guest) or {}).get("snapshots", []))
        if act != "list":
            if (name in names) == (act == "take"):
                raise Refused(
                    "snapshot-name", f"There is {'already a' if name in names else 'no'} snapshot {name}."
                )
            if act != "restore":
                names = [*names, name] if act == "take" else [each for each in names if each != name]
            self._set(guest, snapshots=names)
        return tuple(names)

    def _machine(self, guest: Guest) -> dict[str, Any] | None:
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, Any] = json.loads(self._file(guest).read_text(encoding="utf-8"))
            if found["state"] == "running" and found.get("off_at") and time.time() > found["off_at"]:
                found["state"] = "stopped"
            return found
        return None

    def _set(self, guest: Guest, **changes: Any) -> None:
        replace_file(self._file(guest), json.dumps({**(self._machine(guest) or {}), **changes}).encode())

    def _file(self, guest: Guest) -> Path:
        return guest.folder / _MACHINE
