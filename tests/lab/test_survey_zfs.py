"""A survey of a machine with real OpenZFS pools, by its real sshd. SmartOS's own commands are played there (`rig/played`)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.paths import below
from smartos_wizard.reinstall.connect import SshHosts
from smartos_wizard.reinstall.known import KnownHosts
from smartos_wizard.reinstall.model import Mode, Survey
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.survey import require_global_zone, take
from tests.lab.rig import parts, zfs_tree
from tests.lab.rig.zfs_host import RESCUE, ZfsHost

pytestmark = [pytest.mark.lab, pytest.mark.slow]

POOLS = """
zpool create -f tank mirror /dev/vdd /dev/vde
zfs create tank/photos
dd if=/dev/urandom of=/tank/photos/one bs=1M count=20 2>/dev/null
zfs snapshot tank/photos@first
echo secretsecret > /run/passphrase
zpool create -f -O encryption=aes-256-gcm -O keyformat=passphrase -O keylocation=file:///run/passphrase vault /dev/vdf
zpool create -f backup /dev/vdg
zpool export backup
zpool set bootfs=zones/opt zones
zfs create zones/0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11
zfs create -V 16M zones/0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11/disk0
zfs snapshot zones/0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11@backup
mkdir -p /opt/custom/smf
echo service > /opt/custom/smf/backup.xml
"""
INSTANCE = {
    "uuid": "0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11", "alias": "web", "brand": "joyent", "state": "running",
    "zfs_filesystem": "zones/0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11", "max_physical_memory": 256,
}  # fmt: skip
TRUTH = "zpool list -Hp -o name,guid,health; zfs list -Hp -t all -o name,guid; zpool history"


@pytest.fixture(scope="module")
def machine(space: Path) -> Iterator[ZfsHost]:
    parts.need_programs(["qemu-system-x86_64", "debootstrap", "ssh-keygen"])
    place = space / "survey-zfs"
    place.mkdir()
    disks = {f"vd{letter}": 512 << 20 for letter in "abcdefg"}
    host = ZfsHost(place, zfs_tree.prepare(), disks, usb=["vdg"], make=False)
    disklist = (
        host.shared / "bin" / "disklist"
    )  # one disk to look for a key on: a played fstyp takes seconds each time
    disklist.unlink()
    disklist.write_text("#!/bin/sh\necho vda\n")
    disklist.chmod(0o755)
    try:
        host.ready()
        host.sh(
            "zpool create -f zones raidz1 /dev/vda /dev/vdb /dev/vdc && zfs create zones/var && touch /zones/.system_pool"
        )
        host.sh("for n in config usbkey opt; do zfs create -o mountpoint=legacy zones/$n; done")
        host.sh(
            "mount -t zfs zones/config /etc/zones; mount -t zfs zones/opt /opt; mount -t zfs zones/usbkey /usbkey"
        )
        host.sh(
            "echo admin_nic=52:54:00:12:34:56 > /usbkey/config; echo hostname=lab >> /usbkey/config; mkdir /usbkey/ssh"
        )
        host.sh("cp /etc/ssh/ssh_host_ed25519_key* /usbkey/ssh")
        host.sh("sync")
        host.boot()
        host.sh(POOLS)
        host.sh(f"echo '{json.dumps(INSTANCE)}' > /etc/zones/web.json; sync")
        yield host
    finally:
        host.close()


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def survey(machine: ZfsHost, tmp_path: Path) -> tuple[Survey, list[str]]:
    hosts = SshHosts(below(tmp_path), KnownHosts(below(tmp_path), (tmp_path / "none",)), ())
    with pytest.raises(Exception, match="not known here") as raised:
        hosts.open(Address("127.0.0.1", port=machine.port, identity=str(machine.key)))
    fingerprint = raised.value.details["fingerprint"]  # type: ignore[attr-defined]
    host = hosts.open(
        Address("127.0.0.1", port=machine.port, identity=str(machine.key), accept=(fingerprint,), seconds=60)
    )
    try:
        return take(host, time.time), host.sent
    finally:
        host.close()


def test_everything_is_found_and_nothing_is_changed(machine: ZfsHost, tmp_path: Path) -> None:
    machine.sh("sync")
    before = machine.sh(TRUTH)
    files = machine.sh("find /usbkey /opt /etc/zones -xdev -ls")
    found, sent = survey(machine, tmp_path)
    require_global_zone(found)
    assert len(sent) == 2
    pools = {pool.name: pool for pool in found.pools}
    assert set(pools) == {"zones", "tank", "vault", "backup"}
    guids = dict(line.split("	") for line in machine.sh("zpool list -Hp -o name,guid").splitlines())
    assert all(pools[name].guid == guids[name] for name in ("zones", "tank", "vault"))
    zones, tank, vault, backup = pools["zones"], pools["tank"], pools["vault"], pools["backup"]
    assert zones.system and zones.bootable and not (zones.encrypted or zones.usb)
    assert [(disk.name, disk.role) for disk in zones.disks] == [(f"vd{x}", "raidz1-0") for x in "abc"]
    assert [(disk.name, disk.role) for disk in tank.disks] == [("vdd", "mirror-0"), ("vde", "mirror-0")]
    assert vault.encrypted and not tank.encrypted
    assert (backup.imported, backup.importable, [disk.name for disk in backup.disks]) == (
        False,
        True,
        ["vdg"],
    )
    assert backup.usb
    datasets = {dataset.name: dataset for dataset in found.datasets}
    assert datasets["tank/photos"].used > 20 << 20
    assert datasets["tank/photos"].newest is not None
    assert datasets[f"{INSTANCE['zfs_filesystem']}/disk0"].kind == "volume"
    assert abs(datasets["tank/photos"].newest - time.time()) < 3600
    assert [each.title for each in found.instances] == ["web (0b3b1a4e)"]
    assert {file.path for file in found.usbkey} >= {"/usbkey/config", "/usbkey/ssh/ssh_host_ed25519_key"}
    assert [file.path for file in found.custom] == ["/opt/custom/smf/backup.xml"]
    assert found.nics[0].tags == ("admin",)
    assert not found.reset_pending
    assert {gap.probe for gap in found.gaps} <= {"system-pool", "release", "links"}
    assert machine.sh(TRUTH) == before
    assert machine.sh("find /usbkey /opt /etc/zones -xdev -ls") == files


def test_a_pool_that_lost_a_disk_is_told(machine: ZfsHost, tmp_path: Path) -> None:
    machine.sh("zpool offline tank vde")
    try:
        found, _ = survey(machine, tmp_path)
        tank = found.pool("tank")
        assert tank is not None
        assert tank.health == "DEGRADED"
        assert [disk.health for disk in tank.disks] == ["ONLINE", "OFFLINE"]
        assert "taken offline" in tank.problem
    finally:
        machine.sh("zpool online tank vde")


def test_a_reset_that_waits_is_told(machine: ZfsHost, tmp_path: Path) -> None:
    machine.sh("zfs set smartdc:factoryreset=yes zones/var")
    try:
        assert survey(machine, tmp_path)[0].reset_pending
    finally:
        machine.sh("zfs inherit smartdc:factoryreset zones/var")
    assert not survey(machine, tmp_path / "again")[0].reset_pending


def test_in_rescue_mode_every_pool_is_seen_and_no_disk_changes(machine: ZfsHost, tmp_path: Path) -> None:
    machine.sh("zpool export tank; zpool export vault; sync")
    machine.boot(RESCUE)
    digests = [digest(path) for path in machine.disks]
    found, _ = survey(machine, tmp_path)
    assert found.mode is Mode.RESCUE
    assert {pool.name for pool in found.pools} == {"zones", "tank", "vault", "backup"}
    assert not found.imported
    assert [disk.role for disk in found.pool("zones").disks] == ["raidz1-0"] * 3  # type: ignore[union-attr]
    assert {"instances", "datasets", "usbkey"} <= {gap.probe for gap in found.gaps}
    assert [digest(path) for path in machine.disks] == digests
