"""Guests in the real VirtualBox 7.2, up to the moment where its kernel module would be needed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import PlanFinished, StepStarted
from smartos_wizard.core.plan import Plan
from smartos_wizard.guests import sandbox
from smartos_wizard.guests.model import Guest, GuestSpec, Sandbox, State
from smartos_wizard.guests.planning import plan_delete, plan_reinstall, plan_snapshot, plan_start, plan_stop
from smartos_wizard.guests.script import script_of
from smartos_wizard.guests.virtualbox import host, info
from tests.lab.rig import boxes
from tests.lab.rig.boxes import done, made, manage, spec_of
from tests.unit.guests.parts import GIB, Place, plan_of

pytestmark = pytest.mark.lab


@pytest.fixture
def place(home: Path, space: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with boxes.box(home, space, monkeypatch) as found:
        yield found


@pytest.fixture
def iso(home: Path) -> Path:
    return boxes.iso_in(home)


def as_asked(place: Place, guest: Guest) -> None:
    actual = place.drivers[0].inspect(guest)
    assert sandbox.drift(guest.spec, actual) == ()
    silent = {name for name, value in actual.switches.items() if value is None}
    assert silent == ({"host-loopback"} if actual.notes else set()), (
        "the real one tells every switch, but forgets one"
    )
    assert len(actual.disks) == len(guest.spec.disks)


def bridge(place: Place) -> str:
    return host.bridges(place.drivers[0].detect().path)[0]


SPECS: dict[str, dict[str, Any]] = {
    "lab": {},
    "a key and three disks": {"key": True, "disks": (20 * GIB, 21 * GIB, 22 * GIB)},
    "sealed": {"sandbox": Sandbox.SEALED, "memory": 2048, "cpus": 1},
    "bridged": {"sandbox": Sandbox.LAN, "bridge": "?"},
    "three cards": {"inner": ("admin", "storage"), "nested": True, "disks": (25 * GIB,)},
    "Größe (1) d'été": {"console": "ttyb", "ssh_port": 22022, "disks": (40 * GIB, 40 * GIB)},
}


@pytest.mark.parametrize("name", SPECS)
def test_made_as_asked_snapshots_emptied_and_gone(place: Place, iso: Path, name: str) -> None:
    wish = {**SPECS[name]}
    if wish.get("bridge"):
        wish["bridge"] = bridge(place)
    guest = made(place, iso, name, **wish)
    as_asked(place, guest)
    driver = place.drivers[0]
    assert driver.inspect(guest).state is State.STOPPED
    before = driver.inspect(guest)
    for act, names in (("take", ["a b"]), ("restore", ["a b"]), ("delete", [])):
        assert done(place, plan_snapshot(guest, act, "a b")).result["snapshots"] == names
    first = guest.disk(guest.spec.disks[0], "vdi")
    old = first.read_bytes()  # its head holds a number of its own
    done(place, plan_reinstall(guest, place))
    as_asked(place, guest)
    after = driver.inspect(guest)
    assert (after.macs, after.ssh_port, after.disks) == (before.macs, before.ssh_port, before.disks)
    assert first.read_bytes() != old
    done(place, plan_delete(guest, place))
    assert name not in info.machines(manage(place, "list", "vms")).values()
    assert info.blocks(manage(place, "list", "hdds")) == []
    assert info.blocks(manage(place, "list", "dvds")) == [], (
        "the ISO is forgotten there, and stays on the disk"
    )
    assert not guest.folder.exists()
    assert iso.exists(), "what was not made by us stays"


def test_what_is_here_is_said_and_starting_without_the_module_is_explained(place: Place, iso: Path) -> None:
    found = place.drivers[0].detect()
    assert (found.found, found.usable, found.starts) == (True, True, False)
    assert found.version.startswith("7.2.")
    assert [problem.reference for problem in found.problems if problem.level == "warning"] == [
        "virtualbox-no-module"
    ]
    guest = made(place, iso)
    end = place.run(plan_start(guest))[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is not None
    assert end.error.reference == "virtualbox-no-module"
    assert "kernel module" in end.error.message
    assert "terminated unexpectedly" in end.error.message
    assert "virtualbox-dkms" in end.error.hint
    assert place.drivers[0].inspect(guest).state is State.STOPPED
    assert not (guest.sockets / "console").exists(), "the process beside it ended with it"
    done(place, plan_stop(guest))
    done(place, plan_delete(guest, place))


def test_what_its_server_forgets_is_said_and_can_be_said_anew(place: Place, iso: Path) -> None:
    guest, driver = made(place, iso), place.drivers[0]
    assert driver.inspect(guest).switches["host-loopback"] == "off"
    time.sleep(9)  # the server has ended, and the next one reads the settings again
    as_asked(place, guest)
    manage(place, "modifyvm", guest.spec.uuid, "--nat-localhostreachable1", "off")
    assert driver.inspect(guest).switches["host-loopback"] == "off"
    done(place, plan_delete(guest, place))


def test_what_others_changed_is_told_and_their_disks_survive(place: Place, iso: Path, home: Path) -> None:
    guest = made(place, iso)
    uuid, foreign = guest.spec.uuid, home / "mine.vdi"
    manage(place, "createmedium", "disk", "--filename", str(foreign), "--size", "64")
    manage(place, "storagectl", uuid, "--name", "More", "--add", "scsi")
    manage(place, "storageattach", uuid, "--storagectl", "More", "--port", "0", "--device", "0", "--type", "hdd", "--medium", str(foreign))  # fmt: skip
    manage(
        place,
        "modifyvm",
        uuid,
        "--clipboard-mode",
        "bidirectional",
        "--usbohci",
        "on",
        "--natpf1",
        "web,tcp,,8080,,22",
    )
    manage(place, "sharedfolder", "add", uuid, "--name", "all", "--hostpath", "/")
    manage(place, "setextradata", uuid, "VBoxInternal/Devices/VMMDev/0/Config/GetHostTimeDisabled")
    told = {each.what for each in sandbox.drift(guest.spec, place.drivers[0].inspect(guest))}
    assert told == {
        "shared clipboard",
        "USB pass-through",
        "shared folders",
        "ssh from this machine",
        "time taken from the host",
    }
    done(place, plan_snapshot(guest, "take", "with theirs"))
    with pytest.raises(Refused, match="has snapshots"):
        plan_reinstall(guest, place)
    done(place, plan_delete(guest, place))
    assert foreign.exists()
    assert not guest.folder.exists()
    manage(place, "closemedium", "disk", str(foreign), "--delete")


def test_guests_of_others_are_left_alone(place: Place, iso: Path, home: Path) -> None:
    guest = made(place, iso)
    manage(place, "setextradata", guest.spec.uuid, "smartos-wizard/owner", "somebody else")
    with pytest.raises(Refused, match="mark"):
        plan_delete(guest, place)
    manage(place, "setextradata", guest.spec.uuid, "smartos-wizard/owner", guest.spec.uuid)
    manage(place, "createvm", "--name", 'their "own"', "--basefolder", str(home), "--register")
    with pytest.raises(Refused, match="already"):
        manage(place, "createvm", "--name", "theirs", "--basefolder", str(home), "--register")
        plan_of(place, spec_of(place, iso, "theirs"))
    done(place, plan_delete(guest, place))
    assert set(info.machines(manage(place, "list", "vms")).values()) == {'their "own"', "theirs"}
    for uuid in info.machines(manage(place, "list", "vms")):
        manage(place, "unregistervm", uuid, "--delete")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child only walks to its end
@pytest.mark.parametrize("at", ["disk-zones-0", "machine", "hardware", "network", "storage", "check"])
def test_killed_at_any_step_it_is_made_anew(place: Place, iso: Path, at: str) -> None:
    plan = plan_of(place, spec_of(place, iso, disks=(20 * GIB, 20 * GIB)))
    child = os.fork()
    if not child:
        for event in place.events(plan):
            if isinstance(event, StepStarted) and event.step == at:
                os._exit(9)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    (half,) = place.guests.list()
    assert not half.made
    guest = made(place, iso, disks=(20 * GIB, 20 * GIB))
    assert guest.spec.uuid != half.spec.uuid
    assert list(info.machines(manage(place, "list", "vms")).values()) == ["lab"]
    assert len(info.blocks(manage(place, "list", "hdds"))) == 2
    done(place, plan_delete(guest, place))


def test_a_file_that_is_gone_does_not_stop_a_new_one(place: Place, iso: Path) -> None:
    guest = made(place, iso)
    guest.disk(guest.spec.disks[0], "vdi").unlink()
    done(place, plan_reinstall(guest, place))
    as_asked(place, guest)
    done(place, plan_delete(guest, place))


def test_what_fails_is_taken_back_whole(place: Place, iso: Path) -> None:
    plan = plan_of(place, spec_of(place, iso))
    iso.unlink()  # after the plan was made
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    assert end.exit_code == 7
    assert place.guests.list() == ()
    assert info.machines(manage(place, "list", "vms")) == {}
    assert info.blocks(manage(place, "list", "hdds")) == []


def test_the_script_makes_the_same_guest(place: Place, iso: Path) -> None:
    plan = plan_of(place, spec_of(place, iso))
    done_by_hand = subprocess.run(
        ["sh", "-c", script_of(plan, "sh")], capture_output=True, text=True, check=False
    )
    assert done_by_hand.returncode == 0, done_by_hand.stderr
    spec = spec_of(place, iso)
    uuid = next(iter(info.machines(manage(place, "list", "vms"))))
    guest = Guest(GuestSpec(**{**_fields(spec), "uuid": uuid, "nics": _nics(plan)}), place.guests.root / "lab", Path("/nowhere"))  # fmt: skip
    as_asked(place, guest)
    manage(place, "unregistervm", uuid, "--delete")


def _fields(spec: GuestSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in GuestSpec.__dataclass_fields__}


def _nics(plan: Plan) -> Any:
    from smartos_wizard.guests import spec_toml

    return spec_toml.load(plan.params["spec"]).nics
