"""Exports that are refused, stopped, or fail: what is said, and that nothing is left or overwritten."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import Event, PlanCancelled, PlanFinished, StepStarted
from smartos_wizard.core.paths import Paths
from smartos_wizard.guests.export.ova import check_ova
from smartos_wizard.guests.export.placing import part_of
from smartos_wizard.guests.export.planning import plan_export
from smartos_wizard.guests.model import Actual, State
from tests.unit.guests.export.parts import (
    FORMATS,
    Said,
    finished,
    guest_of,
    listed,
    refused,
    spec_of,
    uncommon,
)
from tests.unit.guests.parts import Place


@pytest.fixture
def place(paths: Paths) -> Place:
    return Place(paths)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.mkdir()
    return path


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
