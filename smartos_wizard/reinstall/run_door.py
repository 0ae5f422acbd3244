"""The run's way to its machine: opened, lost, opened again; and what the machine is seen to be.

A connection that is lost is no failure of a run: it is opened again, the machine is asked what it is, and only then it is
decided what is left to do. Host keys: the surveyed one, and those a person agreed to for this run, are trusted and no
others; after a reboot into Rescue Mode, and after a wipe, the machine has new ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from smartos_wizard.core.errors import DeviceLost, NetworkFailed, PrivilegeFailed, Refused, WizardError
from smartos_wizard.core.events import Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run
from smartos_wizard.core.text import tame
from smartos_wizard.core.vault import Vault
from smartos_wizard.reinstall.console_shell import ConsoleShell
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.ports import Address, Host
from smartos_wizard.reinstall.run_asking import Look, look, look_of
from smartos_wizard.reinstall.run_record import Record
from smartos_wizard.reinstall.streams import StreamHost, ask

PATIENCE = 180.0
"""Seconds for which a connection that was lost is tried again, where the machine was not told to reboot."""
_POLL, _POLL_PRACTICE = 3.0, 0.2
LATE = 5
"""Seconds by which two readings of a boot time may differ: a clock that is set right moves it."""
RESCUE_PASSWORD = "root"
"""Root's password in Rescue Mode (smartos-live: boot/loader.conf, root_shadow)."""
T = TypeVar("T")


