"""The real command, to which something happens at one exact moment of its plan.

    python -m tests.lab.rig.at_event MOMENT WHAT words of the command ...

MOMENT is `started:STEP` or `finished:STEP` (that event is in the journal then), or `change:N`: the plan is about to
make its Nth change of names in the file system. WHAT is `kill` (kill -9), `int` (as Ctrl-C does), or a command for sh
that is waited for. `WIZARD_LAB_CHANGES` names a file that gets a line for each change of names, in their order.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")


def main() -> None:
    """Run the command with the trap set."""
    moment, what, *words = sys.argv[1:]
    from smartos_wizard.core import journal

    recorded = journal.recorded
    kind, _, which = moment.partition(":")
    working, count = False, 0
    log = os.environ.get("WIZARD_LAB_CHANGES")

    def happen() -> None:
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "int":
            os.kill(os.getpid(), signal.SIGINT)
        else:
            subprocess.run(["sh", "-c", what], check=True)

    def changes(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        if not working or event not in _CHANGES or ("/" in str(args[0]) and "/guests/" not in str(args[0])):
            return
        count += 1
        if log:
            fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(fd, f"{event} {Path(str(args[0])).name}\n".encode())
            os.close(fd)
        if kind == "change" and count == int(which):
            happen()

    def watched(job: Any, events: Any) -> Iterator[Any]:
        nonlocal working
        for event in recorded(job, events):
            working = True
            name = type(event).__name__.removeprefix("Step").lower()
            if (name, getattr(event, "step", "")) == (kind, which):
                happen()
            yield event

    journal.recorded = watched
    sys.addaudithook(changes)
    from smartos_wizard.cli.main import main as command

    sys.argv = ["smartos-wizard", *words]
    command()


if __name__ == "__main__":
    main()
