"""Plans of a re-install on real OpenZFS pools: done by hand as the plan says, exactly the named pools are gone.

SmartOS's part of the boot is played (`rig/played`); pools, their destruction and what `zpool create` refuses are real.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.reinstall.after import after_setup
from smartos_wizard.reinstall.choices import MANUAL, Choices, Prepared
from smartos_wizard.reinstall.judging import judge
from smartos_wizard.reinstall.model import Survey, Way
from smartos_wizard.reinstall.parse import survey_of
from smartos_wizard.reinstall.planning import plan_reinstall
from smartos_wizard.reinstall.script import survey_script
from smartos_wizard.reinstall.ways import outcome_of
from tests.lab.rig import parts, zfs_tree
from tests.lab.rig.zfs_host import NORMAL, RESCUE, ZfsHost

pytestmark = [pytest.mark.lab, pytest.mark.slow]

CLEAN = """
for pool in $(zpool list -Ho name); do zpool destroy -f $pool; done
for disk in a b c d e g; do
	end=$(($(cat /sys/block/vd$disk/size) / 2048 - 24))
	wipefs -qaf /dev/vd$disk?* /dev/vd$disk 2>/dev/null || true
	dd if=/dev/zero of=/dev/vd$disk bs=1M count=8 2>/dev/null
	dd if=/dev/zero of=/dev/vd$disk bs=1M seek=$end 2>/dev/null || true
	blockdev --rereadpt /dev/vd$disk || true
