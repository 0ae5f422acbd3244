"""The driver against a vmrun that speaks as VMware's does: errors on stdout, exit code 255, directories as locks."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.guests import sandbox
from smartos_wizard.guests.model import Actual, BootKind, Guest, Sandbox, State
from smartos_wizard.guests.vmware import control, driver, said, words
from smartos_wizard.guests.vmware.driver import VmwareDriver
from smartos_wizard.guests.vmware.vmx import Vmx
from tests.unit.guests.vmware.parts import GIB, Host, guest, guest_spec, renamed, workstation


@pytest.fixture
def place() -> Iterator[Path]:
    """Short, because sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="vmw") as name:
        yield Path(name)


@pytest.fixture
def host(place: Path) -> Host:
    return workstation(place / "root")


@pytest.fixture
def vmware(host: Host, monkeypatch: pytest.MonkeyPatch) -> VmwareDriver:
    monkeypatch.setattr(driver, "_LOCKS", 0.8)
    return VmwareDriver(host.machine)


def made(place: Path, **how: object) -> Guest:
    """A guest with its .vmx file, as `create_steps` asks for it."""
    found = guest(place, **how)  # type: ignore[arg-type]
    Path(found.spec.boot.source).touch()
    (folder := found.folder / words.VMX).write_text(Vmx.of(words.values_of(found)).text)
    assert folder.exists()
    return found


def quiet(_words: str) -> None:
    pass


@pytest.mark.parametrize("box", list(Sandbox))
def test_what_is_made_is_as_asked_switch_by_switch(place: Path, vmware: VmwareDriver, box: Sandbox) -> None:
    found = made(place, sandbox=box, disks=16, nics=3, bridge="vmnet2" if box is Sandbox.LAN else "")
    actual = vmware.inspect(found)
    assert sandbox.drift(found.spec, actual) == ()
    assert set(actual.switches) == set(sandbox.SWITCHES)
    assert actual.state is State.STOPPED and (actual.memory, actual.cpus) == (4096, 2)
    assert [Path(disk).name for disk in actual.disks] == [f"zones-{n}.vmdk" for n in range(16)]
    assert actual.macs == tuple(nic.mac for nic in found.spec.nics)


MACS = st.integers(0, 0x3FFFFF).map(lambda n: f"00:50:56:{n >> 16:02x}:{n >> 8 & 255:02x}:{n & 255:02x}")


@settings(max_examples=30, deadline=None)
@given(
    memory=st.integers(256, 65536).map(lambda n: n * 4), cpus=st.integers(1, 64), disks=st.integers(1, 16),
    macs=st.lists(MACS, min_size=1, max_size=10, unique=True), box=st.sampled_from(Sandbox), nested=st.booleans(),
    kind=st.sampled_from(BootKind), console=st.sampled_from(["ttya", "ttyb", "ttyd", "text"]),
    name=st.text(min_size=1, max_size=63),
)  # fmt: skip
def test_any_spec_is_read_back_as_it_was_written(
    memory: int, cpus: int, disks: int, macs: list[str], box: Sandbox, nested: bool, kind: BootKind, console: str, name: str,
) -> None:  # fmt: skip
    first = guest_spec(name, kind, box, memory, cpus, disks, macs)
    spec = replace(first, nested=nested, console=console)
    vmx = Vmx(Vmx.of(words.values_of(Guest(spec, Path("/g"), Path("/s")))).text)
    read = Actual(
        State.STOPPED, words.number(vmx, "memsize"), words.number(vmx, "numvcpus"),
        tuple(file for slot, file in words.attached(vmx) if not slot.startswith("ide")),
        words.macs(vmx), words.switches_of(vmx),
    )  # fmt: skip
    assert sandbox.drift(spec, read) == ()
    assert read.disks == tuple(f"{disk.name}.vmdk" for disk in spec.disks)
    assert (read.memory, read.cpus, read.macs) == (memory, cpus, tuple(macs))
    assert vmx.true("vhv.enable") == nested and vmx.get("displayName") == name
    lowered = [key.lower() for key in vmx.names()]
    assert len(set(lowered)) == len(lowered), "VMware refuses a key that is there twice"


