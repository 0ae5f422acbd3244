"""Serving begins or refuses as a whole, tells what is in its way, and leaves nothing: on a wire of its own, for real."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from smartos_wizard.boot.shadow import matches
from smartos_wizard.netboot.machines import STARTING
from tests.lab.rig import netwire, parts, probe
from tests.lab.rig.command import Outcome, Running
from tests.lab.rig.netwire import INTERFACE, SERVER, STAMPS, Machine, Wire

pytestmark = pytest.mark.lab

ARCHIVE = probe.noise(8 << 20)
MANY = 16
SLOW = f"""
import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
s.connect(("{SERVER}", 8080))
s.sendall(f"GET {{sys.argv[1]}} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n".encode())
while s.recv(16384):
    time.sleep(0.02)
"""
"""A machine that takes 800 kB a second, and no more ahead than it has room for."""


@pytest.fixture(scope="module")
def home(space: Path) -> Path:
    path = space / "serve-home"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(scope="module")
def tree(space: Path, home: Path) -> Path:
    return netwire.built_tree(space / "serve", home, ARCHIVE)


@pytest.fixture(scope="module")
def wire(space: Path) -> Iterator[Wire]:
    place = space / "serve-wire"
    place.mkdir()
    with netwire.wire(place) as made:
        yield made


def serving(running: Running) -> Running:
    running.wait_for(lambda e: e.get("event") == "step-started" and e.get("step") == "serve")
    return running


def nothing_left(wire: Wire) -> None:
    """No process in the server's namespace, no port open there."""
    until = time.monotonic() + 10
    while True:
        pids = subprocess.run(
            ["ip", "netns", "pids", wire.server], capture_output=True, text=True, check=True
        ).stdout.split()
        ports = subprocess.run(
            wire.inside(wire.server, "ss", "-Hltun"), capture_output=True, text=True, check=True
        ).stdout
        if not pids and not ports.strip():
            return
        assert time.monotonic() < until, ([Path(f"/proc/{p}/cmdline").read_bytes() for p in pids], ports)
        time.sleep(0.2)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_well_when_it_is_asked_to_and_leaves_nothing(how, wire: Wire, tree: Path, home: Path):
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    leases = set(Path("/var/lib/misc").iterdir())
    with wire.dhcp_server():
        running = serving(wire.serve(home, str(tree)))
        running.signal(how)
        done = running.end(20)
    assert done.code == 0, done.told()
    nothing_left(wire)
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before
    assert set(Path("/var/lib/misc").iterdir()) == leases


def test_it_leaves_nothing_even_when_it_is_killed(wire: Wire, tree: Path, home: Path):
    with wire.dhcp_server():
        running = serving(wire.serve(home, str(tree)))
        os.kill(running.process.pid, signal.SIGKILL)
        running.end()
    nothing_left(wire)


def refused(wire: Wire, home: Path, *words: str) -> Outcome:
    done = wire.serve(home, *words).end(60)
    nothing_left(wire)
    return done


def test_a_tree_with_one_wrong_bit_is_not_served(wire: Wire, tree: Path, home: Path, tmp_path: Path):
    copy = tmp_path / "tree"
    shutil.copytree(tree, copy)
    archive = copy / "os" / STAMPS[0] / probe.ARCHIVE
    data = bytearray(archive.read_bytes())
    data[1_234_567] ^= 1
    archive.write_bytes(data)
    done = refused(wire, home, str(copy))
    assert (done.code, done.reference) == (6, "hash-mismatch"), done.told()
    assert not any(e.get("step") == "http" for e in done.events if e.get("event") == "step-started")


def test_a_port_that_is_taken_is_named_and_nothing_is_begun(wire: Wire, tree: Path, home: Path):
    with subprocess.Popen(wire.inside(wire.server, "python3", "-c", f"""
import socket,time
s=socket.socket(); s.bind(("{SERVER}",8080)); s.listen(); print("x",flush=True); time.sleep(60)"""), stdout=subprocess.PIPE) as other:  # fmt: skip
        assert other.stdout is not None
        other.stdout.readline()
        done = wire.serve(home, str(tree)).end(60)
        other.kill()
    assert (done.code, done.reference) == (4, "port-in-use"), done.told()
    nothing_left(wire)


