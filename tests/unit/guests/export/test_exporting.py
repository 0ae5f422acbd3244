"""Exporting as a whole: planned, refused, done, stopped; and what is left on the disk in each case."""

from __future__ import annotations

import json
import plistlib
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from smartos_wizard.cli.guest_export import export_command
from smartos_wizard.cli.main import Options
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.events import Advanced, Noted
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Plan
from smartos_wizard.guests.export.ova import check_ova
from smartos_wizard.guests.export.planning import plan_export
from smartos_wizard.guests.export.sources import open_source
from tests.unit.guests.export.parts import (
    FORMATS,
    NAMES,
    finished,
    guest_of,
    listed,
    read_vmdk,
    spec_of,
    uncommon,
)
from tests.unit.guests.parts import Place, plan_of


@pytest.fixture
def place(paths: Paths) -> Place:
    return Place(paths)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.mkdir()
    return path


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
