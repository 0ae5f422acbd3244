"""Make-believe machines on a make-believe network, which boot from the tree that is served. No socket is opened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.netboot.boot_service import Loader, Other
from smartos_wizard.netboot.http_server import Fetched
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.netboot.model import ARCHIVE, FIRST_SCRIPT, HASH, KERNEL, MENU, RELEASES
from smartos_wizard.practice.devices import speed_factor

INTERFACE = Interface("practice0", "192.0.2.1", "255.255.255.0", "02:00:5e:00:53:01")
_RATE = 40e6  # bytes per second of a make-believe machine
_PIECE = 256 << 10
_GOOD, _STUMBLES, _UEFI = "52:54:00:00:53:10", "52:54:00:00:53:11", "52:54:00:00:53:12"
_ADDRESSES = {"192.0.2.10": _GOOD, "192.0.2.11": _STUMBLES}


class PracticeWire:
    """Satisfies `netboot.ports.Wire`: one interface, a router that gives addresses, three machines."""

    def interface(self, name: str) -> Interface:
        """There is one."""
        if name != INTERFACE.name:
            raise UsageProblem(
                "no-such-interface", f"There is no interface “{name}” in the practice world.",
                hint=f"There is {INTERFACE.name} ({INTERFACE.address}).",
            )  # fmt: skip
        return INTERFACE

    def require_still(self, _interface: Interface) -> None:
        """It never goes away."""

    def mac_at(self, address: str) -> str:
        """Of the make-believe machines."""
        return _ADDRESSES.get(address, "")

    def dnsmasq(self) -> str:
        """No program is needed."""
        return "dnsmasq"

    def loader(self, given: str) -> Loader:
        """No file is needed."""
        return Loader("/practice", given or "undionly.kpxe", "ipxe.efi")

    def service(self) -> PracticeService:
        """It says what dnsmasq would log."""
        return PracticeService()

    def server(self, root: Path, _address: str, port: int, told: Callable[[Fetched], None]) -> PracticeServer:
        """It tells of machines that fetch."""
        return PracticeServer(root, port, told)


class PracticeService:
    """dnsmasq beside a router."""

    def __init__(self) -> None:
        self._lines: Iterator[str] = iter(())
        self._begun = 0.0

    def others(self, _interface: Interface, _seconds: float) -> tuple[Other, ...]:
        """The router."""
        return (Other("192.0.2.254", "02:00:5e:00:53:fe", True, False),)

    def keep(self, _asked: dict[str, Any]) -> None:
        """Begin."""
        self._lines = iter(
            [line for n, mac in enumerate((_GOOD, _STUMBLES, _UEFI), 1) for line in _asks(n, mac)]
            + [f"dnsmasq-tftp: sent /practice/undionly.kpxe to {address}" for address in _ADDRESSES]
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


def _asks(number: int, mac: str) -> tuple[str, ...]:
    arch = 7 if mac == _UEFI else 0
    return (
        f"dnsmasq-dhcp: {number} vendor class: PXEClient:Arch:{arch:05}:UNDI:002001",
        f"dnsmasq-dhcp: {number} PXE(practice0) {mac} proxy",
    )


class PracticeServer:
    """Two machines that fetch everything; one of them breaks off once and comes back."""

    def __init__(self, root: Path, port: int, told: Callable[[Fetched], None]) -> None:
        self.port = port
        self._root, self._told = root, told
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._machine, args=(address, stumbles), daemon=True)
            for address, stumbles in zip(_ADDRESSES, (False, True), strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """The machines are switched off."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _machine(self, address: str, stumbles: bool) -> None:
        stamps = sorted((p.name for p in (self._root / RELEASES).iterdir() if p.name[0] != "."), reverse=True)
        platform = f"{RELEASES}/{stamps[0]}/"
        if self._end.wait(1.0 / speed_factor()):
            return
        for cut in (0.43, 1.0) if stumbles else (1.0,):
            for path in (FIRST_SCRIPT, MENU, platform + KERNEL, platform + ARCHIVE, platform + HASH):
                share = cut if path.endswith(ARCHIVE) else 1.0
                if not self._fetch(address, path, share) or share < 1.0:
                    break
            if self._end.wait(1.5 / speed_factor()):
                return

    def _fetch(self, address: str, path: str, share: float) -> bool:
        try:
            total = (self._root / path).stat().st_size
        except OSError:
            self._told(Fetched(address, path, 0, 0, 404, ended=True))
            return False
        done, until = 0, int(total * share)
        while done < until:
            if self._end.wait(_PIECE / _RATE / speed_factor()):
                return False
            done = min(until, done + _PIECE)
            self._told(Fetched(address, path, done, total, 200))
        self._told(Fetched(address, path, done, total, 200 if share == 1.0 else 0, ended=True))
        return True
