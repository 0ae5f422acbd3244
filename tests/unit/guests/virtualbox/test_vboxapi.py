"""The driver by vboxapi, under Oracle's own glue (vbox-sdk), over a make-believe VirtualBox (packaging/vboxapi-stub).

Here with the release of vbox-sdk that is installed; `tests/lab/test_vboxapi_glue.py` runs the same with others.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import PlanFinished, StepStarted
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Plan
from smartos_wizard.guests import sandbox
from smartos_wizard.guests.building import Wish, build
from smartos_wizard.guests.model import BootKind, BootMedium, Guest, Sandbox, State
from smartos_wizard.guests.planning import (
    judge,
    plan_create,
    plan_delete,
    plan_reinstall,
    plan_snapshot,
    plan_start,
    plan_stop,
)
from smartos_wizard.guests.virtualbox import host
from smartos_wizard.guests.virtualbox.api import child
from smartos_wizard.guests.virtualbox.api.driver import VirtualBoxApiDriver
from smartos_wizard.media.model import ImageKind, VerifiedImage
from tests.unit.guests.parts import GIB, Place, plan_of


@pytest.fixture
def python() -> str:
    """A Python with vboxapi and the make-believe xpcom."""
    return sys.executable


@pytest.fixture
def stub(tmp_path: Path, python: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the make-believe VirtualBox keeps what it knows. There is a VBoxManage, and calling it is a failure."""
    home, bin = tmp_path / "stub", tmp_path / "bin"
    home.mkdir()
    bin.mkdir()
    (bin / "VBoxManage").write_text("#!/bin/sh\necho 'nobody should call this' >&2\nexit 99\n")
    (bin / "VBoxManage").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    for name, value in {
        "VBOX_STUB_HOME": home, "VBOX_PROGRAM_PATH": bin, "VBOX_SDK_PATH": bin, child.PYTHON: python,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(host, "problems", lambda **_: ())  # this machine has no /dev/vboxdrv
    yield home
    child.close()


@pytest.fixture
def place(paths: Paths, stub: Path) -> Iterator[Place]:
    short = Path(tempfile.mkdtemp(prefix="sw-"))  # sockets have short names
    yield Place(Paths(paths.config, paths.cache, paths.state, short), drivers=(VirtualBoxApiDriver(paths),))
    shutil.rmtree(short)


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    path = tmp_path / "smart os.iso"
    path.write_bytes((bytes(32 << 10) + b"\1CD001\1").ljust(128 << 10, b"\0"))
    return path


def fault(stub: Path, **faults: Any) -> None:
    (stub / "faults.json").write_text(
        json.dumps({name.replace("_", "-"): value for name, value in faults.items()})
    )


def known(stub: Path, what: str = "machines") -> list[dict[str, Any]]:
    file = stub / "state.json"
    return list(json.loads(file.read_text())[what].values()) if file.exists() else []


def end_of(place: Place, plan: Plan) -> PlanFinished:
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    return end


def spec_of(place: Place, iso: Path, name: str = "lab", kind: BootKind = BootKind.ISO, **wish: Any) -> Any:
    return build(Wish(name, BootMedium(kind, str(iso)), **wish), place.drivers[0], place)


def made(place: Place, iso: Path, name: str = "lab", **wish: Any) -> Guest:
    end = end_of(place, plan_of(place, spec_of(place, iso, name, **wish)))
    assert end.exit_code == 0, end
    return place.guests.find(name)


def modern(place: Place) -> bool:
    return not place.drivers[0].detect().version.startswith("6.")


WISHES: dict[str, dict[str, Any]] = {
    "lab": {"disks": (20 * GIB, 21 * GIB), "ssh_port": 22022, "memory": 3072, "cpus": 3},
    "sealed": {"sandbox": Sandbox.SEALED, "inner": ("admin",)},
    "host only": {"sandbox": Sandbox.SEALED, "bridge": "vboxnet0", "console": "ttyd"},
    "d'été (größer)": {
        "sandbox": Sandbox.LAN,
        "bridge": "wlan0 (Wi-Fi)",
        "inner": ("a", "b"),
        "nested": True,
    },
}


@pytest.mark.parametrize("name", WISHES)
def test_it_is_as_asked(place: Place, stub: Path, iso: Path, name: str) -> None:
    guest = made(place, iso, name, **WISHES[name])
    actual = place.drivers[0].inspect(guest)
    told = {each.what for each in sandbox.drift(guest.spec, actual)}
    assert told == (
        {"this machine's own loopback services"} if name == "lab" and not modern(place) else set()
    )
    assert None not in actual.switches.values()
    assert (actual.state, actual.boot, actual.ssh_port) == (State.STOPPED, "iso", guest.spec.ssh_port or None)
    (machine,) = known(stub)
    assert machine["name"] == name
    assert machine["board"]["HPETEnabled"] is True
    assert [each["type"] for each in machine["attachments"]] == [
        2,
        *(3 for _ in guest.spec.disks),
    ]  # DVD, hard disks
    (port,) = [port for port in machine["ports"] if port["enabled"]]
    base = {"ttya": 0x3F8, "ttyd": 0x2E8}[guest.spec.console]
    assert base in (port["IOBase"], port["IOAddress"])
    assert port["path"] == str(guest.sockets / "com")
    assert (
        sum(machine["board"]["properties"].values()) == 1 + guest.spec.nested
    )  # PAE, and virtualisation inside


def test_its_own_key_is_a_disk_that_forgets(place: Place, stub: Path, tmp_path: Path) -> None:
    image = tmp_path / "smartos.img"
    image.write_bytes(b"\xeb" * (1 << 20))
    spec = spec_of(place, image, kind=BootKind.KEY)
    whole = VerifiedImage(image, ImageKind.RAW, "none", "", "the test")
    assert end_of(place, plan_create(spec, whole, None, place)).exit_code == 0
    guest = place.guests.find("lab")
    assert place.drivers[0].inspect(guest).boot == "key"
    kinds = {Path(each["location"]).name: each["type"] for each in known(stub, "media")}
    assert kinds["key.vmdk"] == 1, "immutable"
    assert end_of(place, plan_delete(guest, place)).exit_code == 0
    assert known(stub, "media") == []


def test_it_runs_and_stops(place: Place, stub: Path, iso: Path) -> None:
    guest, driver = made(place, iso), place.drivers[0]
    assert end_of(place, plan_start(guest)).exit_code == 0
    assert driver.inspect(guest).state is State.RUNNING
    log = guest.folder / "console.log"
    assert wait(lambda: log.exists() and b"login:" in log.read_bytes())
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(guest.sockets / "console"))
        line.sendall(b"root")
        assert wait(lambda: b"<root>" in log.read_bytes())
    with pytest.raises(Refused, match="runs"):
        driver.snapshot(guest, "take", "now")
    fault(stub, deaf=True)
    assert end_of(place, plan_stop(guest, patience=0.5)).exit_code == 0
    assert driver.inspect(guest).state is State.STOPPED
    assert wait(lambda: not (guest.sockets / "console").exists())
    fault(stub, start="HM: VERR_VMX_IN_VMX_ROOT_MODE")
    error = end_of(place, plan_start(guest)).error
    assert error is not None
    assert error.reference == "virtualbox-conflict"
    assert "terminated unexpectedly" in error.message


