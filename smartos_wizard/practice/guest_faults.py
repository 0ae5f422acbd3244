"""What goes wrong with practice guests: chosen by words of their names, so that anybody can see them and try them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from smartos_wizard.core.errors import WizardError, WriteFailed
from smartos_wizard.guests.model import Finding, GuestSpec
from smartos_wizard.practice.devices import speed_factor

FAULTS: dict[str, str] = {
    "broken": "The hypervisor will not take it: making it fails, and what was begun is taken away.",
    "full": "The disk of this machine is full while its disks are made: the same.",
    "old": "Its hypervisor is old, which is a warning.",
    "drifts": "It comes out with its sound switched on, which was asked to be off.",
    "forgetful": "The hypervisor forgets at every start that the clipboard was to be off.",
    "refuses": "It cannot be started: the hypervisor's kernel module is missing.",
    "slow": "It takes its time to start; its console talks bit by bit.",
    "silent": "It starts, and its console says nothing.",
    "dies": "It switches itself off a moment after it was started.",
    "stuck": "It does not shut down when it is asked to, and is switched off.",
    "lost": "The hypervisor forgets it as soon as it is stopped.",
}
"""A word of a guest's name, and what it makes go wrong."""
TAKES = 20.0
"""Seconds that a slow guest takes to talk."""
DIES_AFTER = 3.0
"""Seconds that a guest lives that dies."""


def faults_of(name: str) -> frozenset[str]:
    """The faults that a guest's name asks for, as whole words: `slow-2` does, `slowly` does not."""
    return frozenset(re.split(r"[^a-z]+", name.lower())) & FAULTS.keys()


def findings_of(spec: GuestSpec) -> tuple[Finding, ...]:
    """That a fault was asked for, and the warnings of an old hypervisor."""
    found = [
        Finding("practice-fault", f"“{word}” in its name asks for a fault. {FAULTS[word]}", "info")
        for word in sorted(faults_of(spec.name))
    ]
    if "old" in faults_of(spec.name):
        said = "Practice hypervisor 0.9 is older than what this program is tested with (1.0 and later)."
        found.append(
            Finding(
                "old-version",
                said,
                "warning",
                "It may do all the same. Newer ones: nowhere, this is practice.",
            )
        )
    return tuple(found)


def fail(argv: tuple[str, ...]) -> None:
    """Fail as a command of a step is asked to. Raises WriteFailed."""
    if argv[1] == "register" and "broken" in faults_of(argv[2]):
        raise WriteFailed(
            "practice-fault", "The practice hypervisor fails here, as its guest's name asks for."
        )
    if argv[1] == "fill":
        Path(argv[2]).write_bytes(bytes(1 << 20))
        raise WriteFailed(
            "guest-disk-full", f"{Path(argv[2]).name} cannot be written: No space left on device.", context=argv[2],
            hint="Make room where guests lie. (It is practice: a guest without “full” in its name is made.)",
        )  # fmt: skip


def refuse_start(name: str) -> None:
    """Raise WizardError where a guest of that name does not start."""
    if "refuses" in faults_of(name):
        raise WizardError(
            "guest-not-started", f"{name} was not started: the practice hypervisor's kernel module is not loaded.",
            hint="With a real one: install its module for this kernel, and load it. Here: choose another name.",
        )  # fmt: skip


def off_at(name: str, now: float) -> float | None:
    """When a guest that was started just now switches itself off, in seconds since the epoch; None for never."""
    return now + DIES_AFTER * max(0.1, speed_factor()) if "dies" in faults_of(name) else None


def talk_slowly(log: Path, machine: Path, words: str) -> None:
    """Start a process that says `words` on the console bit by bit, as long as the guest is on."""
    pause = TAKES * speed_factor() / max(1, len(words.splitlines()))
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
    process = subprocess.Popen(
        [sys.executable, "-m", "smartos_wizard.practice.guest_faults", str(log), str(machine), str(pause)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert process.stdin is not None
    with process.stdin as pipe:
        pipe.write(words.encode())
    threading.Thread(target=process.wait, daemon=True, name="console-ended").start()


def _main(log: str, machine: str, pause: float) -> None:
    for line in sys.stdin.read().splitlines(keepends=True):
        half = len(line) // 2  # a line does not come at once
        for piece in (line[:half], line[half:]):
            time.sleep(pause / 2)
            if '"running"' not in _read(machine):
                return
            with Path(log).open("a", encoding="utf-8") as file:
                file.write(piece)


def _read(machine: str) -> str:
    try:
        return Path(machine).read_text(encoding="utf-8")
    except OSError:
        return ""


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
