"""The road to a clean machine line by line, on a terminal of its own in the practice world."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.screens import test_plain
from tests.screens.test_plain import Talk, number

Start = Callable[[], Talk]
talk = test_plain.talk
pytestmark = pytest.mark.slow


def choose(one: Talk, question: str, words: str) -> str:
    """Answer with the number of the line that begins with `words`; what was said before."""
    said = one.hear(f"{question}[^\n]*: ")
    one.answer(re.findall(rf"(?:^|[.\s])(\d+)\. {re.escape(words)}", one.said)[-1])
    return said


def to_way(one: Talk, name: str) -> None:
    """From Home to the ways, without a backup."""
    one.reply("want to do", number(one, "Re-install"))
    choose(one, "Which machine", f"{name}:")
    choose(one, "What next", "Go on")
    choose(one, "to be kept", "Go on without")
    choose(one, "Without a backup", "Keep nothing")


def test_line_by_line_a_machine_is_made_clean_and_its_other_pool_lives(talk: Start, world: Any) -> None:
    one = talk()
    to_way(one, "second-pool")
    said = choose(one, "Which way", "Way C")
    assert "DIES: zones (guid 10417391262571231811)" in said
    assert "lives: tank (guid 2216402551220348012)" in said
    one.reply("Do you agree \\(manual-layout", "2")
    one.reply("Do you agree \\(no-backup", "2")
    assert "zpool create zones raidz c1t0d0 c1t1d0 c1t2d0" in choose(one, "What next", "To the plan")
    one.reply("To arm it, type second-pool:zones", "second-pool:zones")
    one.hear("Not armed")
    assert not world.paths.jobs.exists()
    one.reply("To arm it", "no-backup second-pool:zones manual-layout")
    one.hear("Key 2: Press r")
    one.reply("Is this its key", "2")
    one.hear("is destroyed", 60)
    one.reply("Is this its key", "2")
    one.hear("Receipt: ", 60)
    one.reply("want to do", "q")
    assert one.code() == 0
    state = json.loads((world.paths.state / "hosts.json").read_text())["second-pool"]
    assert state["destroyed"] == ["10417391262571231811"]


def test_line_by_line_a_backup_is_made_and_stands_in_the_plan(
    talk: Start, world: Any, tmp_path: Path
) -> None:
    one = talk()
    one.reply("want to do", number(one, "Re-install"))
    choose(one, "Which machine", "plain:")
    choose(one, "What next", "Go on")
    choose(one, "to be kept", "Make a backup")
    choose(one, "Which of these", "All of them")
    one.reply("Into which directory", str(tmp_path / "kept"))
    choose(one, "Back up\\?", "Do it")
    one.hear("Step 4, way", 60)
    assert (tmp_path / "kept" / "manifest.json").exists()
    choose(one, "Which way", "Way A")
    choose(one, "What next", "To the plan")
    one.reply("To arm it, type plain:zones,", "b")
    one.reply("What next", "q")
    assert one.code() == 0
    del world


def test_line_by_line_what_is_refused_is_said_and_what_is_nonsense_is_asked_again(
    talk: Start, world: Any, tmp_path: Path
) -> None:
    del world
    one = talk()
    one.reply("want to do", number(one, "Re-install"))
    one.reply("Which machine", "99")
    one.hear("Please answer with a number")
    choose(one, "Which machine", "zone:")
    one.hear("not-the-global-zone")
    one.reply("want to do", number(one, "Re-install"))
    choose(one, "Which machine", "A survey from a file")
    one.reply("Which file", str(tmp_path / "none"))
    one.hear("no-such-file")
    to_way(one, "bootable")
    choose(one, "Which way", "Way A")
    one.hear("Refused: The machine boots from zones")
    choose(one, "Which way", "A runbook")
    one.reply("runbook of which way", "3")
    one.hear("no-medium|nothing might boot")
    one.reply("Which way", "q")
    assert one.code() in (0, 2, 4)


def test_line_by_line_a_runbook_is_walked_and_its_marks_are_kept(
    talk: Start, world: Any, tmp_path: Path
) -> None:
    del world
    one = talk()
    to_way(one, "second-pool")
    choose(one, "Which way", "A runbook")
    one.reply("runbook of which way", "4")
    one.reply("Step 1 of 10", "1")
    one.reply("Step 2 of 10", "3")
    one.reply("As what", "1")
    one.reply("Which file", str(tmp_path / "book.txt"))
    one.hear("Written: ")
    one.reply("Step 2 of 10", "b")
    one.reply("Which way", "q")
    assert one.code() == 0
    assert "zpool destroy zones" in (tmp_path / "book.txt").read_text()
    again = talk()
    again.reply("want to do", number(again, "Re-install"))
    choose(again, "Which machine", "A runbook")
    again.reply("Which runbook", "1")
    again.reply("Step 2 of 10", "q")
    assert again.code() == 0


def test_line_by_line_a_backup_comes_back(talk: Start, world: Any, tmp_path: Path) -> None:
    from tests.screens import restore_parts

    restore_parts.make_backup(world, tmp_path / "kept")
    one = talk()
    one.reply("want to do", number(one, "Re-install"))
    choose(one, "Which machine", "Put a backup back")
    choose(one, "Which backup", "plain,")
    choose(one, "On which machine", "wiped:")
    said = choose(one, "What next", "Yes: /usbkey")
    assert "This is a backup of plain, and the machine is wiped." in said
    assert "No: /usbkey/config, the network settings: differs" in said
    choose(one, "What next", "Yes: web")
    choose(one, "What next", "To the plan")
    one.reply("To arm it, type wiped", "wiped")
    one.hear("vmadm knows 5d1c9b1e", 60)
    one.reply("want to do", "q")
    assert one.code() == 0
    state = json.loads((world.paths.state / "hosts.json").read_text())["wiped"]
    assert state["back"] == ["5d1c9b1e-2f64-6a0e-8f5e-aa12cd34ef56"]
    assert list(state["files"]) == ["opt/custom/smf/backup.xml"]


def test_line_by_line_a_run_that_was_cut_off_is_taken_back(talk: Start, world: Any) -> None:
    from tests.screens.test_restore import cut_off

    _, job = cut_off(world, "running-vms")
    one = talk()
    one.reply("want to do", number(one, "Re-install running-vms"))
    choose(one, "What shall be done", "Take it up")
    said = choose(one, "Go on, or take it back", "Take it back")
    assert "those that were stopped are started again" in said
    one.reply("want to do", "q")
    assert one.code() == 0
    state = json.loads((world.paths.state / "hosts.json").read_text())["running-vms"]
    assert "stopped" not in state["states"].values()
    assert job.seen_file.exists()


def test_line_by_line_an_inventory_is_typed_whole_before_anything_begins(
    talk: Start, world: Any, tmp_path: Path
) -> None:
    from tests.screens.test_reinstall_inventory import gone, inventory

    world.clock = time.time  # as the wizard of the terminal: its surveys are fresh
    file = inventory(world, tmp_path, "plain", "running-vms")
    one = talk()
    one.reply("want to do", number(one, "Re-install"))
    choose(one, "Which machine", "Several machines")
    one.reply("Which inventory", str(file))
    one.reply("To arm it", "plain:zones no-backup")
    one.hear("Not armed")
    one.reply("To arm it", "b")
    assert gone(world, "plain") == []
