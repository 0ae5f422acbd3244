"""Whole plans: making, re-installing and removing a guest with the fake vmrun and the real executor."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import below
from smartos_wizard.guests.model import BootKind, BootMedium, Sandbox, State
from smartos_wizard.guests.planning import plan_create, plan_delete, plan_reinstall, plan_start
from smartos_wizard.guests.script import script_of
from smartos_wizard.guests.vmware.driver import VmwareDriver
from smartos_wizard.guests.vmware.vmx import Vmx
from smartos_wizard.media.model import ImageKind, VerifiedImage
from tests.unit.guests.parts import Place, plan_of
from tests.unit.guests.vmware.parts import GIB, Host, program, workstation


@pytest.fixture
def host() -> Iterator[Host]:
    with tempfile.TemporaryDirectory(prefix="vmw") as name:
        yield workstation(Path(name) / "root")


@pytest.fixture
def place(host: Host) -> Place:
    (host.root / "smartos.iso").touch()
    return Place(below(host.root / "home"), drivers=(VmwareDriver(host.machine),))


def spec_of(place: Place, host: Host, **wish: object):  # type: ignore[no-untyped-def]
    spec = place.spec(**wish)  # type: ignore[arg-type]
    return replace(spec, boot=replace(spec.boot, source=str(host.root / "smartos.iso")))


def done(place: Place, plan) -> PlanFinished:  # type: ignore[no-untyped-def]
    last = place.run(plan)[-1]
    assert isinstance(last, PlanFinished) and last.exit_code == 0, last
    return last


def test_made_with_nothing_to_wonder_about(place: Place, host: Host) -> None:
    last = done(place, plan_of(place, spec_of(place, host, disks=(20 * GIB, 30 * GIB), inner=("backstage",))))
    assert last.result["drift"] == []
    guest = place.guests.find("lab")
    assert {path.name for path in place.guests.files(guest)} == {
        "guest.toml", "smartos-wizard.json", "smartos.vmx", "zones-0.vmdk", "zones-1.vmdk",
    }  # fmt: skip
    assert host.verbs() == [], "nothing is registered anywhere"


def test_a_key_gets_a_description_and_is_not_copied_again(place: Place, host: Host) -> None:
    raw = host.root / "smartos-USB.img"
    raw.write_bytes(bytes(range(256)) * 4096)
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()
    medium = BootMedium(BootKind.KEY, str(raw), "", "sha256", digest)
    image = VerifiedImage(raw, ImageKind.RAW, "sha256", digest, "the test")
    done(place, plan_create(replace(place.spec(), boot=medium), image, None, place))
    guest = place.guests.find("lab")
    assert guest.key.read_bytes() == raw.read_bytes()
    assert 'RW 2048 FLAT "key.img" 0' in (guest.folder / "key.vmdk").read_text()
    assert Vmx((guest.folder / "smartos.vmx").read_text()).get("ide0:0.fileName") == "key.vmdk"


def test_what_fails_leaves_nothing(place: Place, host: Host) -> None:
    host.fault("list")
    last = place.run(plan_of(place, spec_of(place, host)))[-1]
    assert isinstance(last, PlanFinished) and last.error is not None
    assert last.error.reference == "vmware-not-asked"
    assert place.guests.list() == () and not list(place.guests.root.iterdir())


def dirty(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"data" * 100)


def empty(path: Path) -> bool:
    """A growing disk with no parent and no grains."""
    head = path.read_bytes()[:512]
    overhead = struct.unpack_from("<Q", head, 64)[0]
    return head[:4] == b"KDMV" and path.stat().st_size == overhead * 512


def test_made_as_new_and_kept(place: Place, host: Host) -> None:
    done(place, plan_of(place, spec_of(place, host, disks=(20 * GIB, 30 * GIB))))
    guest = place.guests.find("lab")
    before = (guest.folder / "smartos.vmx").read_bytes()
    one, two = (guest.folder / f"zones-{n}.vmdk" for n in (0, 1))
    dirty(one)
    dirty(two)
    plan = plan_reinstall(guest, place, keep=["zones-1"])
    assert [step.id for step in plan.steps if step.effect.value == "destroys"] == ["wipe-zones-0"]
    done(place, plan)
    assert empty(one) and not empty(two)
    assert (guest.folder / "smartos.vmx").read_bytes() == before


def test_made_as_new_with_a_snapshot_to_go_back_to(place: Place, host: Host) -> None:
    done(place, plan_of(place, spec_of(place, host)))
    guest = place.guests.find("lab")
    base, delta = guest.folder / "zones-0.vmdk", guest.folder / "zones-0-000001.vmdk"
    dirty(base)
    before = base.read_bytes()
    done(place, plan_reinstall(guest, place, snapshot=True))
    assert base.read_bytes() == before, "what the snapshot stands on"
    assert empty(delta) and b"parentCID=ffffffff" in delta.read_bytes()
    assert place.drivers[0].inspect(guest).snapshots == ("before-reinstall",)


def test_a_suspended_guest_is_not_emptied_under_its_feet(place: Place, host: Host) -> None:
    done(place, plan_of(place, spec_of(place, host)))
    guest = place.guests.find("lab")
    path = guest.folder / "smartos.vmx"
    path.write_text(path.read_text() + 'checkpoint.vmState = "lab-1.vmss"\n')
    assert place.drivers[0].inspect(guest).state is State.SAVED
    dirty(guest.folder / "zones-0.vmdk")
    last = place.run(plan_reinstall(guest, place))[-1]
    assert isinstance(last, PlanFinished) and last.error is not None and last.error.reference == "guest-saved"
    assert not empty(guest.folder / "zones-0.vmdk")


def test_a_disk_that_is_open_is_not_emptied(place: Place, host: Host) -> None:
    done(place, plan_of(place, spec_of(place, host)))
    guest = place.guests.find("lab")
    (guest.folder / "zones-0.vmdk.lck").mkdir()
    last = place.run(plan_reinstall(guest, place))[-1]
    assert isinstance(last, PlanFinished) and last.error is not None and last.error.reference == "guest-runs"


def test_a_disk_of_somebody_else_is_never_emptied(place: Place, host: Host) -> None:
    done(place, plan_of(place, spec_of(place, host)))
    guest = place.guests.find("lab")
    other = host.root / "other.vmdk"
    other.write_bytes(b"precious")
    path = guest.folder / "smartos.vmx"
    path.write_text(path.read_text().replace("zones-0.vmdk", str(other)))
    last = place.run(plan_reinstall(guest, place))[-1]
    assert isinstance(last, PlanFinished) and last.error is not None and last.error.reference == "not-ours"
    assert other.read_bytes() == b"precious"


def test_a_running_guest_is_switched_off_and_removed(place: Place, host: Host) -> None:
    done(place, plan_of(place, spec_of(place, host)))
    guest = place.guests.find("lab")
    done(place, plan_start(guest))
    done(place, plan_delete(guest, place))
    assert host.verbs() == ["start nogui", "stop hard"]
    assert place.guests.list() == () and not guest.folder.exists()


def test_the_script_makes_the_same_files(place: Place, host: Host, tmp_path: Path) -> None:
    spec = spec_of(place, host, sandbox=Sandbox.SEALED)
    text = script_of(plan_of(place, spec), "sh")
    done(place, plan_of(place, spec))
    guest = place.guests.find("lab")
    vmx = (guest.folder / "smartos.vmx").read_text()
    guest.folder.rename(tmp_path / "aside")
    program(host.root / "bin/qemu-img", '#!/bin/sh\nexec touch "$7"\n')
    ran = subprocess.run(
        ["sh"], input=text, text=True, capture_output=True, check=False,
        env={"PATH": host.machine.environment["PATH"]},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert (guest.folder / "smartos.vmx").read_text() == vmx
    assert (guest.folder / "zones-0.vmdk").exists()


def test_the_description_by_hand_is_the_same(place: Place, tmp_path: Path) -> None:
    from smartos_wizard.guests.vmware import judging, vmdk

    raw = tmp_path / "key.img"
    with raw.open("wb") as file:
        file.truncate(1_940_000_256)
    command = judging.descriptor_by_hand(tmp_path / "key.vmdk", raw)
    subprocess.run(["sh", "-euc", command], check=True)
    assert (tmp_path / "key.vmdk").read_text() == vmdk.descriptor_around("key.img", 1_940_000_256, 0x5D0C5D0C)
