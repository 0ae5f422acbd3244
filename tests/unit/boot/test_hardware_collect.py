"""Collecting: the program and the plain shell script write the same file, and neither tells who you are."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from smartos_wizard.boot import hardware_collect
from smartos_wizard.boot.hardware import (
    HardwareFacts,
    collect,
    collect_linux,
    read_facts,
    script,
    write_facts,
)
from smartos_wizard.core.errors import WizardError
from tests.machines.hardware import tree

ROOT = Path(__file__).resolve().parents[3]
COLLECT = ROOT / "assets" / "collect.sh"
MACHINES = sorted((ROOT / "tests" / "machines" / "hardware").glob("*.txt"))
SHELLS = [
    s for s in (["sh"], ["dash"], ["bash", "--posix"], ["ksh"], ["busybox", "sh"]) if shutil.which(s[0])
]


def _facts(path: Path) -> HardwareFacts:
    return read_facts(path.read_text(encoding="utf-8"))


LINUX = [p for p in MACHINES if _facts(p).system == "Linux"]


def _run(shell: list[str], path: str | None = None, root: Path | None = None) -> str:
    environment = {"PATH": path or os.environ["PATH"], "ROOT": str(root or "")}
    done = subprocess.run(
        [*shell, str(COLLECT)], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout


def _commands(where: Path, **answers: str) -> str:
    """A PATH on which these commands answer so, whatever they are asked: a `case` over their arguments."""
    where.mkdir()
    for name, body in answers.items():
        (where / name).write_text(f"#!/bin/sh\n{body}\n")
        (where / name).chmod(0o755)
    return f"{where}:{os.environ['PATH']}"


def _uname(system: str, machine: str) -> str:
    return f"case $1 in -s) echo {system} ;; -m) echo {machine} ;; esac"


@pytest.mark.parametrize("path", LINUX, ids=lambda p: p.stem)
def test_a_machine_is_collected_as_it_is_by_the_program_and_by_the_script(path, tmp_path):
    facts = _facts(path)
    root = tree.lay_out(tmp_path / "root", facts)
    assert collect_linux(root, facts.machine) == facts
    found = _commands(tmp_path / "bin", uname=_uname("Linux", facts.machine))
    assert _run(["sh"], found, root) == write_facts(facts)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_shell_at_hand_writes_of_this_machine_what_the_program_writes(shell):
    assert read_facts(_run(shell)) == collect()


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_shell_at_hand_reads_a_machine_with_secure_boot_and_a_usb_network_adapter(shell, tmp_path):
    facts = _facts(ROOT / "tests/machines/hardware/thinkpad-x1-gen9.txt")
    root = tree.lay_out(tmp_path / "root", facts)
    assert read_facts(_run(shell, root=root)) == facts


def test_no_serial_number_address_or_host_name_gets_into_the_file(tmp_path):
    for path in LINUX:
        root = tree.lay_out(tmp_path / path.stem, _facts(path))
        for text in (write_facts(collect_linux(root, "x86_64")), _run(["sh"], root=root)):
            assert not any(secret in text for secret in (tree.SERIAL, tree.ADDRESS, tree.HOST))
    assert os.uname().nodename not in _run(["sh"]).split()


def test_a_machine_that_shows_nothing_is_told_as_unknown_not_as_empty(tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    facts = collect_linux(bare, "x86_64")
    assert facts == HardwareFacts(system="Linux", machine="x86_64", kvm=False)
    found = _commands(tmp_path / "bin", uname=_uname("Linux", "x86_64"))
    assert read_facts(_run(["sh"], found, bare)) == facts


def test_a_secure_boot_variable_of_odd_length_is_not_believed(tmp_path):
    root = tree.lay_out(tmp_path / "root", HardwareFacts(firmware="uefi", secure_boot=True))
    (variable,) = (root / "sys/firmware/efi/efivars").glob("SecureBoot-*")
    variable.write_bytes(b"\6\0\0\0")
    assert collect_linux(root, "x86_64").secure_boot is None
    assert "secure-boot" not in _run(["sh"], root=root)
    variable.unlink()  # other variables are there: this firmware has no Secure Boot
    assert collect_linux(root, "x86_64").secure_boot is False
    assert "secure-boot off" in _run(["sh"], root=root)


def test_where_there_is_no_proc_the_program_lets_the_script_look(monkeypatch):
    here = collect()
    monkeypatch.setattr(hardware_collect.sys, "platform", "freebsd14")
    assert collect() == here
    monkeypatch.setattr(hardware_collect, "script", lambda: "exit 3")
    with pytest.raises(WizardError, match="could not be read"):
        collect()


def test_the_script_changes_nothing(tmp_path):
    facts = _facts(ROOT / "tests/machines/hardware/nuc12-i226.txt")
    root = tree.lay_out(tmp_path / "root", facts)
    before = {p: p.lstat().st_mtime_ns for p in root.rglob("*")}
    _run(["sh"], root=root)
    assert {p: p.lstat().st_mtime_ns for p in root.rglob("*")} == before


def test_the_script_goes_out_with_the_program():
    assert script() == COLLECT.read_text(encoding="utf-8")
    assert script().startswith("#!/bin/sh\n")


PRTCONF = """case $* in
*-v*) cat <<'EOT'
System Configuration:  Joyent  i86pc
Memory size: 32688 Megabytes
System Peripherals (Software Nodes):

