"""A small kernel in SmartOS' place that tells on COM1 what a boot loader handed to it, and what it told.

`build` compiles `probe/probe.c`, `platform_tree` lays it where SmartOS' kernel lies, `report` takes apart what came
out of the serial port, `started` runs a machine until the probe ends it.
"""

from __future__ import annotations

import hashlib
import random
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.media.machine import PROGRAM
from tests.lab.rig import parts
from tests.lab.rig.bootkey import GCC

SOURCE = Path(__file__).parent / "probe" / "probe.c"
_SHARED = Path(__file__).parent / "kernel32"

UNIX = "platform/i86pc/kernel/amd64/unix"
ARCHIVE = "platform/i86pc/amd64/boot_archive"
ENDED, WRONG_HASH = 0x2A * 2 + 1, 0x2B * 2 + 1
"""QEMU's exit codes: all was told; a hash did not hold, where SmartOS would panic."""
EXIT_DEVICE = ("-device", "isa-debug-exit,iobase=0xf4,iosize=1")


@dataclass(frozen=True, slots=True)
class Module:
    """A module as it arrived: its bytes by size and SHA-1, the first word of its string, the others as they came."""

    size: int
    sha1: str
    path: str
    words: tuple[str, ...]

    def said(self, key: str) -> str:
        """The value of `key=` among its words; empty where it is not said."""
        return next((w.split("=", 1)[1] for w in self.words if w.startswith(f"{key}=")), "")


@dataclass(frozen=True, slots=True)
class Report:
    """What the probe told; `hashes` says `ok`, `mismatch` or `alone` by the name that a hash is for."""

    loader: str
    line: str
    modules: tuple[Module, ...]
    hashes: dict[str, str]

    @property
    def properties(self) -> dict[str, str]:
        """The boot properties of the line, taken as illumos takes them (uts/i86pc/os/fakebop.c)."""
        return properties(self.line)

    def module(self, name: str) -> Module:
        """The one of that `name=` that is no hash."""
        (found,) = (m for m in self.modules if m.said("name") == name and m.said("type") != "hash")
        return found


def need() -> None:
    """What the probe is made and started with."""
    parts.need_programs([PROGRAM, "gcc", "ld"])


def build(path: Path) -> Path:
    """Compile the probe to `path`."""
    words = [
        *GCC,
        "-Wl,-T," + str(_SHARED / "kernel.ld"),
        "-o",
        str(path),
        str(_SHARED / "start.S"),
        str(SOURCE),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return path


def platform_tree(root: Path, archive: bytes | int = 1 << 20, *, hash_line: str | None = None) -> Path:
    """`root`/platform as a release has it, the probe being its kernel; returns `root`.

    `archive` is the boot archive, or its size in bytes; `hash_line` stands in boot_archive.hash instead of its SHA-1.
    """
    (root / UNIX).parent.mkdir(parents=True)
    build(root / UNIX)
    data = archive if isinstance(archive, bytes) else noise(archive)
    (root / ARCHIVE).parent.mkdir(parents=True, exist_ok=True)
    (root / ARCHIVE).write_bytes(data)
    sum_ = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    (root / f"{ARCHIVE}.hash").write_text(f"{sum_ if hash_line is None else hash_line}\n")
    return root


def noise(size: int) -> bytes:
    """Bytes that repeat nowhere, the same every time."""
    source, most = random.Random(7), 1 << 26  # it makes 256 MiB at once at most
    return b"".join(source.randbytes(min(most, size - at)) for at in range(0, size, most))


def sha1(data: bytes) -> str:
    """As the probe writes it."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def report(said: str) -> Report:
    """What stands in what came out of COM1; whatever was said before the probe began is passed over.

    Raises AssertionError where the report is not whole.
    """
    found = re.search(
        r"^probe (.*)\nline (.*)\n((?:(?:module|hash) .*\n)*)end$", said.replace("\r", ""), re.MULTILINE
    )
    assert found is not None, f"no whole report: {said[-3000:]!r}"
    modules, hashes = [], {}
    for row in found[3].splitlines():
        kind, rest = row.split(" ", 1)
        if kind == "module":
            size, sum_, words = rest.split(" ", 2)
            path, *others = _plain(words).split(" ")
            modules.append(Module(int(size), sum_, path, tuple(others)))
        else:
            name, verdict = rest.rsplit(" ", 1)
            hashes[_plain(name)] = verdict
    return Report(_plain(found[1]), _plain(found[2]), tuple(modules), hashes)


def properties(line: str) -> dict[str, str]:
    """What ` -B name=value,name='a,b'` says: a comma or a blank ends a value that is in no quotes."""
    found = {}
    start = re.search(r"[ \t]-B[ \t]*", line)
    at = start.end() if start else len(line)
    while pair := re.match(r"([^=]+)=('[^']*'|\"[^\"]*\"|)([^, \t]*),*", line[at:]):
        found[pair[1]] = pair[2][1:-1] if pair[2] and not pair[3] else pair[2] + pair[3]
        at += pair.end()
        if at >= len(line) or line[at] in " \t":
            break
    return found


@dataclass(frozen=True, slots=True)
class Ran:
    """A machine's COM1, and QEMU's exit code; None where it had to be ended."""

    said: str
    code: int | None

    @property
    def report(self) -> Report:
        """The probe's report."""
        return report(self.said)


def started(place: Path, media: Sequence[str], *, patience: float = 60, memory: int = 256) -> Ran:
    """Start a machine with these media and a serial port, until the probe ends it or patience (seconds) does.

    Its COM1 is kept in `place`/com1; `memory` is in MiB.
    """
    place.mkdir(exist_ok=True, parents=True)
    log = place / "com1"
    words = [PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35,accel=tcg"]
    words += ["-m", str(memory), "-vga", "std", "-no-reboot", "-serial", f"file:{log}", *EXIT_DEVICE, *media]
    if not any(word.startswith("-net") for word in media):
        words += ["-net", "none"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as process:
        try:
            code: int | None = process.wait(patience)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.kill()
    return Ran(log.read_text("latin-1"), code)


def _plain(text: str) -> str:
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), text)
