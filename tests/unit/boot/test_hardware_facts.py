"""The hardware file: what is written is read back, and what is no such file is refused by name, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.hardware import (
    DiskFact,
    Fitness,
    HardwareFacts,
    PciDevice,
    judge_hardware,
    overall,
    read_facts,
    write_facts,
)
from smartos_wizard.boot.hardware_facts import FLAGS, LIMIT
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame

MACHINES = sorted((Path(__file__).resolve().parents[2] / "machines" / "hardware").glob("*.txt"))

hex4 = st.integers(0, 0xFFFF).map("{:04x}".format)
ids = st.tuples(hex4, hex4).map(":".join)
words = st.text(max_size=60).map(tame)
name = st.text("abcdefghijklmnopqrstuvwxyz0123456789!-_.", min_size=1, max_size=12)
known_classes = st.sampled_from(
    ["020000", "028000", "010601", "010400", "010802", "01018a", "0c0330", "0c0400"]
)
classes = known_classes | st.integers(0, 0xFFFFFF).map("{:06x}".format)
devices = st.builds(PciDevice, ids, classes, ids)
disks = st.builds(
    DiskFact, name, st.integers(1, 10**15), st.sampled_from([512, 4096]), st.sampled_from([512, 4096]),
    st.booleans(), st.sampled_from(["fixed", "usb", "removable", "mmc"]), st.just("") | ids,
)  # fmt: skip
cpus = st.tuples(
    st.sampled_from(["GenuineIntel", "AuthenticAMD", "HygonGenuine", "CentaurHauls"]),
    st.integers(0, 30),
    st.integers(0, 255),
)
machines = st.builds(
    HardwareFacts,
    system=st.sampled_from(["", "Linux", "SunOS", "FreeBSD", "Darwin"]),
    machine=st.sampled_from(["", "x86_64", "i686", "i86pc", "amd64", "aarch64", "riscv64"]),
    maker=words,
    product=words,
    cpu=st.none() | cpus,
    cpu_name=words,
    flags=st.none() | st.frozensets(st.sampled_from(FLAGS)),
    kvm=st.none() | st.booleans(),
    memory=st.none() | st.integers(0, 1 << 45),
    firmware=st.sampled_from(["", "bios", "uefi"]),
    secure_boot=st.none() | st.booleans(),
    pci=st.none() | st.lists(devices, max_size=6).map(tuple),
    usb_nics=st.lists(ids, max_size=2).map(tuple),
    disks=st.none() | st.lists(disks, max_size=4).map(tuple),
)


@settings(deadline=None)
@given(machines)
def test_what_is_written_is_read_back(facts):
    assert read_facts(write_facts(facts)) == facts


@settings(deadline=None)
@given(machines)
def test_every_machine_gets_a_judgement_and_none_is_fit_that_lacks_or_hides_an_essential(facts):
    verdicts = judge_hardware(facts)
    whole = overall(verdicts)
    assert len({v.name for v in verdicts}) == len(verdicts)
    assert all(v.found for v in verdicts)
    if facts.pci is None or facts.memory is None or not facts.pci:
        assert whole in (Fitness.UNKNOWN, Fitness.NOT_FIT)
    if facts.secure_boot or (facts.disks is not None and not any(d.place == "fixed" for d in facts.disks)):
        assert whole is Fitness.NOT_FIT


@settings(deadline=None)
@given(machines, st.integers(0, 1 << 40))
def test_more_memory_never_makes_a_machine_worse_in_memory(facts, more):
    from dataclasses import replace

    order = ["no", "warning", "ok"]

    def level(count: int) -> int:
        verdict = next(v for v in judge_hardware(replace(facts, memory=count)) if v.name == "Memory")
        return order.index(verdict.level)

    count = facts.memory or 0
    assert level(count) <= level(count + more)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400) | st.binary(max_size=400).map(lambda b: b.decode("latin-1")))
def test_any_text_is_read_or_refused_with_words(text):
    for tried in (text, f"smartos-wizard hardware 1\n{text}\nend\n", f"smartos-wizard hardware {text}"):
        try:
            judge_hardware(read_facts(tried))
        except UsageProblem as error:
            assert error.reference.endswith("-hardware-facts")
            assert error.hint
            assert error.message.isprintable()


@settings(deadline=None)
@given(st.sampled_from(MACHINES), st.data())
def test_a_flipped_character_is_read_or_refused_but_never_a_crash(path, data):
    text = path.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.characters()) + text[at + 1 :]
    try:
        judge_hardware(read_facts(changed))
    except UsageProblem as error:
        assert error.reference.endswith("-hardware-facts")


@pytest.mark.parametrize("path", MACHINES, ids=lambda p: p.stem)
def test_a_file_cut_off_anywhere_is_refused_and_nothing_is_judged_by_half(path):
    text = path.read_text(encoding="utf-8").rstrip("\n")
    for length in range(len(text)):
        with pytest.raises(UsageProblem, match="hardware file") as caught:
            read_facts(text[:length])
        assert caught.value.reference in (
            "truncated-hardware-facts", "damaged-hardware-facts", "not-hardware-facts", "newer-hardware-facts",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("", "not-hardware-facts"),
        ('{"answers": 1}', "not-hardware-facts"),
        ("00:00.0 Host bridge: Intel Corporation 440FX\n", "not-hardware-facts"),
        ("smartos-wizard hardware 2\nend\n", "newer-hardware-facts"),
        ("smartos-wizard hardware 1\nsystem Linux\n", "truncated-hardware-facts"),
        ("smartos-wizard hardware 1\nmemory lots\nend\n", "damaged-hardware-facts"),
        ("smartos-wizard hardware 1\npci 8086:100e\nend\n", "damaged-hardware-facts"),
        ("smartos-wizard hardware 1\nsecure-boot maybe\nend\n", "damaged-hardware-facts"),
        ("smartos-wizard hardware 1\n" + "# x\n" * LIMIT, "not-hardware-facts"),
    ],
)
def test_what_is_no_hardware_file_is_refused_by_name(text, reference):
    with pytest.raises(UsageProblem) as caught:
        read_facts(text)
    assert caught.value.reference == reference
    assert "--collect" in caught.value.hint or "newest" in caught.value.hint


def test_a_damaged_line_is_named_by_its_number():
    with pytest.raises(UsageProblem) as caught:
        read_facts("smartos-wizard hardware 1\nsystem Linux\nmemory lots\nend\n")
    assert caught.value.details["line"] == 3
    assert "memory lots" in caught.value.message


def test_it_may_come_by_windows_and_hold_lines_of_later_days():
    text = "\ufeffsmartos-wizard hardware 1\r\nmoon-phase full\r\nmemory 4294967296\r\nend\r\n"
    assert read_facts(text) == HardwareFacts(memory=4294967296)


def test_nothing_known_is_not_the_same_as_nothing_there():
    head = "smartos-wizard hardware 1\n"
    assert read_facts(head + "end\n").pci is None
    assert read_facts(head + "pci-list\ndisk-list\nend\n") == HardwareFacts(pci=(), disks=())
