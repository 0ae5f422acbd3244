"""Which words get the opener started as root on this machine: sudo, doas, pkexec, or a person.

Only makes argv lists; starts nothing but the question which Python is new enough.
"""

from __future__ import annotations

import importlib.resources
import os
import shlex
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from smartos_wizard.privileged import opener

INSTALLED = (
    Path("/usr/libexec/smartos-wizard/opener.py"),
    Path("/usr/lib/smartos-wizard/opener.py"),
    Path("/usr/local/libexec/smartos-wizard/opener.py"),
)
"""Where a package puts the opener, owned by root."""

PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3", "/bin/python3")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to root: its program, the words in front of the opener's, and whether it asks a person."""

    name: str
    words: tuple[str, ...]
    asks: bool


def ways(*, attended: bool, path: str) -> tuple[Way, ...]:
    """The ways this machine has, quiet ones first; those that ask only where a terminal is attended."""
    prompt = f"Password of %u, to open {path}: "
    every = (
        Way("sudo", ("-n", "--"), False),
        Way("doas", ("-n", "--"), False),
        Way("sudo", ("-p", prompt, "--"), True),
        Way("doas", ("--",), True),
        Way("pkexec", (), True),
    )
    return tuple(way for way in every if shutil.which(way.name) and (attended or not way.asks))


def owned_by_root(path: Path) -> bool:
    """Whether nobody but root can change `path` or a directory above it."""
    try:
        real = path.resolve(strict=True)
        places = [real, *real.parents]
        return all(
            s.st_uid == 0 and not s.st_mode & (stat.S_IWGRP | stat.S_IWOTH) for s in map(Path.stat, places)
        )
    except OSError:
        return False


@cache
def interpreter() -> str:
    """A Python 3.9 or newer for root to run: the system's own where there is one, else this one."""
    question = "import sys; sys.exit(sys.version_info < (3, 9))"
    for name in PYTHONS:
        if owned_by_root(Path(name)):
            run = subprocess.run([name, "-I", "-c", question], check=False, capture_output=True, timeout=20)
            if run.returncode == 0:
                return name
    return sys.executable


def opener_file(private: Path) -> Path:
    """Where the opener lies for root to run: from a package, else this one; out of a zip file, a copy in `private`."""
    for place in INSTALLED:
        if owned_by_root(place):
            return place
    here = Path(opener.__file__)
    if here.is_file():
        return here.resolve()
    copy = private / "opener.py"
    copy.write_bytes(
        importlib.resources.files("smartos_wizard.privileged").joinpath("opener.py").read_bytes()
    )
    return copy


def opener_words(private: Path, socket_path: Path) -> tuple[str, ...]:
    """The argv of the opener, without what makes it root. `-I` keeps it from the user's environment and files."""
    return (interpreter(), "-I", str(opener_file(private)), str(socket_path))


def command_by_hand(private: Path, socket_path: Path) -> str:
    """The one line a person may type to open the disk."""
    tool = "doas" if shutil.which("doas") and not shutil.which("sudo") else "sudo"
    return shlex.join((tool, *opener_words(private, socket_path)))


def attended() -> bool:
    """Whether a person sits at this process's terminal and it may ask there."""
    try:
        return os.isatty(0) and os.isatty(2) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
