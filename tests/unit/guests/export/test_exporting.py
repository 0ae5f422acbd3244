"""Exporting as a whole: planned, refused, done, stopped; and what is left on the disk in each case."""

from __future__ import annotations

import errno
import json
import os
import plistlib
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from smartos_wizard.cli.guest_export import export_command
from smartos_wizard.cli.main import Options
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Refused, UsageProblem, WizardError
from smartos_wizard.core.events import Advanced, Event, Noted, PlanCancelled, PlanFinished, StepStarted
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Plan
from smartos_wizard.guests.export.ova import check_ova
from smartos_wizard.guests.export.placing import part_of
from smartos_wizard.guests.export.planning import plan_export
from smartos_wizard.guests.export.sources import open_source
from smartos_wizard.guests.model import Actual, Guest, State
from smartos_wizard.practice.hypervisor import PracticeHypervisor
from tests.unit.guests.export.parts import NAMES, guest_of, qemu_img, read_vmdk, spec_of
from tests.unit.guests.parts import Place, plan_of

FORMATS = {"ova": "out.ova", "libvirt": "out.xml", "utm": "out.utm"}


class Said(PracticeHypervisor):
    """The practice hypervisor, saying something else of its guests."""

    def __init__(self, actual: Actual) -> None:
        super().__init__()
        self.actual = actual

    def inspect(self, guest: Guest) -> Actual:
        return self.actual


@pytest.fixture
def place(paths: Paths) -> Place:
    return Place(paths)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.mkdir()
    return path


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def finished(events: list[Event]) -> PlanFinished:
    assert isinstance(events[-1], PlanFinished)
    assert events[-1].error is None, events[-1].error
    return events[-1]


def refused(reference: str, plan: Any) -> WizardError:
    with pytest.raises(WizardError) as caught:
        plan()
    assert caught.value.reference == reference
    return caught.value


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("form", FORMATS)
def test_a_guest_is_exported(form: str, name: str, place: Place, out: Path) -> None:
    guest = guest_of(place, spec_of(name))
    before = {path: path.stat() for path in place.guests.files(guest)}
    target = out / f"{name} {FORMATS[form]}"
    end = finished(place.run(plan_export(guest, form, target, place)))
    assert listed(out) == [target.name]
    assert end.result["path"] == str(target)
    assert end.result["left_behind"]
    assert {path: path.stat().st_mtime_ns for path in before} == {p: s.st_mtime_ns for p, s in before.items()}
    assert target.stat().st_mode & 0o077 == 0


def test_disks_of_an_ova_hold_what_the_guest_held(place: Place, out: Path) -> None:
    data = {0: b"label" * 9000, 1 << 30: b"\1" * 100_000}
    guest = guest_of(place, data=data)
    events = place.run(plan_export(guest, "ova", out / "a.ova", place))
    assert list(check_ova(out / "a.ova")) == [
        "lab.ovf",
        "lab-key.vmdk",
        "lab-zones-0-1.vmdk",
        "lab-zones-1-2.vmdk",
    ]
    with tarfile.open(out / "a.ova") as archive:
        key = read_vmdk(archive.extractfile("lab-key.vmdk").read())[1]  # type: ignore[union-attr]
        capacity, first = read_vmdk(archive.extractfile("lab-zones-0-1.vmdk").read())  # type: ignore[union-attr]
        assert read_vmdk(archive.extractfile("lab-zones-1-2.vmdk").read())[1] == {}  # type: ignore[union-attr]
    with guest.key.open("rb") as file:
        for offset, grain in key.items():
            file.seek(offset)
            assert file.read(len(grain)).ljust(len(grain), b"\0") == grain
    assert len(key) == 4 + 1 + 1
    assert capacity == 40 << 30
    for offset, piece in data.items():
        found = b"".join(first[at] for at in range(offset, offset + len(piece), 65536))
        assert found.rstrip(b"\0") == piece
    progress = [event for event in events if isinstance(event, Advanced) and event.step == "pack"]
    assert progress[-1].done == progress[-1].total