@pytest.mark.parametrize(
    ("change", "switch"),
    [
        ({"isolation.tools.copy.disable": "FALSE"}, "clipboard"),
        ({"isolation.tools.dnd.disable": "FALSE"}, "drag-and-drop"),
        ({"sharedFolder.maxNum": "1"}, "shared-folders"),
        ({"isolation.tools.hgfs.disable": "FALSE"}, "shared-folders"),
        ({"usb_xhci.present": "TRUE"}, "usb"),
        ({"sound.present": "TRUE"}, "audio"),
        ({"RemoteDisplay.vnc.enabled": "true"}, "remote-display"),
        ({"tools.syncTime": "TRUE"}, "time-sync"),
        ({"mks.enable3d": "TRUE"}, "3d"),
        ({"vmci0.present": "TRUE"}, "vmci"),
        ({"ethernet0.connectionType": "bridged"}, "uplink"),
        ({"ethernet1.present": "TRUE"}, "uplink"),  # a card without a word on its network is bridged
    ],
)
def test_every_change_of_a_switch_is_seen(
    place: Path, vmware: VmwareDriver, change: dict[str, str], switch: str
) -> None:
    found = made(place)
    path = found.folder / words.VMX
    vmx = Vmx(path.read_text())
    vmx.update(change)
    path.write_text(vmx.text)
    assert sandbox.SWITCHES[switch] in [
        each.what for each in sandbox.drift(found.spec, vmware.inspect(found))
    ]


@pytest.mark.parametrize("switch", ["isolation.tools.copy.disable", "isolation.tools.dnd.disable", "isolation.tools.hgfs.disable", "vmci0.present", "ethernet0.connectionType"])  # fmt: skip
def test_where_the_file_is_silent_the_default_of_vmware_counts(
    place: Path, vmware: VmwareDriver, switch: str
) -> None:
    found = made(place)
    path = found.folder / words.VMX
    vmx = Vmx(path.read_text())
    vmx.remove(switch)
    path.write_text(vmx.text)
    assert len(sandbox.drift(found.spec, vmware.inspect(found))) == 1


def test_missing_and_half_made(place: Path, vmware: VmwareDriver) -> None:
    found = guest(place)
    assert vmware.inspect(found).state is State.MISSING


def test_started_with_its_console_and_stopped(place: Path, host: Host, vmware: VmwareDriver) -> None:
    host.fault("serial")
    found, told = made(place), list[str]()
    vmware.start(found, told.append)
    assert told == ["VMware Workstation 17.6.3 runs it."]
    assert vmware.inspect(found).state is State.RUNNING
    log = found.folder / "console.log"
    until = time.monotonic() + 10
    while not log.exists() or b"SmartOS (build" not in log.read_bytes():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert (found.sockets / "console").is_socket()
    vmware.start(found, told.append)
    assert told[-1] == "lab runs already."
    vmware.stop(found, told.append, patience=1)
    assert any("no VMware Tools" in line for line in told) and "switching it off" in told[-1]
    assert vmware.inspect(found).state is State.STOPPED
    assert not list(found.folder.glob("*.vmdk.lck")), "the disks are let go of"
    assert host.verbs() == ["start nogui", "stop soft", "stop hard"]
    while (found.sockets / "console").exists():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_guest_with_tools_is_not_switched_off(place: Path, host: Host, vmware: VmwareDriver) -> None:
    host.fault("tools")
    found = made(place)
    vmware.start(found, quiet)
    vmware.stop(found, quiet, patience=1)
    assert host.verbs()[-1] == "stop soft"


def test_one_that_is_deaf_is_switched_off_and_force_asks_nobody(
    place: Path, host: Host, vmware: VmwareDriver
) -> None:
    host.fault("tools", "deaf")
    found = made(place)
    vmware.start(found, quiet)
    vmware.stop(found, quiet, patience=1)
    assert host.verbs()[-2:] == ["stop soft", "stop hard"]
    vmware.start(found, quiet)
    vmware.stop(found, quiet, patience=1, force=True)
    assert host.verbs()[-2:] == ["start nogui", "stop hard"]
    vmware.stop(found, quiet, patience=1)
    assert host.verbs()[-1] == "stop hard", "one that is off is left alone"


