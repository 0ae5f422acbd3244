"""The driver by vboxapi, on VirtualBox's own Python bindings, makes the same machine as the driver by VBoxManage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.events import PlanFinished, StepStarted
from smartos_wizard.guests import sandbox
from smartos_wizard.guests.model import Sandbox, State
from smartos_wizard.guests.planning import plan_delete, plan_reinstall, plan_snapshot, plan_start
from smartos_wizard.guests.virtualbox import info
from smartos_wizard.guests.virtualbox.api import child
from smartos_wizard.guests.virtualbox.driver import VirtualBoxDriver
from tests.lab.rig import boxes
from tests.lab.rig.boxes import done, made, manage, spec_of
from tests.unit.guests.parts import GIB, Place, plan_of

pytestmark = pytest.mark.lab


@pytest.fixture
def place(home: Path, space: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Guests by vboxapi; `by_command` gives those by VBoxManage in the same VirtualBox."""
    with boxes.box(home, space, monkeypatch, api=True) as found:
        yield found


@pytest.fixture
def iso(home: Path) -> Path:
    return boxes.iso_in(home)


def by_command(place: Place) -> Place:
    return Place(place.paths, drivers=(VirtualBoxDriver(place.paths),))


SPECS: dict[str, dict[str, Any]] = {
    "lab": {"ssh_port": 22022, "disks": (20 * GIB, 21 * GIB, 22 * GIB)},
    "a key": {"key": True, "nested": True, "ssh_port": 22023},
    "sealed": {"sandbox": Sandbox.SEALED, "memory": 2048, "cpus": 1, "console": "ttyd"},
    "Größe (1) d'été": {
        "sandbox": Sandbox.LAN,
        "bridge": "eth0",
        "inner": ("admin", "storage"),
        "console": "ttyb",
    },
}
_ITS_OWN = re.compile(r'VMStateChangeTime|.*-ImageUUID-|SessionName|"?GuestMemoryBalloon')


def machine(place: Place, uuid: str) -> dict[str, str]:
    """All that VBoxManage says of it, without what is of the moment: numbers of disks, times."""
    said = info.machine_readable(manage(place, "showvminfo", uuid, "--machinereadable"))
    return {
        key: re.sub(r"\{[0-9a-f-]{36}\}", "{}", value)
        for key, value in said.items()
        if not _ITS_OWN.match(key)
    }


@pytest.mark.parametrize("name", SPECS)
def test_both_drivers_make_the_same_machine(place: Place, iso: Path, name: str) -> None:
    spec, other = spec_of(place, iso, name, **SPECS[name]), by_command(place)
    done(other, plan_of(other, spec))
    guest = other.guests.find(name)
    wanted, seen = machine(place, spec.uuid), other.drivers[0].inspect(guest)
    assert len(wanted) > 100
    assert place.drivers[0].inspect(guest) == seen, "each reads the other's machine alike"
    done(other, plan_delete(guest, other))
    end = done(place, plan_of(place, spec))
    assert end.result["drift"] == []
    assert machine(place, spec.uuid) == wanted
    assert other.drivers[0].inspect(guest) == place.drivers[0].inspect(guest) == seen
    for act, which, names in (
        ("take", "a b", ["a b"]), ("take", "c", ["a b", "c"]), ("restore", "a b", ["a b", "c"]), ("delete", "c", ["a b"]),
    ):  # fmt: skip
        assert done(place, plan_snapshot(guest, act, which)).result["snapshots"] == names
        assert list(other.drivers[0].snapshot(guest, "list", "")) == names
    done(place, plan_snapshot(guest, "delete", "a b"))
    done(place, plan_reinstall(guest, place))
    assert sandbox.drift(guest.spec, other.drivers[0].inspect(guest)) == ()
    done(place, plan_delete(guest, place))
    assert info.machines(manage(place, "list", "vms")) == {}
    assert info.blocks(manage(place, "list", "hdds")) == []
    assert not guest.folder.exists()
    assert iso.exists()