def test_a_utm_bundle_is_whole(place: Place, out: Path) -> None:
    guest = guest_of(place, data={0: b"label" * 9000})
    finished(place.run(plan_export(guest, "utm", out / "lab.utm", place)))
    bundle = out / "lab.utm"
    config = plistlib.loads((bundle / "config.plist").read_bytes())
    names = [drive["ImageName"] for drive in config["Drive"]]
    assert listed(bundle / "Data") == sorted(names)
    key = bundle / "Data" / names[0]
    assert key.stat().st_size == guest.key.stat().st_size
    assert key.stat().st_blocks * 512 < 2 << 20
    with key.open("rb") as copy, guest.key.open("rb") as file:
        assert copy.read(200_000) == file.read(200_000)
    assert next(iter(open_source(bundle / "Data" / names[1]).pieces()))[1].startswith(b"label" * 9000)
    assert open_source(bundle / "Data" / names[2]).held() == 0


def test_a_guest_with_an_iso_has_no_key_in_it(place: Place, out: Path) -> None:
    guest = guest_of(place, spec_of(iso=True))
    for form, name in FORMATS.items():
        finished(place.run(plan_export(guest, form, out / name, place)))
    with tarfile.open(out / "out.ova") as archive:
        assert archive.getnames() == ["lab.ovf", "lab.mf", "lab-zones-0-0.vmdk", "lab-zones-1-1.vmdk"]
    assert "/nowhere/smartos.iso" in (out / "out.xml").read_text()
    assert listed(out / "out.utm" / "Data") == ["zones-0-0.qcow2", "zones-1-1.qcow2"]


def test_a_practice_guest_is_exported_with_the_size_it_says(place: Place, out: Path) -> None:
    finished(place.run(plan_of(place, place.spec("lab", memory=1024, disks=(20 << 30,)))))
    guest = place.guests.find("lab")
    for form, name in FORMATS.items():
        finished(place.run(plan_export(guest, form, out / name, place)))
    with tarfile.open(out / "out.ova") as archive:
        capacity, grains = read_vmdk(archive.extractfile("lab-zones-0-0.vmdk").read())  # type: ignore[union-attr]
    assert capacity == 20 << 30
    assert grains[0].startswith(b"practice disk")
    assert open_source(out / "out.utm" / "Data" / "zones-0-0.qcow2").size == 20 << 30


def test_what_is_left_behind_is_in_plan_and_notes(place: Place, out: Path) -> None:
    plan = plan_export(guest_of(place), "ova", out / "a.ova", place)
    details = "\n".join(plan.steps[1].details)
    assert "--macaddress1 525400AABBCC`" in details
    assert "key: " in details
    assert "zones-1: empty, 40.0 GiB" in details
    notes = [
        event.text
        for event in place.run(plan)
        if isinstance(event, Noted) and event.reference == "left-behind"
    ]
    assert any("serial console (ttya)" in note for note in notes)


@pytest.mark.parametrize(
    "state", [State.RUNNING, State.PAUSED, State.STARTING, State.STOPPING, State.UNKNOWN]
)
def test_a_running_guest_is_refused(state: State, paths: Paths, out: Path) -> None:
    place = Place(paths, drivers=(Said(Actual(state)),))
    error = refused("guest-runs", lambda: plan_export(guest_of(place), "ova", out / "a.ova", place))
    assert "guest stop" in error.hint


def test_a_saved_guest_is_refused(paths: Paths, out: Path) -> None:
    place = Place(paths, drivers=(Said(Actual(State.SAVED)),))
    refused("guest-saved", lambda: plan_export(guest_of(place), "ova", out / "a.ova", place))


@pytest.mark.parametrize("form", FORMATS)
def test_a_guest_started_after_planning_is_refused(form: str, paths: Paths, out: Path) -> None:
    driver = Said(Actual(State.STOPPED))
    place = Place(paths, drivers=(driver,))
    plan = plan_export(guest_of(place), form, out / FORMATS[form], place)
    driver.actual = Actual(State.RUNNING)
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is not None
    assert (end.error.reference, end.exit_code) == ("guest-runs", 4)
    assert listed(out) == []


