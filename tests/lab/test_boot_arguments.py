"""What is chosen for a key arrives in the kernel: GRUB in the loader's place, a small kernel that tells what it was told.

Real are the key's partitions and file systems, BIOS, GRUB with its reading of FAT and of menus, and the kernel's
way of reading what it gets. Played, after the loader's source, is the reading of loader.conf (`rig/loader.py`).
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smartos_wizard.boot import loader_write
from smartos_wizard.boot.key_files import kernel_properties
from smartos_wizard.boot.model import CONSOLES, LOADER_CONF_LOCAL, BootChoices, Kmdb, Module
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import below
from smartos_wizard.core.runner import execute
from smartos_wizard.media import machine
from smartos_wizard.media.boottest import BOOT_TEST_ACTIONS, plan_boot_test
from smartos_wizard.media.model import Disk, Fingerprint, Target
from smartos_wizard.media.opening import SystemOpener
from tests.lab.rig import bootkey, parts
from tests.lab.rig.bootkey import BootKey
from tests.lab.rig.bootreport import CONSOLES as SERIAL
from tests.lab.rig.bootreport import ENDED, Told, checksum
from tests.lab.rig.bootreport import Module as Seen
from tests.lab.rig.configured import choose, take_back, write
from tests.lab.rig.loader import KERNEL

pytestmark = pytest.mark.lab

ARCHIVE = "/platform/i86pc/amd64/boot_archive"
SHADOW = "$5$abcdefgh$Kx0v./yZpLmNoPqRsTuVwXyZ0123456789abcdEFGH1"
RELEASED = {
    "bootfile": "unix",
    "console": "text",
    "os_console": "text",
    "root_shadow": "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA",
    "smartos": "true",
    **{f"{name}-mode": "115200,8,n,1,-" for name in SERIAL},
}
"""What SmartOS gets from a key as it is released (smartos-live: tools/build_boot_image)."""


@pytest.fixture(scope="module")
def released(space: Path) -> BootKey:
    """A key as it is released, but for GRUB in the loader's place."""
    return bootkey.built(space / "boot-arguments")


@pytest.fixture
def key(released: BootKey) -> Iterator[BootKey]:
    with bootkey.copied(released) as copy:
        yield copy


class World:
    """What a boot test needs of the world."""

    practice = False

    def __init__(self, home: Path) -> None:
        self.paths = below(home)
        self.opener = SystemOpener(self.paths)


def started(key: BootKey, console: str) -> Told:
    """Start the key: its report, which must come on this console and on no other."""
    key.act_as_loader()
    heard = key.boot()
    assert (heard.code, heard.spoke) == (ENDED, {console}), heard
    return heard.told(console)


@pytest.mark.parametrize("console", CONSOLES)
def test_the_console_chosen_gets_the_text_and_no_other(key, console):
    choose(key, BootChoices(console=console))
    told = started(key, console)
    assert told.line == f"{KERNEL} -B console={console}"
    assert told.properties == RELEASED | {"console": console, "os_console": console}
    assert told.divisor == (0 if console == "text" else 1)


def test_a_released_key_gets_what_the_release_says(key):
    told = started(key, "text")
    assert told.line == f"{KERNEL} -B console=text"
    assert told.properties == RELEASED
    archive = key.read(ARCHIVE) or b""
    assert told.modules[ARCHIVE] == Seen(1 << 20, checksum(archive), archive[:16], {"type=rootfs"})
    assert told.modules[f"{ARCHIVE}.hash"].arguments == {"type=hash", f"name={ARCHIVE}"}


def test_every_choice_arrives_as_it_was_said(key):
    choices = BootChoices(
        console="ttyb", speed=9600, pools=("zones", "data-2"), root_shadow=SHADOW, hostname="box-1.example.org",
        delay=3, verbose=True,
    )  # fmt: skip
    choose(key, choices)
    assert key.loaded().environment["autoboot_delay"] == "3"
    told = started(key, "ttyb")
    assert told.divisor == 115200 // 9600
    assert told.properties == RELEASED | {
        "console": "ttyb", "os_console": "ttyb", "ttyb-mode": "9600,8,n,1,-", "boot_verbose": "YES",
        "zpools": "zones,data-2", "root_shadow": SHADOW, "hostname": "box-1.example.org",
    }  # fmt: skip


def test_destroying_pools_arrives_with_the_pools_it_is_limited_to(key):
    choices = BootChoices(console="ttya", pools=("zones",), destroy_pools=True)
    key.put(LOADER_CONF_LOCAL, loader_write.merged("", choices).encode())
    properties = started(key, "ttya").properties
    assert (properties["destroy_zpools"], properties["zpools"]) == ("true", "zones")


