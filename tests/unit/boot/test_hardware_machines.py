"""Machines written down from real models: each is judged as is said here, for the reasons said here."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartos_wizard.boot.hardware import Fitness, Level, Verdict, judge_hardware, overall, read_facts

HERE = Path(__file__).resolve().parents[2] / "machines" / "hardware"

OK, WARNING, NO, UNKNOWN = Level.OK, Level.WARNING, Level.NO, Level.UNKNOWN
MACHINES: dict[str, tuple[Fitness, dict[str, tuple[Level, str]]]] = {
    "core2-laptop": (
        Fitness.WARNINGS,
        {"Virtual machines": (WARNING, "VT-x without EPT (Core 2 (Merom))"), "Network": (OK, "e1000g 8086:1049, wireless 8086:4227")},
    ),
    "dell-r720-perc": (
        Fitness.WARNINGS,
        {"RAID card": (WARNING, "mr_sas 1000:005b"), "Network": (OK, "bge 14e4:165f (×4)"), "Virtual machines": (OK, "Sandy Bridge")},
    ),
    "four-kn": (Fitness.WARNINGS, {"Disks": (WARNING, "4Kn"), "Network": (OK, "i40e"), "Disk controllers": (OK, "mpt_sas 1000:0097")}),
    "hetzner-ax41": (Fitness.FIT, {"Virtual machines": (OK, "AMD-V with NPT (Zen 2)"), "Network": (OK, "igb 8086:1533")}),
    "hp-dl360-gen8-p420i": (Fitness.WARNINGS, {"RAID card": (WARNING, "smrt 103c:323b"), "Disks": (OK, "sda")}),
    "hp-microserver-gen8-b120i": (
        Fitness.NOT_FIT,
        {"Disk controllers": (NO, "no driver for 8086:1c04"), "Disks": (NO, "sda"), "USB": (OK, "ehci (×2), uhci")},
    ),
    "hp-microserver-n54l": (Fitness.WARNINGS, {"Network": (OK, "bge 14e4:165b"), "Virtual machines": (WARNING, "AMD-V with NPT (K10), but no decode assists"), "Disks": (OK, "sda")}),
    "hpe-dl380-gen10": (Fitness.WARNINGS, {"RAID card": (WARNING, "smartpqi"), "Network": (OK, "mlxcx 15b3:1015 (×2)")}),
    "libvirt-modern": (
        Fitness.UNKNOWN,
        {"Network": (UNKNOWN, "virtio network 1af4:1041"), "Disks": (UNKNOWN, "vda"), "Firmware": (WARNING, "UEFI"), "Guest": (OK, "QEMU or KVM")},
    ),
    "macbook-intel": (Fitness.UNKNOWN, {"Virtual machines": (OK, "Haswell"), "Network": (UNKNOWN, "not known")}),
    "nehalem": (
        Fitness.WARNINGS,
        {"Virtual machines": (WARNING, "VT-x with EPT (Nehalem), but no unrestricted guest"), "Network": (OK, "bnx 14e4:1639 (×2)"), "Disk controllers": (OK, "mpt 1000:0058, ata 8086:2921")},
    ),
    "nuc12-i226": (Fitness.WARNINGS, {"Network": (WARNING, "igc 8086:125c, wireless 8086:51f0"), "Disk controllers": (OK, "nvme 144d:a80a")}),
    "opteron-k8": (
        Fitness.WARNINGS,
        {"Virtual machines": (WARNING, "AMD-V without NPT (K8"), "Disk controllers": (OK, "mpt 1000:0050"), "USB": (OK, "ehci")},
    ),
    "pentium4": (Fitness.NOT_FIT, {"Processor": (NO, "Pentium"), "Memory": (NO, "503 MiB"), "Disk controllers": (WARNING, "ata")}),
    "qemu-transitional": (Fitness.FIT, {"Network": (OK, "vioif"), "Disk controllers": (OK, "vioblk"), "Guest": (OK, "QEMU or KVM")}),
    "raspberry-pi4": (Fitness.NOT_FIT, {"Processor": (NO, "aarch64"), "Disks": (NO, "mmcblk0"), "USB": (OK, "xhci")}),
    "small-box": (Fitness.WARNINGS, {"Memory": (WARNING, "1.46 GiB"), "Disks": (WARNING, "14.9 GiB"), "Network": (OK, "rge 10ec:8168")}),
    "smartos-itself": (Fitness.WARNINGS, {"Virtual machines": (OK, "VT-x with EPT (Haswell)"), "Firmware": (UNKNOWN, ""), "Secure Boot": (OK, "")}),
    "thinkpad-x1-gen9": (
        Fitness.NOT_FIT,
        {
            "Secure Boot": (NO, "on"), "Intel VMD": (WARNING, "8086:9a0b"), "Disk controllers": (NO, "8086:9a0b"),
            "Network": (NO, "no driver for 17ef:a387 (USB), wireless 8086:a0f0"), "Virtual machines": (OK, "Tiger Lake"),
        },
    ),
    "virtualbox": (Fitness.WARNINGS, {"Network": (OK, "e1000g 8086:100e"), "Guest": (OK, "VirtualBox"), "Virtual machines": (WARNING, "no VT-x inside")}),
    "vmware": (Fitness.FIT, {"Network": (OK, "vmxnet3s 15ad:07b0"), "Guest": (OK, "VMware"), "Virtual machines": (OK, "Broadwell")}),
    "vt-off": (
        Fitness.WARNINGS,
        {"Virtual machines": (WARNING, "no VT-x to be seen"), "Intel RST": (WARNING, "8086:2822"), "Network": (OK, "e1000g 8086:15e3")},
    ),
}  # fmt: skip


def _judged(name: str) -> dict[str, Verdict]:
    return {v.name: v for v in judge_hardware(read_facts((HERE / f"{name}.txt").read_text(encoding="utf-8")))}


def test_every_machine_on_record_has_its_judgement_written_down():
    assert {f.stem for f in HERE.glob("*.txt")} == set(MACHINES)


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_on_record_is_judged_as_written_down(name):
    fitness, wanted = MACHINES[name]
    judged = _judged(name)
    assert overall(judged.values()) is fitness
    assert {n: judged[n].level for n in wanted} == {n: level for n, (level, _) in wanted.items()}
    assert [n for n, (_, words) in wanted.items() if words not in judged[n].found] == []


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_not_well_is_explained_and_what_forbids_has_a_way_out(name):
    for verdict in _judged(name).values():
        assert verdict.found
        if verdict.level is not OK:
            assert verdict.why.endswith(".")
        if verdict.level is NO:
            assert verdict.todo.endswith(".")


def test_virtualization_off_and_virtualization_absent_are_told_apart():
    off, absent = _judged("vt-off")["Virtual machines"], _judged("core2-laptop")["Virtual machines"]
    assert "switched off in the firmware" in off.why and "switch it on" in off.todo
    assert "EPT came with Nehalem" in absent.why and absent.todo == ""


def test_the_disk_behind_a_controller_without_driver_does_not_count():
    verdict = _judged("thinkpad-x1-gen9")["Disks"]
    assert verdict.level is NO
    assert "SmartOS sees none of them" in verdict.why


def test_what_bhyve_asks_for_beyond_nested_paging_is_told():
    assert "KVM works. bhyve will not" in _judged("nehalem")["Virtual machines"].why
    old_linux = (HERE / "dell-r720-perc.txt").read_text(encoding="utf-8").replace(" unrestricted_guest", "")
    verdict = next(v for v in judge_hardware(read_facts(old_linux)) if v.name == "Virtual machines")
    assert verdict.level is OK
    assert "bhyve and KVM work." in _judged("dell-r720-perc")["Virtual machines"].why
    assert "take bhyve" in _judged("hetzner-ax41")["Virtual machines"].why
