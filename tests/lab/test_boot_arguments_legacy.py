"""What is chosen for a key from before 2019-04 arrives in the kernel, through its menu.

Real are the key's partition and file system, BIOS, and GRUB 2, which reads the menu as one of the old GRUB
(`legacy_configfile`). Taken out before are the few words that only the GRUB of those keys knew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.boot.model import CONSOLES, MENU_LST, BootChoices, Kmdb
from tests.lab.rig import bootkey
from tests.lab.rig.bootkey import BootKey
from tests.lab.rig.bootreport import ENDED, Told, checksum
from tests.lab.rig.configured import choose, take_back
from tests.lab.rig.loader import KERNEL

pytestmark = pytest.mark.lab

ARCHIVE = "/platform/i86pc/amd64/boot_archive"
SHADOW = "$5$abcdefgh$Kx0v./yZpLmNoPqRsTuVwXyZ0123456789abcdEFGH1"
RELEASED_SHADOW = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
MENU = """\
default=0
timeout=10
min_mem64 1024
serial --speed=115200 --unit=1,0,2,3 --word=8 --parity=no --stop=1
terminal composite
variable os_console vga

title SmartOS
   kernel$ /platform/i86pc/kernel/amd64/unix -B console=${os_console},${os_console}-mode="115200,8,n,1,-",root_shadow='$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA',smartos=true
   module /platform/i86pc/amd64/boot_archive type=rootfs name=ramdisk
   module /platform/i86pc/amd64/boot_archive.hash type=hash name=ramdisk

title SmartOS noinstall/recovery (login/pw: root/root)
   kernel$ /platform/i86pc/kernel/amd64/unix -B console=${os_console},${os_console}-mode="115200,8,n,1,-",standalone=true,noimport=true
   module /platform/i86pc/amd64/boot_archive
"""
"""The menu of a GRUB key of 2018 (smartos-live: tools/build_iso before 2019-04)."""


@pytest.fixture(scope="module")
def released(space: Path) -> BootKey:
    """A GRUB key as it is released, whose GRUB is a newer one."""
    return bootkey.built(space / "boot-legacy", legacy=True, extra={MENU_LST: MENU.encode()})


@pytest.fixture
def legacy(released: BootKey) -> Iterator[BootKey]:
    with bootkey.copied(released) as copy:
        yield copy


def started(key: BootKey, console: str, entry: int = 0) -> Told:
    """Start a GRUB key from its own menu, read by GRUB 2 as an old menu, after the words only SmartOS' GRUB knew."""
    menu = key.text(MENU_LST) or ""
    variables = dict(re.findall(r"^variable +(\S+) +(\S+)$", menu, re.MULTILINE))
    menu = re.sub(r"^(min_mem64|serial|terminal|variable)\b.*\n", "", menu, flags=re.MULTILINE)
    menu = re.sub(r"\$\{(\w+)\}", lambda m: variables[m[1]], menu)
    menu = re.sub(r"^default=\d+", f"default={entry}", menu, flags=re.MULTILINE)
    key.put("lab/menu.lst", re.sub(r"\b(kernel|module)\$", r"\1", menu).encode())
    key.say_to_grub(f"set root={key.root}\nlegacy_configfile /lab/menu.lst\n")
    heard = key.boot()
    assert (heard.code, heard.spoke) == (ENDED, {console}), heard
    return heard.told(console)


@pytest.mark.parametrize("console", CONSOLES)
def test_the_console_of_a_grub_key(legacy, console):
    choose(legacy, BootChoices(console=console, delay=0))
    told = started(legacy, console)
    name = "vga" if console == "text" else console
    assert told.properties == {
        "console": name, f"{name}-mode": "115200,8,n,1,-", "root_shadow": RELEASED_SHADOW, "smartos": "true",
    }  # fmt: skip
    assert told.modules[ARCHIVE].arguments == {"type=rootfs", "name=ramdisk"}
    assert told.modules[ARCHIVE].checksum == checksum(legacy.read(ARCHIVE) or b"")


def test_every_choice_of_a_grub_key_arrives_in_the_entry_that_starts_by_itself(legacy):
    choices = BootChoices(
        console="ttyb",
        delay=0,
        verbose=True,
        kmdb=Kmdb.BOOT,
        pools=("zones", "data"),
        root_shadow=SHADOW,
        hostname="box-1",
    )
    choose(legacy, choices)
    told = started(legacy, "ttyb")
    assert told.line.startswith(f"{KERNEL} -vkd -B ")
    assert told.properties == {
        "console": "ttyb", "ttyb-mode": "115200,8,n,1,-", "root_shadow": SHADOW, "smartos": "true",
        "zpools": "zones,data", "hostname": "box-1",
    }  # fmt: skip
    recovery = started(legacy, "ttyb", entry=1)
    assert recovery.properties.keys() == {"console", "ttyb-mode", "standalone", "noimport"}


def test_a_speed_reaches_the_serial_port_of_a_grub_key(legacy):
    choose(legacy, BootChoices(console="ttya", speed=9600, delay=0))
    told = started(legacy, "ttya")
    assert (told.divisor, told.properties["ttya-mode"]) == (12, "9600,8,n,1,-")
    assert told.line.count("ttya-mode=") == 1


def test_rescue_of_a_grub_key(legacy):
    choose(legacy, BootChoices(console="ttya", rescue=True, delay=0))
    properties = started(legacy, "ttya").properties
    assert (properties["noimport"], properties["standalone"]) == ("true", "true")
    assert properties.get("smartos", "false") != "true"


def test_choices_taken_back_leave_the_menu_of_a_grub_key_as_it_was(legacy):
    choose(legacy, BootChoices(console="ttyb", delay=0, hostname="box", kmdb=Kmdb.BOOT))
    take_back(legacy)
    assert legacy.text(MENU_LST) == MENU