class Line:
    """The machine of one run.

    `rescue`: Rescue Mode's own password is tried too. `firm`: what is being told is not let go of. `undoing`:
    something is taken back, so a stop that was asked for counts no more. `after_boot`: it may show another key.
    """

    def __init__(self, run: Run[ReinstallWorld], record: Record) -> None:
        self.run, self.record = run, record
        self._host: StreamHost | None = None
        self._told: set[str] = set()
        self.rescue = False
        self.firm = False
        self.undoing = False
        self.after_boot = record.rebooted
        run.on_end.append(self.close)

    # ------------------------------------------------------------------ the connection

    @property
    def where(self) -> dict[str, Any]:
        """How it is reached."""
        found: dict[str, Any] = self.run.plan.params["address"]
        return found

    @property
    def console(self) -> str:
        """Where its serial console is; empty where it is reached by ssh."""
        found: str = self.run.plan.params.get("console", "")
        return found

    @property
    def by_shell(self) -> bool:
        """Whether it is a shell on its console: what is asked last there ends it."""
        return isinstance(self.host(), ConsoleShell)

    def leave(self, command: str) -> None:
        """Start on its console a command that ends the session; what it says from then on is the loader's."""
        host, self._host = self.host(), None
        if isinstance(host, ConsoleShell):
            host.leave(command)

    @property
    def pause(self) -> float:
        """Seconds between two tries."""
        return _POLL_PRACTICE if self.run.world.practice else _POLL

    def host(self) -> StreamHost:
        """The machine, connected. Raises what `Hosts.open` raises; a key that is not trusted is Refused `unknown-host-key`."""
        if self._host is None:
            self._host = self._open()
        return self._host

    def _open(self) -> StreamHost:
        world, where = self.run.world, self.where
        if self.console:
            return world.console_host(self.console, self._password() or "")
        early = world.doors.pop(where["host"], None)
        if early is not None:
            if where["host_key"] and early.host_key != where["host_key"]:
                early.close()
                raise _other_key(early.name)
            return world.streaming(early)
        known = (where["host_key"],) if where["host_key"] else ()
        address = Address(
            where["host"], where["user"], where["port"], where["jump"], where["identity"], self._password(),
            accept=(*known, *self.record.accepted), remember=False,
        )  # fmt: skip
        host = self._let_in(address)
        if (
            not self.after_boot
            and where["host_key"]
            and host.host_key not in (where["host_key"], *self.record.accepted)
        ):
            host.close()
            raise _other_key(host.name)
        return world.streaming(host)

    def _let_in(self, address: Address) -> Host:
        """After a reboot what is known from earlier may be wrong; then only agreed keys count, and rescue's own password."""
        try:
            return self._logged_in(address)
        except Refused as error:
            if not self.after_boot or error.reference != "changed-host-key":
                raise
            return self._logged_in(replace(address, only=True))

    def _logged_in(self, address: Address) -> Host:
        hosts = self.run.world.hosts
        try:
            return hosts.open(address)
        except PrivilegeFailed:
            if not self.rescue:
                raise
            return hosts.open(replace(address, user=address.user or "root", password=RESCUE_PASSWORD))

    def _password(self) -> str | None:
        name = self.run.plan.params.get("secret", "")
        return Vault(self.run.world.paths).get(name).decode() if name else None

    def close(self) -> None:
        """Let go of the connection; the next use opens another."""
        host, self._host = self._host, None
        if host is not None:
            host.close()

    # ------------------------------------------------------------------ asking, with patience

    def ask(self, command: str) -> str:
        """What a command says, once: a lost connection is raised. Raises as `streams.ask`."""
        try:
            return ask(self.host(), command, self.stopping).decode("utf-8", "replace")
        except (DeviceLost, NetworkFailed):
            self.close()
            raise

    def stopping(self) -> bool:
        """Whether to let go of what is being asked: never while something is taken back, or destroyed."""
        return self.run.cancel.requested and not (self.firm or self.undoing)

    def rest(self) -> None:
        """A pause before the next try. Raises Cancelled where that was asked for, not while something is taken back."""
        if self.undoing or self.firm:
            time.sleep(self.pause)
            return
        self.run.cancel.wait(self.pause)
        self.run.cancel.check(self.run.state())

    def read(self, command: str) -> str:
        """What a command says that may be given any number of times: a lost connection is opened again."""
        return self.patiently(lambda: self.ask(command))

    def patiently(self, work: Callable[[], T], seconds: float = PATIENCE) -> T:
        """What the work gives; it is done again where the connection was lost meanwhile, for so long."""
        until = time.monotonic() + seconds
        while True:
            try:
                return work()
            except (DeviceLost, NetworkFailed):
                self.close()
                if time.monotonic() > until:
                    raise
                self.rest()

    def look(self) -> Look:
        """What the machine is now. Raises DeviceLost where the answer was cut off."""
        seen = look_of(self.ask(look()))
        if not seen.whole:
            self.close()
            raise DeviceLost("connection-lost", f"{self.where['host']} did not answer to the end.", hint="Give the same command again.")  # fmt: skip
        return seen

    def same(self, seen: Look) -> None:
        """Raise Refused `other-host` unless it is the surveyed machine: by its cards, which no reboot changes, or its hostid."""
        known = frozenset(self.run.plan.params["identity"].get("macs", ()))
        if known and seen.macs:
            fits = bool(known & seen.macs)
        else:
            fits = seen.hostid == self.run.plan.params["identity"]["hostid"]
        if not fits or not seen.smartos or seen.zone not in ("global", ""):
            raise Refused("other-host", f"{self.where['host']} is not the surveyed machine: it has other network cards.", hint="Is this the right address? Nothing was told to that machine.")  # fmt: skip

    # ------------------------------------------------------------------ waiting for it

    def back(
        self, step: Step, wanted: Callable[[Look], bool], boot: int | None, seconds: float
    ) -> Iterator[Event | Look]:
        """Wait until it has booted since `boot` and looks as wanted; yields events, and the look last.

        Raises DeviceLost `not-back` after so many seconds, Refused `other-host`, `unknown-host-key` and PrivilegeFailed
        where that is so until then, Cancelled.
        """
        self.close()
        self.after_boot = True
        until, begun = time.monotonic() + seconds, time.monotonic()
        last: WizardError | None = None
        went = False
        while True:
            try:
                seen = self.look()
            except (NetworkFailed, DeviceLost) as error:
                went, last = True, error
                yield from self._state(step, "down", f"{self.where['host']} does not answer yet.")
            except PrivilegeFailed as error:
                went, last = True, error
                yield from self._state(step, "login-refused", f"{self.where['host']} answers and does not let us in: {error.message}")  # fmt: skip
            except Refused as error:
                if error.reference not in ("unknown-host-key", "changed-host-key", "other-host-key"):
                    raise
                went, last = True, error
                yield from self._key(step, error)
            else:
                anew = seen.boot > boot + LATE if seen.boot is not None and boot is not None else went
                if anew:
                    self.same(seen)
                    yield from self._state(step, *_words(self.where["host"], seen))
                    if wanted(seen):
                        yield seen
                        return
                    self.close()
                elif time.monotonic() - begun > 60 and not self.run.world.practice:
                    yield from self._state(step, "same-boot", f"{self.where['host']} has not restarted yet.")
            if time.monotonic() > until:
                if isinstance(last, PrivilegeFailed | Refused):
                    raise last
                raise DeviceLost(
                    "not-back", f"{self.where['host']} was not back within {round(seconds / 60)} minutes.",
                    hint="Look at its console. `smartos-wizard reinstall watch PLAN` goes on waiting, and verifies.",
                    context=last.message if last else "",
                )  # fmt: skip
            self.rest()

    def _state(self, step: Step, state: str, text: str) -> Iterator[Event]:
        """Say a new state once."""
        if self.run.found.get("state") != state:
            self.run.found["state"] = state
            yield Noted(self.run.clock(), step.id, text, reference="host-state", data={"state": state})

    def _key(self, step: Step, error: Refused) -> Iterator[Event]:
        fingerprint = str(error.details.get("fingerprint", ""))
        if fingerprint and fingerprint not in self._told:
            self._told.add(fingerprint)
            host, port = self.where["host"], self.where["port"] or 22
            yield Noted(
                self.run.clock(), step.id,
                f"{host} is back with a key that nobody knows yet: {fingerprint}. Compare it on its console: for f in /etc/ssh/*_key.pub; do ssh-keygen -lf $f; done",
                level="warning", reference="unknown-host-key", data={"host": host, "port": port, "fingerprint": fingerprint, "run": self.record.run},
            )  # fmt: skip
        yield from self._state(
            step, "unknown-key", f"Waiting until the key of {self.where['host']} is agreed to."
        )


def _other_key(name: str) -> Refused:
    return Refused(
        "other-host-key",
        f"{name} shows another key than when it was surveyed.",
        hint="Survey it again.",
        context="nothing was changed there",
    )


def _words(host: str, seen: Look) -> tuple[str, str]:
    if seen.rescue:
        return "rescue", f"{host} is up in Rescue Mode."
    names = ", ".join(tame(name) for name, _ in seen.pools) or "no pool"
    return "back", f"{host} is up, with {names}."
