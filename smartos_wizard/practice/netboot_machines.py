"""Make-believe machines that boot over the network: how fast each fetches, which of them stumbles, and where."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.netboot.http_server import Fetched
from smartos_wizard.netboot.model import ARCHIVE, FIRST_SCRIPT, HASH, KERNEL, MENU, RELEASES
from smartos_wizard.practice.devices import speed_factor

_PIECES = 80
_KERNEL = 0.15
"""The part of its time for the archive that a machine takes for each file before it."""


@dataclass(frozen=True, slots=True)
class PracticeMachine:
    """A machine: the last number of its address and of its card, its firmware, seconds for the archive.

    `cuts` says at which share of the boot archive each of its starts breaks off; 1.0 is a start that goes well.
    """

    number: int
    seconds: float
    cuts: tuple[float, ...] = (1.0,)
    arch: int = 0

    @property
    def mac(self) -> str:
        """Its card."""
        return f"52:54:00:00:53:{self.number}"

    @property
    def uefi(self) -> bool:
        """Whether its firmware is UEFI: then it fetches nothing from the tree."""
        return self.arch != 0


MACHINES = (
    PracticeMachine(10, 6),
    PracticeMachine(11, 8, (0.43, 1.0)),
    PracticeMachine(12, 0, arch=7),
    PracticeMachine(13, 40),
    PracticeMachine(14, 11, (0.6, 0.6)),
)
"""A good one, one that breaks off once and comes back, one with UEFI, a slow one, and one that never gets it whole."""


def addressed(prefix: str) -> dict[str, PracticeMachine]:
    """Those that get an address in that network (`192.0.2`), by it."""
    return {f"{prefix}.{machine.number}": machine for machine in MACHINES if not machine.uefi}


class PracticeServer:
    """Satisfies `netboot.ports.Server`: tells what the machines fetch. No socket is opened."""

    def __init__(self, root: Path, address: str, port: int, told: Callable[[Fetched], None]) -> None:
        self.port = port
        self._root, self._told = root, told
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._boots, args=(at, machine), daemon=True)
            for at, machine in addressed(address.rpartition(".")[0]).items()
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """The machines are switched off."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _pause(self, seconds: float) -> bool:
        """Wait, in the practice world's time; whether it ended meanwhile."""
        factor = speed_factor()
        return self._end.wait(seconds / factor if factor else 0.0)

    def _boots(self, address: str, machine: PracticeMachine) -> None:
        stamps = sorted((p.name for p in (self._root / RELEASES).iterdir() if p.name[0] != "."), reverse=True)
        platform = f"{RELEASES}/{stamps[0]}/"
        if self._pause(1.0):
            return
        for cut in machine.cuts:
            for path in (FIRST_SCRIPT, MENU, platform + KERNEL, platform + ARCHIVE, platform + HASH):
                share = cut if path.endswith(ARCHIVE) else 1.0
                if not self._fetch(address, machine.seconds, path, share) or share < 1.0:
                    break
            if self._pause(1.5):
                return

    def _fetch(self, address: str, seconds: float, path: str, share: float) -> bool:
        try:
            total = (self._root / path).stat().st_size
        except OSError:
            self._told(Fetched(address, path, 0, 0, 404, ended=True))
            return False
        done, until = 0, int(total * share)
        piece = max(16 << 10, total // _PIECES)
        spent = seconds if path.endswith(ARCHIVE) else seconds * _KERNEL if path.endswith(KERNEL) else 0.0
        while done < until:
            if self._pause(spent * piece / total):
                return False
            done = min(until, done + piece)
            self._told(Fetched(address, path, done, total, 200))
        self._told(Fetched(address, path, done, total, 200 if share == 1.0 else 0, ended=True))
        return True
