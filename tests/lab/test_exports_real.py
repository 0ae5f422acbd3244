"""Exports of a real QEMU guest, judged by those who read them: qemu-img, virt-v2v, libvirt's schema, QEMU itself."""

from __future__ import annotations

import json
import os
import plistlib
import re
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from smartos_wizard.core.errors import ProofFailed, Refused
from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import Paths, below
from smartos_wizard.guests.export.ova import check_ova
from smartos_wizard.guests.export.planning import plan_export
from smartos_wizard.guests.export.vmdk import capacity_of
from smartos_wizard.guests.model import BootKind, BootMedium, Guest, Sandbox
from smartos_wizard.guests.planning import plan_create, plan_start, plan_stop
from smartos_wizard.guests.qemu.driver import QemuDriver
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.practice.image import build_iso
from tests.lab.rig import parts
from tests.unit.guests.parts import GIB, Place, plan_of

pytestmark = pytest.mark.lab
NAME = "Zoë's lab (1)"
SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")


def run(*words: object, code: int | None = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    parts.need_programs([str(words[0])])
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    parts.need_programs(["qemu-system-x86_64", "qemu-img"])
    paths: Paths = below(tmp_path_factory.mktemp("exports") / "home")
    return Place(paths, practice=False, drivers=(QemuDriver(paths),))


@pytest.fixture(scope="module")
def guest(place: Place) -> Guest:
    """A guest made by QEMU's driver: a key, one disk with data on it as a pool would leave it, one of 2 TiB, empty."""
    spec = place.spec(NAME, key=True, memory=1024, disks=(20 * GIB, 2048 * GIB), inner=("between",))
    end = place.run(plan_of(place, spec))[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is None, end.error
    guest = place.guests.find(NAME)
    disk = guest.disk(spec.disks[0], "qcow2")
    for offset, pattern in (("0", "1"), ("3G", "7"), ("20470M", "9")):
        run("qemu-io", "-f", "qcow2", "-c", f"write -P {pattern} {offset} 9M", disk)
    run("qemu-io", "-f", "qcow2", "-c", "write -z 3G 64k", "-c", "discard 20475M 1M", disk)
    return guest


def export(place: Place, guest: Guest, form: str, target: Path, manifest: str = "sha256") -> Path:
    end = place.run(plan_export(guest, form, target, place, manifest))[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is None, end.error
    return target


@pytest.fixture(scope="module")
def ova(place: Place, guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(place, guest, "ova", tmp_path_factory.mktemp("ova") / "guest.ova")


@pytest.fixture(scope="module")
def unpacked(ova: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `tar` takes out of it."""
    folder = tmp_path_factory.mktemp("unpacked")
    run("tar", "-xf", ova, "-C", folder)
    return folder


def sources(guest: Guest) -> list[Path]:
    return [guest.key, *(guest.disk(disk, "qcow2") for disk in guest.spec.disks)]


def test_qemu_agrees_with_every_disk_of_an_ova(guest: Guest, unpacked: Path) -> None:
    disks = sorted(unpacked.glob("*.vmdk"), key=lambda path: ("key" not in path.name, path.name))
    assert len(disks) == 3
    for mine, theirs in zip(disks, sources(guest), strict=True):
        assert "No errors" in run("qemu-img", "check", mine).stdout
        assert "identical" in run("qemu-img", "compare", "-f", "vmdk", mine, theirs).stdout
        size = json.loads(run("qemu-img", "info", "--output=json", theirs).stdout)["virtual-size"]
        assert json.loads(run("qemu-img", "info", "--output=json", mine).stdout)[
            "virtual-size"
        ] == capacity_of(size)


def test_sha256sum_agrees_with_the_manifest(unpacked: Path) -> None:
    """Every line of it, read by the tool everybody has: `--tag` form is the manifest's with other spaces."""
    manifest = next(unpacked.glob("*.mf")).read_text()
    tagged = manifest.replace("(", " (").replace(")= ", ") = ")
    (unpacked / "sums").write_text(tagged)
    done = subprocess.run(
        ["sha256sum", "-c", "sums"], cwd=unpacked, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(": OK") == 4


def test_the_archive_is_not_larger_than_what_it_holds(guest: Guest, ova: Path) -> None:
    held = sum(path.stat().st_blocks * 512 for path in sources(guest))
    assert ova.stat().st_size <= held * 1.05


@pytest.mark.parametrize("manifest", ["sha256", "sha1"])
def test_virt_v2v_reads_the_guest(manifest: str, place: Place, guest: Guest, tmp_path: Path) -> None:
    path = export(place, guest, "ova", tmp_path / "guest.ova", manifest)
    said = run("virt-v2v", "-i", "ova", path, "--print-source", LIBGUESTFS_BACKEND="direct").stdout
    assert f"source name: {NAME}\n" in said
    assert f"memory: {1024 << 20} (bytes)" in said
    assert f"nr vCPUs: {guest.spec.cpus}" in said
    assert "firmware: bios" in said
    assert [line.strip() for line in said.splitlines() if "[sata]" in line] == [
        "0 [sata]",
        "1 [sata]",
        "2 [sata]",
    ]
    for nic, network in zip(guest.spec.nics, ("NAT", "Internal"), strict=True):
        assert f'Bridge "{network}" mac: {nic.mac.upper()} [e1000]' in said


def test_a_guest_that_starts_from_an_iso_has_an_empty_cd_drive_there(place: Place, tmp_path: Path) -> None:
    """The ISO stays behind, and is said to; the drive it goes into and the disks are there."""
    iso = build_iso(tmp_path / "smartos.iso", "20260903T001557Z")
    spec = place.spec("from iso", memory=1024, disks=(20 * GIB, 20 * GIB))
    spec = replace(spec, boot=BootMedium(BootKind.ISO, str(iso), "20260903T001557Z"))
    known = VerifiedImage(iso, ImageKind.ISO, "none", "", "the test", spec.boot.stamp)
    end = place.run(plan_create(spec, known, None, place))[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is None, end.error
    guest = place.guests.find("from iso")
    path = export(place, guest, "ova", tmp_path / "guest.ova")
    assert any(
        "ISO" in line for line in plan_export(guest, "ova", tmp_path / "two.ova", place).steps[1].details
    )
    assert len(check_ova(path)) == 3, "the description and two disks"
    said = run("virt-v2v", "-i", "ova", path, "--print-source", LIBGUESTFS_BACKEND="direct").stdout
    assert len(re.findall(r"\d \[sata\]", said)) >= 2
    assert "CD-ROM" in said
    folder = tmp_path / "unpacked"
    folder.mkdir()
    run("tar", "-xf", path, "-C", folder)
    for mine, disk in zip(sorted(folder.glob("*.vmdk")), spec.disks, strict=True):
        assert "No errors" in run("qemu-img", "check", mine).stdout
        assert "identical" in run("qemu-img", "compare", "-f", "vmdk", mine, guest.disk(disk, "qcow2")).stdout


@pytest.mark.parametrize("number", [2, 3, 4])
def test_one_changed_byte_is_noticed_by_everybody(number: int, ova: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.ova"
    shutil.copyfile(ova, damaged)
    with tarfile.open(damaged) as archive:
        member = archive.getmembers()[number]
    with damaged.open("r+b") as file:
        file.seek(member.offset_data + member.size - 700)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0x40]))
    with pytest.raises(ProofFailed, match=member.name):
        check_ova(damaged)
    done = run("virt-v2v", "-i", "ova", damaged, "--print-source", code=None, LIBGUESTFS_BACKEND="direct")
    assert done.returncode
    assert "does not match manifest" in done.stdout + done.stderr


@pytest.mark.parametrize("iso", [True, False])
@pytest.mark.parametrize("sandbox", Sandbox)
@pytest.mark.parametrize("nested", [True, False])
def test_libvirts_schema_takes_the_domain(
    iso: bool, sandbox: Sandbox, nested: bool, place: Place, guest: Guest, tmp_path: Path
) -> None:
    parts.need_files([str(SCHEMA)])
    nics = tuple(replace(nic, bridge="br0") for nic in guest.spec.nics)
    spec = replace(guest.spec, sandbox=sandbox, nested=nested, nics=nics)
    if iso:
        spec = replace(spec, boot=place.spec("other").boot)
    path = export(place, replace(guest, spec=spec), "libvirt", tmp_path / "guest.xml")
    run("xmllint", "--noout", "--relaxng", SCHEMA, path)
    files = [source.get("file") for source in ET.parse(path).getroot().iter("source") if source.get("file")]
    assert files[1:] == [str(disk) for disk in sources(guest)[1:]]


def test_libvirts_own_validator_takes_it(place: Place, guest: Guest, tmp_path: Path) -> None:
    path = export(place, guest, "libvirt", tmp_path / "guest.xml")
    assert "validates" in run("virt-xml-validate", path, "domain").stderr


def test_a_utm_bundle_holds_the_guests_disks(place: Place, guest: Guest, tmp_path: Path) -> None:
    bundle = export(place, guest, "utm", tmp_path / "guest.utm")
    drives = plistlib.loads((bundle / "config.plist").read_bytes())["Drive"]
    for drive, theirs in zip(drives, sources(guest), strict=True):
        mine = bundle / "Data" / drive["ImageName"]
        form = "raw" if mine.suffix == ".img" else "qcow2"
        if form == "qcow2":
            assert "No errors" in run("qemu-img", "check", mine).stdout
        assert "identical" in run("qemu-img", "compare", "-f", form, mine, theirs).stdout
        assert mine.stat().st_blocks <= theirs.stat().st_blocks * 1.05 + 2048


def test_apples_words_for_the_settings(place: Place, guest: Guest, tmp_path: Path) -> None:
    """Python writes the plist; another reader of it must agree that it is one."""
    bundle = export(place, guest, "utm", tmp_path / "guest.utm")
    run("xmllint", "--noout", "--nonet", bundle / "config.plist")


@pytest.fixture
def started(place: Place, guest: Guest) -> Iterator[Guest]:
    end = place.run(plan_start(guest))[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is None, end.error
    yield guest
    place.run(plan_stop(guest, force=True))


def test_a_guest_that_really_runs_is_refused(place: Place, started: Guest, tmp_path: Path) -> None:
    for form, ending in (("ova", "ova"), ("libvirt", "xml"), ("utm", "utm")):
        with pytest.raises(Refused, match="runs") as caught:
            plan_export(started, form, tmp_path / f"guest.{ending}", place)
        assert caught.value.reference == "guest-runs"


def test_snapshots_inside_the_disks_do_not_come_along(place: Place, guest: Guest, tmp_path: Path) -> None:
    disk = guest.disk(guest.spec.disks[0], "qcow2")
    for each in guest.spec.disks:
        run("qemu-img", "snapshot", "-c", "before", guest.disk(each, "qcow2"))
    try:
        run("qemu-io", "-f", "qcow2", "-c", "write -P 5 100M 1M", disk)
        plan = plan_export(guest, "utm", tmp_path / "guest.utm", place)
        assert any("1 snapshot:" in line for line in plan.steps[1].details)
        bundle = export(place, guest, "utm", tmp_path / "guest.utm")
        copy = bundle / "Data" / "zones-0-1.qcow2"
        assert "identical" in run("qemu-img", "compare", copy, disk).stdout
        assert "snapshots" not in json.loads(run("qemu-img", "info", "--output=json", copy).stdout)
    finally:
        for each in guest.spec.disks:
            run("qemu-img", "snapshot", "-a", "before", guest.disk(each, "qcow2"))
            run("qemu-img", "snapshot", "-d", "before", guest.disk(each, "qcow2"))


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3])
def test_killed_in_the_middle_nothing_has_the_name_and_the_next_one_succeeds(
    delay: float, place: Place, guest: Guest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    target = out / "guest.ova"
    argv = [parts.PYTHON, "-m", "smartos_wizard", "guest", "export", guest.name, "--to", str(target)]
    home = {**os.environ, "SMARTOS_WIZARD_HOME": str(place.paths.state.parent)}
    with subprocess.Popen(
        argv, env=home, cwd=parts.CHECKOUT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 60
        while not any(out.iterdir()) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[1].decode()
    left = [path.name for path in out.iterdir()]
    assert left in ([".guest.ova.part"], ["guest.ova"]), said
    if left == ["guest.ova"]:
        check_ova(target)
        return
    export(place, guest, "ova", target)
    assert [path.name for path in out.iterdir()] == ["guest.ova"]