i86pc
    pci, instance #0
        Driver properties:
            name='device_type' type=string items=1
                value='pciex'
        pci15d9,1533, instance #0
            Driver properties:
                name='fm-capable' type=int items=1
                    value=0000000f
            Hardware properties:
                name='compatible' type=string items=2
                    value='pciex8086,1533' + 'pciexclass,020000'
                name='subsystem-vendor-id' type=int items=1
                    value=000015d9
                name='subsystem-id' type=int items=1
                    value=00001533
                name='class-code' type=int items=1
                    value=00020000
                name='vendor-id' type=int items=1
                    value=00008086
                name='device-id' type=int items=1
                    value=00001533
        pci15d9,804, instance #0
            Hardware properties:
                name='class-code' type=int items=1
                    value=00010601
                name='vendor-id' type=int items=1
                    value=00008086
                name='device-id' type=int items=1
                    value=00008c02
EOT
;;
*) echo 'Memory size: 32688 Megabytes' ;;
esac"""
PSRINFO = """cat <<'EOT'
The physical processor has 4 cores and 8 virtual processors (0-7)
  x86 (GenuineIntel 306C3 family 6 model 60 step 3 clock 3300 MHz)
        Intel(r) Xeon(r) CPU E3-1230 v3 @ 3.30GHz
EOT"""
SMBIOS = """cat <<'EOT'
ID    SIZE TYPE
1     77   SMB_TYPE_SYSTEM (type 1) (system information)

  Manufacturer: Supermicro
  Product: X10SLH-F
  Serial Number: S3R1ALNUMBER
