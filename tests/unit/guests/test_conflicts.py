"""Two hypervisors want the same processor: each says who has it and what to do, and neither remembers it for ever."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from smartos_wizard.core.paths import Paths
from smartos_wizard.guests import conflicts
from smartos_wizard.guests.conflicts import Users, for_qemu, for_virtualbox, users
from smartos_wizard.guests.qemu import probe, starting
from smartos_wizard.guests.qemu.driver import QemuDriver
from smartos_wizard.guests.virtualbox import host

OLD, NEW = "6.1.0-44-amd64", "6.18.2-arch1-1"
BUSY = "kvm with host: ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy"
DENIED = "kvm with host: Could not access KVM kernel module: Permission denied"
ABSENT = "kvm with host: Could not access KVM kernel module: No such file or directory"


def process(root: Path, number: int, name: str, *files: str) -> None:
    place = root / "proc" / str(number)
    (place / "fd").mkdir(parents=True)
    (place / "comm").write_text(f"{name}\n")
    for descriptor, leads_to in enumerate(files):
        (place / "fd" / str(descriptor)).symlink_to(leads_to)


def counted(root: Path, number: int) -> None:
    place = root / "sys/module/kvm_intel"
    place.mkdir(parents=True)
    (place / "refcnt").write_text(f"{number}\n")


def test_who_uses_it_is_told_by_what_is_open_and_not_by_the_name_alone(tmp_path: Path) -> None:
    process(tmp_path, 1, "systemd")
    process(tmp_path, 20, "qemu-system-x86", "/dev/null", "/dev/kvm", "anon_inode:kvm-vm")
    process(tmp_path, 30, "qemu-system-x86", "/dev/null")  # it imitates
    process(tmp_path, 40, "VBoxHeadless", "/dev/vboxdrvu")
    process(tmp_path, 50, "VBoxSVC")  # runs no guest
    process(tmp_path, 60, "vmware-vmx")
    found = users(tmp_path)
    assert found.kvm == ("qemu-system-x86 (process 20)",)
    assert found.virtualbox == ("VBoxHeadless (process 40)",)
    assert found.vmware == ("vmware-vmx (process 60)",)


@pytest.mark.parametrize(("number", "seen"), [(0, 0), (2, 1)])
def test_what_another_user_runs_is_told_by_the_modules_count(tmp_path: Path, number: int, seen: int) -> None:
    counted(tmp_path, number)
    (tmp_path / "proc/20").mkdir(parents=True)
    (tmp_path / "proc/20/comm").write_text("qemu-system-x86\n")  # its fd directory cannot be read
    assert len(users(tmp_path).kvm) == seen


def test_a_machine_without_proc_has_nobody(tmp_path: Path) -> None:
    assert users(tmp_path) == Users()


def test_virtualbox_names_the_guest_of_kvm_and_the_remedy(tmp_path: Path) -> None:
    assert for_virtualbox(tmp_path, OLD) == ()
    process(tmp_path, 20, "qemu-system-x86", "anon_inode:kvm-vm")
    (problem,) = for_virtualbox(tmp_path, OLD)
    assert problem.reference == "virtualbox-conflict"  # the driver takes it as: it starts nothing
    assert problem.level == "warning"
    assert "qemu-system-x86 (process 20)" in problem.text
    assert "KVM" in problem.text
    assert "Shut that guest down" in problem.hint
    assert "QEMU" in problem.hint
    assert for_virtualbox(tmp_path, NEW) == (), "6.16 and later share"


@pytest.mark.parametrize(("name", "whose"), [("VBoxHeadless", "VirtualBox"), ("vmware-vmx", "VMware")])
def test_qemu_names_the_guest_of_the_other(tmp_path: Path, name: str, whose: str) -> None:
    assert for_qemu("kvm", "", tmp_path, OLD) == ()
    process(tmp_path, 40, name)
    (problem,) = for_qemu("kvm", "", tmp_path, OLD)
    assert problem.reference == "kvm-conflict"
    assert f"a guest of {whose} runs ({name} (process 40))" in problem.text
    assert "does not start with KVM" in problem.text
    assert "Shut the guests" in problem.hint
    (problem,) = for_qemu("tcg", BUSY, tmp_path, OLD)
    assert "imitates the processor" in problem.text
    assert for_qemu("kvm", "", tmp_path, NEW) == ()


def test_busy_without_a_guest_names_the_module(tmp_path: Path) -> None:
    (problem,) = for_qemu("tcg", BUSY, tmp_path, OLD)
    assert problem.reference == "kvm-conflict"
    assert "modprobe -r vboxnetflt vboxnetadp vboxdrv" in problem.hint


@pytest.mark.parametrize(
    ("note", "release", "remedy"),
    [
        (DENIED, OLD, "usermod -aG kvm"),
        (ABSENT, OLD, "modprobe kvm_intel"),
        (ABSENT, "5.15.90.1-microsoft-standard-WSL2", "nestedVirtualization=true"),
        ("", OLD, "rights on /dev/kvm"),
    ],
)
def test_slow_says_which_of_the_ways_out(tmp_path: Path, note: str, release: str, remedy: str) -> None:
    (problem,) = for_qemu("tcg", note, tmp_path, release)
    assert (problem.reference, problem.level) == ("no-acceleration", "warning")
    assert remedy in problem.hint
    assert note in problem.text


def test_both_drivers_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The findings reach what `guest list --hypervisors` and `doctor` show."""
    running = Users(kvm=("qemu-system-x86 (process 20)",), virtualbox=("VBoxHeadless (process 40)",))
    monkeypatch.setattr(conflicts, "users", lambda _root: running)
    monkeypatch.setattr(conflicts, "shared", lambda _release: False)
    monkeypatch.setattr(host, "kvm_holds", lambda: False)
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/dev/vboxdrv" or real(path))
    assert [p.reference for p in host.problems("linux", "x86_64")] == ["virtualbox-conflict"]
    assert host.problems("linux", "x86_64", "WARNING")[0].reference == "virtualbox-no-module"
    assert [p.reference for p in for_qemu("kvm", "")] == ["kvm-conflict"]


