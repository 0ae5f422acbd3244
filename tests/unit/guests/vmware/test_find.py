"""Finding Workstation, Player and Fusion on three systems, in directories that are laid out as theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartos_wizard.guests.vmware import find, leases
from smartos_wizard.guests.vmware.driver import VmwareDriver
from tests.unit.guests.vmware.parts import fusion, program, workstation


def test_nothing_here(tmp_path: Path) -> None:
    machine = find.Machine("linux", "x86_64", tmp_path, {"PATH": str(tmp_path)}, lambda _k, _v: "")
    detection = VmwareDriver(machine).detect()
    assert not detection.found and not detection.usable and "free" in detection.how


def test_workstation(tmp_path: Path) -> None:
    detection = VmwareDriver(workstation(tmp_path).machine).detect()
    assert (detection.title, detection.version, detection.usable, detection.starts) == (
        "VMware Workstation",
        "17.6.3",
        True,
        True,
    )
    assert (
        "nested" in detection.can and "snapshots" in detection.can and "loopback-forward" not in detection.can
    )


@pytest.mark.parametrize(
    ("version", "usable"),
    [("15.5.7", False), ("16.0.0", True), ("17.6.3", True), ("25H2", True), ("99.1", True)],
)
def test_old_versions_are_refused_and_newer_ones_are_not(tmp_path: Path, version: str, usable: bool) -> None:
    detection = VmwareDriver(workstation(tmp_path, version).machine).detect()
    assert (detection.version, detection.usable) == (version, usable)


def test_a_version_that_only_vmware_vmx_tells(tmp_path: Path) -> None:
    host = workstation(tmp_path)
    program(tmp_path / "bin/vmware", "#!/bin/sh\necho no display >&2; exit 1\n")
    program(
        tmp_path / "usr/lib/vmware/bin/vmware-vmx",
        "#!/bin/sh\necho 'VMware Workstation 17.0.2 build-1 Release' >&2\n",
    )
    assert VmwareDriver(host.machine).detect().version == "17.0.2"


def test_vmmon_missing_makes_guests_but_starts_none(tmp_path: Path) -> None:
    detection = VmwareDriver(workstation(tmp_path, module=False).machine).detect()
    assert detection.usable and not detection.starts
    assert [(p.reference, p.level) for p in detection.problems] == [("vmmon-missing", "warning")]


def test_vmrun_missing(tmp_path: Path) -> None:
    host = workstation(tmp_path, player=True)
    (tmp_path / "bin/vmrun").unlink()
    detection = VmwareDriver(host.machine).detect()
    assert detection.found and not detection.usable and detection.title == "VMware Player"
    assert [p.reference for p in detection.problems] == ["vmrun-missing"]


def test_fusion(tmp_path: Path) -> None:
    detection = VmwareDriver(fusion(tmp_path)).detect()
    assert (detection.title, detection.version, detection.starts) == ("VMware Fusion", "13.6.2", True)
    assert detection.path.endswith("Contents/Library/vmrun")
    assert not VmwareDriver(fusion(tmp_path, version="11.5")).detect().usable


def test_fusion_on_apple_silicon_is_refused_with_the_way_out(tmp_path: Path) -> None:
    for machine in (fusion(tmp_path, "arm64"), fusion(tmp_path)):
        if machine.processor != "arm64":  # Python for Intel, under Rosetta
            program(tmp_path / "bin/sysctl", "#!/bin/sh\necho 1\n")
        detection = VmwareDriver(machine).detect()
        assert detection.found and not detection.usable and not detection.starts
        (problem,) = detection.problems
        assert problem.reference == "apple-silicon" and "brew install qemu" in problem.hint


def test_fusion_where_the_environment_says(tmp_path: Path) -> None:
    machine = fusion(tmp_path)
    moved = tmp_path / "Fusion Tech Preview.app"
    (tmp_path / "Applications/VMware Fusion.app").rename(moved)
    assert find.find(machine) is None
    there = find.Machine(
        "darwin", "x86_64", tmp_path, {"PATH": "", "FUSION_APP_PATH": str(moved)}, machine.registry
    )
    found = find.find(there)
    assert found is not None and found.version == "13.6.2"


def test_windows(tmp_path: Path) -> None:
    (tmp_path / "vmrun.exe").touch()
    values = {"ProductVersion": "17.6.3.24583834", "InstallPath": str(tmp_path)}
    machine = find.Machine(
        "win32", "AMD64", tmp_path, {"PATH": ""},
        lambda key, value: values[value] if "WOW6432Node" in key and "Workstation" in key else "",
    )  # fmt: skip
    found = find.find(machine)
    assert found is not None and (found.version, found.flavour, found.usable) == ("17.6.3", "ws", True)
    home = find.Machine(
        "win32", "AMD64", tmp_path, {"PATH": "", "VMWARE_HOME": str(tmp_path)}, lambda _k, _v: ""
    )
    by_home = find.find(home)
    assert by_home is not None and by_home.version == "unknown" and by_home.usable


def test_lease_files_of_three_systems() -> None:
    assert leases.files("vmnet8", "darwin") == (Path("/var/db/vmware/vmnet-dhcpd-vmnet8.leases"),)
    assert Path("/etc/vmware/vmnet8/dhcpd/dhcpd.leases") in leases.files("vmnet8", "linux")
    assert len(leases.files("vmnet8", "win32")) == 1


def test_leases_that_are_damaged_are_left_out() -> None:
    assert leases.read(
        "lease 1.2.3.4 {\n hardware ethernet 00:50:56:00:00:01;\n ends 9 rubbish;\n}\nlease 1.2.3.5 {\n}\nlease"
    ) == (leases.Lease("1.2.3.4", "00:50:56:00:00:01", leases._FAR),)
