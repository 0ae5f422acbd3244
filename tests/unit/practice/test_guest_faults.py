"""Practice guests that go wrong: each fault as a user meets it, with the plans that meet it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.events import Noted
from smartos_wizard.core.paths import Paths
from smartos_wizard.guests import sandbox, waiting
from smartos_wizard.guests.model import State
from smartos_wizard.guests.planning import judge, plan_delete, plan_start, plan_stop
from smartos_wizard.practice import guest_faults
from smartos_wizard.practice.guest_faults import FAULTS, faults_of
from tests.unit.guests.parts import Place, plan_of

DOC = Path(__file__).parents[3] / "docs" / "guests.md"


@pytest.fixture
def place(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "0.05")
    return Place(paths)


def made(place: Place, name: str) -> Any:
    end: Any = place.run(plan_of(place, place.spec(name)))[-1]
    assert end.exit_code == 0, end
    return place.guests.find(name)


def state(place: Place, guest: Any) -> State:
    found: State = place.drivers[0].inspect(guest).state
    return found


def test_faults_are_whole_words_of_a_name_and_all_are_in_the_docs() -> None:
    assert faults_of("slow-2 DIES") == {"slow", "dies"}
    assert faults_of("slowly, goldfull") == frozenset()
    told = set(re.findall(r"^\| `(\w+)` \|", DOC.read_text(encoding="utf-8"), re.MULTILINE))
    assert FAULTS.keys() <= told


def test_a_fault_is_told_before_anything_is_made(place: Place) -> None:
    found = {f.reference: f.level for f in judge(place.spec("old one"), place)}
    assert found == {"practice-fault": "info", "old-version": "warning"}
    assert judge(place.spec("lab"), place) == ()


@pytest.mark.parametrize(("name", "reference"), [("broken", "practice-fault"), ("full", "guest-disk-full")])
def test_what_fails_half_way_leaves_nothing(place: Place, name: str, reference: str) -> None:
    end: Any = place.run(plan_of(place, place.spec(name)))[-1]
    assert end.error.reference == reference
    assert list(place.guests.root.iterdir()) == []


def test_drift_comes_at_once_or_with_the_start(place: Place) -> None:
    drifts, forgetful = made(place, "drifts"), made(place, "forgetful")
    inspect = place.drivers[0].inspect
    assert [d.what for d in sandbox.drift(drifts.spec, inspect(drifts))] == ["sound"]
    assert sandbox.drift(forgetful.spec, inspect(forgetful)) == ()
    events = place.run(plan_start(forgetful))
    noted = [e for e in events if isinstance(e, Noted)]
    assert any("forgotten" in each.text for each in noted)
    (warned,) = [each for each in noted if each.reference == "drift"]
    assert (warned.level, warned.text) == ("warning", "shared clipboard: asked off, it is on")
    end: Any = events[-1]
    assert end.result["drift"] == [["shared clipboard", "off", "on"]]
    assert end.result["say"][0] == "forgetful runs, but not all is as asked."
    assert [d.what for d in sandbox.drift(forgetful.spec, inspect(forgetful))] == ["shared clipboard"]


def test_one_that_refuses_to_start_stays_off_and_says_why(place: Place) -> None:
    guest = made(place, "refuses")
    end: Any = place.run(plan_start(guest))[-1]
    assert end.error.reference == "guest-not-started"
    assert "kernel module" in end.error.message
    assert state(place, guest) is State.STOPPED


def test_a_slow_one_talks_bit_by_bit_and_is_waited_for(place: Place) -> None:
    guest = made(place, "slow")
    place.run(plan_start(guest))
    assert not guest.console.log.exists() or "login" not in guest.console.log.read_text()
    assert waiting.wait_for(guest.console.log, "login", 20).outcome == "seen"
    place.run(plan_stop(guest, force=True))


@pytest.mark.slow
def test_a_slow_one_that_is_stopped_falls_silent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "1")
    guest = made(place, "slow")
    place.run(plan_start(guest))
    place.run(plan_stop(guest, force=True))
    time.sleep(2.5)
    assert not guest.console.log.exists() or "login" not in guest.console.log.read_text()


@pytest.mark.parametrize(("name", "outcome"), [("silent", "late"), ("dies", "stopped")])
def test_a_silent_one_is_waited_for_in_vain_and_a_dying_one_not_for_long(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str, outcome: str
) -> None:
    monkeypatch.setattr(waiting, "_ASK", 0.1)
    guest = made(place, name)
    place.run(plan_start(guest))
    came = waiting.wait_for(
        guest.console.log, "login", 1.5, alive=lambda: waiting.still_on(guest, place.drivers[0])
    )
    assert came.outcome == outcome
    assert came.last[-1:] == (("panic: practice",) if name == "dies" else ())
    assert state(place, guest) is (State.STOPPED if name == "dies" else State.RUNNING)


def test_a_lost_one_is_missing_once_it_was_stopped_and_can_be_removed(place: Place) -> None:
    guest = made(place, "lost")
    place.run(plan_start(guest))
    assert state(place, guest) is State.RUNNING
    place.run(plan_stop(guest))
    assert state(place, guest) is State.MISSING
    end: Any = place.run(plan_delete(guest, place))[-1]
    assert end.exit_code == 0
    assert place.guests.list() == ()


def test_nothing_else_fails(place: Place) -> None:
    guest_faults.fail(("practice", "register", "lab"))
    guest_faults.fail(("practice", "forget", "broken"))
    guest_faults.refuse_start("lab")
    with pytest.raises(WizardError):
        guest_faults.refuse_start("refuses")
