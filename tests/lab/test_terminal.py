"""In a real terminal (tmux): the whole practice path, resizing, Ctrl-C, a closed terminal (F16, F30)."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.rig import command, parts
from tests.lab.rig.terminal import Terminal, terminal

pytestmark = pytest.mark.lab

FAST = {"SMARTOS_WIZARD_PRACTICE_SPEED": "0"}
GREYS = {0, 7, 8, 15, 16, 59, 102, 145, 188, 231, *range(232, 256)}
TAIL = "0179"
"""What must be typed to erase /practice/sdb."""


@pytest.fixture(scope="module")
def practice_home(space: Path) -> Path:
    """One practice world for all: its images are made and its release is downloaded once."""
    parts.need_programs(["tmux", "stty"])
    home = space / "practice"
    home.mkdir()
    done = command.run(home, "--practice", "release", "download", "latest", "--json", more=FAST)
    assert done.code == 0, done.told()
    return home


@pytest.fixture(autouse=True)
def _no_old_jobs(practice_home: Path) -> None:
    """What an earlier test left unfinished would be the first thing Home offers."""
    for jobs in practice_home.glob("**/jobs"):
        shutil.rmtree(jobs)


@pytest.fixture
def tty(practice_home: Path) -> Iterator[Terminal]:
    with terminal(practice_home, **FAST) as made:
        yield made


def to_review(tty: Terminal) -> None:
    """From Home to the plan for /practice/sdb."""
    tty.wait("What do you want to do?", "Newest")
    tty.press("Enter")
    tty.wait("Which release", "▸")
    tty.press("Enter")
    tty.wait("Which disk becomes the key", "/practice/sdb")
    tty.press("Home")
    for _ in range(4):
        time.sleep(0.5)
        if "▸ /practice/sdb" in tty.screen():
            break
        tty.press("Down")
        if "▸ /practice/sdb" in tty.wait("▸ /practice/"):
            break
    tty.press("Enter")
    tty.wait("What the machine is told at boot")
    tty.press("F2")  # left as released
    tty.wait("DESTROYS", "not armed")


def to_writing(tty: Terminal) -> None:
    to_review(tty)
    tty.press("BTab")
    tty.type(TAIL)
    tty.wait("  armed")
    tty.press("Tab", "Tab", "Enter")
    tty.wait("safe on the device")


def leave(tty: Terminal) -> int:
    tty.press("F10")
    return tty.ended()


def test_the_whole_practice_path_to_a_proven_key(tty: Terminal) -> None:
    tty.start("--practice")
    to_writing(tty)
    seen = tty.wait("PROVEN", seconds=120)
    assert "Every byte was read back" in seen
    assert leave(tty) == 0


def test_nothing_is_written_before_the_typed_confirmation(tty: Terminal) -> None:
    tty.start("--practice")
    to_review(tty)
    tty.press("Enter")  # the safe button has the focus
    tty.wait("What the machine is told at boot")
    assert leave(tty) == 0


def test_resize_storms_do_no_harm(tty: Terminal) -> None:
    tty.start("--practice")
    to_writing(tty)
    for width, height in ((120, 36), (60, 20), (20, 5), (200, 60), (80, 24), (61, 21), (80, 24)) * 2:
        tty.resize(width, height)
        time.sleep(0.05)
    tty.wait("PROVEN", seconds=120)
    for width, height in ((60, 20), (120, 36), (80, 24)):
        tty.resize(width, height)
        tty.wait("PROVEN", seconds=10)
    assert leave(tty) == 0


def test_ctrl_c_at_home_leaves_a_sane_terminal(tty: Terminal) -> None:
    tty.start("--practice")
    tty.wait("What do you want to do?")
    tty.press("C-c")
    assert tty.ended() in (0, 130)


def test_ctrl_c_while_writing_asks_first(practice_home: Path) -> None:
    with terminal(practice_home, SMARTOS_WIZARD_PRACTICE_SPEED="1") as tty:
        tty.start("--practice")
        to_writing(tty)
        before = tty.screen()
        tty.press("C-c")
        time.sleep(1)
        assert "ENDED" not in tty.screen(), before
        assert tty.screen() != before
        tty.press("Escape")
        tty.press("c")
        time.sleep(1)
        tty.press("BTab", "Enter")
        time.sleep(1)
        running = command.run(practice_home, "--practice", "job", "list", "--json")
        for job in running.document:
            command.run(practice_home, "--practice", "job", "cancel", job["id"])


def test_a_closed_terminal_ends_no_job_and_the_next_start_follows_it(practice_home: Path) -> None:
    with terminal(practice_home, SMARTOS_WIZARD_PRACTICE_SPEED="1") as tty:
        tty.start("--practice")
        to_writing(tty)
    jobs = command.run(practice_home, "--practice", "job", "list", "--json").document
    running = [job for job in jobs if job["state"] == "running"]
    assert len(running) == 1, jobs
    with terminal(practice_home) as tty:
        tty.start("--practice")
        tty.wait("Unfinished")
        leave(tty)
    asked = command.run(practice_home, "--practice", "job", "cancel", running[0]["id"], "--json")
    assert asked.code == 0
    ended = command.run(practice_home, "--practice", "job", "attach", running[0]["id"], "--json")
    assert ended.code == 3, ended.told()


def test_the_practice_command_has_the_documented_exit_codes(practice_home: Path) -> None:
    def practice(*words: str) -> command.Outcome:
        return command.run(practice_home, "--practice", *words, "--json", more=FAST)

    disks = {disk["path"]: disk for disk in practice("key", "list", "--all").document}
    assert disks["/practice/sda"]["withheld"]
    codes = {}
    for path in ("/practice/sda", "/practice/sdd", "/practice/sde", "/practice/sdb"):
        outcome = practice("key", "write", path, "--release", "latest", "--confirm", disks[path]["serial"])
        codes[path] = outcome.code
        if outcome.code:
            assert outcome.last["exit_code"] == outcome.code, outcome.told()
    assert codes == {"/practice/sda": 4, "/practice/sdd": 4, "/practice/sde": 4, "/practice/sdb": 0}


def test_f11_the_practice_key_that_lies_and_the_one_that_leaves(practice_home: Path) -> None:
    ends = {}
    disks = command.run(practice_home, "--practice", "key", "list", "--json").document
    for disk in disks:
        if disk["path"] in ("/practice/sdb", "/practice/sdc"):
            continue
        words = ["key", "write", disk["path"], "--release", "latest", "--confirm", disk["token"], "--json"]
        outcome = command.run(practice_home, "--practice", *words, more=FAST)
        ends[disk["path"]] = outcome.code
    assert 8 in ends.values(), ends
    assert 10 in ends.values(), ends


def test_the_plain_wizard_asks_line_by_line(practice_home: Path) -> None:
    with terminal(practice_home, width=100, height=50, **FAST) as tty:
        tty.start("--practice", "--plain")
        tty.wait("Answer with a number")
        tty.type("q")
        tty.press("Enter")
        assert tty.ended() == 0


def test_without_a_terminal_the_wizard_says_so(practice_home: Path) -> None:
    outcome = command.run(practice_home, "--practice")
    assert outcome.code == 2
    assert "--plain" in outcome.stderr
    assert not outcome.stdout


def test_no_escape_codes_and_no_utf8_where_the_terminal_has_none(practice_home: Path) -> None:
    with terminal(practice_home, NO_COLOR="1", **FAST) as tty:
        tty.start("--practice", "--ascii")
        seen = tty.wait("What do you want to do?")
        assert seen.isascii(), seen
        colours = {int(code) for code in re.findall(r"[34]8;5;(\d+)", tty.tmux("capture-pane", "-p", "-e"))}
        assert colours <= GREYS, f"colours in spite of NO_COLOR: {colours - GREYS}"
        assert leave(tty) == 0
