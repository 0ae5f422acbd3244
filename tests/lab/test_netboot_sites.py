"""The configuration that is written for a site's own servers: their own checkers take it, and machines boot by it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab.rig import netwire, parts, probe
from tests.lab.rig.netwire import INTERFACE, SERVER, Machine, Wire

pytestmark = pytest.mark.lab

ARCHIVE = probe.noise(2 << 20)
ASK = f"""
import json, socket, struct, sys
mac, options = bytes.fromhex(sys.argv[1]), bytes.fromhex(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"{INTERFACE}")
s.bind(("", 68))
s.settimeout(3)
ask = struct.pack("!BBBBIHH16s16s192sI", 1, 1, 6, 0, 0x77, 0, 0x8000, b"", mac, b"", 0x63825363)
ask += bytes([53, 1, 1, 55, 3, 1, 66, 67]) + options + bytes([255])
for _ in range(10):
    s.sendto(ask, ("255.255.255.255", 67))
    try:
        said = s.recv(2000)
    except TimeoutError:
        continue
    if said[28:34] == mac:
        break
else:
    sys.exit("nobody answered")
told, at, left = dict(), 240, said
while left[at] != 255:
    if left[at]:
        told[left[at]] = left[at + 2 : at + 2 + left[at + 1]]
        at += left[at + 1] + 1
    at += 1
file = told.get(67, said[108:236]).rstrip(bytes(1)).decode()
print(json.dumps(dict(file=file, next=socket.inet_ntoa(said[20:24]), address=socket.inet_ntoa(said[16:20]))))
"""
"""A machine that asks for an address, with a MAC and options of its own; what it is told."""
BIOS = "5d020000" + "3c20" + b"PXEClient:Arch:00000:UNDI:002001".hex()
IPXE = BIOS + "4d04" + b"iPXE".hex() + "af03b10101"  # option 175, as iPXE has it
UEFI = "5d020007" + "3c20" + b"PXEClient:Arch:00007:UNDI:003016".hex()


@pytest.fixture(scope="module")
def tree(space: Path) -> Path:
    home = space / "sites-home"
    home.mkdir(mode=0o700)
    return netwire.built_tree(space / "sites", home, ARCHIVE)


@pytest.fixture(scope="module")
def wire(space: Path) -> Iterator[Wire]:
    place = space / "sites-wire"
    place.mkdir()
    with netwire.wire(place) as made:
        yield made


@pytest.fixture(scope="module")
def written(wire: Wire, tree: Path, space: Path) -> Path:
    """The directory of the files, from the real command."""
    into, home = space / "sites-config", space / "sites-home"
    running = wire.serve(home, str(tree), "--dhcp", "10.77.0.20-10.77.0.40", "--config-only", str(into))
    done = running.end(60)
    assert done.code == 0, done.told()
    return into


def nginx_words(written: Path, place: Path) -> list[str]:
    """nginx as a site has it, with our file among those it includes."""
    conf = place / "nginx-whole.conf"
    conf.write_text(
        f"user root; daemon off; pid {place}/nginx.pid; error_log {place}/nginx.err; events {{ }}\n"
        f"http {{ access_log off; include {written}/nginx.conf; }}\n"
    )
    return ["/usr/sbin/nginx", "-e", f"{place}/nginx.err", "-c", str(conf)]


def dhcpd_words(written: Path, place: Path) -> list[str]:
    leases = place / "dhcpd.leases"
    leases.touch()
    return [
        "/usr/sbin/dhcpd",
        "-4",
        "-f",
        "-d",
        "--no-pid",
        "-cf",
        f"{written}/dhcpd.conf",
        "-lf",
        str(leases),
    ]


def kea_words(written: Path, place: Path) -> list[str]:
    """Kea as a site has it: its own place for leases beside what we say."""
    ours: dict[str, Any] = json.loads((written / "kea-dhcp4.json").read_text())
    ours["Dhcp4"]["lease-database"] = {"type": "memfile", "persist": False}
    conf = place / "kea-whole.json"
    conf.write_text(json.dumps(ours))
    return ["/usr/sbin/kea-dhcp4", "-c", str(conf)]


def dnsmasq_words(written: Path, place: Path) -> list[str]:
    return ["/usr/sbin/dnsmasq", "--keep-in-foreground", "--pid-file=", "--no-hosts", "--no-resolv", "--no-ping",
            f"--dhcp-leasefile={place}/site.leases", f"--conf-file={written}/dnsmasq.conf"]  # fmt: skip


SERVERS: dict[str, tuple[Callable[[Path, Path], list[str]], list[str]]] = {
    "dnsmasq": (dnsmasq_words, ["--test"]),
    "dhcpd": (dhcpd_words, ["-t"]),
    "kea": (kea_words, ["-t"]),
    "nginx": (nginx_words, ["-t"]),
}


def words_of(name: str, written: Path, place: Path) -> tuple[list[str], list[str]]:
    """The command line that serves, and the one that only checks."""
    make, check = SERVERS[name]
    line = make(written, place)
    parts.need_files([line[0]])
    if name == "kea":  # -t takes the place of -c
        return line, [line[0], "-t", line[2]]
    return line, [*line, *check]


@pytest.mark.parametrize("name", SERVERS)
def test_the_servers_own_checker_takes_it(wire: Wire, written: Path, tmp_path: Path, name: str):
    _, check = words_of(name, written, tmp_path)
    done = subprocess.run(
        wire.inside(wire.server, *check), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr + done.stdout


@contextmanager
def running(wire: Wire, line: list[str], log: Path) -> Iterator[None]:
    """A server of the site in the server's namespace, until the end of the block."""
    with log.open("wb") as file, subprocess.Popen(
        wire.inside(wire.server, *line), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KEA_LOCKFILE_DIR": str(log.parent), "KEA_PIDFILE_DIR": str(log.parent)},
    ) as process:  # fmt: skip
        try:
            time.sleep(1.0)
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()


def told(wire: Wire, mac: str, options: str) -> dict[str, str]:
    """What a machine with those DHCP options is told."""
    line = wire.inside(wire.foreign, "python3", "-c", ASK, mac.replace(":", ""), options)
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("name", ["dnsmasq", "dhcpd", "kea"])
def test_each_machine_is_told_what_it_can_start_and_one_boots_to_its_end(
    wire: Wire, written: Path, tmp_path: Path, name: str
):
    line, _ = words_of(name, written, tmp_path)
    web, _ = words_of("nginx", written, tmp_path)
    line = [*line, INTERFACE] if name == "dhcpd" else line
    with running(wire, line, tmp_path / "dhcp.log"), running(wire, web, tmp_path / "web.log"):
        bios, ipxe, uefi = (
            told(wire, f"52:54:00:00:78:0{number}", options)
            for number, options in enumerate((BIOS, IPXE, UEFI))
        )
        assert (bios["file"], bios["next"]) == ("undionly.kpxe", SERVER)
        assert ipxe["file"].startswith(f"http://{SERVER}:8080/"), ipxe
        assert uefi["file"] != "undionly.kpxe"
        assert 20 <= int(bios["address"].rsplit(".", 1)[1]) <= 40
        with wire.dhcp_server(addresses=False), Machine(wire, "52:54:00:00:78:09") as machine:
            machine.await_screen("Releases, newest first")
            machine.keys("ret")
            ran = machine.ended()
    assert ran.code == probe.ENDED
    assert ran.report.hashes == {"ramdisk": "ok"}
    assert ran.report.module("ramdisk").sha1 == probe.sha1(ARCHIVE)
