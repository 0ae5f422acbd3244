"""Runs `dualboot …` as root on the terminal that the full-screen interface has let go of, and waits to be read."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

from smartos_wizard.media.attended import run_in_terminal

_WHY = (
    "Changing how this machine starts needs root's rights. This command is run with them now; Ctrl-C stops it,\n"
    "and what it began is taken back."
)


def run_as_root(command: str) -> int:
    """Run `command` on the terminal, show all it says, and wait for Enter. Its exit code, -1 where it could not be started."""
    with _interrupts_are_its_own():
        code = run_in_terminal(command, _WHY)
    sys.stderr.write(f"\nIt ended with exit code {code}. Enter goes back to the wizard. ")
    sys.stderr.flush()
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.readline()
    return code


@contextlib.contextmanager
def _interrupts_are_its_own() -> Iterator[None]:
    """Ctrl-C goes to every process of a terminal. The command takes back what it began; here it is waited for.

    A handler that does nothing, since an ignored signal would be ignored by the command as well. Main thread only.
    """
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