def test_half_made_is_refused(place: Place, out: Path) -> None:
    guest = guest_of(place)
    place.guests.begin(guest)
    refused("half-made", lambda: plan_export(place.guests.find("lab"), "ova", out / "a.ova", place))


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_is_overwritten(form: str, place: Place, out: Path) -> None:
    guest, target = guest_of(place), out / FORMATS[form]
    for make in (lambda: target.write_text("mine"), target.mkdir, lambda: target.symlink_to("nowhere")):
        make()
        refused("export-exists", lambda: plan_export(guest, form, target, place))
        target.rmdir() if target.is_dir() else target.unlink()


@pytest.mark.parametrize("form", FORMATS)
def test_a_target_that_appears_meanwhile_stays(form: str, place: Place, out: Path) -> None:
    guest, target = guest_of(place), out / FORMATS[form]
    last: Event | None = None
    for event in place.events(plan_export(guest, form, target, place)):
        if isinstance(event, StepStarted) and event.step == "name":
            target.write_text("mine")
        last = event
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert last.error.reference == "export-exists"
    assert listed(out) == [target.name]
    assert target.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("a.tar", "wrong-ending"), ("a", "wrong-ending"), ("gone/a.ova", "export-no-folder"),
        ("x" * 241 + ".ova", "name-too-long"),
    ],
)  # fmt: skip
def test_targets_that_cannot_be(name: str, reference: str, place: Place, out: Path) -> None:
    refused(reference, lambda: plan_export(guest_of(place), "ova", out / name, place))


def test_not_into_the_guest_itself(place: Place) -> None:
    guest = guest_of(place)
    refused("export-inside", lambda: plan_export(guest, "ova", guest.folder / "a.ova", place))
    refused("no-such-format", lambda: plan_export(guest, "ovf", guest.folder / "a.ova", place))
    refused("no-such-digest", lambda: plan_export(guest, "ova", guest.folder / "a.ova", place, "md5"))


def test_missing_disks_are_named(place: Place, out: Path) -> None:
    guest = guest_of(place)
    guest.disk(guest.spec.disks[1], "qcow2").unlink()
    for form, name in FORMATS.items():
        error = refused(
            "disk-missing", lambda form=form, name=name: plan_export(guest, form, out / name, place)
        )
        assert "zones-1" in error.message


def test_a_disk_behind_a_snapshot_is_not_taken_for_the_guests(paths: Paths, out: Path) -> None:
    place = Place(paths, drivers=(Said(Actual(State.STOPPED, disks=("/vm/Snapshots/{1}.vdi",))),))
    error = refused("disk-elsewhere", lambda: plan_export(guest_of(place), "ova", out / "a.ova", place))
    assert "snapshot" in error.message


def uncommon(guest: Guest) -> Path:
    """Make its first disk one that only qemu-img reads; returns what it holds, as a file beside it."""
    disk = guest.disk(guest.spec.disks[0], "qcow2")
    base = guest.folder / "base.img"
    base.write_bytes(b"".join(b"%07d\n" % number for number in range(1 << 17)))
    disk.unlink()
    assert qemu_img("convert", "-c", "-O", "qcow2", base, disk).returncode == 0
    assert qemu_img("resize", disk, "40G").returncode == 0
    return base


@pytest.mark.parametrize("form", ["ova", "utm"])
def test_an_uncommon_disk_is_read_with_qemu_img(form: str, place: Place, out: Path) -> None:
    guest = guest_of(place)
    base = uncommon(guest)
    plan = plan_export(guest, form, out / FORMATS[form], place)
    assert any("read with qemu-img" in line for line in plan.steps[1].details)
    finished(place.run(plan))
    assert listed(out) == [FORMATS[form]]
    if form == "ova":
        with tarfile.open(out / "out.ova") as archive:
            grains = read_vmdk(archive.extractfile("lab-zones-0-1.vmdk").read())[1]  # type: ignore[union-attr]
        assert b"".join(grains.values()) == base.read_bytes()


