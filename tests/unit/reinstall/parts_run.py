"""Make-believe machines that a re-install is run on, with a connection that can be cut at any command."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import DeviceLost
from smartos_wizard.core.events import Event, PlanCancelled, PlanFinished
from smartos_wizard.core.paths import Paths, below
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.practice import host_power
from smartos_wizard.practice.host_power import HostPower, HostState, machine_now
from smartos_wizard.practice.hosts import MACHINES, PracticeHosts
from smartos_wizard.reinstall import run_boot, run_door, run_record
from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.judging import judge
from smartos_wizard.reinstall.model import Way
from smartos_wizard.reinstall.planning import plan_reinstall
from smartos_wizard.reinstall.ports import Address, Host
from smartos_wizard.reinstall.run_steps import RUN_ACTIONS
from smartos_wizard.reinstall.streams import StreamHost
from smartos_wizard.reinstall.survey import take

KEYS = (host_power._RESCUE_KEY, host_power._NEW_KEY)


@dataclass
class Cut:
    """The connection is cut at the command of this number: before it arrives, or after it was done."""

    number: int = -1
    after: bool = False
    seen: int = 0
    commands: list[str] = field(default_factory=list)

    def before_it(self) -> bool:
        self.seen += 1
        return self.seen == self.number and not self.after

    def after_it(self) -> bool:
        return self.seen == self.number and self.after


@dataclass
class CutHost:
    """A make-believe machine behind such a connection. Satisfies `StreamHost`."""

    inner: Any
    cut: Cut

    name = property(lambda self: self.inner.name)
    port = property(lambda self: self.inner.port)
    host_key = property(lambda self: self.inner.host_key)
    sent = property(lambda self: self.inner.sent)

    def run(self, script: str, seconds: float = 600.0) -> str:
        return str(self.inner.run(script, seconds))

    def stream(self, command: str, stop: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        self.cut.commands.append(command.rsplit("; export PATH LC_ALL; ", maxsplit=1)[-1])
        if self.cut.before_it():
            raise DeviceLost("connection-lost", "cut")
        yield from list(self.inner.stream(command, stop))
        if self.cut.after_it():
            raise DeviceLost("connection-lost", "cut")

    def feed(self, command: str, chunks: Iterable[bytes], stop: Callable[[], bool] = lambda: False) -> bytes:
        return bytes(self.inner.feed(command, chunks, stop))

    def close(self) -> None:
        self.inner.close()


class Hosts:
    """The make-believe machines, behind the cut."""

    def __init__(self, inner: PracticeHosts, cut: Cut) -> None:
        self._inner, self._cut = inner, cut

    def open(self, address: Address) -> Host:
        return CutHost(self._inner.open(address), self._cut)


class RunWorld:
    """What a run works with. Satisfies `ReinstallWorld`."""

    practice = True

    monkeypatch: pytest.MonkeyPatch

    def __init__(self, place: Path) -> None:
        self.paths: Paths = below(place / "home")
        self.power = HostPower(place / "hosts.json", time.time)
        self.cut = Cut()
        self.doors: dict[str, Host] = {}

    @property
    def hosts(self) -> Hosts:
        return Hosts(PracticeHosts(time.time, self.power), self.cut)

    def streaming(self, host: Host) -> StreamHost:
        return host  # type: ignore[return-value]

    def console_host(self, where: str, password: str) -> StreamHost:
        raise AssertionError(where + password)

    def now(self) -> float:
        return time.time()

    # ------------------------------------------------------------------ what a test asks

    def plan(self, name: str, way: Way, *, limited: bool = False, by_hand: bool = False) -> Plan:
        """The plan of that machine, with everything agreed to."""
        survey = take(self.hosts.open(Address(name)), self.now)
        choices = Choices(way, limited, ("manual-layout",) if by_hand else ())
        _, _, stops = judge(survey, choices, self.now())
        tokens = (*choices.consents, *(stop.token for stop in stops if stop.level == "consent"))
        return plan_reinstall(survey, Choices(way, limited, tuple(dict.fromkeys(tokens))), self.now())

    def agree(self, plan: Plan, keys: tuple[str, ...] = KEYS) -> None:
        """The keys that the machine will show are agreed to."""
        for key in keys:
            run_record.accept(self.paths, run_record.plan_id(plan), key)

    def run(self, plan: Plan, cancel: Cancel | None = None) -> Iterator[Event]:
        return execute(plan, RUN_ACTIONS, self, cancel)

    def done(self, plan: Plan) -> PlanFinished | PlanCancelled:
        """Run it to its end, which is not waited for long; the last event."""
        wait = plan.params.get("wait", 0.3)
        *_, last = self.run(replace(plan, params={**plan.params, "wait": wait}))
        assert isinstance(last, PlanFinished | PlanCancelled)
        return last

    def record(self, plan: Plan) -> run_record.Record:
        return run_record.Record(self.paths, run_record.plan_id(plan))

    def receipt(self, plan: Plan) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.record(plan).place / "receipt.json").read_text())
        return data

    def patience(self, seconds: float) -> None:
        """How long a connection that is lost is tried again from now on."""
        self.monkeypatch.setattr(run_door.Line.patiently, "__defaults__", (seconds,))

    def state(self, name: str) -> HostState:
        return self.power.state(name)

    def guids(self, name: str) -> set[str]:
        """Of the pools that were there at first and live."""
        first = {pool.guid for pool in MACHINES[name].pools}
        return first & {pool.guid for pool in machine_now(MACHINES[name], self.state(name)).pools}

    def told(self, word: str) -> int:
        """How often the machine was told something with this word in it."""
        return sum(word in command for command in self.cut.commands)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make-believe machines boot at once."""
    monkeypatch.setattr(
        os, "fsync", lambda _fd: None
    )  # killed here means the generator is let go of; nothing loses power
    monkeypatch.setattr(host_power, "_AWAY", 0.01)
    monkeypatch.setattr(host_power, "_SETUP", 0.01)
    monkeypatch.setattr(run_door, "_POLL_PRACTICE", 0.005)
    monkeypatch.setattr(run_boot, "_GRACE_PRACTICE", 0.0)
    monkeypatch.setattr(run_boot, "_ARRIVED_PRACTICE", 0.05)