def test_a_dhcp_server_on_the_same_machine_is_named(wire: Wire, tree: Path, home: Path):
    words = ["dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--dhcp-leasefile=/dev/null",
             f"--interface={INTERFACE}", "--dhcp-range=10.77.0.50,10.77.0.60", "--pid-file="]  # fmt: skip
    with subprocess.Popen(
        wire.inside(wire.server, *words), stderr=subprocess.DEVNULL, start_new_session=True
    ) as other:
        time.sleep(0.5)
        done = wire.serve(home, str(tree)).end(60)
        other.terminate()
    assert (done.code, done.reference) == (4, "dhcp-port-in-use"), done.told()
    nothing_left(wire)


def test_addresses_are_not_given_where_another_server_gives_them_and_it_is_named(
    wire: Wire, tree: Path, home: Path
):
    with wire.dhcp_server():
        done = refused(wire, home, str(tree), "--dhcp", "10.77.0.20-10.77.0.40")
    assert (done.code, done.reference) == (4, "other-dhcp-server"), done.told()
    assert netwire.FOREIGN in done.last["message"]
    link = subprocess.run(
        ["ip", "-n", wire.foreign, "link", "show", INTERFACE], capture_output=True, text=True, check=True
    )
    assert done.last["mac"] in link.stdout


def test_an_interface_that_goes_away_ends_it_with_its_name(wire: Wire, tree: Path, home: Path):
    with wire.dhcp_server():
        running = serving(wire.serve(home, str(tree)))
        netwire.ip("-n", wire.server, "link", "set", INTERFACE, "down")
        try:
            done = running.end(20)
        finally:
            netwire.ip("-n", wire.server, "link", "set", INTERFACE, "up")
    assert (done.code, done.reference) == (10, "interface-gone"), done.told()
    assert INTERFACE in done.last["message"]
    nothing_left(wire)


def test_on_an_isolated_network_it_gives_addresses_itself_and_machines_boot(
    wire: Wire, tree: Path, home: Path
):
    with wire.dhcp_server(addresses=False):
        running = serving(wire.serve(home, str(tree), "--dhcp", "10.77.0.20-10.77.0.40"))
        with Machine(wire, "52:54:00:00:77:21") as machine:
            machine.await_screen("Releases, newest first")
            machine.keys("ret")
            ran = machine.ended()
        running.signal(signal.SIGINT)
    assert ran.code == probe.ENDED
    assert ran.report.module("ramdisk").sha1 == probe.sha1(ARCHIVE)
    done = running.end(20)
    (row,) = done.last["result"]["machines"]
    assert 20 <= int(row["address"].rsplit(".", 1)[1]) <= 40
    nothing_left(wire)


def test_sixteen_machines_at_once_get_every_byte_and_a_row_each(
    wire: Wire, tree: Path, home: Path, tmp_path: Path
):
    parts.need_programs(["curl"])
    running = serving(wire.serve(home, str(tree), "--http-only"))
    url = f"http://{SERVER}:8080/os/{STAMPS[0]}/{probe.ARCHIVE}"
    with wire.hosts(MANY) as hosts:
        fetching = [
            subprocess.Popen(["ip", "netns", "exec", host, "curl", "-sf", "-o", str(tmp_path / host), url])
            for host in hosts
        ]
        assert [process.wait(60) for process in fetching] == [0] * MANY
        for host in hosts:
            assert hashlib.sha256((tmp_path / host).read_bytes()).digest() == hashlib.sha256(ARCHIVE).digest()
        slow = subprocess.Popen(
            ["ip", "netns", "exec", hosts[0], "python3", "-c", SLOW, url.split("8080")[1]]
        )
        late = time.time()
        running.wait_for(
            lambda e: e.get("event") == "advanced" and e["at"] > late and 0 < e["done"] < e["total"]
        )
        slow.kill()
        slow.wait()
        broke = running.wait_for(
            lambda e: e.get("reference") == "machine" and e["data"]["state"] == "broke-off"
        )
    running.signal(signal.SIGINT)
    done = running.end(20)
    rows = done.last["result"]["machines"]
    assert len({row["mac"] for row in rows}) == MANY
    assert 0 < broke["data"]["done"] < len(ARCHIVE)
    assert "%" in broke["text"]


