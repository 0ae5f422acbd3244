"""Pythons with Oracle's vboxapi of several releases over the make-believe VirtualBox, made by pip as anybody would.

The glue is installed once (80 KB each) and kept below /var/tmp; the stub is installed from the tree, for each session.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

from tests.lab.rig import parts
from tests.lab.rig.virtualbox import CACHE, SOURCE

RELEASES = ("6.1.50", "7.0.26", "7.1.18", "7.2.22")
_CALL = """#!/bin/sh
PYTHONPATH={glue}:{stub}:$PYTHONPATH exec {python} "$@"
"""


def python(release: str, space: Path) -> Path:
    """A Python that has that release of vbox-sdk and the stub."""
    program = space / f"python-{release}"
    if not program.exists():
        text = _CALL.format(glue=_glue(release), stub=_stub(space), python=_bare(space))
        program.write_text(text)
        program.chmod(0o755)
    return program


def _bare(space: Path) -> Path:
    """A Python without any package: what the tests' own one has must not be found."""
    place = space / "vboxapi-bare"
    if not place.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    return place / "bin/python"


def _glue(release: str) -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    place = CACHE / f"vbox-sdk-{release}"
    with (CACHE / "vbox-sdk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "vboxapi/__init__.py").exists():
            _install(place, f"vbox-sdk=={release}")
    return place


def _stub(space: Path) -> Path:
    place = space / "vboxapi-stub"
    if not place.exists():
        _install(place, "--no-build-isolation", str(SOURCE / "packaging/vboxapi-stub"))
    return place


def _install(place: Path, *what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--target", str(place), *what],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        parts.missing(f"{what[-1]}: {done.stderr.strip()[-200:]}")
