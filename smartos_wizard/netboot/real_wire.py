"""The networks of this machine, really."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from smartos_wizard.netboot import interface
from smartos_wizard.netboot.boot_programs import Loader, find_dnsmasq, find_loader
from smartos_wizard.netboot.boot_service import BootService
from smartos_wizard.netboot.http_server import Fetched, FileServer
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.netboot.neighbours import mac_at


class RealWire:
    """Satisfies `ports.Wire`."""

    def every_interface(self) -> tuple[Interface, ...]:
        """What there is."""
        return interface.every_interface()

    def interface(self, name: str) -> Interface:
        """The interface of that name."""
        return interface.interface_named(name)

    def require_still(self, interface_: Interface) -> None:
        """Return while it is as it was."""
        interface.require_still(interface_)

    def mac_at(self, address: str) -> str:
        """From the kernel's table of neighbours."""
        return mac_at(address)

    def dnsmasq(self) -> str:
        """The one that is installed."""
        return find_dnsmasq()

    def loader(self, given: str) -> Loader:
        """The one given, else the one of the package."""
        return find_loader(given)

    def service(
        self, called: Callable[[str], None] | None = None, stopped: Callable[[], bool] = bool
    ) -> BootService:
        """The privileged program."""
        return BootService(called, stopped)

    def server(self, root: Path, address: str, port: int, told: Callable[[Fetched], None]) -> FileServer:
        """A web server on that address alone."""
        return FileServer(root, address, port, told)