def test_sixteen_machines_boot_at_once_to_their_end(wire: Wire, tree: Path, home: Path):
    """Real firmware, DHCP and HTTP in each of them; on two processors they take their time."""
    with wire.dhcp_server(), ExitStack() as stack:
        running = serving(wire.serve(home, str(tree)))
        macs = [f"52:54:00:00:79:{number:02x}" for number in range(MANY)]
        machines = [stack.enter_context(Machine(wire, mac, memory=128)) for mac in macs]
        for machine in machines:  # nobody presses a key
            ran = machine.ended(600)
            assert ran.code == probe.ENDED, machine.mac
            assert ran.report.module("ramdisk").sha1 == probe.sha1(ARCHIVE)
        running.signal(signal.SIGINT)
        rows = running.end(20).last["result"]["machines"]
    assert {row["mac"] for row in rows} == set(macs)
    assert len({row["address"] for row in rows}) == MANY
    assert {row["state"] for row in rows} == {STARTING}, rows
    nothing_left(wire)


@contextmanager
def by_tftp(wire: Wire, tree: Path, root: Path, first: str) -> Iterator[bytes]:
    """The tree as the TFTP root of a site of its own, with a small archive: TFTP is slow in a machine that is played."""
    shutil.copytree(tree, root, dirs_exist_ok=True)
    small = probe.noise(300_000)
    (root / "os" / STAMPS[0] / probe.ARCHIVE).write_bytes(small)
    (root / "os" / STAMPS[0] / f"{probe.ARCHIVE}.hash").write_text(f"{probe.sha1(small)}\n")
    words = ["dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--dhcp-leasefile=/dev/null",
             f"--interface={INTERFACE}", "--dhcp-range=10.77.0.50,10.77.0.60", "--pid-file=", "--enable-tftp", "--user=root",
             f"--tftp-root={root}", f"--dhcp-boot={first}"]  # fmt: skip
    with subprocess.Popen(
        wire.inside(wire.server, *words), stderr=subprocess.DEVNULL, start_new_session=True
    ) as other, wire.dhcp_server(addresses=False):  # fmt: skip
        try:
            yield small
        finally:
            other.terminate()


def in_rescue(ran: probe.Ran, archive: bytes) -> None:
    assert ran.code == probe.ENDED
    assert ran.report.hashes == {"ramdisk": "ok"}
    assert ran.report.module("ramdisk").sha1 == probe.sha1(archive)
    assert ran.report.line.split()[0].endswith(probe.UNIX)
    found = ran.report.properties
    assert (found["smartos"], found["noimport"], found["standalone"]) == ("false", "true", "true")
    assert matches("root", found["root_shadow"])


def test_pxelinux_boots_the_same_tree(wire: Wire, tree: Path, tmp_path: Path):
    """As at a site that has PXELINUX: the tree is its TFTP root, beside its own files."""
    parts.need_files(["/usr/lib/PXELINUX/pxelinux.0", "/usr/lib/syslinux/modules/bios/mboot.c32"])
    root = tmp_path / "tftp"
    with by_tftp(wire, tree, root, "pxelinux.0") as archive:
        for name in ("mboot.c32", "libcom32.c32", "ldlinux.c32"):
            shutil.copy(Path("/usr/lib/syslinux/modules/bios") / name, root)
        shutil.copy("/usr/lib/PXELINUX/pxelinux.0", root)
        with Machine(wire, "52:54:00:00:77:22") as machine:
            machine.await_screen("boot:")
            machine.type(f"{STAMPS[0]}-rescue")
            machine.keys("ret")
            ran = machine.ended()
    in_rescue(ran, archive)


def test_grub_boots_the_same_tree(wire: Wire, tree: Path, tmp_path: Path):
    """As at a site that has GRUB: grub-mknetdir puts it beside the tree's own grub.cfg."""
    parts.need_programs(["grub-mknetdir"])
    root = tmp_path / "tftp"
    with by_tftp(wire, tree, root, "grub/i386-pc/core.0") as archive:
        words = [
            "grub-mknetdir",
            f"--net-directory={root}",
            "--subdir=grub",
            "-d",
            "/usr/lib/grub/i386-pc",
            "--locales=",
            "--fonts=",
        ]
        subprocess.run(words, check=True, capture_output=True)
        with Machine(wire, "52:54:00:00:77:23") as machine:
            machine.await_screen(f"SmartOS {STAMPS[0]}-rescue")
            machine.keys("down", "down", "ret")
            ran = machine.ended()
    in_rescue(as_said(ran), archive)


def as_said(ran: probe.Ran) -> probe.Ran:
    """GRUB 2 puts a backslash before quotes of a line; the probe tells it as it came."""
    return probe.Ran(ran.said.replace("\\x5c'", "'"), ran.code)