done
udevadm settle
"""
POOLS = """
zpool create -f zones raidz1 /dev/vda /dev/vdb /dev/vdc
touch /zones/.system_pool
for n in var cores; do zfs create zones/$n; done
for n in config usbkey opt; do zfs create -o mountpoint=legacy zones/$n; done
zpool create -f tank mirror /dev/vdd /dev/vde
dd if=/dev/urandom of=/tank/photos bs=1M count=20 2>/dev/null
zpool create -f backup /dev/vdg
dd if=/dev/urandom of=/backup/all bs=1M count=20 2>/dev/null
sync
"""
RIGGED = {"release", "links", "system-pool", "services", "fstyp"}
"""Questions that the played machine has no answer to, and SmartOS has."""


@pytest.fixture(scope="module")
def host(space: Path) -> Iterator[ZfsHost]:
    parts.need_programs(["qemu-system-x86_64", "debootstrap", "ssh-keygen"])
    place = space / "plan-zfs"
    place.mkdir()
    disks = {f"vd{letter}": 512 << 20 for letter in "abcdefg"}
    machine = ZfsHost(place, zfs_tree.prepare(), disks, usb=["vdf", "vdg"], make=False)
    try:
        yield machine.ready()
    finally:
        machine.close()


@pytest.fixture
def machine(host: ZfsHost) -> ZfsHost:
    """Booted normally; with zones, tank on disks that setup takes, and a backup pool on USB, all imported."""
    told = host.sh("cat /proc/cmdline")
    if any(f" {name}=" in told for name in ("noimport", "destroy_zpools", "zpools")):
        host.boot()  # what a boot was told stands in its parameters until the next one
    host.sh(CLEAN, seconds=300)
    host.sh(POOLS, seconds=300)
    return host


def survey(machine: ZfsHost) -> Survey:
    done = machine.run("/bin/sh", "-c", survey_script(), seconds=540)
    found = survey_of(done.stdout, taken=time.time(), how="ssh", host="lab", host_key="SHA256:lab")
    assert {gap.probe for gap in found.gaps} <= RIGGED, found.gaps
    return replace(found, gaps=())


def plan_of(found: Survey, way: Way, *, limited: bool = False, by_hand: bool = False) -> Plan:
    choices = Choices(way, limited, (MANUAL,) if by_hand else (), prepared=Prepared("the lab", "it boots"))
    _, _, stops = judge(found, choices, time.time())
    tokens = [stop.token for stop in stops if stop.level == "consent"]
    choices = replace(choices, consents=tuple(dict.fromkeys([*choices.consents, *tokens])))
    return plan_reinstall(found, choices, time.time())


def destroying(plan: Plan) -> Step:
    return next(step for step in plan.steps if step.effect is Effect.DESTROYS)


def do(machine: ZfsHost, plan: Plan) -> None:
    """What a person would type, step by step, until the machine has booted after the wipe."""
    for step in plan.steps:
        into = step.params.get("into")
        if step.action in ("reboot", "loader-destroy"):
            if step.action == "reboot" and into == "loader" and step.effect is not Effect.DESTROYS:
                continue  # it stands at the prompt, and the next step types there
            typed = dict(line.removeprefix("set ").split("=") for line in step.params.get("lines", ()))
            machine.boot(RESCUE if into == "rescue" else {**NORMAL, **typed})
            if step.effect is Effect.DESTROYS:
                return
        elif step.action in ("set-reset", "rescue-import", "rescue-destroy"):
            for line in step.by_hand.split("; "):
                machine.sh(line)


def seen(machine: ZfsHost) -> dict[str, str]:
    """Every pool that lives, imported or not, with its guid."""
    listed = machine.sh("zpool list -Hpo name,guid").split()
    found = dict(zip(listed[::2], listed[1::2], strict=True))
    said = machine.run("zpool", "import").stdout
    return found | dict(re.findall(r"pool: (\S+)\n\s+id: (\d+)", said))


def gone(machine: ZfsHost) -> set[tuple[str, str]]:
    """Every pool that was destroyed and not overwritten yet, as `zpool import -D` proves."""
    said = machine.run("zpool", "import", "-D").stdout
    return set(re.findall(r"pool: (\S+)\n\s+id: (\d+)", said))


def named(plan: Plan, key: str) -> set[tuple[str, str]]:
    return {(pool["name"], pool["guid"]) for pool in plan.params[key]}


WAYS = [(Way.RESET, False), (Way.LOADER, False), (Way.LOADER, True), (Way.RESCUE, False)]


@pytest.mark.parametrize(("way", "limited"), WAYS, ids=["A", "B", "B-limited", "C"])
def test_exactly_the_named_pools_are_gone(machine: ZfsHost, way: Way, limited: bool) -> None:
    files = {"tank": "photos", "backup": "all"}
    sums = {name: machine.sh(f"sha256sum /{name}/{file}").split()[0] for name, file in files.items()}
    found = survey(machine)
    assert {pool.name for pool in found.imported} == {"zones", "tank", "backup"}
    plan = plan_of(found, way, limited=limited, by_hand=True)
    if way is Way.RESET:
        taken_back(machine, plan)
    do(machine, plan)
    assert gone(machine) == named(plan, "dying")
    assert set(seen(machine).items()) == named(plan, "kept")
    for name in seen(machine):
        machine.run("zpool", "import", "-f", name)  # where a normal boot has not done it already
        assert machine.sh(f"sha256sum /{name}/{files[name]}").split()[0] == sums[name]
        assert "No known data errors" in machine.sh(f"zpool scrub -w {name}; zpool status {name}", 300)
    if way is Way.RESCUE:
        setup_after_c(machine, found)
    if limited:
        setup_after_b_limited(machine, found)


def taken_back(machine: ZfsHost, plan: Plan) -> None:
    """The mark is set, taken away, and the next boot destroys nothing."""
    mark = next(step for step in plan.steps if step.action == "set-reset")
    machine.sh(mark.by_hand)
    assert machine.sh("zfs get -Ho value smartdc:factoryreset zones/var").strip() == "yes"
    machine.sh("zfs inherit smartdc:factoryreset zones/var; sync")
    machine.boot()
    assert set(seen(machine)) == {"zones", "tank", "backup"}


def setup_after_c(machine: ZfsHost, found: Survey) -> None:
    """The default layout fails, because tank is imported; the line of the plan works, and without -f."""
    refused = machine.run(*_default(found, Way.RESCUE))
    assert refused.code
    assert "vdd is in use" in refused.stderr  # in Linux's words; illumos says “is part of active ZFS pool”
    assert set(seen(machine)) == {"tank", "backup"}
    command = after_setup(found, outcome_of(found, Way.RESCUE, by_hand=True)).command
    assert "-f" not in shlex.split(command)
    machine.sh(command)
    assert set(seen(machine)) == {"zones", "tank", "backup"}


def setup_after_b_limited(machine: ZfsHost, found: Survey) -> None:
    """Why B with --limit asks for a layout by hand, or for the pool's name: tank is not imported while setup runs."""
    outcome = outcome_of(found, Way.LOADER, limited=True)
    assert {fate.pool.name for fate in outcome.dying} == {"zones", "tank"}
    machine.sh("zpool export tank")
    words = _default(found, Way.LOADER, limited=True)
    assert machine.run(*(word for word in words if word != "-f")).code  # without -f it would be refused
    assert "tank" in seen(machine)
    machine.sh(shlex.join(words))
    assert set(seen(machine)) == {"zones", "backup"}


def _default(found: Survey, way: Way, *, limited: bool = False) -> list[str]:
    """Setup's own command for its default layout (smartos-live: src/mkzpool.js)."""
    after = after_setup(found, outcome_of(found, way, limited=limited))
    assert after.preview is not None
    disks = [disk.name for vdev in after.preview.layout.vdevs for disk in vdev.disks]
    assert {"vda", "vdb", "vdc", "vdd", "vde"} == set(disks)
    return ["zpool", "create", "-f", "zones", after.preview.layout.vdevs[0].kind, *disks]