@pytest.fixture
def qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A QEMU that cannot have KVM and says why; imitating, it prints what the boot sector would."""
    bin = tmp_path / "bin"
    bin.mkdir()
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")

    def says(words: str) -> None:
        program = bin / "qemu-system-x86_64"
        program.write_text(
            "#!/bin/sh\n"
            '[ "$1" = --version ] && { echo "QEMU emulator version 9.9.9"; exit 0; }\n'
            f'case "$*" in *accel=tcg*) ;; *) echo "{words}" >&2; exit 1 ;; esac\n'
            'for each; do case $each in file:*) echo "SmartOS Wizard probe" > "${each#file:}" ;; esac; done\nexec sleep 9\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IEXEC)

    return says


@pytest.mark.skipif(probe.ladder()[0][0] != "kvm", reason="KVM is Linux's")
def test_that_somebody_else_has_it_is_not_remembered(paths: Paths, qemu: Callable[[str], None]) -> None:
    qemu("ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy")
    problems = QemuDriver(paths).detect().problems
    assert "kvm-conflict" in [problem.reference for problem in problems]
    assert not (paths.cache / "qemu-engine.json").exists()
    qemu("Could not access KVM kernel module: No such device")
    problems = QemuDriver(paths).detect().problems
    assert "no-acceleration" in [problem.reference for problem in problems]
    assert json.loads((paths.cache / "qemu-engine.json").read_text())["accelerator"] == "tcg"


def test_rights_that_change_are_seen(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, qemu: Callable[[str], None]
) -> None:
    qemu("Could not access KVM kernel module: Permission denied")
    monkeypatch.setattr(probe.os, "access", lambda *_: False)
    assert probe.find_engine("qemu-system-x86_64", "9.9.9", paths.cache) is not None
    before = json.loads((paths.cache / "qemu-engine.json").read_text())["for"]
    monkeypatch.setattr(probe.os, "access", lambda *_: True)
    assert probe.find_engine("qemu-system-x86_64", "9.9.9", paths.cache) is not None
    assert json.loads((paths.cache / "qemu-engine.json").read_text())["for"] != before


def test_a_start_that_fails_for_it_says_what_to_do() -> None:
    class Named:
        name = "lab"

    failed = starting._not_started(Named(), f"qemu-system-x86_64: {BUSY}\n", 1)  # type: ignore[arg-type]
    assert failed.hint == conflicts.LET_GO
    assert "Device or resource busy" in failed.message
