"""What VBoxManage says, read: transcripts of the real 7.2, other versions' forms, and any text in its escapes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.guests.model import State
from smartos_wizard.guests.virtualbox import host, info, version
from smartos_wizard.guests.virtualbox.find import environment, find, is_wsl, places
from smartos_wizard.guests.virtualbox.said import Said, explain, said, split_warning
from smartos_wizard.guests.virtualbox.switches import ssh_port

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> str:
    """A transcript without the warning that the missing module put before it."""
    return split_warning((GOLDEN / name).read_text(encoding="utf-8"))[1]


def test_everything_of_a_machine_is_read_with_its_escapes() -> None:
    facts = info.machine_readable(golden("showvminfo-7.2.txt"))
    assert facts["name"] == 'a "b" {c}=d ü'
    assert facts["description"] == 'two\nlines, VMState="running"'
    assert facts["VMState"] == "poweroff"
    assert info.state_of(facts) is State.STOPPED
    assert facts["SATA-1-0"].startswith('/tmp/vbx/g/it\'s a "place" \\x/SmartOS-Wizard/')
    assert list(info.attached(facts, "SATA")) == [1]
    assert info.cards(facts) == [("nat", "08:00:27:11:22:33"), ("bridged", "08:00:27:11:22:aa")]
    assert ssh_port(facts) == 2222
    assert list(info.snapshots(facts).values()) == ['cle"an', "tw=o \\"]
    assert facts["GuestMemoryBalloon"] == "0", "what comes after the snapshots is read too"
    assert not info.in_session(facts)


def test_lists_are_read() -> None:
    snapshots = info.snapshots(info.machine_readable(golden("snapshots-7.2.txt")))
    assert list(snapshots.values()) == ['cle"an', "tw=o \\"]
    assert info.machines(golden("vms-7.2.txt")) == {"11111111-2222-3333-4444-555555555555": 'a "b" {c}=d ü'}
    broken = '"<inaccessible>" {22222222-2222-3333-4444-555555555555}\n"a} {b" {33333333-2222-3333-4444-555555555555}\n'
    assert list(info.machines(broken).values()) == ["<inaccessible>", "a} {b"]
    assert [block["Name"] for block in info.blocks(golden("bridgedifs-7.2.txt"))] == [
        "eth0",
        "wlan0 (Wi-Fi): 2",
    ]
    assert {block["State"] for block in info.blocks(golden("hdds-7.2.txt"))} == {"created"}
    assert info.extra_data(golden("extradata-7.2.txt")) == {
        "other": "1",
        "smartos-wizard/owner": "x, Value: y",
    }


any_text = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\0"), max_size=40)


@given(st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9_()-]{0,12}", fullmatch=True), any_text, max_size=6))
def test_any_value_survives_its_escapes(values: dict[str, str]) -> None:
    values = {
        key: value for key, value in values.items() if not key.startswith(("Snapshot", "CurrentSnapshot"))
    }
    printed = "\n".join(f"{key}={info.quoted(value)}" for key, value in values.items())
    assert info.machine_readable(printed) == values
    printed = "\r\n".join(
        f'"{key}"={info.quoted(value)}' for key, value in values.items() if "\n" not in value
    )
    assert info.machine_readable(printed) == {k: v for k, v in values.items() if "\n" not in v}


@given(st.text(max_size=200))
def test_nothing_said_makes_it_stumble(text: str) -> None:
    info.machine_readable(text)
    info.machines(text)
    info.blocks(text)
    info.extra_data(text)
    version.read(text)
    explain(said(("VBoxManage",), text, text, 1))


@pytest.mark.parametrize(
    "text, numbers, vendor, references",
    [
        ("7.1.12r169651", (7, 1, 12), "", []),
        ("6.1.50_Ubuntur161033", (6, 1, 50), "Ubuntu", []),
        ("7.0.20_Debianr163906", (7, 0, 20), "Debian", []),
        ("7.2.22_OSEr1", (7, 2, 22), "OSE", []),
        ("7.0.0r153978", (7, 0, 0), "", ["virtualbox-faulty"]),
        ("8.0.2_BETA1r200000", (8, 0, 2), "BETA1", ["virtualbox-newer"]),
        ("6.0.24r139119", (6, 0, 24), "", ["virtualbox-too-old"]),
        ("Oracle VM VirtualBox\n7.0.18r162988\n", (7, 0, 18), "", []),
        ("", None, "", ["virtualbox-broken"]),
        ("VBoxManage: not a version", None, "", ["virtualbox-broken"]),
    ],
)
def test_versions(
    text: str, numbers: tuple[int, int, int] | None, vendor: str, references: list[str]
) -> None:
    reading = version.read(text)
    assert (reading.numbers, reading.vendor) == (numbers, vendor)
    assert [problem.reference for problem in version.judge(reading)] == references


def test_the_warning_of_a_missing_module_is_kept_apart() -> None:
    reading = version.read((GOLDEN / "version-7.2.txt").read_text())
    assert reading.numbers == (7, 2, 22)
    assert reading.vendor == "Debian"
    assert "/dev/vboxdrv" in reading.warning
    assert split_warning("WARNING: something else\n  more of it\n\n7.1.12r1\n") == (
        "WARNING: something else\n  more of it",
        "7.1.12r1\n",
    )
    assert split_warning("7.1.12r1\n") == ("", "7.1.12r1\n")


def call(err: str = "", code: int = 0, out: str = "") -> Said:
    return said(("VBoxManage", "-q", "x y"), out, err, code)


def test_what_counts_as_failed() -> None:
    assert not call("0%...10%...20%...100%\n").failed, "progress goes to stderr when all is well"
    assert not call('VBoxManage: warning: Interface "eth9" doesn\'t seem to exist\n').failed
    assert call("VBoxManage: error: no\n").failed, "with exit code 0"
    assert call("VBoxManage.exe: error: no\n").failed
    assert call(code=3).failed
    locked = call("VBoxManage: error: The machine 'x' is already locked for a session (or being unlocked)", 1)
    assert locked.busy
    assert not call((GOLDEN / "closemedium-7.2.err").read_text(), 1).busy


@pytest.mark.parametrize(
    "err, reference, own",
    [
        ((GOLDEN / "closemedium-7.2.err").read_text(), "virtualbox-in-use", "still attached to 1 virtual machines (VBOX_E_OBJECT_IN_USE)"),
        ((GOLDEN / "startvm-7.2.err").read_text(), "virtualbox-failed", "terminated unexpectedly"),
        ("VBoxManage: error: Machine settings file '/x' already exists\n", "virtualbox-left-over", "/x"),
        ("VBoxManage: fatal error: RTR3Init: VERR_NO_TRANSLATION\n", "virtualbox-letters", "RTR3Init"),
        ("VBoxManage: error: Cannot register the hard disk '/a' {1} because a hard disk '/b' with UUID {1} already exists", "virtualbox-disk-known", "/b"),
        ("VBoxManage: error: Code E_ACCESSDENIED (0x80070005) - Access denied", "virtualbox-not-allowed", "Access denied"),
        ("", "virtualbox-failed", "nothing, and ended with exit code 1"),
    ],
)  # fmt: skip
def test_failures_in_plain_words_with_its_own(err: str, reference: str, own: str) -> None:
    error = explain(call(err, 1))
    assert error.reference == reference
    assert own in error.message
    assert "Context:" not in error.message
    assert error.context == "VBoxManage -q 'x y'"


def test_where_it_is_looked_for() -> None:
    assert find(which=lambda _name: "/usr/bin/VBoxManage") is not None
    mac = find("darwin", {}, lambda _: None, lambda path: path.startswith("/Applications"))
    assert mac is not None
    assert mac.path == "/Applications/VirtualBox.app/Contents/MacOS/VBoxManage"
    win = {"VBOX_MSI_INSTALL_PATH": "D:\\VB\\;E:\\VB", "ProgramFiles": "C:\\Program Files"}
    assert list(places("win32", win)) == [
        "D:\\VB\\VBoxManage.exe", "E:\\VB\\VBoxManage.exe", "C:\\Program Files\\Oracle\\VirtualBox\\VBoxManage.exe",
    ]  # fmt: skip
    wsl = find("linux", {"WSL_DISTRO_NAME": "Debian"}, lambda _: None, lambda path: path.startswith("/mnt/c"))
    assert wsl is not None
    assert wsl.beyond
    assert find("linux", {}, lambda _: None, lambda _: False) is None
    assert is_wsl({}, "5.15.90.1-microsoft-standard-WSL2")
    assert not is_wsl({}, "6.1.0-amd64")


def test_its_environment_is_english_and_takes_every_letter() -> None:
    found = environment("linux", {"LC_ALL": "de_DE", "LC_MESSAGES": "de_DE", "LANGUAGE": "de", "HOME": "/h"})
    assert found["LC_ALL"] == "C.UTF-8"
    assert found["HOME"] == "/h"
    assert environment("darwin", {})["LC_ALL"].endswith("UTF-8")


@pytest.mark.parametrize(
    "release, loaded, switch, held",
    [
        ("6.11.0", True, "Y", False), ("6.12.0-amd64", True, "Y", True), ("6.12.0-amd64", True, "N", False),
        ("6.14.1", True, "", True), ("6.14.1", False, "Y", False), ("6.16.3", True, "Y", False), ("weird", True, "Y", False),
    ],
)  # fmt: skip
def test_when_kvm_is_in_the_way(tmp_path: Path, release: str, loaded: bool, switch: str, held: bool) -> None:
    if loaded:
        (tmp_path / "sys/module/kvm_amd").mkdir(parents=True)
    if switch:
        place = tmp_path / "sys/module/kvm/parameters"
        place.mkdir(parents=True)
        (place / "enable_virt_at_load").write_text(f"{switch}\n")
    assert host.kvm_holds(tmp_path, release) is held


def test_other_processors_are_refused() -> None:
    (first, *_) = host.problems("darwin", "arm64")
    assert (first.reference, first.level) == ("virtualbox-on-arm", "error")
