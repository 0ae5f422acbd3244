"""The driver of QEMU: no daemon and no registry, so the guest's folder is all there is."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused, WizardError, WriteFailed
from smartos_wizard.core.paths import Paths, private_directory
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.guests.hypervisor import Tell
from smartos_wizard.guests.model import (
    Actual,
    BootKind,
    Detection,
    DiskSpec,
    Endpoint,
    Finding,
    Guest,
    GuestSpec,
    Sandbox,
    State,
)
from smartos_wizard.guests.qemu import probe, words
from smartos_wizard.guests.qemu.monitor import Monitor

PROGRAM, IMAGES = "qemu-system-x86_64", "qemu-img"
HOW = "Install it: `apt install qemu-system-x86 qemu-utils` (Debian, Ubuntu), `brew install qemu` (macOS)."
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
START = "start.sh"
_PATIENCE = 20.0
"""Seconds until a started QEMU must answer."""


class QemuDriver:
    """Guests as processes of QEMU. Satisfies `Hypervisor`."""

    id = "qemu"
    title = "QEMU"

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def detect(self) -> Detection:
        """Whether QEMU is here, and which acceleration really works."""
        program = shutil.which(PROGRAM)
        if program is None:
            return Detection(self.id, self.title, found=False, how=HOW)
        problems: list[Finding] = []
        version = self._version(program)
        if shutil.which(IMAGES) is None:
            problems.append(
                Finding("qemu-img-missing", f"{IMAGES} is not installed, so no disks can be made.", hint=HOW)
            )
        engine = probe.find_engine(program, version, self._paths.cache)
        if engine is None:
            problems.append(
                Finding("qemu-does-not-boot", "QEMU starts no machine here, not even a tiny one.", hint=HOW)
            )
        elif not engine.fast:
            problems.append(_slow(engine))
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
        if spec.boot.kind is BootKind.ISO and not Path(spec.boot.source).is_file():
            found.append(
                Finding("image-missing", f"There is no file {spec.boot.source}.", hint="Download it first.")
            )
        return tuple(found)

    def disk_step(self, guest: Guest, disk: DiskSpec) -> Step:
        """A qcow2 file, which grows as it is used."""
        path = guest.disk(disk, "qcow2")
        argv = [IMAGES, "create", "-q", "-f", "qcow2", str(path), str(disk.size)]
        return Step(
            f"disk-{disk.name}", "command", f"disk {disk.name}, {disk.size // (1 << 30)} GiB that are taken as they fill",
            Effect.CREATES, (str(path),), undo="removed", params={"commands": [argv], "path": str(path), "snapshots_need_it": True},
        )  # fmt: skip

    def create_steps(self, guest: Guest) -> tuple[Step, ...]:
        """QEMU keeps no list of guests: the command that starts it is all."""
        program = shutil.which(PROGRAM) or PROGRAM
        engine = probe.find_engine(program, self._version(program), self._paths.cache) or probe.Engine(
            "tcg", "Haswell"
        )
        text = words.script(words.words_of(guest, program, engine), str(guest.sockets))
        path = guest.folder / START
        return (
            Step("command", "write", f"{path}: the command that starts it", Effect.CREATES,
                 (f"{engine.accelerator}, processor {engine.cpu}",), undo="removed",
                 params={"path": str(path), "text": text, "mode": 0o700}),
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
            raise WriteFailed(
                "qemu-command-failed", f"{argv[0]} failed: {said[-1] if said else f'exit code {done.returncode}'}",
                context=" ".join(argv),
            )  # fmt: skip
        return done.stdout

    def inspect(self, guest: Guest) -> Actual:
        """As its command line says, and as the running process says."""
        try:
            line = words.read_script((guest.folder / START).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return Actual(State.HALF_MADE if not guest.made else State.MISSING)
        state, port = State.STOPPED, None
        with contextlib.suppress(OSError, WizardError), Monitor(guest) as monitor:
            state = _STATES.get(monitor.status(), State.UNKNOWN)
            port = monitor.ssh_port()
        disks = [part.removeprefix("file=").replace(",,", ",") for word in line if word.startswith("if=none,id=disk")
                 for part in re.split(r"(?<!,),(?!,)", word) if part.startswith("file=")]  # fmt: skip
        macs = [m[1] for word in line if (m := re.search(r"mac=([0-9a-fA-F:]{17})", word))]
        return Actual(
            state, _number(line, "-m"), _number(line, "-smp"), tuple(disks), tuple(macs), words.switches_of(line), port,
            self._snapshots(guest) if state is State.STOPPED else (), boot=guest.spec.boot.kind.value,
        )  # fmt: skip

    def start(self, guest: Guest, tell: Tell) -> None:
        """Start it in the background; it goes on when this program ends."""
        private_directory(guest.sockets)
        line = words.read_script((guest.folder / START).read_text(encoding="utf-8"))
        if self.inspect(guest).state is State.RUNNING:
            tell(f"{guest.name} runs already.")
            return
        for left in ("qmp", "pid", "console"):  # of a process that was killed
            (guest.sockets / left).unlink(missing_ok=True)
        said = guest.folder / "qemu.log"
        try:
            with said.open("wb") as log:
                process = subprocess.Popen(
                    line,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd=guest.folder,
                )
        except OSError as error:
            raise WizardError(
                "guest-not-started", f"{guest.name} was not started: {error}", hint=HOW
            ) from error
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError), Monitor(guest) as monitor:
                tell(f"QEMU says: {monitor.status()}")
                # Whoever is still here when it ends takes its exit code, so that no zombie is left.
                threading.Thread(target=process.wait, daemon=True, name="guest-ended").start()
                return
            time.sleep(0.1)
        if process.poll() is None:
            process.kill()
        process.wait()
        raise _not_started(guest, said.read_text(encoding="utf-8", errors="replace"), process.returncode)

    def stop(self, guest: Guest, tell: Tell, *, patience: float, force: bool = False) -> None:
        """Ask, wait, look whether it waits for a key, and switch it off in the end."""
        try:
            with Monitor(guest) as monitor:
                if not force:
                    monitor.ask("system_powerdown")
                    tell(f"Asked it to shut down; waiting up to {patience:g} s.")
                    if _ended(guest, patience):
                        return
                    tell("It did not switch itself off; switching it off.")
                monitor.ask("quit")
        except (OSError, WizardError):
            return
        _ended(guest, 10.0)

    def ssh(self, guest: Guest) -> Endpoint | None:
        """The port QEMU chose on loopback, while it runs."""
        with contextlib.suppress(OSError, WizardError), Monitor(guest) as monitor:
            port = monitor.ssh_port()
            return Endpoint("127.0.0.1", port) if port else None
        return None

    def snapshot(self, guest: Guest, act: str, name: str) -> tuple[str, ...]:
        """Of all disks together, and only while it is off: a pool is consistent over its disks or not at all."""
        if act != "list":
            if self.inspect(guest).state is not State.STOPPED:
                raise Refused(
                    "guest-runs", f"{guest.name} runs; its disks are not at rest.", hint="Stop it first."
                )
            known = name in self._snapshots(guest)
            if known == (act == "take"):
                word = (
                    "There is a snapshot of that name already." if known else f"There is no snapshot {name}."
                )
                raise Refused(
                    "snapshot-name", word, hint="`smartos-wizard guest snapshot NAME list` shows them."
                )
            flag = {"take": "-c", "restore": "-a", "delete": "-d"}[act]
            for disk in guest.spec.disks:
                self.call((IMAGES, "snapshot", flag, name, str(guest.disk(disk, "qcow2"))))
        return self._snapshots(guest)

    def _snapshots(self, guest: Guest) -> tuple[str, ...]:
        import json

        found: list[set[str]] = []
        for disk in guest.spec.disks:
            path = guest.disk(disk, "qcow2")
            if not path.is_file():
                return ()
            with contextlib.suppress(WizardError, ValueError):
                info: dict[str, Any] = json.loads(self.call((IMAGES, "info", "--output=json", str(path))))
                found.append({each["name"] for each in info.get("snapshots", ())})
        return tuple(sorted(set.intersection(*found))) if found else ()

    def _version(self, program: str) -> str:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            said = subprocess.run(
                [program, "--version"], check=False, capture_output=True, text=True, timeout=20
            ).stdout
            match = _VERSION.search(said)
            return match[1] if match else "unknown"
        return "unknown"


def _slow(engine: probe.Engine) -> Finding:
    why = f" ({engine.note})" if engine.note else ""
    return Finding(
        "no-acceleration", f"The processor is imitated, which is slow: no acceleration works here{why}.", "warning",
        "On Linux it takes KVM: rights on /dev/kvm, and virtualisation switched on in the firmware.",
    )  # fmt: skip


def _nests() -> bool:
    for module in ("kvm_intel", "kvm_amd"):
        with contextlib.suppress(OSError):
            if Path(f"/sys/module/{module}/parameters/nested").read_text(encoding="ascii").strip() in (
                "1",
                "Y",
            ):
                return True
    return False


def _number(line: list[str], name: str) -> int | None:
    word = line[line.index(name) + 1] if name in line else ""
    return int(word) if word.isdigit() else None


def _ended(guest: Guest, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not (guest.sockets / "pid").exists():
            return True
        time.sleep(0.2)
    return False


def _not_started(guest: Guest, said: str, code: int) -> WizardError:
    lines = [line for line in said.strip().splitlines() if "warning" not in line]
    words_said = lines[-1] if lines else f"nothing, and ended with {code}"
    hint = "Is another guest using the same port or disk?" if "hostfwd" in said or "lock" in said else HOW
    return WizardError(
        "guest-not-started", f"{guest.name} was not started. QEMU says: {words_said}", hint=hint
    )
