"""What a rig needs of the machine, and what happens where it is missing.

On a developer's machine a missing part skips the test and says which; in CI (CI=true, or
SMARTOS_WIZARD_LAB=all) it is a failure, so that no lab test is ever passed over silently.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PYTHON = sys.executable
CACHE = CHECKOUT / ".lab"


def everything_wanted() -> bool:
    """Whether a missing part is a failure rather than a skip."""
    return (
        os.environ.get("CI", "").lower() in ("1", "true", "yes")
        or os.environ.get("SMARTOS_WIZARD_LAB") == "all"
    )


def missing(reason: str) -> None:
    """Skip the test, or fail it where everything is wanted; the reason is printed either way."""
    if everything_wanted():
        pytest.fail(f"a part of the lab is missing: {reason}", pytrace=False)
    pytest.skip(f"a part of the lab is missing: {reason}")


def need_root() -> None:
    """Loop devices and FUSE mounts are made by root."""
    if os.geteuid() != 0:
        missing("root rights (the rigs make loop devices)")


def need_programs(names: Iterable[str]) -> None:
    """The programs must be in PATH or in the usual system directories."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    lost = [name for name in names if shutil.which(name, path=path) is None]
    if lost:
        missing("programs " + ", ".join(lost) + " (packaging/lab-packages.txt names the Debian packages)")


def need_files(names: Iterable[str]) -> None:
    """The files or device nodes must exist."""
    lost = [name for name in names if not Path(name).exists()]
    if lost:
        missing("files " + ", ".join(lost))
