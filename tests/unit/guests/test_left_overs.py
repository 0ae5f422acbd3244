"""What `doctor` finds of guests: everything that was left over, nothing that is in use, each with what clears it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.cli.main import cli
from smartos_wizard.core import journal
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.vault import Vault
from smartos_wizard.guests import console_tee
from smartos_wizard.guests.left_overs import LeftOver, look
from smartos_wizard.guests.planning import plan_delete, plan_start, plan_stop
from tests.unit.guests.parts import Place, plan_of


@pytest.fixture
def place(paths: Paths) -> Place:
    return Place(paths)


def made(place: Place, name: str = "lab") -> Any:
    place.run(plan_of(place, place.spec(name)))
    return place.guests.find(name)


def found(place: Place) -> dict[str, LeftOver]:
    return {each.kind: each for each in look(place, lambda _words: None)}


def test_of_a_whole_guest_that_runs_nothing_is_left_over(place: Place) -> None:
    guest = made(place)
    guest.sockets.mkdir(parents=True)
    place.run(plan_start(guest))
    said: list[str] = []
    assert look(place, said.append) == ()
    assert said == ["Looking at the guest lab …"]


def test_what_broke_off_and_what_was_forgotten_is_named_with_what_removes_it(place: Place) -> None:
    half = made(place, "half made")
    place.guests.begin(half)
    lost = made(place, "lost")
    place.run(plan_start(lost))
    place.run(plan_stop(lost))
    things = found(place)
    assert (
        things["half-made"].how == "smartos-wizard --practice guest delete 'half made' --confirm 'half made'"
    )
    assert things["unknown-to-hypervisor"].where == str(lost.folder)
    assert "Practice hypervisor does not know the guest lost" in things["unknown-to-hypervisor"].text


def test_a_guest_that_is_just_being_made_is_not_left_over(place: Place) -> None:
    plan = plan_of(place, place.spec())
    job = journal.create(place.paths.jobs, plan, practice=True)
    events = journal.recorded(job, place.events(plan))
    for event in events:
        if getattr(event, "step", "") == "check":
            assert look(place, lambda _words: None) == ()
            break
    else:
        pytest.fail("it was made before it was looked at")
    events.close()  # type: ignore[attr-defined]


def test_strange_and_unreadable_folders_and_old_sockets_are_named_and_left_alone(place: Place) -> None:
    guest = made(place)
    root = place.guests.root
    (root / "mine" / "deep").mkdir(parents=True)
    (guest.folder / "guest.toml").write_text("nonsense")
    sockets = place.guests.sockets_of("0123456789").parent / "01234567"
    sockets.mkdir(parents=True)
    (root / "link").symlink_to(root / "mine")
    things = found(place)
    assert things["strange-folder"].where == str(root / "mine")
    assert things["unreadable-guest"].where == str(guest.folder)
    assert things["sockets"].where == str(sockets)
    assert shlex.split(things["sockets"].how) == ["rm", "-r", str(sockets)]
    assert (root / "mine" / "deep").is_dir()


@pytest.fixture
def tee(place: Place) -> Iterator[Callable[[Path], subprocess.Popen[bytes]]]:
    """Starts consoles; each is ended with the test."""
    started = []

    def start(folder: Path) -> subprocess.Popen[bytes]:
        folder.mkdir(parents=True, exist_ok=True)
        started.append(console_tee.start(folder / "none", folder / "console", folder / "console.log", 30))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait()


def test_a_console_without_its_guest_is_found_among_all_processes_and_no_other(
    place: Place, tee: Callable[[Path], subprocess.Popen[bytes]]
) -> None:
    guest = made(place)
    gone = tee(place.guests.root / "gone")
    tee(guest.folder)
    reader = subprocess.Popen(["sleep", "30"], env={**os.environ, "X": str(place.guests.root / "gone")})
    pager = subprocess.Popen(["tail", "-f", str(place.guests.root / "gone" / "console.log")],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        things = [t for t in look(place, lambda _words: None) if t.kind == "process"]
    finally:
        for each in (reader, pager):
            each.kill()
            each.wait()
    assert [thing.how for thing in things] == [f"kill {gone.pid}"]
    assert "console of a guest" in things[0].text


def test_secrets_are_told_apart_by_the_work_they_wait_for(place: Place) -> None:
    choices = BootChoices(console="ttya", answers={"hostname": "x", "root_password": "geheim"})
    assert found(place) == {}
    plan = plan_of(place, place.spec(key=True), choices)
    thing = found(place)["secret"]
    assert "never begun" in thing.text
    assert Path(thing.where).is_file()
    job = journal.create(place.paths.jobs, plan, practice=True)
    thing = found(place)["secret"]
    assert f"job dismiss {job.id}" in thing.how
    assert "geheim" not in json.dumps(thing.to_json())
    Vault(place.paths).forget_of(plan)
    assert found(place) == {}


@pytest.mark.parametrize("after", ["made anew", "removed"])
def test_the_secret_of_what_broke_off_goes_with_it(place: Place, after: str) -> None:
    choices = BootChoices(console="ttya", answers={"hostname": "x", "root_password": "geheim"})
    plan = plan_of(place, place.spec(key=True), choices)
    job = journal.create(place.paths.jobs, plan, practice=True)
    events = journal.recorded(job, place.events(plan))
    while getattr(next(events), "step", "") != "register":
        pass
    vault = place.paths.state / "vault"
    assert len(list(vault.iterdir())) == 1  # so that it can be taken up
    del events  # nobody works on it any more
    again = (
        plan_delete(place.guests.find("lab"), place)
        if after == "removed"
        else plan_of(place, place.spec(key=True), choices)
    )
    place.run(again)
    assert list(vault.iterdir()) == []
    assert place.guests.list() == () if after == "removed" else place.guests.find("lab").made


# ---------------------------------------------------------------------- by command


def doctor(*words: str) -> Any:
    return CliRunner().invoke(cli, ["--practice", *words], standalone_mode=False)


def test_by_command_doctor_lists_them_and_what_it_says_to_do_clears_them() -> None:
    from smartos_wizard.world import build

    assert json.loads(doctor("doctor", "--json").stdout)["left_over"] == []
    world = build(True)
    place = Place(world.paths)
    place.guests.begin(made(place))
    plan = plan_of(place, place.spec("other", key=True), BootChoices(console="ttya"))
    job = journal.create(world.paths.jobs, plan, practice=True)
    time.sleep(0.01)
    shown = doctor("doctor", "--json")
    told = json.loads(shown.stdout)
    assert "Looking for Practice hypervisor" in shown.stderr
    assert [each["title"] for each in told["hypervisors"]] == ["Practice hypervisor"]
    assert {each["kind"] for each in told["left_over"]} == {"half-made", "secret"}
    said = doctor("doctor").stdout
    assert "Left over:\n" in said
    for command in ("guest delete lab --confirm lab", f"job dismiss {job.id}"):
        assert command in said
        assert not doctor(*command.split()).exception
    assert "Nothing was left over" in doctor("doctor").stdout
    world.close()