def test_what_is_here_and_why_it_does_not_start_are_said_alike(place: Place, iso: Path) -> None:
    other = by_command(place)
    assert place.drivers[0].detect() == other.drivers[0].detect()
    spec = spec_of(place, iso, "lab")
    done(place, plan_of(place, spec))
    guest = place.guests.find("lab")
    ends = [each.run(plan_start(guest))[-1] for each in (place, other)]
    errors = [end.error for end in ends if isinstance(end, PlanFinished)]
    assert errors[0] is not None and errors[1] is not None
    assert errors[0].reference == errors[1].reference == "virtualbox-no-module"
    assert errors[0].message == errors[1].message
    assert place.drivers[0].inspect(guest).state is State.STOPPED
    done(place, plan_delete(guest, place))


def test_what_fails_is_said_in_the_same_words(place: Place, iso: Path, home: Path) -> None:
    other = by_command(place)
    spec = spec_of(place, iso, "lab")
    done(place, plan_of(place, spec))
    program, nobody = place.drivers[0].detect().path, "11111111-1111-1111-1111-111111111111"
    uuid = spec.uuid
    for words in (
        ("modifyvm", nobody, "--memory", "64"),
        ("createvm", "--name", "lab", "--groups", "/SmartOS-Wizard", "--ostype", "Solaris11_64", "--basefolder",
         str(place.guests.find("lab").folder), "--uuid", nobody, "--register"),
        ("modifyvm", uuid, "--natpf1", "ssh,tcp,127.0.0.1,1,,22"),
        ("modifyvm", uuid, "--memory", "1"),
        ("storagectl", uuid, "--name", "SATA", "--add", "sata"),
        ("storageattach", uuid, "--storagectl", "SATA", "--port", "29", "--device", "0", "--type", "hdd", "--medium", "none"),
        ("createmedium", "disk", "--filename", str(iso), "--sizebyte", "1048576", "--format", "VDI", "--variant", "Standard"),
        ("closemedium", "disk", str(home / "nothing.vdi")),
        ("snapshot", uuid, "restore", "nothing"),
        ("controlvm", uuid, "poweroff"),
    ):  # fmt: skip
        one, two = (each._ask((program, "-q", *words)) for each in (place.drivers[0], other.drivers[0]))
        assert one.failed and two.failed, words
        assert (one.gone, one.busy) == (two.gone, two.busy), (words, one, two)
        if two.result:
            assert one.result == two.result, (words, one.err, two.err)
            assert one.errors[0] == two.errors[0] or "medium storage unit" in one.err, (
                words,
                one.err,
                two.err,
            )
    done(place, plan_delete(place.guests.find("lab"), place))


def test_marks_are_respected_and_foreign_disks_survive(place: Place, iso: Path, home: Path) -> None:
    spec = replace(spec_of(place, iso, "lab"))
    done(place, plan_of(place, spec))
    guest, foreign = place.guests.find("lab"), home / "mine.vdi"
    manage(place, "createmedium", "disk", "--filename", str(foreign), "--size", "64")
    manage(place, "storagectl", spec.uuid, "--name", "More", "--add", "scsi")
    manage(place, "storageattach", spec.uuid, "--storagectl", "More", "--port", "0", "--device", "0", "--type", "hdd", "--medium", str(foreign))  # fmt: skip
    manage(place, "modifyvm", spec.uuid, "--clipboard-mode", "bidirectional", "--usbohci", "on")
    manage(place, "sharedfolder", "add", spec.uuid, "--name", "all", "--hostpath", "/")
    told = {each.what for each in sandbox.drift(guest.spec, place.drivers[0].inspect(guest))}
    assert told == {"shared clipboard", "USB pass-through", "shared folders"}
    done(place, plan_delete(guest, place))
    assert foreign.exists()
    manage(place, "closemedium", "disk", str(foreign), "--delete")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child only walks to its end
@pytest.mark.parametrize("at", ["hardware", "check"])
def test_killed_at_any_step_it_is_made_anew(place: Place, iso: Path, at: str) -> None:
    plan = plan_of(place, spec_of(place, iso))
    child.close()  # so that the one that is killed has a process of its own for vboxapi
    killed = os.fork()
    if not killed:
        for event in place.events(plan):
            if isinstance(event, StepStarted) and event.step == at:
                os._exit(9)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(killed, 0)[1]) == 9
    (half,) = place.guests.list()
    assert not half.made
    guest = made(place, iso)
    assert info.machines(manage(place, "list", "vms")) == {guest.spec.uuid: "lab"}
    assert len(info.blocks(manage(place, "list", "hdds"))) == 1
    done(place, plan_delete(guest, place))
