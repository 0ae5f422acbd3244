"""Making, re-installing and removing guests: whole or not at all, and never anything that is not ours."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.events import PlanCancelled, PlanFinished, StepStarted
from smartos_wizard.core.paths import Paths
from smartos_wizard.guests import sandbox, spec_toml
from smartos_wizard.guests.model import (
    Actual,
    BootKind,
    BootMedium,
    DiskSpec,
    GuestSpec,
    NicSpec,
    Sandbox,
    State,
)
from smartos_wizard.guests.planning import (
    judge,
    plan_delete,
    plan_reinstall,
    plan_snapshot,
    plan_start,
    plan_stop,
)
from smartos_wizard.guests.script import script_of
from smartos_wizard.guests.sizing import HostSize
from smartos_wizard.guests.store import slug
from smartos_wizard.media.fat import FatVolume
from smartos_wizard.media.partitions import read_table
from tests.unit.guests.parts import GIB, Place, image, plan_of


@pytest.fixture
def place(paths: Paths) -> Place:
    return Place(paths)


def made(place: Place, name: str = "lab", choices: BootChoices | None = None, **wish: Any) -> Any:
    events = place.run(plan_of(place, place.spec(name, **wish), choices))
    assert isinstance(events[-1], PlanFinished)
    return events[-1]


def left(place: Place) -> list[Path]:
    return sorted(place.paths.state.glob("guests/*/*"))


def test_a_guest_is_made_with_its_own_key_and_the_image_stays_as_it_is(place: Place) -> None:
    before = image().path.read_bytes()
    end = made(place, key=True, choices=BootChoices(console="ttya", answers={"hostname": "h"}))
    assert end.exit_code == 0, end
    assert end.result["drift"] == []
    guest = place.guests.find("lab")
    assert guest.made
    assert image().path.read_bytes() == before
    with guest.key.open("rb") as file:

        def pread(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        size = guest.key.stat().st_size
        root = read_table(pread, size).root
        assert root is not None
        volume = FatVolume(pread, root.first, root.size)
        assert b'os_console="ttya"' in (volume.read("boot/loader.conf.local") or b"")
        assert volume.read("private/answers.json") == volume.read("boot/bootfs/answers.json")
        assert b"answers_json" in (volume.read("boot/loader.conf.local") or b"")
    assert guest.key.stat().st_blocks * 512 < size // 20, "holes stayed holes"


def test_what_fails_half_way_leaves_nothing(place: Place) -> None:
    end = made(place, "broken")
    assert end.exit_code == 7
    assert left(place) == []
    assert place.guests.list() == ()


def test_cancelled_half_way_leaves_nothing(place: Place) -> None:
    cancel = Cancel()
    last = None
    for event in place.events(plan_of(place, place.spec(key=True)), cancel):
        last = event
        if isinstance(event, StepStarted) and event.step == "key":
            cancel.request()
    assert isinstance(last, PlanCancelled)
    assert left(place) == []


@pytest.mark.parametrize("at", ["disk-zones-0", "machine", "register", "check"])
def test_killed_between_any_two_steps_it_is_seen_and_made_anew(place: Place, at: str) -> None:
    events = place.events(plan_of(place, place.spec()))
    for event in events:
        if isinstance(event, StepStarted) and event.step == at:
            break
    kept = events  # a killed process closes nothing and undoes nothing
    (half,) = place.guests.list()
    assert not half.made
    with pytest.raises(Refused, match="broke off"):
        plan_start(half)
    again = plan_of(place, place.spec())
    assert again.steps[0].action == "clear"
    del kept
    place.guests.begin(half)  # closing the generator undid it; the killed process would not have
    end = place.run(again)[-1]
    assert isinstance(end, PlanFinished)
    assert end.exit_code == 0
    assert [g.made for g in place.guests.list()] == [True]


def test_a_name_in_use_a_foreign_folder_and_an_unknown_guest(place: Place) -> None:
    made(place)
    with pytest.raises(Refused, match="already"):
        plan_of(place, place.spec("LAB"))
    foreign = place.guests.root / "mine"
    foreign.mkdir(parents=True)
    (foreign / "thesis.txt").write_text("dear")
    with pytest.raises(Refused, match="not made by this program"):
        plan_of(place, place.spec("mine"))
    assert (foreign / "thesis.txt").read_text() == "dear"
    with pytest.raises(Refused) as caught:
        place.guests.find("nobody")
    assert caught.value.reference == "no-such-guest"


def test_the_folder_of_somebody_else_is_never_removed(place: Place) -> None:
    made(place)
    guest = place.guests.find("lab")
    foreign = place.guests.root.parent / "elsewhere"
    foreign.mkdir()
    with pytest.raises(Refused, match="stays as it is"):
        place.guests.remove(replace(guest, folder=foreign))
    (guest.folder / "smartos-wizard.json").unlink()
    with pytest.raises(Refused, match="stays as it is"):
        place.guests.remove(guest)


def test_start_stop_and_reinstall_keep_what_the_guest_is(place: Place) -> None:
    made(place, disks=(40 * GIB, 40 * GIB))
    guest = place.guests.find("lab")
    place.run(plan_start(guest))
    driver = place.drivers[0]
    assert driver.inspect(guest).state is State.RUNNING
    disk = guest.disk(guest.spec.disks[0], "disk")
    other = guest.disk(guest.spec.disks[1], "disk")
    disk.write_text("data")
    other.write_text("kept")
    plan = plan_reinstall(guest, place, ["zones-1"], snapshot=True)
    assert plan.confirmation is not None
    assert plan.confirmation.tokens == ("lab",)
    assert [step.title for step in plan.steps if step.effect.value == "destroys"] == [str(disk)]
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    assert end.exit_code == 0
    assert disk.read_text() != "data"
    assert other.read_text() == "kept"
    after = place.guests.find("lab")
    assert after.spec == guest.spec
    assert driver.inspect(after).state is State.STOPPED
    assert driver.inspect(after).snapshots == ("before-reinstall",)
    with pytest.raises(Refused, match="no disk"):
        plan_reinstall(guest, place, ["zones-7"])
    with pytest.raises(Refused, match="nothing to do"):
        plan_reinstall(guest, place, ["zones-0", "zones-1"])


def test_delete_names_every_file_and_can_be_taken_up_after_a_cut(place: Place) -> None:
    made(place)
    guest = place.guests.find("lab")
    plan = plan_delete(guest, place)
    named = "\n".join(plan.steps[-1].details)
    for path in guest.folder.rglob("*"):
        assert str(path) in named
    for event in place.events(plan):
        if isinstance(event, StepStarted) and event.step == "forget":
            break
    half = place.guests.find("lab")
    assert not half.made
    place.run(plan_delete(half, place))
    assert left(place) == []


def test_snapshots_that_lose_something_are_confirmed(place: Place) -> None:
    made(place)
    guest = place.guests.find("lab")
    assert plan_snapshot(guest, "take", "a").confirmation is None
    assert plan_snapshot(guest, "restore", "a").confirmation is not None
    assert plan_snapshot(guest, "delete", "a").confirmation is not None
    place.run(plan_snapshot(guest, "take", "a"))
    end = place.run(plan_snapshot(guest, "take", "a"))[-1]
    assert isinstance(end, PlanFinished)
    assert end.exit_code == 4


def test_a_stuck_guest_is_switched_off(place: Place) -> None:
    made(place, "stuck")
    guest = place.guests.find("stuck")
    place.run(plan_start(guest))
    said = " ".join(str(event) for event in place.run(plan_stop(guest, patience=0.1)))
    assert "switching it off" in said
    assert place.drivers[0].inspect(guest).state is State.STOPPED


def test_what_is_not_as_asked_is_said(place: Place) -> None:
    end = made(place, "drifts")
    assert end.exit_code == 0
    assert end.result["drift"] == [["sound", "off", "on"]]


@pytest.mark.parametrize(
    ("wish", "reference"),
    [
        ({"memory": 512}, "too-little-memory"),
        ({"memory": 32000}, "too-much-memory"),
        ({"memory": 2049}, "odd-memory"),
        ({"cpus": 9}, "bad-cpus"),
        ({"disks": (10 * GIB,)}, "disk-too-small"),
        ({"memory": 16384, "disks": (20 * GIB,)}, "pool-too-small"),
        ({"disks": (40 * GIB,) * 17}, "bad-disks"),
        ({"sandbox": Sandbox.LAN}, "no-bridge"),
    ],
)
def test_what_cannot_be_is_named_before_anything_is_made(
    place: Place, wish: dict[str, Any], reference: str
) -> None:
    with pytest.raises(Refused) as caught:
        plan_of(place, place.spec(**wish))
    assert reference in caught.value.details["findings"]
    assert left(place) == []


@pytest.mark.parametrize("name", ["", " lab", "../lab", "lab/x", "x" * 64, "lab.", "a\nb", "-rf"])
def test_names_that_would_hurt_are_refused(place: Place, name: str) -> None:
    findings = judge(replace(place.spec(), name=name), place)
    assert "bad-name" in [finding.reference for finding in findings]


def test_no_room_and_a_taken_port_are_named(paths: Paths) -> None:
    import socket

    place = Place(paths, size=HostSize(32768, 8, GIB))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        findings = judge(place.spec(ssh_port=port), place)
    assert {"disk-full", "port-taken"} <= {finding.reference for finding in findings}


_NAMES = st.text(
    st.characters(whitelist_categories=("Lu", "Ll", "Nd"), whitelist_characters=" ._()'-"),
    min_size=1,
    max_size=40,
)


@given(
    name=_NAMES,
    memory=st.integers(1024, 1 << 20),
    disks=st.lists(st.integers(20 * GIB, 100 * GIB), min_size=1, max_size=6),
    box=st.sampled_from(list(Sandbox)),
    nested=st.booleans(),
)
def test_a_spec_is_the_same_after_a_way_through_its_file(
    name: str, memory: int, disks: list[int], box: Sandbox, nested: bool
) -> None:
    spec = GuestSpec(
        name, "8c72bfa1-4155-435b-a969-16f000bd6c34", "qemu", memory, 2, BootMedium(BootKind.ISO, "/a b/ü.iso"),
        tuple(DiskSpec(f"zones-{n}", size, keep=bool(n % 2)) for n, size in enumerate(disks)),
        (NicSpec("52:54:00:00:00:01"), NicSpec("52:54:00:00:00:02", "inner")), box, nested,
    )  # fmt: skip
    assert spec_toml.load(spec_toml.dump(spec)) == spec


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("schema = 99\n", Refused),
        ("not toml", UsageProblem),
        ("schema = 1\nname = 'x'\n", UsageProblem),
        ("schema = 1\nname = 5\n", UsageProblem),
    ],
)
def test_a_spoiled_spec_is_refused_by_name(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        spec_toml.load(text)


def test_drift_is_silent_about_what_is_not_told(place: Place) -> None:
    spec = place.spec()
    assert sandbox.drift(spec, Actual(State.STOPPED)) == ()
    found = sandbox.drift(spec, Actual(State.STOPPED, memory=1, switches={"usb": "on", "audio": "off"}))
    assert {(d.what, d.actual) for d in found} == {("USB pass-through", "on"), ("memory in MiB", "1")}


def test_the_script_says_the_same_in_words_a_shell_takes(place: Place, tmp_path: Path) -> None:
    plan = plan_of(place, place.spec("Ada's lab"))
    text = script_of(plan, "sh")
    file = tmp_path / "make.sh"
    file.write_text(text)
    assert subprocess.run(["sh", "-n", str(file)], check=False).returncode == 0
    assert ["practice", "register", "Ada's lab"] in [
        shlex.split(line) for line in text.splitlines() if line.startswith("practice")
    ]
    assert "'Ada''s lab'" in script_of(plan, "ps1")


def test_folders_have_plain_names() -> None:
    assert slug("Ada's Labör №7") == "ada-s-labor-no7"
    assert slug("💾") == "guest"