def test_locks_that_stay_are_told(place: Path, host: Host, vmware: VmwareDriver) -> None:
    host.fault("lock-stays")
    found, told = made(place), list[str]()
    vmware.start(found, quiet)
    vmware.stop(found, told.append, patience=1, force=True)
    assert "still holds its files" in told[-1]


LOG = """2026-11-23T10:00:00.000Z In(05) vmx Log for VMware Workstation pid=1 version=17.6.3
2026-11-23T10:00:01.000Z In(05) vmx Msg_Post: Error
2026-11-23T10:00:01.000Z In(05) vmx [msg.hostmem.noMemory] Not enough physical memory is available to power on this virtual machine
2026-11-23T10:00:01.000Z In(05) vmx [msg.hostmem.more] with its configured settings.
2026-11-23T10:00:01.000Z In(05) vmx ----------------------------------------
"""


@pytest.mark.parametrize(
    ("log", "reference", "piece"),
    [
        (LOG, "guest-memory", "Not enough physical memory is available"),
        (
            LOG.replace("Not enough physical memory is available", "Could not open /dev/vmmon"),
            "vmmon-missing",
            "/dev/vmmon",
        ),
        (LOG.replace("Not enough physical memory", "Something new"), "guest-not-started", "Something new"),
        ("", "guest-not-started", "The operation was canceled"),
    ],
)
def test_canceled_is_explained_by_the_log(
    place: Path, host: Host, vmware: VmwareDriver, log: str, reference: str, piece: str
) -> None:
    host.fault("canceled")
    (host.root / "state/log").write_text(log)
    found = made(place)
    with pytest.raises(WizardError, match="lab was not started") as caught:
        vmware.start(found, quiet)
    assert caught.value.reference == reference and piece in caught.value.message
    assert caught.value.hint


def test_the_log_of_an_earlier_start_explains_nothing(place: Path, host: Host, vmware: VmwareDriver) -> None:
    found = made(place)
    log = found.folder / "vmware.log"
    log.write_text(LOG)
    assert said.logged_errors(found.folder)[0].startswith("Not enough physical memory")
    os.utime(log, (1, 1))
    host.fault("off-again")
    with pytest.raises(WizardError) as caught:
        vmware.start(found, quiet)
    assert "physical memory" not in caught.value.message


@pytest.mark.parametrize(
    ("output", "code", "words_"),
    [
        ("Error: Unknown error\n", 255, "Unknown error"),
        ("Error: Unknown error\n", 0, "Unknown error"),
        ("something\nelse\n", 255, "else"),
        ("", 255, "nothing, and ended with 255"),
        ("Total running VMs: 0\n", 0, None),
        ("Error: " + "x\x1b[31m" * 400, 255, None),
    ],
)
def test_where_an_error_is_and_where_none(output: str, code: int, words_: str | None) -> None:
    error = said.error_in(output, code)
    if output.startswith("Error: x"):
        assert error is not None and len(error) <= 240 and "\x1b" not in error
    else:
        assert error == words_


def test_an_iso_that_is_gone_is_named_before_anything_starts(place: Path, vmware: VmwareDriver) -> None:
    found = made(place)
    Path(found.spec.boot.source).unlink()
    with pytest.raises(Refused) as caught:
        vmware.start(found, quiet)
    assert caught.value.reference == "iso-gone"
    assert not found.sockets.exists()


def test_off_again_at_once_and_rewritten(place: Path, host: Host, vmware: VmwareDriver) -> None:
    found, told = made(place), list[str]()
    host.fault("off-again")
    with pytest.raises(WizardError, match="off again"):
        vmware.start(found, quiet)
    host.fault("rewrites")
    vmware.start(found, told.append)
    assert told[1:] == ["shared clipboard: asked off, it is on"]
    vmware.stop(found, quiet, patience=1, force=True)


