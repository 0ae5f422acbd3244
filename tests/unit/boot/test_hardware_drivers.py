"""The table of drivers: whole, tidy, and matched in the order illumos tries names in."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from smartos_wizard.boot.cpu import microarchitecture
from smartos_wizard.boot.drivers import driver_of, drivers, usb_driver_of
from smartos_wizard.boot.hardware import PciDevice

NAMED = [
    "e1000g",
    "igb",
    "ixgbe",
    "i40e",
    "bge",
    "bnxe",
    "mlxcx",
    "cxgbe",
    "nge",
    "rge",
    "vioif",
    "vmxnet3s",
    "ahci",
    "nvme",
    "vioblk",
    "mpt",
    "mpt_sas",
    "mr_sas",
    "pvscsi",
    "cpqary3",
    "smrt",
    "xhci",
    "ehci",
    "uhci",
    "ohci",
]


def test_every_driver_of_the_platform_that_matters_is_in_the_table():
    assert set(NAMED) <= {d.name for d in drivers()}


def test_the_table_is_well_formed_and_no_device_has_two_drivers():
    table = drivers()
    assert max(Counter(d.name for d in table).values()) == 1
    assert {d.kind for d in table} == {"network", "wireless", "usb-network", "storage", "usb"}
    for driver in table:
        assert driver.what
        assert driver.ids or driver.subsystems or driver.classes
        for ids in driver.ids:
            assert re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}(/[0-9a-f]{4}:[0-9a-f]{4})?", ids), driver.name
        for ids in driver.subsystems:
            assert re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", ids), driver.name
        for digits in driver.classes:
            assert re.fullmatch(r"[0-9a-f]{4}([0-9a-f]{2})?", digits), driver.name
    for kind in {d.kind for d in table}:
        for field in ("ids", "subsystems", "classes"):
            counted = Counter(x for d in table if d.kind == kind for x in getattr(d, field))
            assert [x for x, n in counted.items() if n > 1] == []


@pytest.mark.parametrize(
    ("ids", "kind", "board", "wanted"),
    [
        ("8086:100e", "020000", "8086:001e", "e1000g"),  # VirtualBox and QEMU
        ("8086:10d3", "020000", "8086:a01f", "e1000g"),
        ("8086:1533", "020000", "15d9:1533", "igb"),
        ("8086:15f3", "020000", "8086:0000", "igc"),
        ("8086:10fb", "020000", "8086:000c", "ixgbe"),
        ("8086:1572", "020000", "8086:0001", "i40e"),
        ("14e4:168e", "020000", "103c:3382", "bnxe"),
        ("15b3:1017", "020000", "15b3:0020", "mlxcx"),
        ("1425:5401", "020000", "1425:0000", "cxgbe"),
        ("10ec:8168", "020000", "1043:8505", "rge"),
        ("10ec:8125", "020000", "1043:87d7", None),  # Realtek's 2.5 Gb/s
        ("1af4:1000", "020000", "1af4:0001", "vioif"),
        ("1af4:1041", "020000", "1af4:1100", None),
        ("8086:1004", "020000", "8086:1004", "e1000g"),  # this board only
        ("8086:1004", "020000", "1028:0109", None),
        ("8086:a282", "010601", "1043:8694", "ahci"),
        ("8086:2822", "010400", "1028:0000", "ahci"),
        ("1234:5678", "010802", "0000:0000", "nvme"),
        ("103c:323a", "010400", "103c:3245", "smrt"),  # P410i, by its board
        ("103c:3230", "010400", "103c:3235", "cpqary3"),  # P400i
        ("1000:0060", "010400", "1028:1f0c", "mega_sas"),  # PERC 6/i
        ("1000:0072", "010700", "1028:1f1d", "mpt_sas"),  # PERC H200
        ("8086:9a0b", "010400", "17aa:22d5", None),  # VMD
        ("8086:7111", "01018a", "0000:0000", "ata"),
    ],
)
def test_well_known_devices_meet_their_driver(ids, kind, board, wanted):
    found = driver_of(PciDevice(ids, kind, board), "network" if kind.startswith("02") else "storage")
    assert (found.name if found else None) == wanted


def test_usb_network_adapters_go_by_their_ids():
    assert getattr(usb_driver_of("0b95:7720"), "name", None) == "axf"
    assert usb_driver_of("0bda:8153") is None


@pytest.mark.parametrize(
    ("maker", "family", "model", "name", "nested"),
    [
        ("GenuineIntel", 6, 0x17, "Core 2 (Penryn)", False),
        ("GenuineIntel", 6, 0x1A, "Nehalem", True),
        ("GenuineIntel", 6, 0x2C, "Westmere", True),
        ("GenuineIntel", 6, 0x3A, "Ivy Bridge", True),
        ("GenuineIntel", 6, 0x55, "Skylake", True),
        ("GenuineIntel", 6, 0x1C, "Atom (Bonnell)", False),
        ("GenuineIntel", 6, 0x37, "Atom (Silvermont)", True),
        ("GenuineIntel", 15, 4, "NetBurst (Pentium 4)", False),
        ("AuthenticAMD", 0x0F, 0x41, "K8 (Athlon 64, Opteron)", False),
        ("AuthenticAMD", 0x10, 4, "K10", True),
        ("AuthenticAMD", 0x15, 2, "Piledriver", True),
        ("AuthenticAMD", 0x17, 1, "Zen", True),
        ("AuthenticAMD", 0x17, 0x71, "Zen 2", True),
        ("AuthenticAMD", 0x19, 0x21, "Zen 3", True),
        ("AuthenticAMD", 0x19, 0x61, "Zen 4", True),
        ("AuthenticAMD", 0x1A, 0x44, "Zen 5", True),
    ],
)
def test_generations_of_processors_are_named(maker, family, model, name, nested):
    found = microarchitecture(maker, family, model)
    assert found is not None
    assert (found.name, found.nested) == (name, nested)


def test_a_processor_nobody_knows_has_no_name_made_up():
    assert microarchitecture("GenuineIntel", 6, 0xFE) is None
    assert microarchitecture("GenuineIntel", 19, 1) is None
    assert microarchitecture("AuthenticAMD", 0x30, 0) is None
    assert microarchitecture("CentaurHauls", 6, 15) is None
