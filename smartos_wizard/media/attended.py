"""Runs the opener's command on the terminal the person sits at, so that sudo can ask for the password there."""

from __future__ import annotations

import shlex
import subprocess
import sys


def run_in_terminal(command: str, why: str) -> int:
    """Say `why` and what is run, run `command` (split as a shell would, no shell), return its exit code.

    -1 where it could not be started or was interrupted. The terminal must be free: the interface has let go
    of it. Returns as soon as the disk is handed over, since the opener then leaves the terminal by itself.
    """
    words = shlex.split(command)
    if not words:
        return -1
    sys.stderr.write(f"\n{why}\n\n  {command}\n\n")
    sys.stderr.flush()
    try:
        return subprocess.run(words, check=False).returncode
    except OSError as error:
        sys.stderr.write(f"{error}\n")
    except KeyboardInterrupt:
        pass
    return -1
