"""What is written for VMware, read by programs that are not ours: libvirt's VMX parser, virt-v2v, QEMU's VMDK driver."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.guests.model import BootKind, BootMedium, DiskSpec, Guest, GuestSpec, NicSpec, Sandbox
from smartos_wizard.guests.qemu import probe
from smartos_wizard.guests.vmware import vmdk, words
from smartos_wizard.guests.vmware.vmx import Vmx
from tests.lab.rig import parts

pytestmark = pytest.mark.lab
MIB, GIB = 1 << 20, 1 << 30


def guest(
    place: Path, kind: BootKind, sandbox: Sandbox, disks: int, cpus: int = 2, memory: int = 4096
) -> Guest:
    """A guest with everything VMware would read: .vmx, disks, key or ISO."""
    (place / "smartos.iso").write_bytes(bytes(MIB))
    spec = GuestSpec(
        name="SmartOS lab (1)", uuid="c4d3a0de-0f28-4b9a-8f6e-0123456789ab", hypervisor="vmware", memory=memory,
        cpus=cpus, boot=BootMedium(kind, str(place / "smartos.iso")),
        disks=tuple(DiskSpec(f"zones-{n}", (20 + n) * GIB) for n in range(disks)),
        nics=(NicSpec("00:50:56:11:22:33", "uplink", "vmnet2" if sandbox is Sandbox.LAN else ""),
              NicSpec("00:50:56:11:22:34", "backstage")),
        sandbox=sandbox,
    )  # fmt: skip
    made = Guest(spec, place, place / "sockets")
    for disk in spec.disks:
        vmdk.write_empty(made.disk(disk, "vmdk"), disk.size)
    if kind is BootKind.KEY:
        made.key.write_bytes(random.Random(4).randbytes(3 * MIB))
        vmdk.write_around(place / words.KEY_DISK, made.key)
    (place / words.VMX).write_text(Vmx.of(words.values_of(made)).text)
    return made


CASES = [(kind, box, disks) for kind in BootKind for box in Sandbox for disks in (1, 4)] + [
    (BootKind.ISO, Sandbox.LAB, 15)
]


# ---- libvirt


def libvirt_reads(place: Path, text: str) -> subprocess.CompletedProcess[str]:
    """libvirt's reading of a .vmx file; it wants to see vmrun and vmware, and no more of them than this."""
    parts.need_programs(["virsh"])
    fakes = place / "fakes"
    fakes.mkdir(exist_ok=True)
    for name, says in (
        ("vmrun", "Total running VMs: 0"),
        ("vmware", "VMware Workstation 17.6.3 build-24583834"),
    ):
        (fakes / name).write_text(f"#!/bin/sh\necho '{says}'\n")
        (fakes / name).chmod(0o755)
    # libvirt knows no host-only network and no LAN segment: a copy has a custom one in their place.
    for kind in ("hostonly", "pvn"):
        text = re.sub(
            rf'(ethernet\d)\.connectionType = "{kind}"\n',
            r'\1.connectionType = "custom"\n\1.vnet = "vmnet9"\n\1.networkName = "nine"\n',
            text,
        )
    text = text.replace('.vnet = "vmnet2"\n', '.vnet = "vmnet2"\nethernet0.networkName = "two"\n')
    path = place / "read.vmx"
    path.write_text(text)
    return subprocess.run(
        ["virsh", "-c", "vmwarews:///session", "domxml-from-native", "vmware-vmx", str(path)],
        check=False, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PATH": f"{fakes}:{os.environ['PATH']}", "LC_ALL": "C", "XDG_RUNTIME_DIR": str(place)},
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "box", "disks"), CASES)
def test_libvirt_reads_the_machine_that_was_asked(
    tmp_path: Path, kind: BootKind, box: Sandbox, disks: int
) -> None:
    made = guest(tmp_path, kind, box, disks)
    spec = made.spec
    done = libvirt_reads(tmp_path, (tmp_path / words.VMX).read_text())
    assert done.returncode == 0, done.stderr
    domain = ET.fromstring(done.stdout)
    assert domain.findtext("name") == spec.name and domain.findtext("uuid") == spec.uuid
    assert domain.findtext("description") == words.OWNER
    assert int(domain.findtext("memory") or 0) == spec.memory * 1024
    assert domain.findtext("vcpu") == str(spec.cpus)
    assert domain.find("os/type").get("arch") == "x86_64"  # type: ignore[union-attr]
    assert domain.find("os").get("firmware") is None  # type: ignore[union-attr]
    assert [each.get("address") for each in domain.iter("mac")] == [nic.mac for nic in spec.nics]
    assert {each.get("type") for each in domain.findall(".//interface/model")} == {"e1000"}
    seen = {
        (each.find("target").get("bus"), Path(each.find("source").get("file")).name)  # type: ignore[union-attr, arg-type]
        for each in domain.iter("disk") if each.get("device") == "disk"
    }  # fmt: skip
    wanted = {("scsi", f"{disk.name}.vmdk") for disk in spec.disks}
    assert seen == wanted | ({("ide", words.KEY_DISK)} if kind is BootKind.KEY else set())
    discs = [each.find("source").get("file") for each in domain.iter("disk") if each.get("device") == "cdrom"]  # type: ignore[union-attr]
    assert discs == ([spec.boot.source] if kind is BootKind.ISO else [])
    serial = domain.find(".//serial")
    assert serial is not None and serial.get("type") == "pipe"
    assert serial.find("source").get("path") == str(made.sockets / words.PIPE)  # type: ignore[union-attr]
    assert domain.find(".//filesystem") is None, "nothing is shared"


