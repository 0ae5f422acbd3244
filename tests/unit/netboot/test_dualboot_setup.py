"""How a Linux starts is read from its files, and what speaks against SmartOS beside it is said."""

from __future__ import annotations

from typing import Any

import pytest

from smartos_wizard.core.errors import Refused
from smartos_wizard.netboot.dualboot_judging import answers_stop, dangers, home_for, stops
from smartos_wizard.netboot.dualboot_model import HOMES, Setup, Way
from smartos_wizard.netboot.dualboot_planning import refuse
from smartos_wizard.netboot.dualboot_setup import read_setup
from tests.unit.netboot.dualboot_machines import MACHINES, RecordedLinux


def setup_of(name: str, **more: Any) -> Setup:
    return read_setup(RecordedLinux(name, **more))


def refused(setup: Setup, way: Way = Way.UNPACKED, needed: int | None = 400 << 20) -> list[str]:
    return [p.reference for p in stops(setup, way, needed) if p.level == "stop"]


FITS = (
    "debian",
    "debian-spare-disk",
    "own-boot",
    "lvm",
    "all-on-lvm",
    "raid",
    "fedora-bls",
    "subvolume",
    "luks-root",
    "no-udev",
    "zones-on-linux",
)


@pytest.mark.parametrize("name", FITS)
def test_a_linux_with_grub_by_bios_can_have_smartos_beside_it(name):
    setup = setup_of(name)
    assert refused(setup) == []
    assert home_for(setup, 400 << 20) == HOMES[0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("encrypted-boot", "boot-encrypted"), ("uefi-secure", "secure-boot"), ("uefi", "uefi-needs-chainloading"),
        ("uefi-unreadable", "uefi-needs-chainloading"), ("uefi-with-key", "uefi-needs-chainloading"), ("systemd-boot", "no-grub"), ("no-grub", "no-grub"),
        ("no-multiboot", "no-multiboot-module"), ("zfs", "boot-not-readable"), ("nothing-to-read", "no-grub"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_reason(name, reason):
    setup = setup_of(name)
    assert refused(setup)[0] == reason
    with pytest.raises(Refused) as caught:
        refuse(stops(setup, Way.UNPACKED, None))
    assert caught.value.reference == reason
    assert caught.value.message.endswith("Nothing was changed.")
    assert caught.value.hint


def test_every_recorded_machine_is_judged_by_a_test():
    told = {
        "encrypted-boot",
        "uefi-secure",
        "uefi",
        "uefi-unreadable",
        "uefi-with-key",
        "systemd-boot",
        "no-grub",
        "no-multiboot",
        "zfs",
        "nothing-to-read",
    }
    assert {*FITS, *told, "fedora-as-user"} == set(MACHINES)


def test_boot_is_found_with_its_file_system_and_what_lies_between_it_and_the_disks():
    seen = {
        name: setup_of(name).volumes[0]
        for name in ("debian", "own-boot", "lvm", "all-on-lvm", "raid", "subvolume")
    }
    facts = {n: (v.point, v.fstype, v.uuid, v.inside, v.layers) for n, v in seen.items() if v}
    assert facts == {
        "debian": ("/", "ext4", "aaaa-1111", "/", ()),
        "own-boot": ("/boot", "ext4", "bbbb-2222", "/", ()),
        "lvm": ("/boot", "xfs", "bbbb-2222", "/", ()),
        "all-on-lvm": ("/", "ext4", "aaaa-1111", "/", ("LVM",)),
        "raid": ("/", "ext4", "aaaa-1111", "/", ("RAID",)),
        "subvolume": ("/", "btrfs", "cccc-3333", "/@/.snapshots/1", ()),
    }


@pytest.mark.parametrize(
    ("name", "path", "calls_it"),
    [
        ("debian", "/boot/smartos-wizard", "/boot/smartos-wizard"),
        ("own-boot", "/boot/smartos-wizard", "/smartos-wizard"),
        ("subvolume", "/boot/smartos-wizard", "/@/.snapshots/1/boot/smartos-wizard"),
    ],
)
def test_a_path_is_called_as_grub_calls_it(name, path, calls_it):
    volume = setup_of(name).volumes[0]
    assert volume is not None
    assert volume.for_grub(path) == calls_it


def test_fedora_is_known_by_its_own_names():
    setup = setup_of("fedora-bls")
    assert (setup.grub_cfg, setup.generator, setup.checker) == (
        "/boot/grub2/grub.cfg",
        "grub2-mkconfig",
        "grub2-script-check",
    )
    assert setup.by_hand == "grub2-mkconfig -o /boot/grub2/grub.cfg"
    assert (setup.bls, setup.menu_hidden, setup.system) == (True, True, "Fedora Linux 40")


def test_a_user_who_may_not_look_into_grubs_directory_gets_an_answer_too():
    setup = setup_of("fedora-as-user")
    assert (setup.grub_dir, setup.multiboot) == ("/boot/grub2", None)
    assert refused(setup) == []


def test_a_boot_that_is_too_small_gives_way_to_the_large_file_system():
    setup = setup_of("own-boot", free={"/boot": 100 << 20})
    assert refused(setup) == []
    assert home_for(setup, 400 << 20) == HOMES[1]
    assert home_for(setup, 50 << 20) == HOMES[0]


def test_no_room_anywhere_is_refused_and_both_places_are_named():
    setup = setup_of("own-boot", free={"/boot": 100 << 20, "/var": 1 << 20})
    found = stops(setup, Way.UNPACKED, 400 << 20)
    assert [p.reference for p in found] == ["no-room", "no-room"]
    assert "100 MiB are free" in found[0].text
    assert found[1].text.startswith("/ is too full")


def test_uefi_may_chain_smartos_own_loader_but_not_with_secure_boot_and_bios_need_not():
    assert refused(setup_of("uefi"), Way.CHAINLOAD, 0) == []
    assert refused(setup_of("uefi-secure"), Way.CHAINLOAD, 0) == ["secure-boot"]
    assert refused(setup_of("debian"), Way.CHAINLOAD, 0) == ["bios-needs-no-chainloading"]
    unknown = setup_of("uefi-unreadable")
    assert unknown.secure_boot is None
    assert "secure-boot-unknown" in {p.reference for p in dangers(unknown, Way.CHAINLOAD, ("zones",))}


def test_another_architecture_and_another_loader_are_named():
    linux = RecordedLinux("debian")
    linux.arch = "aarch64"
    assert refused(read_setup(linux)) == ["not-a-pc"]
    assert "systemd-boot" in stops(setup_of("systemd-boot"), Way.UNPACKED, None)[0].text


def test_the_danger_comes_first_and_says_manual():
    for name in FITS:
        found = dangers(setup_of(name), Way.UNPACKED, ("zones",))
        assert found[0].reference == "takes-all-disks"
        assert "manual" in found[0].text


def test_disks_that_linux_does_not_use_are_named_and_their_absence_is_a_warning():
    spare = {p.reference: p for p in dangers(setup_of("debian-spare-disk"), Way.UNPACKED, ("zones",))}
    assert "/dev/sdb" in spare["unused-disks"].text
    assert "WD1" in spare["unused-disks"].text
    assert "/dev/sda" not in spare["unused-disks"].text
    none = {p.reference: p for p in dangers(setup_of("debian"), Way.UNPACKED, ("zones",))}
    assert none["no-disk-of-its-own"].level == "warning"


def test_a_pool_of_linux_that_has_the_name_of_smartos_is_a_warning():
    setup = setup_of("zones-on-linux")
    levels = {p.reference: p.level for p in dangers(setup, Way.UNPACKED, ("zones",))}
    assert setup.pools == ("zones",)
    assert levels["linux-has-pools"] == "warning"
    levels = {p.reference: p.level for p in dangers(setup, Way.UNPACKED, ("smart",))}
    assert levels["linux-has-pools"] == "note"


def test_answers_with_which_setup_would_erase_linux_are_refused():
    stop = answers_stop({"hostname": "box", "zpool_confirm_layout": "yes", "skip_final_confirm": "true"})
    assert stop is not None
    assert stop.reference == "answers-take-all-disks"
    assert "without a question" in stop.text
    assert answers_stop({"hostname": "box"}) is None
    assert answers_stop(None) is None


def test_on_uefi_the_key_that_is_plugged_in_is_named_and_only_smartos_may_be_chained():
    setup = setup_of("uefi-with-key")
    (stop,) = stops(setup, Way.UNPACKED, None)
    assert "--chainload BBBB-0002" in stop.hint
    assert "AAAA-0001" not in stop.hint
    assert stops(setup, Way.CHAINLOAD, 0, "bbbb-0002") == ()
    assert [p.reference for p in stops(setup, Way.CHAINLOAD, 0, "AAAA-0001")] == ["loader-of-linux"]
    (absent,) = stops(setup, Way.CHAINLOAD, 0, "DDDD-0004")
    assert (absent.reference, absent.level) == ("loader-not-here", "warning")
