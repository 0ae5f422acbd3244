"""The driver of QEMU: no daemon and no registry, so the guest's folder is all there is."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.core.errors import WizardError, WriteFailed
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.guests import conflicts
from smartos_wizard.guests.alike import missing_iso, require_off
from smartos_wizard.guests.hypervisor import Tell
from smartos_wizard.guests.model import (
    Actual,
    Detection,
    DiskSpec,
    Endpoint,
    Finding,
    Guest,
    GuestSpec,
    Sandbox,
    State,
)
from smartos_wizard.guests.qemu import probe, process, snapshots, starting, words
from smartos_wizard.guests.qemu.monitor import Monitor
from smartos_wizard.guests.qemu.starting import HOW, START

PROGRAM, IMAGES = "qemu-system-x86_64", snapshots.IMAGES
_VERSION = re.compile(r"version (\d+\.\d+(?:\.\d+)?)")
_CAN = frozenset(
    (
        "serial-log",
        "serial-socket",
        "loopback-forward",
        "inner-network",
        "snapshots",
        "immutable-boot",
        "sealed",
    )
)
_STATES = {
    "running": State.RUNNING,
    "paused": State.PAUSED,
    "prelaunch": State.STARTING,
    "shutdown": State.STOPPING,
    "guest-panicked": State.CRASHED,
    "internal-error": State.CRASHED,
    "io-error": State.PAUSED,
}


class QemuDriver:
    """Guests as processes of QEMU. Satisfies `Hypervisor`."""

    id = "qemu"
    title = "QEMU"

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._versions: dict[tuple[str, int], str] = {}

    def detect(self) -> Detection:
        """Whether QEMU is here, and which acceleration really works."""
        program = shutil.which(PROGRAM)
        if program is None:
            return Detection(self.id, self.title, found=False, how=HOW)
        version = self._version(program)
        problems: list[Finding] = list(probe.too_old(version))
        if shutil.which(IMAGES) is None:
            problems.append(
                Finding("qemu-img-missing", f"{IMAGES} is not installed, so no disks can be made.", hint=HOW)
            )
        engine = probe.find_engine(program, version, self._paths.cache)
        if engine is None:
            problems.append(
                Finding("qemu-does-not-boot", "QEMU starts no machine here, not even a tiny one.", hint=HOW)
            )
        else:
            problems += conflicts.for_qemu(engine.accelerator, engine.note)
        usable = not any(problem.level == "error" for problem in problems)
        can = _CAN | ({"nested"} if engine is not None and engine.fast and _nests() else frozenset())
        return Detection(
            self.id, self.title, True, version, program, usable, usable, tuple(problems), HOW, frozenset(can)
        )

    def validate(self, spec: GuestSpec, detection: Detection) -> tuple[Finding, ...]:
        """What of a spec QEMU cannot do here."""
        found = []
        if spec.nested and "nested" not in detection.can:
            found.append(
                Finding("no-nesting", "Virtual machines inside this guest are not possible here.",
                        hint="It takes KVM with nesting: /sys/module/kvm_*/parameters/nested says Y or 1.")
            )  # fmt: skip
        if spec.sandbox is Sandbox.LAB:
            found.append(
                Finding("loopback-open", "QEMU's network lets the guest reach services on this machine's loopback, "
                        "at 10.0.2.2.", "info", "The sandbox `sealed` does not.")
            )  # fmt: skip
        found += missing_iso(spec)
        return tuple(found)

    def disk_step(self, guest: Guest, disk: DiskSpec) -> Step:
        """A qcow2 file, which grows as it is used."""
        path = guest.disk(disk, "qcow2")
        argv = [IMAGES, "create", "-q", "-f", "qcow2", str(path), str(disk.size)]
        lost = sorted(snapshots.names_in(self.call, path)) if guest.made else []
        losing = [f"its snapshot {text.tame(name)}, with that of the other disks" for name in lost]
        return Step(
            f"disk-{disk.name}", "command", f"disk {disk.name}, {disk.size // (1 << 30)} GiB that are taken as they fill",
            Effect.CREATES, (str(path),), undo="removed", params={"commands": [argv], "path": str(path), "snapshots_need_it": True, "losing": losing},
        )  # fmt: skip

    def create_steps(self, guest: Guest) -> tuple[Step, ...]:
        """QEMU keeps no list of guests: the command that starts it is all."""
        program = shutil.which(PROGRAM) or PROGRAM
        engine = probe.find_engine(program, self._version(program), self._paths.cache) or probe.Engine(
            "tcg", "Haswell"
        )
        script = words.script(words.words_of(guest, program, engine), str(guest.sockets))
        path = guest.folder / START
        return (
            Step("command", "write", f"{path}: the command that starts it", Effect.CREATES,
                 (f"{engine.accelerator}, processor {engine.cpu}",), undo="removed",
                 params={"path": str(path), "text": script, "mode": 0o700}),
        )  # fmt: skip

    def delete_steps(self, guest: Guest) -> tuple[Step, ...]:
        """Nothing: there is no list it stands in."""
        del guest
        return ()

    def call(self, argv: tuple[str, ...]) -> str:
        """Run one command. Raises WriteFailed `qemu-command-failed` with what it said."""
        try:
            done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise WriteFailed("qemu-command-failed", f"{argv[0]}: {error}", hint=HOW) from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            if said and "No space left on device" in said[-1]:
                raise WriteFailed(
                    "guest-disk-full", f"There is no room for it: {said[-1]}", context=" ".join(argv),
                    hint="Make room where guests lie.",
                )  # fmt: skip
            raise WriteFailed(
                "qemu-command-failed", f"{argv[0]} failed: {said[-1] if said else f'exit code {done.returncode}'}",
                context=" ".join(argv),
            )  # fmt: skip
        return done.stdout

    def inspect(self, guest: Guest) -> Actual:
        """As its command says, and as the running process says: where it runs, the command is that of the process."""
        try:
            script = words.read_script((guest.folder / START).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            script = []
        found = process.process_of(guest)
        if found is None and not script:
            return Actual(State.HALF_MADE if not guest.made else State.MISSING)
        line, state, port = script, State.STOPPED, None
        if found is not None:
            line, state = process.line_of(found) or script, State.UNKNOWN
            with contextlib.suppress(OSError, WizardError), Monitor(guest) as monitor:
                state = _STATES.get(monitor.status(), State.UNKNOWN)
                port = monitor.ssh_port()
        return Actual(
            state, words.memory_of(line), words.cpus_of(line), words.disks_of(line), words.macs_of(line),
            words.switches_of(line), port, snapshots.names(self.call, guest) if state is State.STOPPED else (),
            boot=words.boot_of(line), notes=_notes(guest, line, script),
        )  # fmt: skip

    def start(self, guest: Guest, tell: Tell) -> None:
        """Start it in the background; it goes on when this program ends."""
        starting.start(guest, tell)

    def stop(self, guest: Guest, tell: Tell, *, patience: float, force: bool = False) -> None:
        """Ask, wait, switch it off, and end its process where QEMU itself does not answer."""
        process.end(guest, tell, patience=patience, force=force)

    def ssh(self, guest: Guest) -> Endpoint | None:
        """The port QEMU chose on loopback, while it runs."""
        with contextlib.suppress(OSError, WizardError), Monitor(guest) as monitor:
            port = monitor.ssh_port()
            return Endpoint("127.0.0.1", port) if port else None
        return None

    def snapshot(self, guest: Guest, act: str, name: str) -> tuple[str, ...]:
        """Of all disks together, and only while it is off: a pool is consistent over its disks or not at all."""
        if act != "list":
            require_off(guest, off=process.process_of(guest, everywhere=True) is None)
            snapshots.act(self.call, guest, act, name)
        return snapshots.names(self.call, guest)

    def _version(self, program: str) -> str:
        """Asked once for a program as it lies there: making a guest wants it twice, and QEMU takes its time to say it."""
        with contextlib.suppress(OSError):
            key = (program, Path(program).stat().st_mtime_ns)
            if key not in self._versions:
                self._versions[key] = self._asked_version(program)
            return self._versions[key]
        return "unknown"

    def _asked_version(self, program: str) -> str:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            said = subprocess.run(
                [program, "--version"], check=False, capture_output=True, text=True, timeout=20
            ).stdout
            match = _VERSION.search(said)
            return match[1] if match else "unknown"
        return "unknown"


def _nests() -> bool:
    for module in ("kvm_intel", "kvm_amd"):
        with contextlib.suppress(OSError):
            if Path(f"/sys/module/{module}/parameters/nested").read_text(encoding="ascii").strip() in (
                "1",
                "Y",
            ):
                return True
    return False


def _notes(guest: Guest, line: list[str], script: list[str]) -> tuple[str, ...]:
    found = []
    if script and line != script:
        found.append(
            f"It was started with another command than {START} has now, which counts from its next start."
        )
    if sys.platform == "linux" and guest.spec.sandbox is not Sandbox.LAN and "-sandbox" not in line:
        found.append("QEMU runs without its own sandbox (seccomp).")
    return tuple(found)
