"""Which acceleration really works: found by starting a throw-away machine that has to print a word.

That /dev/kvm exists proves nothing: on nested hosts QEMU dies with an assertion after its greeting, with some
processor models and not with others. So each is tried with a boot sector, once, and remembered.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.core.files import replace_file
from smartos_wizard.guests.conflicts import passing
from smartos_wizard.guests.model import Finding

OLDEST = (2, 11)
WORD = b"SmartOS Wizard probe"
_PATIENCE = 20.0
_SLOWLY = "it takes"
_LATE, _TIMES = 2.0, 8.0
"""Seconds and times as slow as imitating: what is slower than both is no acceleration."""
_DISK = 1 << 20  # a BIOS does not start disks of one sector
# Prints the text behind it on the first serial port, letter by letter, and stops the processor ...
_PRINTS = b"\x31\xc0\x8e\xd8\xbe%c\x7c\xfc" + bytes.fromhex("ac84c0741288c4bafd03eca82074fb88e0baf803eeebe9")
_AT, _HALTS = len(_PRINTS) - 1, bytes.fromhex("faf4ebfd")
# ... or resets the machine: QEMU ends then by itself, also where whoever started it was killed meanwhile.
_RESETS = bytes.fromhex("baf90cb006ee")


@dataclass(frozen=True, slots=True)
class Engine:
    """An accelerator and a processor model that work together here. `note` says what was found on the way."""

    accelerator: str
    cpu: str
    note: str = ""

    @property
    def fast(self) -> bool:
        """Whether the processor runs the guest itself, rather than being imitated."""
        return self.accelerator != "tcg"


def boot_sector(*, resets: bool = False) -> bytes:
    """512 bytes that a BIOS starts; `resets` makes a machine of `-no-reboot` end after the word."""
    end = (_RESETS if resets else b"") + _HALTS
    return (_PRINTS % (_AT + len(end)) + end + WORD + b"\r\n\0").ljust(510, b"\0") + b"\x55\xaa"


def ladder(system: str = sys.platform) -> tuple[tuple[str, str], ...]:
    """(accelerator, processor) in the order they are tried; imitation, which always works, is the last."""
    fast = {"linux": "kvm", "darwin": "hvf", "win32": "whpx"}.get(system)
    rungs = [(fast, cpu) for cpu in ("host", "host,arch-capabilities=off", "qemu64")] if fast else []
    return (*((a, c) for a, c in rungs if a), ("tcg", "Haswell"), ("tcg", "qemu64"))


def too_old(version: str) -> tuple[Finding, ...]:
    """What speaks against a version: 2.11 is the first with the choices of -sandbox that guests get (QEMU ChangeLog/2.11)."""
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    if not numbers or numbers >= OLDEST:
        return ()
    words = f"QEMU {version} is too old; {OLDEST[0]}.{OLDEST[1]} is the oldest that will do."
    return (
        Finding(
            "qemu-too-old",
            words,
            hint="Install a newer one: your distribution's, or https://www.qemu.org/download/.",
        ),
    )


def identity(version: str) -> str:
    """For what an engine is remembered: this QEMU, kernel and processor, and whether this user may use KVM."""
    may = "may" if os.access("/dev/kvm", os.R_OK | os.W_OK) else "may not"
    return f"{version}|{platform.release()}|{_processor()}|{may}"


def find_engine(program: str, version: str, cache: Path, *, afresh: bool = False) -> Engine | None:
    """The first rung that really boots, remembered for this QEMU, kernel and processor; None where nothing does."""
    key = identity(version)
    place = cache / "qemu-engine.json"
    if not afresh:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            known = json.loads(place.read_text(encoding="utf-8"))
            if known["for"] == key:
                return Engine(known["accelerator"], known["cpu"], known["note"])
    notes: list[str] = []
    slow = ""
    for accelerator, cpu in ladder():
        if accelerator == slow:
            continue  # with another processor model it is no faster
        failure = (
            _try(program, accelerator, cpu) if accelerator == "tcg" else _try_fast(program, accelerator, cpu)
        )
        slow = accelerator if failure and failure.startswith(_SLOWLY) else slow
        if failure is None:
            engine = Engine(accelerator, cpu, "; ".join(dict.fromkeys(notes)))
            data = {"for": key, "accelerator": accelerator, "cpu": cpu, "note": engine.note}
            with contextlib.suppress(OSError):
                if not passing(engine.note):
                    replace_file(place, json.dumps(data).encode())
            return engine
        notes.append(f"{accelerator} with {cpu}: {failure}")
    return None


def _try_fast(program: str, accelerator: str, cpu: str) -> str | None:
    """As `_try`; an acceleration that is far slower than imitating, as on hosts that are guests themselves, is none."""
    began = time.monotonic()
    failure = _try(program, accelerator, cpu)
    took = time.monotonic() - began
    if failure is not None or took < _LATE:
        return failure
    began = time.monotonic()
    imitated = _try(program, "tcg", "qemu64") is None
    least = time.monotonic() - began
    if imitated and took > _TIMES * least:
        return f"{_SLOWLY} {took:.1f} s to start a machine, imitating the processor {least:.1f} s"
    return None


def _try(program: str, accelerator: str, cpu: str) -> str | None:
    """None where the word arrived, otherwise the reason in QEMU's words."""
    with tempfile.TemporaryDirectory(prefix="smartos-wizard-probe-") as name:
        place = Path(name)
        (place / "disk").write_bytes(boot_sector(resets=True) + bytes(_DISK))
        serial = place / "serial"
        words = [
            program, "-nodefaults", "-no-user-config", "-display", "none", "-machine", f"q35,accel={accelerator}",
            "-cpu", cpu, "-m", "64", "-net", "none", "-no-reboot", "-serial", f"file:{serial}",
            "-drive", f"file={place}/disk,format=raw,if=ide,snapshot=on",
        ]  # fmt: skip
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        except OSError as error:
            return str(error.strerror)
        until = time.monotonic() + _PATIENCE
        try:
            running = True
            while time.monotonic() < until and running:
                running = process.poll() is None
                if serial.exists() and WORD in serial.read_bytes():
                    return None
                time.sleep(0.05)
        finally:
            if process.poll() is None:
                process.kill()
            said = process.communicate()[1].decode("utf-8", "replace")
        return _first_line(said) or "nothing was printed"


def _first_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and "warning" not in line.lower()]
    return lines[0][:160] if lines else ""


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
