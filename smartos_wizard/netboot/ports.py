"""What the room needs from the world. The real makers are in this room, the practice ones in `practice/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from smartos_wizard.core.paths import Paths
from smartos_wizard.netboot.boot_programs import Loader
from smartos_wizard.netboot.boot_service import Other
from smartos_wizard.netboot.http_server import Fetched
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.releases.mirror import Mirror


class Service(Protocol):
    """Who tells machines where to boot from."""

    def others(self, interface: Interface, seconds: float, /) -> tuple[Other, ...]:
        """Other servers that answer on the wire within the time."""
        ...

    def keep(self, asked: dict[str, Any], /) -> None:
        """Begin."""
        ...

    def heard(self, seconds: float) -> dict[str, Any] | None:
        """The next thing it says within the time (`log` with a line, `ended`), None where there is none."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Server(Protocol):
    """A web server at work."""

    port: int

    def close(self) -> None:
        """End it."""
        ...


class Wire(Protocol):
    """The networks of this machine and what is served on them."""

    def every_interface(self) -> tuple[Interface, ...]:
        """Every interface but loopback, also those that are down or have no address."""
        ...

    def interface(self, name: str) -> Interface:
        """The interface of that name. Raises UsageProblem."""
        ...

    def require_still(self, interface: Interface, /) -> None:
        """Return while it is as it was. Raises DeviceLost."""
        ...

    def mac_at(self, address: str) -> str:
        """The card behind an address; empty where it is not known."""
        ...

    def dnsmasq(self) -> str:
        """The program. Raises WizardError `no-dnsmasq`."""
        ...

    def loader(self, given: str) -> Loader:
        """iPXE for machines without. Raises WizardError `no-loader`."""
        ...

    def service(
        self, called: Callable[[str], None] | None = None, stopped: Callable[[], bool] = bool, /
    ) -> Service:
        """A service that can begin; whoever asks closes it. Raises PrivilegeFailed, Cancelled.

        `called` is told the command that somebody has to run elsewhere, where that is the only way to the rights.
        """
        ...

    def server(self, root: Path, address: str, port: int, told: Callable[[Fetched], None], /) -> Server:
        """A web server of the directory; whoever asks closes it. Raises Refused."""
        ...


class NetbootWorld(Protocol):
    """The part of the world that this room works with."""

    practice: bool
    paths: Paths

    @property
    def wire(self) -> Wire:
        """The networks of this machine."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def mirror(self, where: str = "") -> Mirror:
        """A place with files, by URL or directory."""
        ...