def test_without_qemu_img_it_is_said(place: Place, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = guest_of(place)
    uncommon(guest)
    monkeypatch.setenv("PATH", "/nowhere")
    error = refused("qemu-img-missing", lambda: plan_export(guest, "ova", out / "a.ova", place))
    assert "qemu-utils" in error.hint


def test_a_disk_qemu_img_cannot_read_ends_it_cleanly(place: Place, out: Path) -> None:
    guest = guest_of(place)
    uncommon(guest)
    plan = plan_export(guest, "ova", out / "a.ova", place)
    guest.disk(guest.spec.disks[0], "qcow2").write_bytes(b"QFI\xfb" + os.urandom(4000))
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is not None
    assert end.error.reference == "export-not-converted"
    assert listed(out) == []


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("step", ["rest", "pack", "prove", "name"])
def test_stopped_anywhere_nothing_stays(form: str, step: str, place: Place, out: Path) -> None:
    cancel = Cancel()
    plan = plan_export(guest_of(place), form, out / FORMATS[form], place)
    if step not in [each.id for each in plan.steps]:
        return
    last: Event | None = None
    for event in place.events(plan, cancel):
        if isinstance(event, StepStarted) and event.step == step:
            cancel.request()
        last = event
    if step == "name" or (form == "libvirt" and step == "pack"):
        assert isinstance(last, PlanFinished | PlanCancelled)  # too short to be stopped inside
    else:
        assert isinstance(last, PlanCancelled)
        assert last.exit_code == 3
    assert listed(out) == ([FORMATS[form]] if isinstance(last, PlanFinished) else [])


@pytest.mark.parametrize("folder", [True, False])
@pytest.mark.parametrize("form", FORMATS)
def test_what_a_kill_left_is_taken_away_by_the_next(form: str, folder: bool, place: Place, out: Path) -> None:
    target = out / FORMATS[form]
    part = part_of(target)
    if folder:
        (part / "Data").mkdir(parents=True)
    else:
        part.write_bytes(b"half")
    finished(place.run(plan_export(guest_of(place), form, target, place)))
    assert listed(out) == [target.name]


def test_a_full_disk_is_said(place: Place, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = guest_of(place)
    plan = plan_export(guest, "ova", out / "a.ova", place)

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("smartos_wizard.guests.export.actions.os.fsync", full)
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is not None
    assert (end.error.reference, end.exit_code) == ("export-not-written", 7)
    assert "No space left" in end.error.message
    assert listed(out) == []


def test_two_at_once_to_one_place(place: Place, out: Path) -> None:
    first = plan_export(guest_of(place), "ova", out / "a.ova", place)
    other = plan_export(
        guest_of(place, replace(spec_of("other"), uuid="3" * 8 + "-0000-4000-8000-000000000000")),
        "ova",
        out / "a.ova",
        place,
    )
    running = place.events(first)
    while not (isinstance(event := next(running), StepStarted) and event.step == "prove"):
        pass
    end = place.run(other)[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is not None
    assert end.error.reference == "export-busy"
    finished(list(running))
    assert check_ova(out / "a.ova")


def test_a_plan_is_the_same_after_json(place: Place, out: Path) -> None:
    plan = plan_export(guest_of(place), "utm", out / "a.utm", place)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert not plan.destroys


def command(place: Place, *words: str) -> Any:
    options = Options()
    options._world = place  # type: ignore[assignment]
    return CliRunner().invoke(export_command, list(words), obj=options, standalone_mode=False)


def test_the_command_tells_the_format_from_the_ending(place: Place, out: Path) -> None:
    guest_of(place)
    done = command(place, "lab", "--to", str(out / "a.utm"), "--dry-run", "--json")
    assert done.exit_code == 0
    plan = json.loads(done.stdout)
    assert [step["action"] for step in plan["steps"]] == ["export-rest", "export-utm", "export-name"]
    assert listed(out) == []


def test_the_command_shows_its_plan(place: Place, out: Path) -> None:
    guest_of(place)
    done = command(place, "lab", "--to", str(out / "a.ova"), "--dry-run", "--manifest", "sha1")
    assert "every file in it against its SHA1 manifest" in done.stdout
    assert "note: The clock: " in done.stdout


@pytest.mark.parametrize(
    ("words", "kind"), [(["--to", "lab.img"], UsageProblem), (["--to", "/nowhere/a.ova"], Refused)]
)
def test_the_command_refuses(words: list[str], kind: type[Exception], place: Place) -> None:
    guest_of(place)
    assert isinstance(command(place, "lab", *words).exception, kind)