def test_where_vmrun_does_not_answer(place: Path, host: Host, vmware: VmwareDriver) -> None:
    host.fault("list")
    with pytest.raises(WizardError, match="Unable to connect to host"):
        vmware.inspect(made(place))
    with pytest.raises(WizardError, match="did not answer"):
        control.run(("/bin/sleep", "5"), 1)


def test_without_vmware_nothing_runs_so_a_guest_can_be_removed(place: Path, host: Host) -> None:
    found, told = made(place), list[str]()
    for name in ("vmware", "vmrun"):
        (host.root / "bin" / name).unlink()
    gone = VmwareDriver(host.machine)
    gone.stop(found, told.append, patience=1, force=True)
    assert "not here any more" in told[0]
    with pytest.raises(Refused) as caught:
        gone.inspect(found)
    assert caught.value.reference == "no-hypervisor"


def test_without_the_module_nothing_is_started(place: Path) -> None:
    host = workstation(place / "root", module=False)
    vmware = VmwareDriver(host.machine)
    with pytest.raises(Refused, match="vmmon") as caught:
        vmware.start(made(place), quiet)
    assert "vmware-modconfig" in caught.value.hint
    (host.root / "dev/vmmon").touch()
    vmware.start(guest(place), quiet)


def test_snapshots(place: Path, host: Host, vmware: VmwareDriver) -> None:
    found = made(place)
    assert vmware.snapshot(found, "take", "clean") == ("clean",)
    for act, name in (("take", "clean"), ("restore", "nothing"), ("delete", "nothing"), ("take", "a/b")):
        with pytest.raises(Refused) as caught:
            vmware.snapshot(found, act, name)
        assert caught.value.reference == "snapshot-name"
    vmware.snapshot(found, "restore", "clean")
    assert vmware.inspect(found).snapshots == ("clean",)
    vmware.start(found, quiet)
    with pytest.raises(Refused, match="not at rest"):
        vmware.snapshot(found, "take", "running")
    vmware.stop(found, quiet, patience=1, force=True)
    host.fault("no-room")
    with pytest.raises(WizardError) as failed:
        vmware.snapshot(found, "take", "more")
    assert failed.value.reference == "guest-disk-full"
    assert vmware.snapshot(found, "delete", "clean") == ()


def test_player_has_no_snapshots(place: Path) -> None:
    host = workstation(place / "root", player=True)
    vmware = VmwareDriver(host.machine)
    assert "snapshots" not in vmware.detect().can
    with pytest.raises(Refused, match="takes no snapshots"):
        vmware.snapshot(made(place), "take", "x")
    vmware.start(guest(place), quiet)
    assert host.calls()[-1][1] == "player"


LEASES = """# All times in this file are in UTC (GMT), not your local timezone.
lease 192.168.79.130 {
\tstarts 1 2026/01/05 10:00:00;
\tends 1 2026/01/05 10:30:00;
\thardware ethernet 00:50:56:11:22:00;
}
lease 192.168.79.131 {
\tstarts 1 2026/01/05 11:00:00;
\tends 1 %s;
\thardware ethernet 00:50:56:11:22:00;
\tclient-hostname "x";
}
lease 192.168.79.132 {
\tends 1 2999/01/05 11:00:00;
\thardware ethernet 00:50:56:aa:22:00;
}
lease 192.168.79.133 {
\tends never;
\thardware ethernet 00:50:56:11:22:00;
\tabandoned;
}
"""


@pytest.mark.parametrize(("box", "vnet"), [(Sandbox.LAB, "vmnet8"), (Sandbox.SEALED, "vmnet1")])
def test_ssh_finds_the_address_that_was_leased_last(
    place: Path, host: Host, vmware: VmwareDriver, box: Sandbox, vnet: str
) -> None:
    found = made(place, sandbox=box)
    leases = host.root / f"etc/vmware/{vnet}/dhcpd/dhcpd.leases"
    leases.parent.mkdir(parents=True)
    leases.write_text(LEASES % "2999/01/05 11:30:00")
    assert vmware.ssh(found) is None, "it does not run"
    vmware.start(found, quiet)
    where = vmware.ssh(found)
    assert where is not None and (where.host, where.port) == ("192.168.79.131", 22)
    leases.write_text(LEASES % "2026/01/05 11:30:00")
    assert vmware.ssh(found) is None, "both have ended"
    (found.folder / "console.log").write_bytes(
        b"MAC address: x\r\nIP address: 10.0.0.9\r\nIP address: dhcp\r\n"
    )
    told = vmware.ssh(found)
    assert told is not None and told.host == "10.0.0.9"


