"""A machine behind the shell server, its survey, and the world a backup of it runs in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import Event, PlanCancelled, PlanFinished
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.reinstall import backup_asking
from smartos_wizard.reinstall.backup_choice import Choice
from smartos_wizard.reinstall.backup_files import unpacked
from smartos_wizard.reinstall.backup_manifest import CONFIGURATION, read, unfinished
from smartos_wizard.reinstall.backup_planning import Destination, plan_backup
from smartos_wizard.reinstall.backup_steps import BACKUP_ACTIONS
from smartos_wizard.reinstall.connect import SshHosts
from smartos_wizard.reinstall.known import KnownHosts
from smartos_wizard.reinstall.model import Dataset, Instance, Survey
from smartos_wizard.reinstall.ports import Address, Host
from smartos_wizard.reinstall.restore_config import Compared, compare, items
from smartos_wizard.reinstall.restore_notes import before
from smartos_wizard.reinstall.restore_planning import Wanted, plan_restore
from smartos_wizard.reinstall.restore_steps import RESTORE_ACTIONS
from smartos_wizard.reinstall.ssh_streams import streaming
from smartos_wizard.reinstall.streams import StreamHost, shell
from tests.unit.reinstall.shell_server import ShellServer
from tests.unit.reinstall.surveys import survey

WEB = "0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11"
IMAGE = "9aa48095-da9d-41ca-a094-31d1fb476b98"
DATA = {
    f"zones/{IMAGE}": b"image" * 1000,
    f"zones/{WEB}": bytes(range(256)) * 3000,
    f"zones/{WEB}/disk0": b"zvol" * 50_000,
    "zones/precious": b"photos" * 20_000,
}
EVERYTHING = Choice(every_instance=True, datasets=("zones/precious",))


def machine(place: Path) -> ShellServer:
    """A machine with an instance that is a clone of an image, and a dataset of its own."""
    server = ShellServer(place)
    for name, data in DATA.items():
        server.dataset(name, data)
    server.dataset("zones", b"")
    server.dataset(f"zones/{IMAGE}@final", DATA[f"zones/{IMAGE}"])
    server.put("usbkey/config", "hostname=box\nroot_shadow=$5$secret\nadmin_ip=dhcp\n")
    server.put("usbkey/ssh/key", "host key")
    server.put("opt/custom/smf/a.xml", "<service/>")
    server.put("etc/zones/index", f"global:installed:/\n{WEB}:installed:/zones/{WEB}:{WEB}\n")
    server.put(f"etc/zones/{WEB}.xml", "<zone/>")
    server.put(f"var/imgadm/images/zones-{IMAGE}.json", "{}")
    return server


def found(server: ShellServer, **more: Any) -> Survey:
    """The survey of it: what the server holds now."""
    origin = f"zones/{IMAGE}@final"
    datasets = tuple(
        Dataset(name, "filesystem", len(data), len(data), origin if name == f"zones/{WEB}" else "")
        for name, data in sorted(server.datasets.items())
        if "@" not in name
    )
    known = (server.root / "etc/zones/index").read_text()
    web = Instance(WEB, "web", "joyent", "stopped", datasets=(f"zones/{WEB}",))
    plain = survey(
        datasets=datasets,
        instances=(web,) if WEB in known else (),
        host_key=server.key.get_fingerprint(),
        host="127.0.0.1",
    )
    return replace(plain, **more)


@dataclass
class BackupWorld:
    """The world of a backup."""

    paths: Paths
    practice: bool = False
    doors: dict[str, Host] = field(default_factory=dict)

    def streaming(self, host: Host) -> StreamHost:
        return streaming(host)

    @property
    def hosts(self) -> SshHosts:
        return SshHosts(self.paths, KnownHosts(self.paths, ()), ())

    def now(self) -> float:
        return time.time()


def address(server: ShellServer) -> Address:
    return Address("127.0.0.1", port=server.port, accept=(server.key.get_fingerprint(),), seconds=60)


def backup_plan(server: ShellServer, to: Path, choice: Choice = EVERYTHING, **more: Any) -> Plan:
    changed = more.pop("survey", None) or found(server)
    return plan_backup(changed, choice, address(server), Destination(to, unfinished(to), **more), time.time())


def run(plan: Plan, paths: Paths, cancel: Cancel | None = None) -> list[Event]:
    """Run it, from its JSON as another process would."""
    actions = BACKUP_ACTIONS if plan.kind == "reinstall-backup" else RESTORE_ACTIONS
    return list(execute(Plan.from_json(plan.to_json()), actions, BackupWorld(paths), cancel))


def end(events: list[Event]) -> PlanFinished | PlanCancelled:
    last = events[-1]
    assert isinstance(last, PlanFinished | PlanCancelled)
    return last


def good(events: list[Event]) -> PlanFinished:
    last = end(events)
    assert isinstance(last, PlanFinished)
    assert last.exit_code == 0, last.error
    return last


def compared(server: ShellServer, to: Path, paths: Paths) -> Compared:
    """How the configuration differs there."""
    host = streaming(BackupWorld(paths).hosts.open(address(server)))
    try:
        there = items(host.stream(shell(backup_asking.configuration())))
    finally:
        host.close()
    kept = read(to).file(CONFIGURATION)
    assert kept is not None
    return compare(items(unpacked(to, kept)), there)


def restore_plan(server: ShellServer, to: Path, paths: Paths, wanted: Wanted, **more: Any) -> Plan:
    now = found(server, **more)
    return plan_restore(
        read(to), to, now, compared(server, to, paths), wanted, address(server), before(to, now.hostid)
    )


def snapshots(server: ShellServer) -> list[str]:
    """Those that a backup made."""
    return [name for name in server.datasets if "@smartos-wizard-" in name]
