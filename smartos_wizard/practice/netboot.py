"""A make-believe network: one wire with a router on it, one without, and what dnsmasq would say. No socket is opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.netboot.boot_programs import Loader
from smartos_wizard.netboot.boot_service import Other
from smartos_wizard.netboot.http_server import Fetched
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.practice.netboot_machines import MACHINES, PracticeMachine, PracticeServer, addressed

INTERFACE = Interface("practice0", "192.0.2.1", "255.255.255.0", "02:00:5e:00:53:01")
"""The one with a router that gives addresses."""
ISOLATED = Interface("practice1", "198.51.100.1", "255.255.255.0", "02:00:5e:00:53:02")
"""A network of its own: nobody gives addresses."""
DOWN = Interface("practice2", "203.0.113.1", "255.255.255.0", "02:00:5e:00:53:03", up=False)
BARE = Interface("practice3", "", "", "02:00:5e:00:53:04")
_TAKEN = 80
"""The port that another program has, always."""


class PracticeWire:
    """Satisfies `netboot.ports.Wire`: two networks with machines, one interface that is down, one without an address."""

    def every_interface(self) -> tuple[Interface, ...]:
        """All of them."""
        return (INTERFACE, ISOLATED, DOWN, BARE)

    def interface(self, name: str) -> Interface:
        """The one of that name."""
        found = next((each for each in (INTERFACE, ISOLATED, DOWN) if each.name == name), None)
        if found is None:
            raise UsageProblem(
                "no-such-interface", f"There is no interface “{name}” with an address in the practice world.",
                hint=f"There are {INTERFACE.name} ({INTERFACE.address}) and {ISOLATED.name} ({ISOLATED.address}).",
            )  # fmt: skip
        if not found.up:
            raise UsageProblem(
                "interface-down",
                f"{name} is not up: no machine could be reached.",
                hint=f"ip link set {name} up",
            )
        return found

    def require_still(self, _interface: Interface) -> None:
        """It never goes away."""

    def mac_at(self, address: str) -> str:
        """Of the make-believe machines."""
        machine = addressed(address.rpartition(".")[0]).get(address)
        return machine.mac if machine is not None else ""

    def dnsmasq(self) -> str:
        """No program is needed."""
        return "dnsmasq"

    def loader(self, given: str) -> Loader:
        """No file is needed."""
        return Loader("/practice", given or "undionly.kpxe", "ipxe.efi")

    def service(
        self, _called: Callable[[str], None] | None = None, _stopped: Callable[[], bool] = bool
    ) -> PracticeService:
        """It says what dnsmasq would log."""
        return PracticeService()

    def server(self, root: Path, address: str, port: int, told: Callable[[Fetched], None]) -> PracticeServer:
        """It tells of machines that fetch. Raises Refused `port-in-use` for the port that is taken."""
        if port == _TAKEN:
            raise Refused(
                "port-in-use", f"Port {port} of {address} is taken by another program.",
                hint="Say --port with another one.", context=f"{address}:{port}",
            )  # fmt: skip
        return PracticeServer(root, address, port, told)


class PracticeService:
    """dnsmasq, beside a router or alone."""

    def __init__(self) -> None:
        self._lines: Iterator[str] = iter(())

    def others(self, interface: Interface, _seconds: float) -> tuple[Other, ...]:
        """The router, where it is."""
        router = Other("192.0.2.254", "02:00:5e:00:53:fe", True, False)
        return (router,) if interface.name == INTERFACE.name else ()

    def keep(self, asked: dict[str, Any]) -> None:
        """Begin."""
        name = str(asked["interface"])
        prefix = str(asked["address"]).rpartition(".")[0]
        self._lines = iter(
            [line for n, machine in enumerate(MACHINES, 1) for line in _asks(n, name, machine)]
            + [f"dnsmasq-tftp: sent /practice/undionly.kpxe to {address}" for address in addressed(prefix)]
        )

    def heard(self, seconds: float) -> dict[str, Any] | None:
        """The next line."""
        line = next(self._lines, None)
        if line is None:
            time.sleep(seconds)
            return None
        return {"event": "log", "line": line}

    def close(self) -> None:
        """Nothing was started."""


def _asks(number: int, interface: str, machine: PracticeMachine) -> tuple[str, ...]:
    return (
        f"dnsmasq-dhcp: {number} vendor class: PXEClient:Arch:{machine.arch:05}:UNDI:002001",
        f"dnsmasq-dhcp: {number} PXE({interface}) {machine.mac} proxy",
    )