@pytest.mark.parametrize(
    ("change", "reference", "level"),
    [
        ({"nics": ("08:00:27:00:00:01",)}, "vmware-mac", "error"),
        ({"nics": ("00:50:56:40:00:01",)}, "vmware-mac", "error"),
        ({"ssh_port": 2222}, "no-forward", "error"),
        ({"size": 2041 * GIB}, "disk-too-large", "error"),
        ({"nics": tuple(f"00:50:56:00:00:{n:02x}" for n in range(11))}, "too-many-cards", "error"),
        ({"bridge": "eth0"}, "bridge-of-vmware", "warning"),
        ({}, "image-missing", "error"),
    ],
)
def test_what_speaks_against_a_spec(
    place: Path, vmware: VmwareDriver, change: dict[str, object], reference: str, level: str
) -> None:
    from dataclasses import replace

    found = guest(
        place,
        bridge=str(change.get("bridge", "")),
        sandbox=Sandbox.LAN if "bridge" in change else Sandbox.LAB,
    )
    spec = found.spec
    if "nics" in change:
        spec = replace(spec, nics=tuple(replace(spec.nics[0], mac=mac) for mac in change["nics"]))  # type: ignore[attr-defined]
    if "size" in change:
        spec = replace(spec, disks=(replace(spec.disks[0], size=int(str(change["size"]))),))
    spec = replace(spec, ssh_port=int(str(change.get("ssh_port", 0))))
    if reference != "image-missing":
        (place / "smartos.iso").touch()
    findings = vmware.validate(spec, vmware.detect())
    assert [(each.reference, each.level) for each in findings] == [(reference, level)]


def test_nesting_takes_a_processor_that_can(place: Path, host: Host, vmware: VmwareDriver) -> None:
    (place / "smartos.iso").touch()
    found = guest(place, nested=True)
    assert vmware.validate(found.spec, vmware.detect()) == ()
    (host.root / "proc/cpuinfo").write_text("flags\t: fpu svm\n")
    assert [each.reference for each in vmware.validate(found.spec, vmware.detect())] == ["no-nesting"]


def test_rights_that_zones_need(
    place: Path, host: Host, vmware: VmwareDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "smartos.iso").touch()
    for name in ("vmnet0", "vmnet8"):
        (host.root / "dev" / name).touch()
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    lab, lan = guest(place), guest(place, sandbox=Sandbox.LAN, bridge="vmnet2")
    for found, level in ((lab, "info"), (lan, "warning")):
        findings = vmware.validate(found.spec, vmware.detect())
        assert [(each.reference, each.level) for each in findings] == [("promiscuous-rights", level)]
    assert vmware.validate(guest(place, sandbox=Sandbox.SEALED).spec, vmware.detect()) == ()


def test_a_key_is_a_disk_whose_changes_are_forgotten(place: Path) -> None:
    vmx = Vmx.of(words.values_of(guest(place, kind=BootKind.KEY)))
    assert vmx.get("ide0:0.fileName") == "key.vmdk" and vmx.get("ide0:0.mode") == "independent-nonpersistent"
    assert vmx.get("bios.bootOrder") == "hdd" and not vmx.true("ide1:0.present")


def test_names_that_have_quotes_and_paths_with_blanks(place: Path) -> None:
    found = renamed(guest(place), name='La "b" | 1')
    vmx = Vmx(Vmx.of(words.values_of(found)).text)
    assert vmx.get("displayName") == 'La "b" | 1'
    assert vmx.get("uuid.bios") == "c4 d3 a0 de 0f 28 4b 9a-8f 6e 01 23 45 67 89 ab"
