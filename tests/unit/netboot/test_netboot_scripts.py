"""What machines are told: every script that is written names files that are in the tree, whatever was chosen."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path

import pytest

from smartos_wizard.boot.model import CONSOLES, BootChoices, Kmdb, Module
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.netboot.bootline import line_of
from smartos_wizard.netboot.check_report import Report
from smartos_wizard.netboot.checking import judge_hash, open_place, read_scripts
from smartos_wizard.netboot.ipxe_read import read_script
from smartos_wizard.netboot.model import NEEDED, Machine, mac_of, path_of
from smartos_wizard.netboot.other_read import read_pxelinux
from smartos_wizard.netboot.scripts import scripts_for
from smartos_wizard.netboot.tree import Wishes
from smartos_wizard.releases.mirror import open_mirror
from tests.unit.netboot.netboot_parts import NEW, OLD

SHADOW = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
STAMPS = (NEW, OLD)
MAC = "52-54-00-12-34-56"
CHOICES = [
    BootChoices(console=console, rescue=rescue, kmdb=kmdb, pools=pools, root_shadow=shadow, answers=answers, modules=modules)
    for console, rescue, kmdb, pools, shadow, answers, modules in itertools.product(
        ("", *CONSOLES), (None, True), (None, Kmdb.BOOT_NMI), ((), ("a", "b")), ("", SHADOW), (None, {"hostname": "k"}),
        ((), (Module("etc/system", "boot/bootfs/etc/system", b"set x=1\n"),)),
    )
]  # fmt: skip


@pytest.mark.parametrize("at", range(0, len(CHOICES), 16))
def test_every_file_that_any_script_names_is_in_the_tree_and_every_module_is_guarded(at: int, tmp_path: Path):
    for number, choices in enumerate(CHOICES[at : at + 16]):
        root = tmp_path / str(number)
        files = scripts_for(STAMPS, Wishes(choices, (Machine(MAC, choices),)))
        for stamp in STAMPS:
            files |= {path_of(stamp, path): b"x" * 41 for path in NEEDED}
        for path, data in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        report = Report()
        wanted = read_scripts(open_place(str(root), open_mirror), report)
        assert report.findings == []
        assert set(wanted.files) <= set(files)
        assert set(wanted.guarded.values()) <= set(files) and all(wanted.guarded.values())
        assert {path_of(stamp, path) for stamp in STAMPS for path in NEEDED[:3]} <= set(wanted.files)
        assert (choices.answers is not None) == (f"machines/{MAC}/answers.json" in wanted.files)


def test_the_console_is_the_screen_unless_another_is_chosen():
    menu = scripts_for(STAMPS, Wishes())["menu.ipxe"].decode()
    assert "set console text" in menu
    assert line_of(BootChoices()).properties == {"console": "text", "smartos": "true"}


def test_rescue_imports_nothing_and_has_a_known_password():
    found = line_of(BootChoices(rescue=True, pools=("tank",))).properties
    assert (found["smartos"], found["noimport"], found["standalone"], found["root_shadow"]) == (
        "false",
        "true",
        "true",
        SHADOW,
    )
    own = SHADOW.replace("2HOHRnK3", "another0")
    assert line_of(BootChoices(rescue=True, root_shadow=own)).properties["root_shadow"] == own


def test_a_speed_belongs_to_its_port_and_no_other():
    chosen = BootChoices(console="ttyb", speed=9600)
    assert line_of(chosen).properties["ttyb-mode"] == "9600,8,n,1,-"
    assert line_of(chosen, console="ttya").properties["ttya-mode"] == "115200,8,n,1,-"
    assert (
        'set line console=ttyb,ttyb-mode="9600' in scripts_for(STAMPS, Wishes(chosen))["menu.ipxe"].decode()
    )


@pytest.mark.parametrize("delay", [0, 3, -1])
def test_the_menu_waits_as_long_as_was_chosen(delay: int):
    menu = scripts_for(STAMPS, Wishes(BootChoices(delay=delay)))["menu.ipxe"].decode()
    (line,) = [line for line in menu.splitlines() if line.startswith("choose")]
    assert ("--timeout" in line) == (delay >= 0)
    if delay >= 0:
        assert f"--timeout {max(1, delay * 1000)} " in line


def test_grub_takes_the_menu(tmp_path: Path):
    checker = shutil.which("grub-script-check")
    if checker is None:
        pytest.skip("grub-script-check is not installed")
    for choices in CHOICES[::7]:
        path = tmp_path / "grub.cfg"
        path.write_bytes(scripts_for(STAMPS, Wishes(choices))["grub/grub.cfg"])
        done = subprocess.run([checker, path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_what_no_line_can_hold_is_refused_by_name():
    from smartos_wizard.netboot.bootline import quoted

    for value in ("a b", "it's", 'a"b', "a\\b", "${net0/mac}", "ä", "a\nb"):
        with pytest.raises(UsageProblem) as told:
            quoted("hostname", value)
        assert told.value.reference == "not-for-the-network"


@pytest.mark.parametrize("given", ["52:54:00:12:34:56", "52-54-00-12-34-56", " 52:54:00:AB:CD:EF "])
def test_addresses_of_cards_are_taken_as_people_write_them(given: str):
    assert mac_of(given) == given.strip().lower().replace(":", "-")


@pytest.mark.parametrize(
    "given",
    ["", "52:54:00", "52:54-00:12:34:56", "zz:54:00:12:34:56", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"],
)
def test_what_is_no_address_of_a_card_is_not_taken(given: str):
    with pytest.raises(UsageProblem):
        mac_of(given)


OFFICIAL = """#!ipxe
:custom
clear picked
set base BASE
set con ttyb
set flag:hex 2d:6b
goto top

