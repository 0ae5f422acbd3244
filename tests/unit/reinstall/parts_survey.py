"""Recorded answers, and the make-believe commands of a SmartOS machine on PATH."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from smartos_wizard.reinstall.model import Survey
from smartos_wizard.reinstall.parse import survey_of

DATA = Path(__file__).parent / "data"
RECORDED = sorted(path.stem for path in DATA.glob("*.txt"))


def recorded(name: str) -> str:
    """The answers of a recorded machine."""
    return (DATA / f"{name}.txt").read_text()


def surveyed(name: str) -> Survey:
    """The survey that they make."""
    return survey_of(recorded(name), taken=None, how="file")


def fake_commands(place: Path, outputs: dict[str, str], log: Path) -> Path:
    """A directory with commands that write down their arguments and print what `outputs` says."""
    place.mkdir(exist_ok=True)
    for name, output in outputs.items():
        (place / f"{name}.out").write_text(output)
        script = place / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\ncat {place}/{name}.out\n')
        script.chmod(0o755)
    return place


def ran(shell: str, script: str, path: str, cwd: Path) -> str:
    """What the script prints in that shell, fed on stdin as over ssh."""
    done = subprocess.run(
        [*shell.split(), "-s"], input=script, capture_output=True, text=True, cwd=cwd, timeout=60,
        env={"PATH": path, "HOME": str(cwd), "LANG": os.environ.get("LANG", "C")}, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout
