"""`reinstall run` on real OpenZFS pools, by the real command over the real sshd; SmartOS's own part is played (`rig/played`).

Each way goes to its end once. In one of them the command is killed at every step, in another the connection is cut at
every step; after each exactly the named pools are gone, and the others are what they were, byte for byte.
"""

from __future__ import annotations

import json
import re
import shlex
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.reinstall.run_plans import plan_of
from tests.lab.rig import command, parts, zfs_tree
from tests.lab.rig.command import Outcome, Running
from tests.lab.rig.zfs_host import NORMAL, RESCUE, ZfsHost

pytestmark = [pytest.mark.lab, pytest.mark.slow]

WEB = "0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11"
CLEAN = """
for pool in $(zpool list -Ho name); do zpool destroy -f $pool; done
for disk in a b c d e f; do
	end=$(($(cat /sys/block/vd$disk/size) / 2048 - 24))
	wipefs -qaf /dev/vd$disk?* /dev/vd$disk 2>/dev/null || true
	dd if=/dev/zero of=/dev/vd$disk bs=1M count=8 2>/dev/null
	dd if=/dev/zero of=/dev/vd$disk bs=1M seek=$end 2>/dev/null || true
	blockdev --rereadpt /dev/vd$disk || true
done
udevadm settle
"""
POOLS = f"""
zpool create -f zones raidz1 /dev/vda /dev/vdb /dev/vdc
touch /zones/.system_pool
for n in var cores; do zfs create zones/$n; done
for n in config usbkey opt; do zfs create -o mountpoint=legacy zones/$n; done
for n in dump swap; do zfs create -V 64M zones/$n; done
mount -t zfs zones/config /etc/zones; mount -t zfs zones/usbkey /usbkey; mount -t zfs zones/opt /opt
printf 'admin_nic=52:54:00:12:34:56\\nhostname=lab\\n' > /usbkey/config
mkdir -p /usbkey/ssh; cp /etc/ssh/ssh_host_ed25519_key* /usbkey/ssh
zfs create zones/{WEB}; zfs snapshot zones/{WEB}@before
zpool create -f tank mirror /dev/vdd /dev/vde
dd if=/dev/urandom of=/tank/photos bs=1M count=20 2>/dev/null
zpool create -f backup /dev/vdf
dd if=/dev/urandom of=/backup/all bs=1M count=20 2>/dev/null
echo 'SmartOS 20260903T001557Z x86_64' > /etc/release
sync
"""
FILES = {"tank": "photos", "backup": "all"}
PROVEN = {"receipt": 1, "result": "proven", "time": "2026-09-03", "source": {"stamp": "20260903T001557Z"}, "device": {"name": "a key"}}  # fmt: skip


class Proxy:
    """A way to the machine's sshd that can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self.cuts = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._port))
                except OSError:
                    near.close()
                    continue
                self._open += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Every connection that is open now."""
        ends, self._open = self._open, []
        self.cuts += bool(ends)
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._listener.close()
        self.cut()


@pytest.fixture(scope="module")
def host(space: Path) -> Iterator[ZfsHost]:
    parts.need_programs(["qemu-system-x86_64", "debootstrap", "ssh-keygen"])
    place = space / "run-zfs"
    place.mkdir()
    disks = {f"vd{letter}": 512 << 20 for letter in "abcdef"}
    machine = ZfsHost(place, zfs_tree.prepare(), disks, usb=["vdf"], make=False)
    try:
        yield machine.ready()
    finally:
        machine.close()


@pytest.fixture
def machine(host: ZfsHost) -> ZfsHost:
    """Booted normally, with zones, tank on disks that setup takes, and a backup pool on USB, all imported; an instance runs.

    Setup makes the new pool of zones' disks, as somebody who makes it by hand does.
    """
    told = host.sh("cat /proc/cmdline")
    if any(f" {name}=" in told for name in ("noimport", "destroy_zpools", "zpools")):
        host.boot()
    host.tell(answers=None)
    host.sh(
        "umount /opt /usbkey /etc/zones 2>/dev/null || true; umount /opt /usbkey /etc/zones 2>/dev/null || true"
    )
    host.sh(CLEAN, seconds=300)
    host.sh(POOLS, seconds=300)
    instance = {"uuid": WEB, "alias": "web", "brand": "joyent", "state": "running", "zone_state": "running",
                "zfs_filesystem": f"zones/{WEB}", "max_physical_memory": 256}  # fmt: skip
    host.sh(f"echo {shlex.quote(json.dumps(instance))} > /etc/zones/{WEB}.json; echo {WEB}:installed:/zones/{WEB}:{WEB} >> /etc/zones/index; sync")  # fmt: skip
    host.tell(answers={"hostname": "lab", "disks": "vda vdb vdc"})
    host.sh("hostname lab; pkill sshd || true; python3 -c 'import sys; sys.path.insert(0, \"/mnt\"); import boot; boot.sshd()'")  # fmt: skip
    return host


class Job:
    """A plan of that machine, made by the real commands."""

    def __init__(self, machine: ZfsHost, home: Path, port: int, *words: str) -> None:
        self.machine, self.home, self.port = machine, home, port
        survey, self.file = home / "lab.json", home / "lab.plan"
        (home / "proof.json").write_text(json.dumps(PROVEN))
        unknown = self.call("survey", "127.0.0.1", *self.door(), "--json")
        assert unknown.reference == "unknown-host-key", unknown.told()
        key = unknown.last["fingerprint"]
        done = self.call(
            "survey", "127.0.0.1", *self.door(), "--accept-host-key", key, "--save", str(survey), "--json"
        )
        assert done.code == 0, done.told()
        common = ("plan", "--survey", str(survey), "--prepared", str(home / "proof.json"), *words, "--json")
        asked = self.call(*common).document
        tokens = [stop["token"] for stop in asked["missing"]]
        assert all(tokens), asked["missing"]
        consents = [word for token in dict.fromkeys(tokens) for word in ("--consent", token)]
        planned = self.call(*common, *consents, "--save", str(self.file))
        assert planned.code == 0, planned.told()
        self.plan = plan_of(self.file.read_text(), "lab.plan")
        assert self.plan.confirmation is not None
        self.confirm = [word for token in self.plan.confirmation.tokens for word in ("--confirm", token)]

    def door(self) -> tuple[str, ...]:
        return ("--port", str(self.port), "--identity", str(self.machine.key))

    def call(self, *words: str) -> Outcome:
        return command.run(self.home, "reinstall", *words, seconds=600)

    def line(self, *extra: str) -> list[str]:
        return [
            "reinstall",
            "run",
            str(self.file),
            *self.confirm,
            *self.door(),
            "--wait",
            "10",
            "--json",
            *extra,
        ]

    def run(self, begin: list[str], heard: Callable[[dict[str, Any]], None] = lambda _event: None) -> Outcome:
        """Run it to its end: hands are lent at the loader, and new keys are agreed to."""
        work = Running(begin, self.home)

        def event(data: dict[str, Any]) -> bool:
            heard(data)
            if data.get("reference") == "hands-needed":
                into, lines = data["data"]["into"], self._typed()
                self.machine.next_boot = RESCUE if into == "rescue" else {**NORMAL, **lines}
            if data.get("reference") == "unknown-host-key" and data.get("event") == "noted":
                from smartos_wizard.core.paths import below
                from smartos_wizard.reinstall.run_record import accept

                accept(below(self.home), data["data"]["run"], data["data"]["fingerprint"])
            return data.get("event") in ("plan-finished", "plan-cancelled")

        with suppress(AssertionError):
            work.wait_for(event, 900)
        return work.end(900)

    def _typed(self) -> dict[str, str]:
        lines = next((step.params["lines"] for step in self.plan.steps if step.params.get("lines")), [])
        return dict(line.removeprefix("set ").split("=") for line in lines)

    def named(self, key: str) -> set[tuple[str, str]]:
        return {(pool["name"], pool["guid"]) for pool in self.plan.params[key]}


def seen(machine: ZfsHost) -> dict[str, str]:
    """Guid and name of every pool that lives, imported or not."""
    listed = machine.sh("zpool list -Hpo guid,name").split()
    found = dict(zip(listed[::2], listed[1::2], strict=True))
    said = machine.run("zpool", "import").stdout
    return found | {guid: name for name, guid in re.findall(r"pool: (\S+)\n\s+id: (\d+)", said)}


def sums(machine: ZfsHost) -> dict[str, str]:
    here = set(seen(machine).values())
    return {
        name: machine.sh(f"sha256sum /{name}/{file}").split()[0]
        for name, file in FILES.items()
        if name in here
    }


def proven(machine: ZfsHost, job: Job, before: dict[str, str], outcome: Outcome) -> None:
    """Exactly the named pools are gone, as the machine itself says, and the rest is what it was."""
    assert outcome.code == 0, outcome.told()
    machine.ready()
    living = seen(machine)
    assert not {guid for _, guid in job.named("dying")} & set(living)
    assert {guid for _, guid in job.named("kept")} <= set(living)
    assert sorted(living.values()) == sorted(["zones", *(name for name, _ in job.named("kept"))])
    destroyed = set(re.findall(r"pool: (\S+)\n\s+id: (\d+)", machine.run("zpool", "import", "-D").stdout))
    assert destroyed <= job.named("dying")
    assert {
        each for each in job.named("dying") if each[0] != "zones"
    } <= destroyed  # zones' disks hold the new one
    after = sums(machine)
    assert after == {name: before[name] for name, _ in job.named("kept")}
    for name in after:
        assert "No known data errors" in machine.sh(f"zpool scrub -w {name}; zpool status {name}", 300)
    receipt = json.loads(Path(outcome.last["result"]["receipt"]).read_text())
    assert {(pool["name"], pool["guid"]) for pool in receipt["destroyed"]} == job.named("dying")
    assert receipt["verified"]["new"]["guid"] in living


def test_way_b_goes_to_its_end_with_a_person_at_the_loader(machine: ZfsHost, home: Path) -> None:
    before = sums(machine)
    job = Job(machine, home, machine.port, "--way", "B")
    proven(machine, job, before, job.run(command.argv(*job.line())))


def test_way_c_killed_at_every_step_the_same_command_brings_it_to_its_end(
    machine: ZfsHost, home: Path
) -> None:
    before = sums(machine)
    job = Job(machine, home, machine.port, "--way", "C", "--consent", "manual-layout")
    assert {name for name, _ in job.named("dying")} == {"zones"}
    for step in job.plan.steps:
        for moment in ("started", "finished"):
            killed = job.run([sys.executable, "-m", "tests.lab.rig.at_event", f"{moment}:{step.id}", "kill", *job.line()])  # fmt: skip
            if (step.id, moment) == (job.plan.steps[-1].id, "finished"):
                break
            assert killed.code == -9, (step.id, moment, killed.told())
    proven(machine, job, before, job.run(command.argv(*job.line())))


def test_way_a_with_the_connection_cut_at_every_step_goes_to_its_end(machine: ZfsHost, home: Path) -> None:
    before = sums(machine)
    with closing(Proxy(machine.port)) as proxy:
        job = Job(machine, home, proxy.port, "--way", "A")

        def heard(event: dict[str, Any]) -> None:
            if event.get("event") in ("step-started", "noted"):
                proxy.cut()

        outcome = job.run(command.argv(*job.line()), heard)
        assert proxy.cuts >= 3
    proven(machine, job, before, outcome)


def test_a_machine_that_changed_is_refused_and_nothing_is_done(machine: ZfsHost, home: Path) -> None:
    """A pool that came, a pool made anew under its name, another hostid, another host key, a wrong confirmation."""
    job = Job(machine, home, machine.port, "--way", "A")
    whole = job.file.read_text()
    history = machine.sh("zpool history zones | wc -l; zpool history tank | wc -l")
    wrong = job.call("run", str(job.file), "--confirm", "lab:tank", *job.door(), "--json")
    assert (wrong.code, wrong.reference) == (4, "wrong-confirmation"), wrong.told()
    for old, new, reference in (
        (job.plan.params["identity"]["hostid"], "ffffffff", "host-changed"),
        (job.plan.params["identity"]["host_key"], "SHA256:" + "x" * 43, "other-host-key"),
        (job.plan.params["pool"]["guid"], "1234567890123456789", "host-changed"),
    ):
        job.file.write_text(whole.replace(old, new))
        job.plan = plan_of(job.file.read_text(), "lab.plan")
        refused = job.run(command.argv(*job.line()))
        assert (refused.code, refused.reference) == (4, reference), refused.told()
    assert machine.sh("zpool history zones | wc -l; zpool history tank | wc -l") == history
    machine.sh("zpool export backup; zpool create -f late /dev/vdf; sync")
    job.file.write_text(whole)
    refused = job.run(command.argv(*job.line()))
    assert (refused.code, refused.reference) == (4, "host-changed"), refused.told()
    assert {"zones", "tank", "late"} <= set(seen(machine).values())
    assert machine.sh("zfs get -Ho value smartdc:factoryreset zones/var").strip() == "-"