@pytest.mark.parametrize(
    "harm",
    [
        ('memsize = "4096"', 'memsize = "4097"'),
        ('.virtualDev = "e1000"', '.virtualDev = "e1001"'),
        ('scsi0.virtualDev = "lsilogic"', 'scsi0.virtualDev = "lsi"'),
        ('"ata-hardDisk"', '"disk-of-sorts"'),
        ('serial0.fileType = "pipe"', 'serial0.fileType = "pipes"'),
        ('00:50:56:11:22:33', "00:50:56:11:22"),
        ('config.version = "8"', 'config.version = "7"'),
        ('annotation = "Managed by SmartOS Wizard"', 'annotation = "Managed'),
    ],
)  # fmt: skip
def test_libvirt_would_have_seen_a_fault(tmp_path: Path, harm: tuple[str, str]) -> None:
    guest(tmp_path, BootKind.KEY, Sandbox.LAB, 1)
    text = (tmp_path / words.VMX).read_text()
    assert harm[0] in text
    assert libvirt_reads(tmp_path, text.replace(*harm)).returncode != 0


# ---- virt-v2v


@pytest.mark.parametrize(("kind", "box", "disks"), [CASES[0], CASES[7]])
def test_virt_v2v_reads_the_machine_that_was_asked(
    tmp_path: Path, kind: BootKind, box: Sandbox, disks: int
) -> None:
    parts.need_programs(["virt-v2v"])
    made = guest(tmp_path, kind, box, disks, cpus=3, memory=3072)
    done = subprocess.run(
        ["virt-v2v", "-i", "vmx", str(tmp_path / words.VMX), "--print-source"], check=False, capture_output=True,
        text=True, timeout=120, env={**os.environ, "LIBGUESTFS_BACKEND": "direct", "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert re.search(r"name: SmartOS lab \(1\)$", said, re.MULTILINE)
    assert re.search(rf"memory: {3072 * MIB} ", said) and re.search(r"vCPUs: 3$", said, re.MULTILINE)
    assert re.search(r"firmware: bios$", said, re.MULTILINE)
    # It shows generated addresses only; the fixed ones are libvirt's to read, above.
    assert len(re.findall(r"\[e1000\]", said)) == len(made.spec.nics)
    assert len(re.findall(r"\[scsi\]", said)) == disks
    assert len(re.findall(r"\[ide\]", said)) == 1, "the key or the CD"
    assert ("CD-ROM [ide]" in said) == (kind is BootKind.ISO)


# ---- VMDK


def qemu(*words_: str) -> subprocess.CompletedProcess[str]:
    parts.need_programs([words_[0]])
    return subprocess.run(words_, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "size", [1, 64 << 10, (64 << 10) + 1, 32 * MIB, 20 * GIB, 1000 * GIB + 512, vmdk.LARGEST]
)
def test_qemu_reads_an_empty_disk(tmp_path: Path, size: int) -> None:
    path = tmp_path / "zones-0.vmdk"
    vmdk.write_empty(path, size)
    check = qemu("qemu-img", "check", str(path))
    assert check.returncode == 0 and "No errors" in check.stdout, check.stderr
    info = json.loads(qemu("qemu-img", "info", "--output=json", str(path)).stdout)
    assert info["format"] == "vmdk" and info["virtual-size"] == vmdk.sectors_of(size) * 512
    data = info["format-specific"]["data"]
    assert data["create-type"] == "monolithicSparse" and data["parent-cid"] == 0xFFFFFFFF
    if size <= 20 * GIB:
        raw = tmp_path / "zero.raw"
        with raw.open("wb") as file:
            file.truncate(vmdk.sectors_of(size) * 512)
        same = qemu("qemu-img", "compare", "-f", "vmdk", "-F", "raw", str(path), str(raw))
        assert same.returncode == 0, same.stdout + same.stderr


def test_qemu_writes_into_an_empty_disk_and_reads_it_back(tmp_path: Path) -> None:
    """The tables lead where they should: at both ends, across a table's border, in every grain of a stretch."""
    path, size = tmp_path / "zones-0.vmdk", 3 * GIB
    vmdk.write_empty(path, size)
    table = 512 * 64 << 10
    places = [0, 4096, table - 512, table, 5 * table + 12 * 1024, size - 65536, size - 512]
    for number, at in enumerate(places, 1):
        done = qemu("qemu-io", "-f", "vmdk", "-c", f"write -P {number} {at} 512", str(path))
        assert "wrote 512" in done.stdout, done.stdout + done.stderr
    for number, at in enumerate(places, 1):
        done = qemu("qemu-io", "-f", "vmdk", "-c", f"read -P {number} {at} 512", str(path))
        assert "verification failed" not in done.stdout and "read 512" in done.stdout, done.stdout
    check = qemu("qemu-img", "check", str(path))
    assert check.returncode == 0, check.stdout


def test_the_same_disk_made_by_qemu_has_the_same_tables(tmp_path: Path) -> None:
    ours, theirs, size = tmp_path / "ours.vmdk", tmp_path / "theirs.vmdk", 20 * GIB
    vmdk.write_empty(ours, size)
    done = qemu("qemu-img", "create", "-q", "-f", "vmdk", "-o",
                "subformat=monolithicSparse,adapter_type=lsilogic,hwversion=19", str(theirs), str(size))  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = ours.read_bytes(), theirs.read_bytes()
    assert first[:512] == second[:512], "the header"
    assert first[21 * 512 :].ljust(len(second), b"\0")[: len(second) - 21 * 512] == second[21 * 512 :], (
        "the tables"
    )


def test_a_description_reads_as_the_key_itself(tmp_path: Path) -> None:
    made = guest(tmp_path, BootKind.KEY, Sandbox.LAB, 1)
    path = tmp_path / words.KEY_DISK
    same = qemu("qemu-img", "compare", "-f", "vmdk", "-F", "raw", str(path), str(made.key))
    assert same.returncode == 0, same.stdout + same.stderr
    info = json.loads(qemu("qemu-img", "info", "--output=json", str(path)).stdout)
    assert info["virtual-size"] == made.key.stat().st_size
    assert info["format-specific"]["data"]["create-type"] == "monolithicFlat"


def test_a_snapshot_of_qemu_stands_on_our_disk(tmp_path: Path) -> None:
    """A delta finds its parent by the parent's content id: ours is one that can be found."""
    base, delta = tmp_path / "zones-0.vmdk", tmp_path / "zones-0-000001.vmdk"
    vmdk.write_empty(base, GIB)
    done = qemu("qemu-img", "create", "-q", "-f", "vmdk", "-b", str(base), "-F", "vmdk", str(delta))
    assert done.returncode == 0, done.stderr
    number = json.loads(qemu("qemu-img", "info", "--output=json", str(base)).stdout)["format-specific"][
        "data"
    ]["cid"]
    child = json.loads(qemu("qemu-img", "info", "--output=json", str(delta)).stdout)["format-specific"][
        "data"
    ]
    assert child["parent-cid"] == number


def test_the_guest_of_another_spec_is_not_this_one(tmp_path: Path) -> None:
    """The comparison above can fail."""
    made = guest(tmp_path, BootKind.ISO, Sandbox.LAB, 1)
    other = Guest(replace(made.spec, memory=8192), made.folder, made.sockets)
    done = libvirt_reads(tmp_path, Vmx.of(words.values_of(other)).text)
    assert done.returncode == 0 and str(4096 * 1024) not in done.stdout


def test_a_machine_starts_from_the_description_and_has_the_disk(tmp_path: Path) -> None:
    """Sector 0 of a small key says a word on the serial port; the key is reached through its description only."""
    parts.need_programs(["qemu-system-x86_64"])
    key, disk = tmp_path / "key.img", tmp_path / "zones-0.vmdk"
    key.write_bytes(probe.boot_sector() + bytes(2 * MIB - 512))
    before = key.read_bytes()
    vmdk.write_around(tmp_path / words.KEY_DISK, key)
    vmdk.write_empty(disk, GIB)
    serial = tmp_path / "serial"
    with subprocess.Popen(
        ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-machine", "pc,accel=tcg", "-m", "64", "-net", "none",
         "-no-reboot", "-serial", f"file:{serial}", "-device", "lsi53c895a,id=scsi0",
         "-drive", f"if=ide,format=vmdk,snapshot=on,file={tmp_path / words.KEY_DISK}",
         "-drive", f"if=none,id=d0,format=vmdk,file={disk}", "-device", "scsi-hd,bus=scsi0.0,drive=d0"],
        stdin=subprocess.DEVNULL,
    ) as machine:  # fmt: skip
        until = time.monotonic() + 30
        try:
            while not serial.exists() or probe.WORD not in serial.read_bytes():
                assert time.monotonic() < until and machine.poll() is None, "it did not start"
                time.sleep(0.05)
        finally:
            machine.kill()
    assert key.read_bytes() == before
