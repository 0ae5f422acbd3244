"""The entries of GRUB's menu say what they should, and refuse what GRUB could not hold."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from smartos_wizard.boot.model import BootChoices, Kmdb, Module
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.netboot import grub_entry
from smartos_wizard.netboot.dualboot_draft import draft, files_of, own_files, refuse_choices
from smartos_wizard.netboot.dualboot_model import Volume, Way

STAMP = "20260101T000000Z"
SHADOW = "$5$abcdefgh$Kx0v./yZpLmNoPqRsTuVwXyZ0123456789abcdEFGH1"
NOTHING = BootChoices()
ROOT = Volume("/", "ext4", "aaaa-1111")


def made(choices: BootChoices = NOTHING, *, volume: Volume = ROOT, way: Way = Way.UNPACKED, uuid: str = ""):
    return draft(way, "/boot/smartos-wizard", volume, STAMP, files_of(way, STAMP, {"x": 1}), choices, uuid)


def lines(text: str, word: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith(word)]


def test_the_path_stands_twice_and_ends_as_the_kernel_wants_it():
    path = f"/boot/smartos-wizard/{STAMP}/platform/i86pc/kernel/amd64/unix"
    first, rescue = lines(made().entries, "multiboot ")
    assert first == f"multiboot {path} {path} -B smartos=true,console=text,zpools=zones"
    assert rescue.startswith(f"multiboot {path} {path} -B '")


def test_the_archive_and_its_hash_have_the_same_name():
    archive = f"/boot/smartos-wizard/{STAMP}/platform/i86pc/amd64/boot_archive"
    assert lines(made().entries, "module ")[:2] == [
        f"module --nounzip {archive} {archive} type=rootfs name=ramdisk",
        f"module --nounzip {archive}.hash {archive}.hash type=hash name=ramdisk",
    ]


def test_rescue_imports_nothing_runs_no_setup_and_lets_root_in():
    rescue = lines(made(BootChoices(pools=("other",))).entries, "multiboot ")[1]
    assert f"-B 'console=text,noimport=true,standalone=true,root_shadow={grub_entry.ROOT_ROOT}'" in rescue
    assert "smartos=true" not in rescue
    assert "zpools" not in rescue


def test_what_a_line_cannot_hold_goes_into_a_module_that_the_kernel_reads():
    found = made(BootChoices(console="ttya", pools=("a", "b")))
    assert "ttya-mode" not in found.entries
    assert "zpools" not in found.entries
    assert found.own[f"{STAMP}/told"] == b"ttya-mode=115200,8,n,1,-\0zpools=a,b\0"
    assert found.own[f"{STAMP}/told-in-rescue"] == b"ttya-mode=115200,8,n,1,-\0"
    assert len([line for line in lines(found.entries, "module ") if line.endswith(" type=environment")]) == 2


def test_a_root_hash_of_ones_own_is_nowhere_in_the_menu():
    found = made(BootChoices(root_shadow=SHADOW))
    assert SHADOW not in found.entries
    assert grub_entry.ROOT_ROOT not in found.entries
    assert SHADOW.encode() in found.own[f"{STAMP}/told-in-rescue"]
    assert "password chosen" in found.titles[1]
    assert "password root" in made().titles[1]


def test_answers_are_for_setup_only_and_files_for_both():
    choices = BootChoices(
        answers={"hostname": "box"}, modules=(Module("etc/system", "boot/bootfs/etc/system", b"x"),)
    )
    modules = lines(made(choices).entries, "module ")
    assert len([m for m in modules if m.endswith("type=file name=answers.json")]) == 1
    assert len([m for m in modules if m.endswith("type=file name=etc/system")]) == 2
    assert set(own_files(STAMP, choices)) == {f"{STAMP}/answers.json", f"{STAMP}/modules/etc/system"}


def test_an_iso_is_looped_and_what_is_not_in_it_is_found_beside_it():
    text = made(BootChoices(answers={"hostname": "box"}), way=Way.ISO).entries
    assert (
        lines(text, "loopback")[0]
        == f"loopback smartos_iso ($smartos_disk)/boot/smartos-wizard/{STAMP}/smartos-{STAMP}.iso"
    )
    assert lines(text, "set root=")[0] == "set root=smartos_iso"
    assert lines(text, "multiboot ")[0].startswith("multiboot /platform/i86pc/kernel/amd64/unix /platform/")
    assert f"module --nounzip ($smartos_disk)/boot/smartos-wizard/{STAMP}/answers.json " in text


@pytest.mark.parametrize(
    ("volume", "needs"),
    [
        (Volume("/", "ext4", "a", layers=("LVM",)), {"lvm", "ext2"}), (Volume("/", "xfs", "a", layers=("RAID",)), {"mdraid1x", "xfs"}),
        (Volume("/", "vfat", "a"), {"fat"}), (Volume("/", "btrfs", "a"), {"btrfs"}),
    ],
)  # fmt: skip
def test_grub_loads_what_reaches_the_file_system(volume, needs):
    assert {line.split()[1] for line in lines(made(volume=volume).entries, "insmod")} >= needs | {
        "multiboot",
        "part_gpt",
        "part_msdos",
    }


def test_uefi_chains_the_loader_and_loads_nothing_itself():
    text = made(way=Way.CHAINLOAD, uuid="1A2B-3C4D").entries
    assert lines(text, "chainloader") == ["chainloader /EFI/BOOT/BOOTX64.EFI"]
    assert lines(text, "search") == ["search --no-floppy --fs-uuid --set=root 1A2B-3C4D"]
    assert "multiboot" not in text


@pytest.mark.parametrize("word", ["a'b", "a\\b", "a\nb", "a\x01b"])
def test_what_grubs_shell_cannot_hold_is_refused(word):
    with pytest.raises(UsageProblem) as caught:
        grub_entry.quoted(word)
    assert caught.value.reference == "not-for-grub"


@pytest.mark.parametrize(
    "choices",
    [
        BootChoices(rescue=True),
        BootChoices(rescue=False),
        BootChoices(delay=3),
        BootChoices(files={"local/x": b""}),
    ],
)
def test_choices_that_mean_nothing_beside_linux_are_refused(choices):
    with pytest.raises(UsageProblem) as caught:
        refuse_choices(choices)
    assert caught.value.reference == "not-beside-linux"


@pytest.mark.skipif(shutil.which("grub-script-check") is None, reason="grub-script-check is not here")
def test_grubs_own_checker_takes_every_shape_of_entry(tmp_path):
    every = BootChoices(
        console="ttyd", speed=9600, verbose=True, kmdb=Kmdb.BOOT_NMI, pools=("zones", "data"), root_shadow=SHADOW, hostname="box-1.example.org",
        answers={"a": "b"}, modules=(Module("kernel/drv/a@b%c+d,e~f-g_h.conf", "boot/bootfs/x", b"x"),),
    )  # fmt: skip
    volumes = (
        ROOT,
        Volume("/boot", "btrfs", "c-1", inside="/@/.snap shots/$1"),
        Volume("/", "xfs", "a", layers=("LVM", "RAID")),
    )
    texts = [
        made(c, volume=v, way=w).entries
        for c in (BootChoices(), every)
        for v in volumes
        for w in (Way.UNPACKED, Way.ISO)
    ]
    texts.append(made(way=Way.CHAINLOAD, uuid="1A2B-3C4D").entries)
    file = tmp_path / "entries.cfg"
    file.write_text("".join(texts))
    done = subprocess.run(["grub-script-check", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
