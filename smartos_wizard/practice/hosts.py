"""Make-believe machines to survey, by name; each has one trouble. No network is used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from smartos_wizard.core.errors import DeviceLost, NetworkFailed, Refused
from smartos_wizard.practice.host_answers import (
    GIB,
    PracticeDisk,
    PracticeInstance,
    PracticeMachine,
    PracticePool,
)
from smartos_wizard.practice.host_power import FIRST_KEY, HostPower, HostState, machine_now, obey
from smartos_wizard.practice.host_streams import PracticeMemory, answer, swallow
from smartos_wizard.practice.host_trees import PracticeTrees
from smartos_wizard.reinstall.ports import Address

_TB4 = 4_000_787_030_016
_ZONES = PracticePool("zones", "10417391262571231811", "raidz1-0", tuple(PracticeDisk(f"c1t{i}d0", _TB4) for i in range(3)))  # fmt: skip
_TANK = PracticePool("tank", "2216402551220348012", "mirror-0", tuple(PracticeDisk(f"c3t{i}d0", _TB4) for i in range(2)), 900 * GIB)  # fmt: skip
_BACKUP = PracticePool("backup", "7781440021923344120", "", (PracticeDisk("c4t0d0", 5_000_947_302_400, "USB", "WD", "Elements"),), imported=False)  # fmt: skip
_WEB = PracticeInstance("0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11", "web")
_DB = PracticeInstance("5d1c9b1e-2f64-6a0e-8f5e-aa12cd34ef56", "db", "bhyve", "stopped", 4096, 40 * GIB)
_PLAIN = PracticeMachine("plain", "3c9f21aa", (_ZONES,), (_WEB, _DB))

MACHINES: dict[str, PracticeMachine] = {
    "plain": _PLAIN,
    "second-pool": replace(_PLAIN, hostname="second-pool", hostid="3c9f21ab", pools=(_ZONES, _TANK)),
    "attached-backup": replace(_PLAIN, hostname="attached-backup", hostid="3c9f21ac", pools=(_ZONES, _BACKUP)),
    "bootable": replace(_PLAIN, hostname="bootable", hostid="3c9f21ad", pools=(replace(_ZONES, bootable=True),), parameters=("smartos=true", "fstype=ufs"), key=False),
    "encrypted": replace(_PLAIN, hostname="encrypted", hostid="3c9f21ae", pools=(replace(_ZONES, encrypted=True),)),
    "running-vms": replace(_PLAIN, hostname="running-vms", hostid="3c9f21af", pools=(replace(_ZONES, guid="5536120087341290447"),), instances=(replace(_WEB, state="running"), replace(_DB, state="running"))),
    "triton": replace(_PLAIN, hostname="triton", hostid="3c9f21b0", parameters=(), key=False, triton=True),
    "dropped-connection": replace(_PLAIN, hostname="dropped-connection", hostid="3c9f21b1"),
    "dropped-stream": replace(_PLAIN, hostname="dropped-stream", hostid="3c9f21b3"),
    "dropped-run": replace(_PLAIN, hostname="dropped-run", hostid="3c9f21b5", pools=(replace(_ZONES, guid="8120034471907723105"),), instances=(replace(_WEB, state="running"), _DB)),
    "missed-menu": replace(_PLAIN, hostname="missed-menu", hostid="3c9f21b6", pools=(_ZONES, _TANK)),
    "changed-pool": replace(_PLAIN, hostname="changed-pool", hostid="3c9f21b7"),
    "attic": replace(_PLAIN, hostname="attic", hostid="3c9f21b8", pools=(replace(_ZONES, guid="6200417733918250551"), replace(_TANK, guid="1190038841765530022")), instances=(), clean=True),
    "wiped": replace(_PLAIN, hostname="wiped", hostid="3c9f21b4", instances=(), clean=True),
    "zone": replace(_PLAIN, hostname="zone", hostid="3c9f21b2", zone=_WEB.uuid),
    "not-smartos": replace(_PLAIN, hostname="not-smartos", hostid="007f0101", system="Linux"),
}  # fmt: skip
"""What there is, by the name it is reached under."""


@dataclass(slots=True)
class PracticeHost:
    """A make-believe machine that is connected. Satisfies `Host`."""

    name: str
    machine: PracticeMachine
    clock: Callable[[], float]
    port: int = 22
    host_key: str = FIRST_KEY
    sent: list[str] = field(default_factory=list)
    memory: PracticeMemory | None = None
    power: HostPower | None = None

    def run(self, script: str, seconds: float = 600.0) -> str:  # noqa: ARG002 - a make-believe machine answers at once
        """The answers of this machine to a survey."""
        self.sent += ["/bin/sh -s", script]
        if self.name == "dropped-connection":
            raise DeviceLost("connection-lost", f"The connection to {self.name} was lost before all answers were there.", hint="Try again; asking changes nothing there.", context="nothing was changed there")  # fmt: skip
        return self._now().answers(time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.clock())))

    def _now(self) -> PracticeMachine:
        """The machine after all that happened to it; one of them gets another pool once it was surveyed."""
        if self.power is None:
            return self.machine
        state = self.power.state(self.name)
        if self.name != "changed-pool":
            return _put_back(machine_now(self.machine, state), state)
        self.power.change(self.name, lambda s: replace(s, surveys=s.surveys + 1))
        more = (_TANK,) if state.surveys % 2 else ()
        return machine_now(replace(self.machine, pools=(*self.machine.pools, *more)), state)

    def stream(self, command: str, stop: Callable[[], bool] = lambda: False) -> Iterator[bytes]:  # noqa: ARG002
        """As `StreamHost.stream`."""
        self.sent.append(command)
        told = command.rsplit("; export PATH LC_ALL; ", maxsplit=1)[-1]
        said = obey(self.power, self.name, self.machine, told) if self.power is not None else None
        if said is not None:
            yield said
            return
        self.memory = self.memory or self._remember()
        yield from answer(self.name, self.memory, command)
        self._keep(self.memory)

    def feed(self, command: str, chunks: Iterable[bytes], stop: Callable[[], bool] = lambda: False) -> bytes:  # noqa: ARG002
        """As `StreamHost.feed`."""
        self.sent.append(command)
        self.memory = self.memory or self._remember()
        said = swallow(self.memory, command, chunks)
        self._keep(self.memory)
        return said

    def _remember(self) -> PracticeMemory:
        """What is made there now; of the one that backups are sent to, what was made before, too."""
        file = self.power.file.with_name("attic.json") if self.power is not None and self.name == "attic" else None  # fmt: skip
        trees = PracticeTrees(self.name, file)
        if self.power is None:
            return PracticeMemory(self.machine, trees=trees)
        state = self.power.state(self.name)
        return PracticeMemory(_put_back(machine_now(self.machine, state), state), trees=trees, files=dict(state.files))  # fmt: skip

    def _keep(self, memory: PracticeMemory) -> None:
        """What a restore put back is there for the next command, too."""
        if self.power is None or not (memory.known or memory.files):
            return
        state = self.power.state(self.name)
        back = tuple(dict.fromkeys((*state.back, *sorted(memory.known))))
        if back != state.back or memory.files != state.files:
            self.power.change(self.name, lambda s: replace(s, back=back, files=dict(memory.files)))

    def close(self) -> None:
        """Nothing to let go of."""


def _put_back(machine: PracticeMachine, state: HostState) -> PracticeMachine:
    """The machine with the instances that a restore put back; none of them was started."""
    here = {each.uuid for each in machine.instances}
    found = [each for each in (_WEB, _DB) if each.uuid in state.back and each.uuid not in here]
    told = (replace(each, state=state.states.get(each.uuid, "stopped")) for each in found)
    return replace(machine, instances=(*machine.instances, *told))


@dataclass(frozen=True, slots=True)
class PracticeHosts:
    """The make-believe machines. Satisfies `Hosts`."""

    clock: Callable[[], float]
    power: HostPower | None = None

    def open(self, address: Address) -> PracticeHost:
        """The machine of that name. Raises NetworkFailed `host-unknown`, `host-unreachable`, Refused `unknown-host-key`."""
        machine = MACHINES.get(address.host)
        if machine is None:
            raise NetworkFailed("host-unknown", f"No machine is known by the name {address.host}.", hint=f"In practice there are: {', '.join(MACHINES)}.", context="nothing was changed there")  # fmt: skip
        if self.power is None:
            return PracticeHost(address.host, machine, self.clock, address.port or 22)
        state = self.power.state(address.host)
        if self.clock() < state.away_until:
            raise NetworkFailed("host-unreachable", f"{address.host} cannot be reached: it is starting.", context="nothing was changed there")  # fmt: skip
        if state.key not in (FIRST_KEY, *address.accept):
            raise Refused("unknown-host-key", f"The key of {address.host} is not known.", hint=f"Compare it on the machine's console, then: --accept-host-key {state.key}", context="nothing was sent", fingerprint=state.key)  # fmt: skip
        return PracticeHost(
            address.host, machine, self.clock, address.port or 22, state.key, power=self.power
        )
