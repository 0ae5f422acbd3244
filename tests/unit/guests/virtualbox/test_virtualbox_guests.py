"""Making, running, emptying and removing guests, with commands that both generations of VBoxManage take."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.errors import Refused, WriteFailed
from smartos_wizard.core.events import PlanFinished, StepStarted
from smartos_wizard.core.plan import Plan
from smartos_wizard.guests import sandbox
from smartos_wizard.guests.building import Wish, build
from smartos_wizard.guests.model import BootKind, BootMedium, Guest, GuestSpec, Sandbox, State
from smartos_wizard.guests.planning import (
    judge,
    plan_create,
    plan_delete,
    plan_reinstall,
    plan_snapshot,
    plan_start,
    plan_stop,
)
from smartos_wizard.media.model import ImageKind, VerifiedImage
from tests.unit.guests.parts import GIB, Place, plan_of
from tests.unit.guests.virtualbox.conftest import Fake

running = pytest.mark.usefixtures("by_process")
both = pytest.mark.parametrize("fake", ["6.1", "7.1"], indirect=True)


def spec_of(
    place: Place, medium: Path, name: str = "lab", kind: BootKind = BootKind.ISO, **wish: Any
) -> GuestSpec:
    return build(Wish(name, BootMedium(kind, str(medium)), **wish), place.drivers[0], place)


def end_of(place: Place, plan: Plan) -> PlanFinished:
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    return end


def made(place: Place, medium: Path, name: str = "lab", **wish: Any) -> Guest:
    end = end_of(place, plan_of(place, spec_of(place, medium, name, **wish)))
    assert end.exit_code == 0, end
    return place.guests.find(name)


WISHES: dict[str, dict[str, Any]] = {
    "lab": {"disks": (20 * GIB, 20 * GIB, 20 * GIB)},
    "sealed": {"sandbox": Sandbox.SEALED},
    "host only": {"sandbox": Sandbox.SEALED, "bridge": "vboxnet0"},
    "last port": {"console": "ttyd", "nested": True, "ssh_port": 22022, "cpus": 1},
}


@both
@pytest.mark.parametrize("name", WISHES)
def test_it_is_as_asked_on_both_generations(place: Place, fake: Fake, iso: Path, name: str) -> None:
    guest = made(place, iso, name, **WISHES[name])
    actual = place.drivers[0].inspect(guest)
    told = {each.what for each in sandbox.drift(guest.spec, actual)}
    old = fake.state["table"] == "6.1"
    loopback = {"this machine's own loopback services"} if old and name in ("lab", "last port") else set()
    assert told == loopback, "before 7.0 that door cannot be shut, and it is said"
    assert None not in actual.switches.values()
    assert len(actual.disks) == len(guest.spec.disks)
    assert actual.boot == "iso"
    if guest.spec.ssh_port:
        assert actual.ssh_port == guest.spec.ssh_port


def test_names_of_cards_and_guests_with_blanks_quotes_and_accents(
    place: Place, fake: Fake, iso: Path
) -> None:
    name = "d'été (größer)"
    guest = made(place, iso, name, sandbox=Sandbox.LAN, bridge="wlan0 (Wi-Fi)", inner=("a", "b"))
    actual = place.drivers[0].inspect(guest)
    assert sandbox.drift(guest.spec, actual) == ()
    assert actual.switches["uplink"] == "bridged wlan0 (Wi-Fi)"
    assert actual.macs == tuple(nic.mac for nic in guest.spec.nics)
    assert fake.names == [name]


@both
def test_its_own_key_is_a_disk_that_forgets(place: Place, fake: Fake, tmp_path: Path) -> None:
    image = tmp_path / "smartos.img"
    image.write_bytes(b"\xeb" * (1 << 20))
    spec = spec_of(place, image, kind=BootKind.KEY)
    known = VerifiedImage(image, ImageKind.RAW, "none", "", "the test")
    assert end_of(place, plan_create(spec, known, None, place)).exit_code == 0
    guest = place.guests.find("lab")
    assert "RW 2048 FLAT" in (guest.folder / "key.vmdk").read_text()
    attached = next(call for call in fake.calls if "--mtype" in call)
    assert attached[-1] == "immutable"
    assert place.drivers[0].inspect(guest).boot == "key"
    assert len(place.drivers[0].inspect(guest).disks) == 1


@running
def test_it_runs_and_its_console_is_a_socket_and_a_log(place: Place, fake: Fake, iso: Path) -> None:
    guest = made(place, iso)
    said = place.run(plan_start(guest))
    assert isinstance(said[-1], PlanFinished)
    assert said[-1].exit_code == 0, said[-1]
    driver = place.drivers[0]
    assert driver.inspect(guest).state is State.RUNNING
    where = driver.ssh(guest)
    assert where is not None
    assert where.host == "127.0.0.1"
    log = guest.folder / "console.log"
    assert wait(lambda: log.exists() and b"login:" in log.read_bytes())
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(guest.sockets / "console"))
        line.sendall(b"root")
        assert wait(lambda: b"<root>" in log.read_bytes())
        line.settimeout(5)
        assert b"<root>" in line.recv(100)
    assert end_of(place, plan_stop(guest, patience=5)).exit_code == 0
    assert driver.inspect(guest).state is State.STOPPED
    assert wait(lambda: not (guest.sockets / "console").exists())
    assert not any(call[:1] == ["controlvm"] and "poweroff" in call for call in fake.calls)


def wait(until: Any, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until():
            return True
        time.sleep(0.02)
    return False


@running
def test_who_does_not_listen_is_switched_off_and_waited_for(place: Place, fake: Fake, iso: Path) -> None:
    guest = made(place, iso)
    end_of(place, plan_start(guest))
    fake.fault(deaf=True, slow_off=3)
    assert end_of(place, plan_stop(guest, patience=0.5)).exit_code == 0
    assert place.drivers[0].inspect(guest).state is State.STOPPED
    assert [call[2] for call in fake.calls if call[0] == "controlvm"] == ["acpipowerbutton", "poweroff"]


@running
def test_a_start_that_says_it_failed_but_runs_is_a_start(place: Place, fake: Fake, iso: Path) -> None:
    guest = made(place, iso)
    fake.fault(says_failed=True)
    assert end_of(place, plan_start(guest)).exit_code == 0
    place.drivers[0].stop(guest, print, patience=0, force=True)


@running
def test_what_it_forgets_is_said_and_shut_anew_at_every_start(place: Place, fake: Fake, iso: Path) -> None:
    guest = made(place, iso)
    fake.fault(forgets=True)
    driver = place.drivers[0]
    off = driver.inspect(guest)
    assert off.switches["host-loopback"] is None
    assert "10.0.2.2" in off.notes[0]
    assert sandbox.drift(guest.spec, off) == ()
    driver.start(guest, print)
    on = driver.inspect(guest)
    assert (on.switches["host-loopback"], on.notes) == ("off", ())
    driver.stop(guest, print, patience=0, force=True)


@pytest.mark.parametrize(
    "log, reference, hint",
    [
        ("HM: VERR_VMX_IN_VMX_ROOT_MODE", "virtualbox-conflict", "kvm.enable_virt_at_load=0"),
        ("VERR_SVM_IN_USE", "virtualbox-conflict", "modprobe -r"),
        ("VERR_VMX_NO_VMX", "no-virtualisation", "firmware"),
        ("NEM: VERR_NEM_VM_CREATE_FAILED", "virtualbox-hyper-v", "hypervisorlaunchtype"),
        ("VERR_NO_MEMORY", "virtualbox-no-memory", "less memory"),
        ("nothing much", "virtualbox-failed", "log"),
    ],
)
def test_why_it_does_not_start(
    place: Place, fake: Fake, iso: Path, log: str, reference: str, hint: str
) -> None:
    guest = made(place, iso)
    fake.fault(start=log)
    error = end_of(place, plan_start(guest)).error
    assert error is not None
    assert error.reference == reference
    assert "terminated unexpectedly" in error.message
    assert hint in error.hint or reference == "virtualbox-failed"
    assert not (guest.sockets / "console").exists()


def test_without_its_module_guests_can_be_made_but_not_started(place: Place, fake: Fake, iso: Path) -> None:
    fake.fault(no_module=True)
    found = place.drivers[0].detect()
    assert (found.version, found.usable, found.starts) == ("7.1.12", True, False)
    guest = made(place, iso)
    assert sandbox.drift(guest.spec, place.drivers[0].inspect(guest)) == ()
    error = end_of(place, plan_start(guest)).error
    assert error is not None
    assert error.reference == "virtualbox-no-module"


@running
def test_a_port_taken_meanwhile_moves(place: Place, fake: Fake, iso: Path) -> None:
    guest = made(place, iso)
    port = place.drivers[0].inspect(guest).ssh_port
    said: list[str] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        place.drivers[0].start(guest, said.append)
        new = place.drivers[0].inspect(guest).ssh_port
    assert new not in (None, port)
    assert str(new) in said[0]
    place.drivers[0].stop(guest, print, patience=0, force=True)


def test_emptied_disks_keep_what_the_guest_is(place: Place, fake: Fake, iso: Path) -> None:
    guest = made(place, iso, disks=(20 * GIB, 20 * GIB))
    before = place.drivers[0].inspect(guest)
    kept, wiped = (guest.disk(disk, "vdi") for disk in guest.spec.disks)
    for path in (kept, wiped):
        path.write_bytes(b"full")
    assert end_of(place, plan_reinstall(guest, place, ["zones-0"])).exit_code == 0
    assert kept.read_bytes() == b"full"
    assert wiped.read_bytes().startswith(b"<<< Oracle")
    after = place.drivers[0].inspect(guest)
    assert after == before
    wiped.unlink()  # by hand, and again
    assert end_of(place, plan_reinstall(guest, place)).exit_code == 0
    assert place.drivers[0].inspect(guest) == before


def test_snapshots_and_what_they_forbid(place: Place, fake: Fake, iso: Path) -> None:
    guest = made(place, iso)
    name = 'be"fore {1}'
    assert end_of(place, plan_snapshot(guest, "take", name)).result["snapshots"] == [name]
    with pytest.raises(Refused, match="has snapshots"):
        plan_reinstall(guest, place)
    assert end_of(place, plan_snapshot(guest, "take", name)).exit_code == 4
    assert end_of(place, plan_snapshot(guest, "restore", "other")).exit_code == 4
    assert end_of(place, plan_snapshot(guest, "restore", name)).exit_code == 0
    assert end_of(place, plan_snapshot(guest, "delete", name)).result["snapshots"] == []
    with pytest.raises(Refused, match="needs the very disks"):
        plan_reinstall(guest, place, snapshot=True)


def test_removing_deletes_nothing_of_others(place: Place, fake: Fake, iso: Path, tmp_path: Path) -> None:
    guest = made(place, iso)
    mine = tmp_path / "mine.vdi"
    mine.write_bytes(b"dear")
    state = fake.state
    state["machines"][guest.spec.uuid]["controllers"]["SATA"]["media"]["9"] = str(mine)
    fake.set(machines=state["machines"])
    assert end_of(place, plan_delete(guest, place)).exit_code == 0
    assert (fake.names, fake.state["media"]) == ([], [])
    assert mine.read_bytes() == b"dear"
    assert iso.exists()
    assert not guest.folder.exists()
    assert not any("--delete" in call for call in fake.calls if call[0] == "unregistervm")


def test_a_guest_without_our_mark_is_not_touched(place: Place, fake: Fake, iso: Path) -> None:
    guest = made(place, iso)
    state = fake.state
    state["machines"][guest.spec.uuid]["extra"] = {}
    fake.set(machines=state["machines"])
    for act in (lambda: plan_delete(guest, place), lambda: place.drivers[0].start(guest, print)):
        with pytest.raises(Refused, match="mark"):
            act()
    assert place.drivers[0].inspect(guest).notes


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child only walks to its end
@pytest.mark.parametrize("at", ["disk-zones-0", "machine", "hardware", "storage", "check"])
def test_killed_at_any_step_it_is_made_anew(place: Place, fake: Fake, iso: Path, at: str) -> None:
    plan = plan_of(place, spec_of(place, iso))
    child = os.fork()
    if not child:
        for event in place.events(plan):
            if isinstance(event, StepStarted) and event.step == at:
                os._exit(9)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    guest = made(place, iso)
    assert fake.names == ["lab"]
    assert fake.state["media"] == [str(guest.disk(guest.spec.disks[0], "vdi"))]


@pytest.mark.parametrize("faults", [{"disk_full": True}, {"error_with_0": "storagectl"}, {"locked": 9}])
def test_what_fails_is_taken_back_whole(place: Place, fake: Fake, iso: Path, faults: dict[str, Any]) -> None:
    plan = plan_of(place, spec_of(place, iso))
    fake.fault(**faults)
    end = end_of(place, plan)
    assert end.error is not None
    assert end.exit_code in (4, 7)
    assert (fake.names, fake.state["media"], place.guests.list()) == ([], [], ())


def test_busy_is_tried_again_and_only_busy(place: Place, fake: Fake, iso: Path) -> None:
    fake.fault(locked=4)
    made(place, iso)
    assert len([call for call in fake.calls if "--description" in call]) == 5
    before = len(fake.calls)
    with pytest.raises(WriteFailed):
        place.drivers[0].call((str(place.drivers[0].detect().path), "-q", "startvm", "nobody"))
    assert len(fake.calls) == before + 2, "the version, and one try"


def test_what_speaks_against_a_spec(place: Place, fake: Fake, iso: Path) -> None:
    def found(**wish: Any) -> set[str]:
        return {each.reference for each in judge(spec_of(place, iso, **wish), place) if each.level == "error"}

    assert found() == set()
    assert found(sandbox=Sandbox.LAN, bridge="eth9") == {"no-such-network"}
    assert found(sandbox=Sandbox.SEALED, bridge="eth0") == {"no-such-network"}
    assert found(inner=tuple("abcdefgh")) == {"too-many-cards"}
    fake.set(machines={"1" * 8 + "-1111-1111-1111-111111111111": {"name": "lab"}})
    assert found() == {"name-taken"}
    iso.unlink()
    assert found(name="other") == {"image-missing"}