def wait(until: Any, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until():
            return True
        time.sleep(0.02)
    return False


def test_what_it_forgets_is_said_and_shut_anew_at_every_start(place: Place, stub: Path, iso: Path) -> None:
    guest, driver = made(place, iso), place.drivers[0]
    fault(stub, forgets=True)
    child.close()  # its server ends with it
    off = driver.inspect(guest)
    assert bool(off.notes) == modern(place), "before 7.0 there is nothing to forget"
    driver.start(guest, print)
    on = driver.inspect(guest)
    assert (on.switches["host-loopback"], on.notes) == ("off" if modern(place) else "10.0.2.2", ())
    driver.stop(guest, print, patience=0, force=True)


def test_snapshots_emptied_disks_and_gone(place: Place, stub: Path, iso: Path) -> None:
    guest, driver = made(place, iso, disks=(20 * GIB, 20 * GIB)), place.drivers[0]
    before = driver.inspect(guest)
    for act, which, names in (
        ("take", "a b", ["a b"]),
        ("take", "c", ["a b", "c"]),
        ("restore", "a b", ["a b", "c"]),
    ):
        assert end_of(place, plan_snapshot(guest, act, which)).result["snapshots"] == names
    with pytest.raises(Refused, match="has snapshots"):
        plan_reinstall(guest, place)
    error = end_of(place, plan_snapshot(guest, "delete", "a b")).error
    assert error is not None
    assert error.reference == "virtualbox-snapshot-needed"
    for name in ("c", "a b"):
        assert end_of(place, plan_snapshot(guest, "delete", name)).exit_code == 0
    wiped = guest.disk(guest.spec.disks[1], "vdi")
    old = wiped.read_bytes()
    assert end_of(place, plan_reinstall(guest, place, ["zones-0"])).exit_code == 0
    assert wiped.read_bytes() != old
    assert driver.inspect(guest) == before
    wiped.unlink()
    assert end_of(place, plan_reinstall(guest, place)).exit_code == 0
    assert end_of(place, plan_delete(guest, place)).exit_code == 0
    assert (known(stub), known(stub, "media")) == ([], [])
    assert iso.exists()


@pytest.mark.parametrize("faults", [{"disk_full": True}, {"locked": 9}])
def test_what_fails_is_taken_back_whole(
    place: Place, stub: Path, iso: Path, faults: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smartos_wizard.guests.virtualbox.talk._PAUSES", (0.01, 0.01))
    plan = plan_of(place, spec_of(place, iso))
    fault(stub, **faults)
    end = end_of(place, plan)
    assert end.error is not None
    assert end.error.reference in ("guest-disk-full", "virtualbox-locked")
    assert (known(stub), known(stub, "media"), place.guests.list()) == ([], [], ())


def test_busy_is_tried_again(place: Place, stub: Path, iso: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smartos_wizard.guests.virtualbox.talk._PAUSES", (0.01,) * 4)
    fault(stub, locked=4)
    made(place, iso)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child only walks to its end
@pytest.mark.parametrize("at", ["machine", "storage"])
def test_killed_at_any_step_it_is_made_anew(place: Place, stub: Path, iso: Path, at: str) -> None:
    plan = plan_of(place, spec_of(place, iso))
    child.close()
    killed = os.fork()
    if not killed:
        for event in place.events(plan):
            if isinstance(event, StepStarted) and event.step == at:
                os._exit(9)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(killed, 0)[1]) == 9
    guest = made(place, iso)
    assert [machine["name"] for machine in known(stub)] == ["lab"]
    assert [each["location"] for each in known(stub, "media") if each["format"] == "VDI"] == [
        str(guest.disk(guest.spec.disks[0], "vdi"))
    ]


def test_the_process_is_started_anew_where_it_ended(place: Place, stub: Path, iso: Path) -> None:
    guest = made(place, iso)
    assert child._shared.child is not None
    child._shared.child._process.kill()
    child._shared.child._process.wait()
    assert place.drivers[0].inspect(guest).state is State.STOPPED


def test_what_speaks_against_it_is_found_through_the_interface(place: Place, stub: Path, iso: Path) -> None:
    made(place, iso)
    spec = spec_of(place, iso, sandbox=Sandbox.LAN, bridge="eth9")
    assert {each.reference for each in judge(spec, place) if each.level == "error"} == {
        "name-taken",
        "no-such-network",
    }


def test_where_no_python_has_it_the_way_out_is_said(
    place: Place, stub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VBOX_STUB_HOME")  # then the make-believe xpcom refuses to be one
    found = place.drivers[0].detect()
    assert (found.found, found.usable) == (True, False)
    assert "vboxapi" in found.problems[0].text
    assert "SMARTOS_WIZARD_VIRTUALBOX" in found.problems[0].hint
