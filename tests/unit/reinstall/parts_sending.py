"""A second machine, that datasets are sent to, and plans that send there and bring back."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Plan
from smartos_wizard.reinstall.backup_manifest import Manifest, read, unfinished
from smartos_wizard.reinstall.backup_planning import Destination, plan_backup
from smartos_wizard.reinstall.restore_notes import before
from smartos_wizard.reinstall.restore_planning import Wanted, plan_restore
from smartos_wizard.reinstall.ssh_streams import streaming
from smartos_wizard.reinstall.there import Looked, look
from tests.unit.reinstall.parts_backup import EVERYTHING, IMAGE, WEB, BackupWorld, address, compared, found
from tests.unit.reinstall.shell_server import ShellServer

PLACE = "tank/box"


def attic(place: Path) -> ShellServer:
    """A machine with a pool `tank`, and something of its own on it."""
    server = ShellServer(place, more={"GUID": "2222"})
    server.dataset("tank", b"")
    server.dataset("tank/own", b"its own")
    return server


def known(server: ShellServer, name: str, **what: Any) -> None:
    """Say of a dataset there: its guid, origin, or what is `set` on it."""
    place = server.place / "meta" / name.replace("/", "%")
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps({"guid": str(abs(hash(name)) % 10**9), **what}))


def with_clone(server: ShellServer) -> ShellServer:
    """The instance is a clone of its image, there is an older snapshot, and something is set."""
    known(server, f"zones/{WEB}", origin=f"zones/{IMAGE}@final", set={"quota": "10", "mountpoint": "/zones/web", "lab:note": "two words"})  # fmt: skip
    server.dataset("zones/precious@old", b"older")
    known(server, "zones/precious@old", guid="77", set={"lab:taken": "once"})
    return server


def looked(server: ShellServer, paths: Paths, place: str = PLACE) -> Looked:
    """What is on the second machine now."""
    host = streaming(BackupWorld(paths).hosts.open(address(server)))
    try:
        return look(host, address(server), place)
    finally:
        host.close()


def sending_plan(server: ShellServer, to: Path, other: ShellServer, paths: Paths, **more: Any) -> Plan:
    """A backup of everything, to the other machine."""
    destination = Destination(to, unfinished(to), there=looked(other, paths), **more)
    return plan_backup(found(server), EVERYTHING, address(server), destination, time.time())


def coming_back(server: ShellServer, to: Path, paths: Paths, wanted: Wanted) -> Plan:
    """A restore from there."""
    now = found(server)
    return plan_restore(
        read(to), to, now, compared(server, to, paths), wanted, address(server), before(to, now.hostid)
    )


def moved_to(manifest: Manifest, other: ShellServer) -> Manifest:
    """The same backup, with the other machine at another port."""
    assert manifest.there is not None
    return replace(manifest, there=replace(manifest.there, port=other.port))
