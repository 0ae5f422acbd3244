"""The machine that a plan works on: the connection that was opened for its survey, or a new one to the same machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.core.text import tame
from smartos_wizard.core.vault import Vault
from smartos_wizard.reinstall.backup_asking import identity
from smartos_wizard.reinstall.console_port import Console
from smartos_wizard.reinstall.model import Survey
from smartos_wizard.reinstall.ports import Address, Host, Hosts
from smartos_wizard.reinstall.streams import StreamHost, ask


class ReinstallWorld(Protocol):
    """The part of the world this room's plans work with. `doors`: connections that are open already, by host name."""

    practice: bool
    paths: Paths
    doors: dict[str, Host]

    def streaming(self, host: Host) -> StreamHost:
        """The same machine with streams."""
        ...

    def console(self, where: str) -> Console:
        """A serial console, connected; the same one as long as it is open."""
        ...

    def console_host(self, where: str, password: str) -> StreamHost:
        """A machine at the other end of a serial console."""
        ...

    @property
    def hosts(self) -> Hosts:
        """The way to machines."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


def address_to_json(address: Address, survey: Survey) -> dict[str, Any]:
    """Where the machine is, for a plan. A password never stands in one."""
    return {"host": address.host, "user": address.user, "port": address.port, "jump": address.jump, "identity": address.identity,
            "host_key": survey.host_key, "hostid": survey.hostid, "hostname": survey.hostname,
            "pools": {pool.name: pool.guid for pool in survey.imported}}  # fmt: skip


def door(run: Run[ReinstallWorld]) -> StreamHost:
    """The machine of the plan, connected. Raises what `Hosts.open` raises, Refused `other-host-key`."""
    found: StreamHost | None = run.found.get("door")
    if found is not None:
        return found
    where = run.plan.params["address"]
    host = run.world.doors.pop(where["host"], None)
    if host is None:
        key = (where["host_key"],) if where["host_key"] else ()
        secret = run.plan.params.get("secret", "")
        password = Vault(run.world.paths).get(secret).decode() if secret else None
        host = run.world.hosts.open(
            Address(
                where["host"], where["user"], where["port"], where["jump"], where["identity"], password, accept=key,
                remember=False,
            )
        )  # fmt: skip
    run.on_end.append(host.close)
    if where["host_key"] and host.host_key != where["host_key"]:
        raise Refused("other-host-key", f"{host.name} shows another key than when it was surveyed.", hint="Survey it again.", context="nothing was changed there")  # fmt: skip
    run.found["door"] = opened = run.world.streaming(host)
    return opened


def stopper(run: Run[ReinstallWorld]) -> Callable[[], bool]:
    """Whether a stop was asked for."""
    return lambda: run.cancel.requested


def recheck(run: Run[ReinstallWorld], _step: Step) -> Work:
    """Compare hostid and pools with the survey. Raises Refused `other-host`."""
    where = run.plan.params["address"]
    hostid, *lines = ask(door(run), identity(), stopper(run)).decode("utf-8", "replace").splitlines() or [""]
    pools = dict(line.split("\t", 1) for line in lines if "\t" in line)
    gone = [name for name, guid in where["pools"].items() if pools.get(name) != guid]
    if hostid.strip() != where["hostid"]:
        raise Refused("other-host", f"{where['host']} is not the surveyed machine: its hostid is {tame(hostid)}, not {tame(where['hostid'])}.", hint="Is this the right address?", context="nothing was changed there")  # fmt: skip
    if gone:
        raise Refused("other-host", f"On {where['host']} the pool {tame(gone[0])} is not the surveyed one any more.", hint="Survey it again.", context="nothing was changed there")  # fmt: skip
    yield from ()
    return {"hostid": hostid.strip()}
