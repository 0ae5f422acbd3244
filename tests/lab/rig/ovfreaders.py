"""A reader of OVAs that is not ours: COT, Cisco's tool for them, from PyPI in an environment of its own.

The schema that the DMTF publishes (DSP8023) is in no package registry; `ovf.rng` says the same rules, as far as our
descriptions go, in words of this project's own.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from tests.lab.rig import parts

CACHE = Path(os.environ.get("SMARTOS_WIZARD_LAB_CACHE", "/var/tmp/smartos-wizard-lab"))
_COT = "cot==2.2.1"


def cot() -> Path:
    """The program, installed on first use."""
    place = CACHE / "cot-2.2.1"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "cot.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "whole").exists():
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(place)],
                [str(place / "bin/pip"), "install", "-q", "--disable-pip-version-check", _COT],
            ):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    parts.missing(f"{_COT} from PyPI: {done.stderr[-300:]}")
            (place / "whole").touch()
    return place / "bin/cot"
