"""The table of machines, dnsmasq's log, the small program that runs as root, and configuration for others."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from smartos_wizard.core.errors import PrivilegeFailed, Refused, UsageProblem, WizardError
from smartos_wizard.netboot import boot_programs, boot_service, machines
from smartos_wizard.netboot.boot_programs import find_dnsmasq, find_loader
from smartos_wizard.netboot.boot_service import refused_by
from smartos_wizard.netboot.dhcp_log import Asked, DhcpLog, Loaded
from smartos_wizard.netboot.http_server import Fetched
from smartos_wizard.netboot.interface import Interface, interface_named, range_of
from smartos_wizard.netboot.machines import Table, reduce
from smartos_wizard.netboot.model import ARCHIVE, HASH, KERNEL
from smartos_wizard.netboot.neighbours import mac_at
from smartos_wizard.netboot.serve_plan import Serving
from smartos_wizard.netboot.site_config import configuration
from smartos_wizard.privileged import wire
from tests.unit.netboot.netboot_parts import NEW

MAC, IP = "52:54:00:12:34:56", "192.0.2.20"
LOG = """
dnsmasq-dhcp[7]: 11 available DHCP subnet: 192.0.2.0/255.255.255.0
dnsmasq-dhcp[7]: 11 vendor class: PXEClient:Arch:00000:UNDI:002001
dnsmasq-dhcp[7]: 11 PXE(eth0) 52:54:00:12:34:56 proxy
dnsmasq-tftp[7]: sent /usr/lib/ipxe/undionly.kpxe to 192.0.2.20
dnsmasq-dhcp[7]: 12 vendor class: PXEClient:Arch:00007:UNDI:003016
dnsmasq-dhcp[7]: 12 PXE(eth0) 52:54:00:00:00:02 proxy
dnsmasq-dhcp[7]: 13 vendor class: PXEClient:Arch:00000:UNDI:002001
dnsmasq-dhcp[7]: 13 user class: iPXE
dnsmasq-dhcp[7]: 13 PXE(eth0) 192.0.2.20 52:54:00:12:34:56 http://192.0.2.1:8080/boot.ipxe
dnsmasq-tftp[7]: file /usr/lib/ipxe/none not found for 192.0.2.21
dnsmasq-dhcp[7]: 14 DHCPDISCOVER(eth0) aa:bb:cc:dd:ee:ff
dnsmasq[7]: something else
"""
BASE = f"os/{NEW}/"


def asked(**more: object) -> dict[str, object]:
    return {
        "interface": "eth0", "address": "192.0.2.1", "netmask": "255.255.255.0", "url": "http://192.0.2.1:8080/boot.ipxe",
        "first": "", "last": "", "tftp": "/usr/lib/ipxe", "bios": "undionly.kpxe", "uefi": "ipxe.efi", **more,
    }  # fmt: skip


def test_the_log_tells_who_asked_with_which_firmware_and_what_was_sent():
    log = DhcpLog()
    assert [found for line in LOG.splitlines() if (found := log.read(line))] == [
        Asked(MAC, "BIOS"),
        Loaded(IP, "undionly.kpxe"),
        Asked("52:54:00:00:00:02", "UEFI"),
        Asked(MAC, "BIOS", True, IP),
        Loaded("192.0.2.21", "none", whole=False),
    ]


def fetch(table: Table, path: str, size: int, at: float) -> tuple[Table, list[str]]:
    """A file that comes in two halves within a second."""
    states = []
    for done, ended in ((size // 2, False), (size, False), (size, True)):
        at += 0.5
        table, key = reduce(table, Fetched(IP, path, done, size, 200, ended), at, MAC)
        states.append(table.row(key).state)
    return table, states


def test_a_machine_goes_from_asking_to_starting_and_is_one_row():
    table, _ = reduce(Table(), Asked(MAC, "BIOS"), 0)
    table, _ = reduce(table, Loaded(IP, "undionly.kpxe"), 1, MAC)
    seen = [row.state for row in table.rows.values()]
    for number, path in enumerate(("boot.ipxe", "menu.ipxe", BASE + KERNEL, BASE + ARCHIVE, BASE + HASH)):
        table, states = fetch(table, path, 1_000_000, 10.0 * number)
        seen.append(states[-1])
    assert seen == ["loader", "menu", "menu", "kernel", "archive", "starting"]
    (row,) = table.rows.values()
    assert (row.mac, row.address, row.release, row.starts, row.firmware) == (MAC, IP, NEW, 1, "BIOS")


def test_the_rate_is_that_of_the_file_that_is_fetched():
    table, _ = fetch(Table(), BASE + ARCHIVE, 1_000_000, 0.0)
    assert table.row(MAC).rate == pytest.approx(1_000_000, rel=0.5)


def test_late_news_of_the_archive_does_not_take_a_machine_back():
    table, _ = reduce(Table(), Fetched(IP, BASE + ARCHIVE, 50, 100, 200), 0, MAC)
    table, _ = reduce(table, Fetched(IP, BASE + HASH, 41, 41, 200), 1, MAC)
    table, _ = reduce(table, Fetched(IP, BASE + ARCHIVE, 100, 100, 200, True), 1.1, MAC)
    table, _ = reduce(table, Fetched(IP, BASE + HASH, 41, 41, 200, True), 1.2, MAC)
    assert table.row(MAC).state == machines.STARTING


def test_what_goes_wrong_is_told_and_a_second_try_begins_anew():
    table, _ = reduce(Table(), Fetched(IP, BASE + ARCHIVE, 43, 100, 200), 0, MAC)
    table, _ = reduce(table, Fetched(IP, BASE + ARCHIVE, 43, 100, 0, True), 1, MAC)
    assert (table.row(MAC).state, table.row(MAC).done) == (machines.BROKE_OFF, 43)
    table, _ = reduce(table, Fetched(IP, BASE + ARCHIVE, 10, 100, 200), 2, MAC)
    assert (table.row(MAC).state, table.row(MAC).done) == (machines.ARCHIVE_, 10)
    table, _ = reduce(table, Fetched(IP, "none", 0, 0, 404, True), 3, MAC)
    assert table.row(MAC).state == machines.MISSING


def test_a_uefi_machine_is_told_as_one_and_stays_one():
    table, _ = reduce(Table(), Asked(MAC, "UEFI"), 0)
    table, _ = reduce(table, Asked(MAC, "UEFI", True, IP), 1)
    table, _ = fetch(table, "boot.ipxe", 700, 2)
    assert table.row(MAC).state == machines.NOT_BY_UEFI


def test_a_machine_without_a_known_card_is_a_row_by_its_address():
    table, _ = fetch(Table(), "boot.ipxe", 700, 0)
    table, key = reduce(Table(), Fetched("192.0.2.9", "boot.ipxe", 7, 7, 200), 0)
    assert (key, table.row(key).name) == ("192.0.2.9", "192.0.2.9")


def test_the_kernels_table_of_neighbours_is_read(tmp_path: Path):
    table = tmp_path / "arp"
    table.write_text(
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        f"{IP}       0x1         0x2         52:54:00:12:34:56     *        eth0\n"
        "192.0.2.21       0x1         0x0         00:00:00:00:00:00     *        eth0\n"
    )
    assert (mac_at(IP, table), mac_at("192.0.2.21", table), mac_at("192.0.2.22", table)) == (MAC, "", "")
    assert mac_at(IP, tmp_path / "none") == ""


def test_dnsmasq_takes_the_settings_and_gives_no_address_unless_asked(tmp_path: Path):
    program = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin")
    for more in ({}, {"first": "192.0.2.50", "last": "192.0.2.60"}, {"tftp": ""}, {"uefi": ""}):
        lines = wire.settings(asked(**more))
        ranges = [line for line in lines if line.startswith("dhcp-range=")]
        assert len(ranges) == 1
        assert (",proxy," in ranges[0]) == ("first" not in more)
        assert "port=0" in lines and "interface=eth0" in lines
        if program:
            path = tmp_path / "conf"
            path.write_text("\n".join(lines) + "\n")
            done = subprocess.run(
                [program, "--test", f"--conf-file={path}"], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "more",
    [
        {"interface": "eth0\ndhcp-script=/bin/sh"}, {"interface": ""}, {"url": "http://x/\nuser=root"}, {"url": "file:///etc"},
        {"tftp": "/x\ndhcp-script=/bin/sh"}, {"tftp": "relative"}, {"bios": "../x"}, {"bios": "x\ny"}, {"uefi": "a,b"},
        {"address": "x"}, {"netmask": "x"}, {"first": "192.0.3.1", "last": "192.0.3.9"}, {"first": "192.0.2.9", "last": "192.0.2.1"},
    ],
)  # fmt: skip
def test_the_program_that_runs_as_root_takes_no_other_settings_than_these(more: dict[str, str]):
    with pytest.raises(ValueError):
        wire.settings(asked(**more))


def test_a_question_on_the_wire_is_a_right_frame_and_an_offer_is_understood():
    frame = wire.frame(b"\x02" * 6, wire.discover(b"\x02\0\0\0\0\1", 0x12345678, 0))
    words = struct.unpack(">10H", frame[14:34])
    total = sum(words)
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF  # the header's checksum
    assert struct.unpack(">H", frame[16:18])[0] == len(frame) - 14
    head = struct.pack(
        ">BBBBIHH4s4s4s4s", 2, 1, 6, 0, 0x12345678, 0, 0, bytes(4), bytes([192, 0, 2, 30]), bytes(4), bytes(4)
    )
    body = head + bytes(16 + 64 + 128) + b"\x63\x82\x53\x63" + b"\x35\x01\x02\x36\x04\xc0\x00\x02\xfe\xff"
    udp = struct.pack(">HHHH", 67, 68, 8 + len(body), 0) + body
    ip = (
        b"\x45\0"
        + struct.pack(">H", 20 + len(udp))
        + bytes(5)
        + b"\x11\0\0"
        + bytes([192, 0, 2, 254])
        + b"\xff" * 4
    )
    answer = b"\xff" * 6 + bytes.fromhex("0200deadbeef") + b"\x08\0" + ip + udp
    found = wire.offer(answer, 0x12345678)
    assert found is not None
    assert (found["server"], found["mac"], found["offers"]) == (
        "192.0.2.254",
        "02:00:de:ad:be:ef",
        "192.0.2.30",
    )
    assert (found["gives_addresses"], found["boots"]) == (True, False)
    assert wire.offer(answer, 1) is None
    for cut in range(len(answer)):
        wire.offer(answer[:cut], 0x12345678)  # never raises


ETH = Interface("eth0", "192.0.2.1", "255.255.255.0")


@pytest.mark.parametrize(
    "words", ["", "192.0.2.5", "x-y", "192.0.2.9-192.0.2.5", "192.0.3.1-192.0.3.9", "192.0.2.1-192.0.2.9"]
)
def test_a_range_that_cannot_be_is_named_with_one_that_could(words: str):
    with pytest.raises(UsageProblem) as told:
        range_of(words, ETH)
    assert told.value.reference == "bad-range"
    assert "192.0.2.245-192.0.2.254" in told.value.hint
    assert range_of("192.0.2.5-192.0.2.9", ETH) == ("192.0.2.5", "192.0.2.9")


def test_an_interface_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(UsageProblem) as told:
        interface_named("none0")
    assert told.value.reference == "no-such-interface"


def test_what_is_not_installed_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(boot_programs, "_PATH", str(tmp_path))
    with pytest.raises(WizardError) as told:
        find_dnsmasq()
    assert told.value.reference == "no-dnsmasq" and "apt install dnsmasq-base" in told.value.hint
    monkeypatch.setattr(boot_programs, "LOADERS", (str(tmp_path),))
    with pytest.raises(WizardError) as told:
        find_loader()
    assert told.value.reference == "no-loader" and "apt install ipxe" in told.value.hint
    monkeypatch.setattr(boot_service.os, "geteuid", lambda: 1000)
    with pytest.raises(PrivilegeFailed):
        boot_service.BootService()


def test_a_port_dnsmasq_finds_taken_is_a_refusal_and_all_else_a_failure():
    assert isinstance(refused_by("failed to bind DHCP server socket: Address already in use"), Refused)
    assert refused_by("unknown user: x").reference == "dnsmasq-failed"


def test_configuration_for_others_is_whole_and_taken_by_their_own_checkers(tmp_path: Path):
    for first, last in (("", ""), ("192.0.2.50", "192.0.2.60")):
        files = configuration(Serving(Path("/srv/net boot"), ETH, 8080, first, last))
        assert set(files) == {"dnsmasq.conf", "dhcpd.conf", "kea-dhcp4.json", "nginx.conf", "README.txt"}
        kea = json.loads(files["kea-dhcp4.json"])["Dhcp4"]
        assert kea["client-classes"][0]["boot-file-name"] == "http://192.0.2.1:8080/boot.ipxe"
        assert ("pools" in kea["subnet4"][0]) == bool(first)
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        if program := shutil.which("dnsmasq", path="/usr/sbin:/usr/bin"):
            subprocess.run(
                [program, "--test", f"--conf-file={tmp_path}/dnsmasq.conf"], check=True, capture_output=True
            )
        if program := shutil.which("nginx", path="/usr/sbin:/usr/bin"):
            whole = f"error_log stderr; pid {tmp_path}/pid; events {{}} http {{ access_log off; include {tmp_path}/nginx.conf; }}"
            (tmp_path / "whole.conf").write_text(whole)
            done = subprocess.run(
                [program, "-t", "-c", tmp_path / "whole.conf"], capture_output=True, text=True, check=False
            )
            assert "syntax is ok" in done.stderr, done.stderr


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_shows_machine_state_and_how_far_however_narrow_it_is(width: int):
    from smartos_wizard.cli.netboot_table import table_lines

    rows = [
        {"mac": f"52:54:00:00:00:{n:02x}", "address": IP, "state": "archive", "done": n, "total": 50, "rate": 4e7,
         "file": BASE + ARCHIVE, "firmware": "BIOS"}
        for n in range(50)
    ]  # fmt: skip
    lines = table_lines(rows, width, 22)
    assert len(lines) == 22 and all(len(line) < width for line in lines)
    assert lines[-1] == "and 30 more"
    for words in ("52:54:00:00:00:07", "archive", "14 % of 50 bytes", "40.0 MB/s"):
        assert words in lines[8]
