"""Large answers of a machine, and large things fed to it: one command at a time, in chunks, never all at once.

Imports nothing that connects or reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.ports import Host

CHUNK = 1 << 18
"""At most so many bytes come at once."""
SMALL = 64 << 20
"""An answer that is read as a whole may be this long."""
END = 4000
"""So much of the end of what a command says on stderr is kept."""
_TRIES = 8
_WORDS = (
    'PATH="$PATH:/usr/bin:/usr/sbin:/sbin:/bin:/smartdc/bin:/opt/local/bin"; LC_ALL=C; export PATH LC_ALL; '
)

Stop = Callable[[], bool]
"""Asked again and again while a command runs; True ends it."""


class CommandFailed(WizardError):
    """A command on the machine ended badly. `status` is what it returned, None where a signal ended it."""

    def __init__(self, host: str, command: str, status: int | None, complaint: str) -> None:
        shown = command.removeprefix(_WORDS)
        said = tame(complaint, 400) or "It said nothing."
        super().__init__(
            "command-failed",
            f"On {host} this did not work: {tame(shown, 160)}",
            hint="What it complains of has to be settled there first.",
            context=f"exit status {status if status is not None else 'none'}: {said}",
            status=status,
            complaint=complaint,
        )
        self.status, self.complaint = status, complaint


class StreamHost(Host, Protocol):
    """A machine whose commands may say, and be told, more than fits in memory."""

    def stream(self, command: str, stop: Stop = ...) -> Iterator[bytes]:
        """What the command writes to stdout, as it comes. Its stdin is empty.

        Raises CommandFailed after the last chunk where its status is not 0, DeviceLost `connection-lost`, Cancelled
        where `stop` says so. A reader that is slow makes the command wait; one that stops early ends it.
        """
        ...

    def feed(self, command: str, chunks: Iterable[bytes], stop: Stop = ...) -> bytes:
        """Write the chunks to the command's stdin; return what it said on stdout (at most SMALL). Raises as `stream`."""
        ...


def shell(command: str) -> str:
    """The command with SmartOS's own places in PATH, in plain language, as a shell without login needs it."""
    return _WORDS + command


def patient(command: str) -> str:
    """The command, tried for some seconds: a receive that was ended needs a moment to let go of its dataset."""
    tries = " ".join(map(str, range(_TRIES)))
    return f'for n in {tries}; do if said=$({command} 2>&1); then exit 0; fi; sleep 1; done; echo "$said" >&2; exit 1'  # fmt: skip


def ask(host: StreamHost, command: str, stop: Stop = lambda: False) -> bytes:
    """All that a command says. Raises what `stream` raises, and CommandFailed where it is more than SMALL."""
    said = bytearray()
    for chunk in host.stream(shell(command), stop):
        said += chunk
        if len(said) > SMALL:
            raise CommandFailed(host.name, command, None, f"it says more than {SMALL >> 20} MiB")
    return bytes(said)
