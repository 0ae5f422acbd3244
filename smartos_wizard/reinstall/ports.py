"""What the room needs of the world outside: machines that a script can be run on.

Imports nothing that connects or reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach a machine. What is empty or None is taken from the user's ssh config, then from its defaults.

    `accept` are fingerprints of host keys that the user has compared and agrees to; `remember` keeps them. With `only`
    those count alone, and what is known of the machine from earlier does not: after a wipe it has another key.
    """

    host: str
    user: str = ""
    port: int | None = None
    jump: str = ""
    identity: str = ""
    password: str | None = field(default=None, repr=False)
    accept: tuple[str, ...] = ()
    remember: bool = True
    only: bool = False
    seconds: float = 20.0
    """How long a connection may take to come about."""


class Host(Protocol):
    """A machine that can be asked."""

    @property
    def name(self) -> str:
        """How the user called it."""
        ...

    @property
    def port(self) -> int:
        """The port it was reached at."""
        ...

    @property
    def host_key(self) -> str:
        """The fingerprint of its key, as `ssh-keygen -l` prints it; empty where there is none."""
        ...

    @property
    def sent(self) -> list[str]:
        """Every command that was sent, in order; a script that was fed to a shell stands after its command."""
        ...

    def run(self, script: str, seconds: float = 600.0) -> str:
        """What the script prints on stdout, run by `sh`. Raises NetworkFailed or DeviceLost where it did not come to its end."""
        ...

    def close(self) -> None:
        """Let go of it. Nothing is raised."""
        ...


class Hosts(Protocol):
    """The way to machines."""

    def open(self, address: Address) -> Host:
        """A connection. Raises NetworkFailed, PrivilegeFailed, Refused (its key), UsageProblem; nothing was sent then."""
        ...