def test_every_value_that_is_taken_at_all_arrives_letter_for_letter(key):
    """What `line` takes, it takes rightly: each printable letter, alone, doubled, first, last and in between."""
    letters = [chr(code) for code in range(32, 127)]
    values = {f"v{i}": shape for i, shape in enumerate(c + "a" + c + c + "b" + c for c in letters)}
    values |= {
        "every": "".join(c for c in letters if c not in "\"'\\"),
        "long": "x" * 900 + "$",
        "dollars": "$5$${ISADIR}$(x)$",
    }
    lines, taken = [], {}
    for name, value in values.items():
        with contextlib.suppress(UsageProblem):
            lines.append(loader_write.line(name, value))
            taken[name] = value
    assert len(taken) >= len(values) - 3
    key.put(LOADER_CONF_LOCAL, "\n".join([*lines, 'os_console="ttyb"', ""]).encode())
    properties = started(key, "ttyb").properties
    assert properties == RELEASED | taken | {"console": "ttyb", "os_console": "ttyb"}


def test_a_value_as_long_as_may_be_arrives_and_a_longer_one_is_refused(key):
    def text(pools: int) -> str:
        return loader_write.merged("", BootChoices(console="ttya", pools=tuple(names[:pools])))

    names = [f"pool{i:03}" for i in range(200)]
    most = next(n for n in range(200) if fails(text, n + 1))
    assert most > 120
    key.put(LOADER_CONF_LOCAL, text(most).encode())
    assert started(key, "ttya").properties["zpools"] == ",".join(names[:most])


def fails(text: Callable[[int], str], pools: int) -> bool:
    try:
        text(pools)
    except UsageProblem as problem:
        assert problem.reference == "too-long-for-the-loader"
        return True
    return False


@pytest.mark.parametrize("rescue", [None, True])
def test_without_the_loader_the_same_choices_say_the_same(key, rescue):
    """QEMU's own loader takes the line as it is, as iPXE does; commas need quotes there (illumos: fakebop.c)."""
    choices = BootChoices(
        console="ttyb", speed=19200, pools=("zones", "data"), root_shadow=SHADOW, hostname="box", rescue=rescue
    )  # fmt: skip
    wanted = kernel_properties(choices)
    pairs = (f"{name}='{value}'" if "," in value else f"{name}={value}" for name, value in wanted.items())
    unix = key.path.with_name("unix")
    media = ["-kernel", str(unix), "-append", f"-B {','.join(pairs)}", "-initrd", f"{unix} type=file"]
    heard = bootkey.started(key.path.with_suffix(".direct"), media)
    assert (heard.code, heard.spoke) == (ENDED, {"ttyb"}), heard
    direct = heard.told("ttyb")
    assert (direct.properties, direct.divisor) == (wanted, 6)
    choose(key, choices)
    by_loader = started(key, "ttyb").properties
    assert {name: by_loader[name] for name in wanted} == wanted
    if rescue:
        assert [by_loader[name] for name in ("noimport", "standalone", "smartos")] == [
            "true",
            "true",
            "false",
        ]


@pytest.mark.parametrize(
    ("verbose", "kmdb", "flags", "nmi"),
    [(None, Kmdb.LOADED, " -k", None), (True, Kmdb.BOOT_NMI, " -vkd", "kmdb")],
)
def test_the_flags_arrive(key, verbose, kmdb, flags, nmi):
    choose(key, BootChoices(console="ttyd", verbose=verbose, kmdb=kmdb))
    told = started(key, "ttyd")
    assert told.line == f"{KERNEL}{flags} -B console=ttyd"
    assert told.properties.get("nmi") == nmi


def test_files_arrive_byte_for_byte_under_the_names_they_are_wanted_by(key):
    noise = random.Random(7)
    files = {
        "etc/system": b"set noexec_user_stack=1\n",
        "kernel/drv/Some_Long-Driver.Name.conf": noise.randbytes(300_001),
        "looks-like.gz": b"\x1f\x8b\x08" + noise.randbytes(5000),
        "etc/shadow": b"root:$5$x$y:6445::::::\n",
        "a@b%c+d,e~f-g_h": b"x",
    }
    modules = tuple(Module(name, f"boot/bootfs/{name}", data) for name, data in files.items())
    choose(key, BootChoices(console="ttya", modules=modules, answers={"hostname": "box"}))
    assert json.loads(key.text("private/answers.json") or "") == {"hostname": "box"}
    told = started(key, "ttya")
    for name, data in files.items():
        want = Seen(len(data), checksum(data), data[:16], {"type=file", f"name={name}"})
        assert told.modules[f"/boot/bootfs/{name}"] == want, name
    assert told.properties == RELEASED | {"console": "ttya", "os_console": "ttya"}