:top
menu SmartOS
item --gap Images:
item NEW ${sp} NEW
item exp-OLD ${sp} exp-OLD
item --gap Options:
item con ${sp} Console: ${con}
item pool ${sp} Rescue
choose --default NEW --timeout 10000 picked &&
iseq ${picked} con && goto con ||
iseq ${picked} pool && goto pool ||
goto go

:go
kernel ${base}/os/${picked}/platform/i86pc/kernel/amd64/unix ${flag:string} -B console=${con},smartos=true
module ${base}/os/${picked}/platform/i86pc/amd64/boot_archive type=rootfs name=ramdisk || goto fail
module ${base}/os/${picked}/platform/i86pc/amd64/boot_archive.hash type=hash name=ramdisk || goto fail
boot || goto top

:con
set con text
goto top

:pool
goto top
"""
"""A script of the official server's shape: whole addresses, options beside images, and a :fail that is not there."""


def test_a_script_of_the_official_shape_is_understood():
    text = OFFICIAL.replace("BASE", "http://192.0.2.1").replace("NEW", NEW).replace("OLD", OLD)
    script = read_script(text)
    (kernel,) = [load for load in script.loads if load.kind == "kernel"]
    assert script.addresses(kernel) == tuple(
        f"http://192.0.2.1/os/{name}/platform/i86pc/kernel/amd64/unix" for name in (NEW, f"exp-{OLD}")
    )
    assert script.problems == []
    assert {problem for _, problem in script.weak} == {
        "where that fails it goes to :fail, and there is no such place in it"
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kernel x", "does not begin with #!ipxe"),
        ("#!ipxe\nkernal x\n", "no command “kernal”"),
        ("#!ipxe\ngoto nowhere\n", ":nowhere"),
        ("#!ipxe\nkernel --name x\n", "names no file"),
        ("", "does not begin"),
    ],
)
def test_a_script_that_makes_no_sense_is_told_with_the_line(text: str, words: str):
    assert any(words in problem for _, problem in read_script(text).problems)


def test_settings_only_a_machine_knows_name_no_file():
    script = read_script("#!ipxe\nchain http://x/${net0/mac}.ipxe\nset a ${a}\nkernel ${a}\n")
    assert [script.addresses(load) for load in script.loads] == [(), ()]


def test_pxelinux_files_of_others_are_read_where_they_use_mboot():
    found = read_pxelinux(
        "DEFAULT x\nLABEL x\n KERNEL mboot.c32\n APPEND u -B a=b --- a t=1 --- h\nLABEL y\n KERNEL vmlinuz\n APPEND r"
    )
    assert [path for _, path in found.loads] == ["u", "a", "h"]
    assert read_pxelinux("DEFAULT z\nLABEL x\n").problems


def test_a_hash_file_that_holds_no_hash_is_wrong():
    report = Report()
    judge_hash("os/x/boot_archive", "<html>404</html>", "0" * 40, report)
    assert [f.reference for f in report.errors] == ["no-hash"]