EOT"""
DISKINFO = r"printf 'SCSI\tc1t0d0\tINTEL\tSSDSC2BB48\t480103981056\tno\tyes\nUSB\tc2t0d0\tKingston\tDT\t8004304896\tyes\tno\n'"


def test_smartos_itself_tells_what_it_tells(tmp_path):
    found = _commands(
        tmp_path / "bin", uname=_uname("SunOS", "i86pc"), prtconf=PRTCONF, psrinfo=PSRINFO, smbios=SMBIOS,
        isainfo='case $1 in -k) echo amd64 ;; *) printf "64-bit amd64 applications\\n\\tvmx sse4.2 cx16\\n" ;; esac',
        diskinfo=DISKINFO,
    )  # fmt: skip
    text = _run(["sh"], found)
    assert tree.SERIAL not in text
    facts = read_facts(text)
    assert (facts.maker, facts.product, facts.memory) == ("Supermicro", "X10SLH-F", 32688 << 20)
    assert facts.cpu == ("GenuineIntel", 6, 60) and facts.cpu_name.endswith("v3 @ 3.30GHz")
    assert facts.flags == {"lm", "vmx"}
    assert [(d.ids, d.kind, d.board) for d in facts.pci or ()] == [
        ("8086:1533", "020000", "15d9:1533"),
        ("8086:8c02", "010601", "0000:0000"),
    ]
    assert [(d.name, d.size, d.solid, d.place) for d in facts.disks or ()] == [
        ("c1t0d0", 480103981056, True, "fixed"),
        ("c2t0d0", 8004304896, False, "usb"),
    ]


PCICONF = """cat <<'EOT'
hostb0@pci0:0:0:0:\tclass=0x060000 rev=0x06 hdr=0x00 vendor=0x8086 device=0x0c08 subvendor=0x15d9 subdevice=0x0804
igb0@pci0:3:0:0:\tclass=0x020000 card=0x153315d9 chip=0x15338086 rev=0x03 hdr=0x00
EOT"""


def test_freebsd_tells_what_it_tells_in_both_of_its_spellings(tmp_path):
    root = tmp_path / "root"
    tree.put(
        root / "var/run/dmesg.boot",
        'CPU: Intel(R) Xeon(R) CPU\n  Origin="GenuineIntel"  Id=0x306c3  Family=0x6  Model=0x3c  Stepping=3\n'
        "  AMD Features=0x2c100800<SYSCALL,NX,Page1GB,RDTSCP,LM>\n"
        "  VT-x: PAT,HLT,MTF,PAUSE,EPT,UG,VPID\n",
    )
    sysctl = (
        "case $2 in hw.model) echo 'Intel(R) Xeon(R)' ;; hw.physmem) echo 34276900864 ;; "
        "kern.vm_guest) echo none ;; machdep.bootmethod) echo UEFI ;; esac"
    )
    found = _commands(
        tmp_path / "bin", uname=_uname("FreeBSD", "amd64"), sysctl=sysctl, pciconf=PCICONF, kenv="echo Maker"
    )
    facts = read_facts(_run(["sh"], found, root))
    assert facts.cpu == ("GenuineIntel", 6, 60)
    assert facts.flags == {"lm", "vmx", "ept", "unrestricted_guest"}
    assert (facts.memory, facts.firmware) == (34276900864, "uefi")
    assert [(d.ids, d.kind, d.board) for d in facts.pci or ()] == [
        ("8086:0c08", "060000", "15d9:0804"),
        ("8086:1533", "020000", "15d9:1533"),
    ]


def test_macos_tells_its_processor_and_memory_and_leaves_the_rest_unknown(tmp_path):
    sysctl = (
        "case $2 in machdep.cpu.vendor) echo GenuineIntel ;; machdep.cpu.family) echo 6 ;; machdep.cpu.model) "
        "echo 70 ;; machdep.cpu.features) echo FPU VMX SSE ;; machdep.cpu.extfeatures) echo SYSCALL EM64T ;; "
        "hw.memsize) echo 17179869184 ;; hw.model) echo MacBookPro11,4 ;; esac"
    )
    found = _commands(tmp_path / "bin", uname=_uname("Darwin", "x86_64"), sysctl=sysctl)
    facts = read_facts(_run(["sh"], found))
    assert (facts.cpu, facts.flags, facts.memory) == (("GenuineIntel", 6, 70), {"lm", "vmx"}, 17179869184)
    assert facts.pci is None and facts.disks is None and facts.secure_boot is None


def test_an_unknown_system_still_makes_a_whole_file(tmp_path):
    found = _commands(tmp_path / "bin", uname=_uname("Plan9", "mips"))
    assert read_facts(_run(["sh"], found)) == HardwareFacts(system="Plan9", machine="mips")