def test_lines_of_the_user_arrive_too_and_ours_come_last(key):
    own = 'os_console="ttyc"  # mine\nmy_own=1,2\nother=\'$5$ as it is\'\nboot_verbose="YES"\nboot_kmdb=YES\n'
    key.put(LOADER_CONF_LOCAL, own.encode())
    choose(key, BootChoices(console="ttyb", kmdb=Kmdb.OFF))
    told = started(key, "ttyb")
    assert told.line == f"{KERNEL} -v -B console=ttyb"
    assert (told.properties["my_own"], told.properties["other"]) == ("1,2", "$5$ as it is")
    take_back(key)
    assert key.text(LOADER_CONF_LOCAL) == own
    assert started(key, "ttyc").line == f"{KERNEL} -vk -B console=ttyc"


@pytest.mark.parametrize("bad", ["just words", 'console="ttya', 'x="1"\r', "=1"])
def test_a_line_that_is_told_to_stop_the_loader_does_stop_it(key, bad):
    text = loader_write.merged(f'before="1"\n{bad}\n', BootChoices(console="ttyb"))
    assert [number for number, _why in loader_write.stops_reading(text)] == [2]
    key.put(LOADER_CONF_LOCAL, text.encode())
    assert started(key, "text").properties == RELEASED | {"before": "1"}


def test_the_boot_test_of_the_program_shows_that_console_and_arguments_arrive(key, home):
    """By BIOS and by UEFI, and the key is the same afterwards."""
    parts.need_files(["/usr/lib/grub/x86_64-efi/multiboot.mod"])
    if machine.uefi() is None:
        parts.missing("UEFI firmware for QEMU (ovmf)")
    key.install_grub_for_uefi()
    choose(key, BootChoices(console="ttya", verbose=True, kmdb=Kmdb.LOADED))
    key.act_as_loader()
    size = key.path.stat().st_size
    target = Target(Disk(str(key.path), size), Fingerprint(str(key.path), size), regular_file=True)
    sign = f"line {KERNEL} -vk -B console=ttya\n"
    events = list(
        execute(plan_boot_test([target], signs=[sign], patience=60), BOOT_TEST_ACTIONS, World(home))
    )
    assert isinstance(events[-1], PlanFinished)
    row = events[-1].result["keys"][0]
    assert (row["bios"], row["uefi"], row["unchanged"]) == (f"seen: {sign}", f"seen: {sign}", True)


def test_what_was_said_before_stays_until_it_is_taken_back(key):
    module = Module("etc/system", "boot/bootfs/etc/system", b"set x=1\n")
    choose(key, BootChoices(console="ttyb", kmdb=Kmdb.BOOT, modules=(module,)))
    choose(key, BootChoices(hostname="box"))
    told = started(key, "ttyb")
    assert (told.line, told.properties["hostname"]) == (f"{KERNEL} -kd -B console=ttyb", "box")
    assert told.modules[f"/{module.path}"].checksum == checksum(module.data)
    take_back(key)
    assert key.read(LOADER_CONF_LOCAL) is None
    told = started(key, "text")
    assert (told.line, told.properties) == (f"{KERNEL} -B console=text", RELEASED)
    assert set(told.modules) == {ARCHIVE, f"{ARCHIVE}.hash", "/lab/environment"}


def test_a_key_that_is_written_with_choices_starts_with_them(released, space):
    module = Module("etc/system", "boot/bootfs/etc/system", b"set x=1\n")
    key = write(
        released.path, space / "new.img", BootChoices(console="ttyc", hostname="box", modules=(module,))
    )
    told = started(key, "ttyc")
    assert told.properties == RELEASED | {"console": "ttyc", "os_console": "ttyc", "hostname": "box"}
    assert told.modules[f"/{module.path}"].checksum == checksum(module.data)
    key.path.unlink()


def test_grub_reading_the_very_lines_understands_them_the_same(key):
    """GRUB's shell knows quotes, variables and comments by the same rules: another reader of our lines, a real one."""
    module = Module("etc/system", "boot/bootfs/etc/system", b"set x=1\n")
    choices = BootChoices(
        console="ttyc", speed=38400, pools=("a", "b"), root_shadow=SHADOW, hostname="h", modules=(module,), kmdb=Kmdb.BOOT
    )  # fmt: skip
    choose(key, choices)
    key.say_to_grub(
        f"serial --unit=0 --speed=115200\nterminal_output serial\nset root={key.root}\n"
        f"source /boot/loader.conf\nsource /{LOADER_CONF_LOCAL}\nset\necho all of it\nterminal_output console\nhalt\n"
    )
    heard = key.boot()
    said = heard.consoles["ttya"].replace("\r", "")
    assert "all of it" in said, heard
    found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    wanted = loader_write.settings_of(choices) | loader_write.module_settings(module, 1)
    assert {name: found.get(name) for name in wanted} == wanted
