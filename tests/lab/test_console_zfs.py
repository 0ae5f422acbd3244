"""A machine without a network, by its serial console alone: into Rescue Mode, one pool destroyed, lines at the loader's prompt.

Pools and what is done to them are real OpenZFS; the loader's menu, login and SmartOS's own commands are played (`rig/played`,
`rig/serial_line.py`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.errors import NetworkFailed, PrivilegeFailed, WizardError
from smartos_wizard.reinstall.console_loader import Loader
from smartos_wizard.reinstall.console_port import SocketConsole, open_console
from smartos_wizard.reinstall.console_shell import ConsoleShell
from smartos_wizard.reinstall.parse import survey_of
from smartos_wizard.reinstall.script import survey_script
from smartos_wizard.reinstall.streams import CommandFailed, ask
from tests.lab.rig import parts, zfs_tree
from tests.lab.rig.zfs_host import ZfsHost

pytestmark = [pytest.mark.lab, pytest.mark.slow]

POOLS = """
for pool in $(zpool list -Ho name); do zpool destroy -f $pool; done
for disk in a b c; do wipefs -qaf /dev/vd$disk?* /dev/vd$disk || true; zpool labelclear -f /dev/vd${disk}1 2>/dev/null || true; done
zpool create -f zones mirror /dev/vda /dev/vdb
touch /zones/.system_pool
for n in var cores; do zfs create zones/$n; done
for n in config usbkey opt; do zfs create -o mountpoint=legacy zones/$n; done
mount -t zfs zones/usbkey /usbkey
echo hostname=lab >/usbkey/config; echo admin_nic=52:54:00:12:34:56 >>/usbkey/config
umount /usbkey
zpool create -f tank /dev/vdc
dd if=/dev/urandom of=/tank/photos bs=1M count=10 2>/dev/null
sync
"""
PASSWORD = "not root"
SLOW = 600.0
"""Seconds a start may take on a machine that does much else."""


@pytest.fixture(scope="module")
def host(space: Path) -> Iterator[ZfsHost]:
    parts.need_programs(["qemu-system-x86_64", "debootstrap"])
    place = space / "console-zfs"
    place.mkdir()
    disks = {f"vd{letter}": 256 << 20 for letter in "abc"}
    machine = ZfsHost(
        place, zfs_tree.prepare(), disks, menu=10.0, network=False, make=False, console=PASSWORD
    )
    try:
        yield machine.ready(SLOW)
    finally:
        machine.close()


@pytest.fixture
def machine(host: ZfsHost) -> ZfsHost:
    """Started normally, with zones and tank imported."""
    host.ready(SLOW).sh("umount /usbkey /opt /etc/zones 2>/dev/null || true")
    host.sh(POOLS, seconds=300)
    before = host.boots
    host.next_boot = {"smartos": "true"}
    host.cut()
    return host.booted(before, SLOW)


@pytest.fixture
def console(machine: ZfsHost) -> Iterator[SocketConsole]:
    opened = open_console(str(machine.console_socket))
    yield opened
    opened.close()


def guids(machine: ZfsHost) -> dict[str, str]:
    listed = machine.sh("zpool list -Hpo name,guid").split()
    return dict(zip(listed[::2], listed[1::2], strict=True))


def gone(machine: ZfsHost) -> set[tuple[str, str]]:
    return set(re.findall(r"pool: (\S+)\n\s+id: (\d+)", machine.run("zpool", "import", "-D").stdout))


def photos(machine: ZfsHost) -> str:
    machine.run("zpool", "import", "-f", "tank")
    return machine.sh("sha256sum /tank/photos").split()[0]


def test_rescue_mode_and_one_pool_destroyed_by_the_console_alone(
    machine: ZfsHost, console: SocketConsole
) -> None:
    before, digest, boots = guids(machine), photos(machine), machine.boots
    shell = ConsoleShell(console, "lab")
    with pytest.raises(PrivilegeFailed):
        shell.log_in("wrong")
    shell.log_in(PASSWORD)
    assert ask(shell, "zpool list -Ho name") == b"tank\nzones\n"

    shell.leave("reboot")
    loader = Loader(console)
    loader.menu()
    loader.rescue()
    machine.booted(boots, SLOW)
    assert "noimport=true" in machine.sh("cat /proc/cmdline")

    shell.log_in()
    assert ask(shell, "zpool list -Ho name") == b""
    assert f"id: {before['zones']}".encode() in ask(shell, "zpool import")
    ask(shell, f"zpool import -f -N {before['zones']}")
    assert ask(shell, "zpool list -Ho name,guid").split() == [b"zones", before["zones"].encode()]
    with pytest.raises(CommandFailed) as raised:
        ask(shell, "zpool destroy nothing")
    assert "no such pool" in raised.value.complaint
    ask(shell, "zpool destroy zones")
    assert gone(machine) == {("zones", before["zones"])}

    boots = machine.boots
    shell.leave("reboot")
    machine.booted(boots, SLOW)
    assert guids(machine) == {"tank": before["tank"]}
    assert photos(machine) == digest
    setup_is_left_alone(machine, console)


def setup_is_left_alone(machine: ZfsHost, console: SocketConsole) -> None:
    """It stands at its last question, and whoever looks types nothing."""
    for _ in range(2):
        with pytest.raises(NetworkFailed) as raised:
            ConsoleShell(console, keep=True).log_in(seconds=5)
        assert raised.value.reference == "console-at-setup"
    assert machine.sh("cat /run/setup-typed") == ""


def test_lines_at_the_prompt_are_read_back_and_destroy_what_they_say(
    machine: ZfsHost, console: SocketConsole
) -> None:
    before, digest, boots = guids(machine), photos(machine), machine.boots
    shell = ConsoleShell(console, "lab")
    shell.log_in(PASSWORD)
    shell.leave("reboot")
    loader = Loader(console)
    loader.menu()
    loader.prompt()
    loader.type_lines(["set zpools=zones", "set destroy_zpools=true"])
    assert machine.boots == boots
    loader.boot()
    machine.booted(boots, SLOW)
    assert machine.line is not None
    assert machine.line.loaders[-1].lines == [
        "set zpools=zones",
        "show zpools",
        "set destroy_zpools=true",
        "show destroy_zpools",
        "boot",
    ]
    assert " zpools=zones destroy_zpools=true" in machine.sh("cat /proc/cmdline")
    assert gone(machine) == {("zones", before["zones"])}
    assert photos(machine) == digest


def test_a_value_that_comes_back_wrong_destroys_nothing(machine: ZfsHost, console: SocketConsole) -> None:
    before, boots = guids(machine), machine.boots
    shell = ConsoleShell(console, "lab")
    shell.log_in(PASSWORD)
    shell.leave("reboot")
    loader = Loader(console, patience=1)
    loader.menu()
    assert machine.line is not None
    machine.line.loaders[-1].spoils = lambda said: "tank" if said == "zones" else said
    loader.prompt()
    with pytest.raises(WizardError) as raised:
        loader.type_lines(["set zpools=zones", "set destroy_zpools=true"])
    assert raised.value.reference == "loader-unexpected"
    time.sleep(12)
    assert machine.boots == boots  # it stands there
    loader.reboot()
    machine.booted(boots, SLOW)
    assert guids(machine) == before


def test_a_missed_menu_is_told_and_nothing_is_destroyed(machine: ZfsHost, console: SocketConsole) -> None:
    before, boots = guids(machine), machine.boots
    shell = ConsoleShell(console, "lab")
    shell.log_in(PASSWORD)
    shell.leave("reboot")
    machine.booted(boots, SLOW)
    time.sleep(2)
    with pytest.raises(WizardError) as raised:
        Loader(console).menu(5)
    assert raised.value.reference in ("loader-menu-missed", "loader-not-seen")
    assert guids(machine) == before


def test_the_survey_is_taken_by_the_console(machine: ZfsHost, console: SocketConsole) -> None:
    shell = ConsoleShell(console, "lab")
    shell.log_in(PASSWORD)
    found = survey_of(shell.run(survey_script()), taken=time.time(), how="console", host="lab")
    assert {pool.name: pool.guid for pool in found.imported} == guids(machine)
    shell.close()
