"""Waiting for a text on a console: what counts, what does not, and how it ends."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from smartos_wizard.cli.main import cli
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.paths import Paths
from smartos_wizard.guests import waiting
from smartos_wizard.guests.planning import plan_start, plan_stop
from smartos_wizard.guests.waiting import Outcome, wait_for
from tests.unit.guests.parts import Place, plan_of


def later(*acts: Callable[[], object], gap: float = 0.25) -> None:
    """Do these things, one after the other, with a gap before each."""

    def work() -> None:
        for act in acts:
            time.sleep(gap)
            act()

    threading.Thread(target=work, daemon=True).start()


def add(log: Path, data: bytes) -> Callable[[], object]:
    def act() -> None:
        with log.open("ab") as file:
            file.write(data)

    return act


def test_a_text_in_two_pieces_is_found_and_all_of_it_is_passed_on(tmp_path: Path) -> None:
    log, out = tmp_path / "log", io.BytesIO()
    later(add(log, b"SmartOS\nlog"), add(log, b"in: "))
    came = wait_for(log, "login", 5, out)
    assert (came.outcome, came.text) == (Outcome.SEEN, "login:")
    assert out.getvalue() == b"SmartOS\nlogin: "
    assert came.last == ("SmartOS", "login:")


def test_what_is_not_said_is_late_and_the_last_lines_tell_why(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n\n\x1b[31mtwo\x1b[0m\r\n\xff\x07")
    came = wait_for(log, "never", 0.3)
    assert came.outcome is Outcome.LATE
    assert came.last[:2] == ("one", "two")
    assert wait_for(tmp_path / "none", "never", 0.2).last == ()


def test_escape_sequences_in_the_middle_hide_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\x1b[2J\x1b[1;1HSmart\x1b[1mOS\x1b[0m \x1b[7mSetup")
    assert wait_for(log, "setup", 1).outcome is Outcome.SEEN


@pytest.mark.parametrize("how", ["truncated", "replaced", "shrunk"])
def test_a_log_that_is_begun_anew_is_read_from_its_beginning(tmp_path: Path, how: str) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * 5000)

    def anew() -> None:
        if how == "replaced":
            fresh = tmp_path / "fresh"
            fresh.write_bytes(b"y" * 6000 + b"login: ")
            fresh.replace(log)
        elif how == "truncated":
            log.write_bytes(b"login: ")
        else:
            log.write_bytes(b"")
            time.sleep(0.3)
            add(log, b"login: ")()

    later(anew, gap=0.5)
    assert wait_for(log, "login", 5, begin=10).outcome is Outcome.SEEN


def test_a_guest_that_goes_off_ends_the_waiting_at_once_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_ASK", 0.2)
    log = tmp_path / "log"
    started = time.monotonic()
    alive = iter([True, False])

    def asked() -> bool:
        found = next(alive)
        if not found:
            add(log, b"panic: login was not to be\n")()  # said between the look and the question
        return found

    came = wait_for(log, "login", 60, alive=asked)
    assert came.outcome is Outcome.STOPPED
    assert came.last == ("panic: login was not to be",)
    assert time.monotonic() - started < 3


def test_much_text_at_once_is_read_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"z" * (3 << 20) + b"login: " + b"z" * (3 << 20))
    assert wait_for(log, "login", 5).outcome is Outcome.SEEN


# ---------------------------------------------------------------------- what counts: since the last start


def test_only_what_was_said_since_the_last_start_counts(paths: Paths) -> None:
    place = Place(paths)
    place.run(plan_of(place, place.spec()))
    guest = place.guests.find("lab")
    log = guest.console.log
    assert log is not None
    place.run(plan_start(guest))
    assert waiting.started_at(guest) == 0
    add(log, b"said in the first life\n")()
    place.run(plan_start(guest))  # it runs: nothing begins anew
    assert waiting.started_at(guest) == 0
    first = log.stat().st_size
    place.run(plan_stop(guest, force=True))
    place.run(plan_start(guest))
    assert waiting.started_at(guest) == first
    assert wait_for(log, "first life", 0.3, begin=waiting.started_at(guest)).outcome is Outcome.LATE
    log.write_bytes(b"begun anew")  # shorter than the mark: the mark is of another log
    assert waiting.started_at(guest) == 0
    (guest.folder / "console.start").write_text("nonsense")
    assert waiting.started_at(guest) == 0


# ---------------------------------------------------------------------- by command


def run(*words: str) -> Any:
    return CliRunner().invoke(cli, ["--practice", "guest", *words], standalone_mode=False)


@pytest.fixture
def lab() -> Any:
    """A guest in the practice world, off."""
    from smartos_wizard.world import build

    world = build(True)
    place = Place(world.paths)
    place.run(plan_of(place, place.spec()))
    yield place.guests.find("lab")
    world.close()


def test_by_command_a_guest_that_is_off_is_refused_at_once(lab: Any) -> None:
    del lab
    failed = run("console", "lab", "--wait", "login", "--timeout", "60").exception
    assert isinstance(failed, Refused)
    assert failed.reference == "guest-not-running"
    assert isinstance(run("console", "lab", "--json").exception, UsageProblem)


def test_by_command_the_exit_code_is_the_truth_and_json_says_what_was_seen(lab: Any) -> None:
    assert run("start", "lab", "--wait", "login", "--timeout", "20").return_value == 0
    seen = run("console", "lab", "--wait-for", "setup", "--json", "--timeout", "30")
    assert seen.return_value == 0
    told = json.loads(seen.stdout)
    assert (told["outcome"], told["text"], told["guest"]) == ("seen", "SmartOS Setup", "lab")
    late = run("console", "lab", "--wait", "login", "--new", "--timeout", "0.3")
    assert late.return_value == 1
    assert "did not appear" in late.stderr
    heard = run("console", "lab", "--wait", "login", "--timeout", "30")
    assert heard.return_value == 0
    assert "login:" in heard.stdout


def test_by_command_starting_and_waiting_is_one(lab: Any) -> None:
    del lab
    assert run("start", "lab", "--wait", "login", "--dry-run").return_value == 0
    late = run("start", "lab", "--wait", "never said", "--timeout", "0.3", "--json")
    assert late.return_value == 1
    lines = [json.loads(line) for line in late.stdout.splitlines()]
    assert (lines[0]["event"], lines[-1]["outcome"]) == ("plan-started", "late")
