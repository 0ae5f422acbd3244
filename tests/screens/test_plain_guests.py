"""Guests line by line, on a terminal of its own in the practice world: made, started, looked at, removed."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.cli.plain_guest_new import PlainSandbox
from smartos_wizard.cli.plain_voice import Voice
from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core import journal
from smartos_wizard.practice.stamps import NEWEST
from smartos_wizard.screens.desk import Desk
from tests.screens import test_plain
from tests.screens.test_plain import Talk, number

Start = Callable[[], Talk]
talk = test_plain.talk


def to_size(one: Talk) -> None:
    """From Home to the questions of size."""
    one.reply("want to do", number(one, "Try SmartOS"))
    one.reply("which hypervisor", "1")
    one.reply("Which release", "1")
    one.hear("Step 3")


def to_review(one: Talk, *, sandbox: str = "2", who: str = "2") -> None:
    """From the size, taken as proposed, to the review."""
    one.reply("Enter goes on", "")
    one.reply("Which sandbox", sandbox)
    one.reply("Who answers", who)


def act(one: Talk, words: str) -> str:
    """Choose what is done with the guest; what was said before."""
    listed = one.hear("shall be done with[^\n]*: ")
    one.answer(re.findall(rf"^(\d+)\. {re.escape(words)}", listed, re.MULTILINE)[-1])
    return listed


def guests(world: Any) -> dict[str, Any]:
    """The guests there are, by name."""
    return {guest.name: guest for guest in world.guests.list()}


@pytest.mark.slow
def test_line_by_line_a_guest_is_made_started_waited_for_and_removed(talk: Start, world: Any) -> None:
    one = talk()
    to_size(one)
    assert "zones" not in one.said
    one.reply("Enter goes on", "4")
    one.reply("Disks", "raidz1")
    assert "4. Data disks: 3 of 20.0 GiB" in one.hear("raidz  3 disks")
    to_review(one, who="1")
    said = one.hear("1\\. Make it")
    assert "Know before: When it is first started it sets itself up" in said
    assert "guest create lab --release" in said
    assert "--hands-off" in said
    one.reply("Make it", "1")
    password = re.findall("said this once: (\\S+)", one.hear("said this once: \\S+", 60))[0]
    one.reply("Start it", "1")
    one.hear("lab runs")
    act(one, "Wait for")
    one.reply("For which text", "")
    one.hear("“login:” is there")
    act(one, "Hear what its console said")
    assert "> SmartOS Setup" in one.hear("> lab login:")
    act(one, "How to reach it")
    one.hear("guest console lab")
    act(one, "Stop it")
    one.reply("How\\?", "1")
    assert "1. Start it" in act(one, "Remove it")
    assert "key.img" in one.hear("Not touched")
    one.reply("type the guest's name", "la")
    one.hear("Nothing was done")
    assert "lab" in guests(world)
    act(one, "Remove it")
    one.reply("type the guest's name", "lab")
    one.hear("are gone")
    one.reply("want to do", "q")
    assert one.code() == 0
    assert guests(world) == {}
    assert one.said.count(password) == 1
    kept = [p for p in world.paths.jobs.rglob("*") if p.is_file()]
    assert kept
    assert not [p for p in kept if password.encode() in p.read_bytes()]


@pytest.mark.slow
def test_line_by_line_what_cannot_be_is_said_and_nothing_is_made(talk: Start, world: Any) -> None:
    one = talk()
    to_size(one)
    for number_of, question, words, said in (
        ("1", "Its name", "a/b", None), ("2", "Memory", "lots", "no size"), ("3", "Processors", "none", "a number"),
        ("4", "Disks", "raidz3", "for no number chooses raidz3"), ("4", "Disks", "17x40GB", "1 to 16"),
        ("2", "Memory", "100TiB", None), ("4", "Disks", "40 elephants", "is no disk"),
    ):  # fmt: skip
        one.reply("Enter goes on", number_of)
        one.reply(question, words)
        if said:
            one.hear(said)
    one.reply("Enter goes on", "")
    told = one.hear("has to be put right first")
    assert "cannot be the name of a guest" in told
    assert "With more both would come to a halt" in told
    one.reply("Enter goes on", "2")
    one.reply("Memory", "-")
    one.reply("Enter goes on", "1")
    one.reply("Its name", "lab")
    one.reply("Enter goes on", "5")
    assert "(bhyve): yes" in one.hear("Enter goes on[^\n]*: ")
    one.answer("")
    one.reply("Which sandbox", "b")
    one.reply("Enter goes on", "")
    one.reply("Which sandbox", "1")
    one.reply("Who answers", "2")
    one.hear("--nested --sandbox sealed")
    one.reply("Make it", "2")
    one.reply("Who answers", "b")
    one.reply("Which sandbox", "b")
    one.reply("Enter goes on", "b")
    one.reply("Which release", "b")
    one.reply("which hypervisor", "b")
    one.reply("want to do", number(one, "Your guests"))
    one.hear("There are no guests yet")
    one.reply("want to do", "q")
    assert one.code() == 0
    assert not journal.list_jobs(world.paths.jobs)
    assert not list((world.paths.state / "vault").glob("*"))


def test_line_by_line_answers_of_ones_own_for_a_sealed_guest_are_judged(
    talk: Start,
    world: Any,
    tmp_path: Path,
) -> None:
    del world
    (tmp_path / "a.json").write_text(json.dumps({"install_pkgsrc": "yes", "admin_ip": "dhcp"}))
    one = talk()
    to_size(one)
    to_review(one, sandbox="1", who="3")
    listed = one.hear("Enter goes on[^\n]*: ")
    one.answer(re.findall(r"^(\d+)\. Answers", listed, re.MULTILINE)[-1])
    one.reply("Answers\\?", "2")
    one.reply("The answers file", str(tmp_path / "a.json"))
    one.reply("Enter goes on", "")
    one.hear("a sealed guest has no way out")
    one.reply("Who answers", "q")
    assert one.code() == 4


@pytest.fixture
def lab(world: Any) -> Any:
    """A guest of two disks in the practice world, off."""
    from tests.unit.guests.parts import GIB, Place, plan_of

    place = Place(world.paths)
    place.run(plan_of(place, place.spec(disks=(40 * GIB, 40 * GIB))))
    return guests(world)["lab"]


@pytest.mark.slow
def test_line_by_line_snapshots_and_as_new_again_want_the_whole_name(
    talk: Start, world: Any, lab: Any
) -> None:
    first = lab.folder / "zones-0.disk"
    (lab.folder / "zones-1.disk").write_text("kept")
    first.write_text("used")
    one = talk()
    one.reply("want to do", number(one, "Your guests"))
    one.reply("Which guest", "1")
    act(one, "Snapshots")
    one.reply("Snapshots, of all", "1")
    one.reply("A name for it", "clean")
    act(one, "Snapshots")
    assert "Go back to clean" in one.reply("Snapshots, of all", "2")
    assert "DESTROYS" in one.reply("type the guest's name", "b")
    act(one, "Snapshots")
    one.reply("Snapshots, of all", "3")
    one.reply("type the guest's name", "lab")
    act(one, "As new again")
    one.reply("zones-0\\?", "1")
    one.reply("zones-1\\?", "2")
    one.reply("Snapshot\\?", "2")
    assert "zones-0.disk" in one.hear("type the guest's name[^\n]*: ")
    one.answer("lab")
    act(one, "Hear what its console said")
    one.hear("said nothing yet")
    one.reply("shall be done with", "b")
    one.reply("Which guest", "b")
    one.reply("want to do", "q")
    assert one.code() == 0
    assert "used" not in first.read_text()
    assert (lab.folder / "zones-1.disk").read_text() == "kept"


def test_line_by_line_drift_and_what_broke_off_are_told(talk: Start, world: Any, lab: Any) -> None:
    from tests.unit.guests.parts import Place, plan_of

    place = Place(world.paths)
    place.run(plan_of(place, place.spec("drifts")))
    place.guests.begin(lab)
    one = talk()
    one.reply("want to do", number(one, "Your guests"))
    one.reply("Which guest", "1")
    one.hear("Not as asked: sound: asked off, it is on")
    one.reply("shall be done with", "b")
    assert "2. lab: half-made" in one.reply("Which guest", "2")
    one.hear("Making it broke off")
    act(one, "Remove it")
    one.reply("type the guest's name", "lab")
    one.hear("are gone")
    one.reply("Which guest", "b")
    one.reply("want to do", "q")
    assert one.code() == 0


@pytest.mark.slow
def test_line_by_line_making_that_was_killed_is_taken_up(
    talk: Start,
    world: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from smartos_wizard.boot.model import BootChoices
    from tests.unit.guests.parts import Place, plan_of

    place = Place(world.paths)
    plan = plan_of(place, place.spec(key=True), BootChoices(console="ttya"))
    job = journal.create(world.paths.jobs, plan, practice=True)
    events = journal.recorded(job, place.events(plan))
    while getattr(next(events), "step", "") != "disk-zones-0":
        pass
    del events  # a process that is gone writes nothing more
    one = talk()
    one.reply("want to do", "1")
    one.reply("shall be done", "1")
    one.hear("lab is made")
    one.reply("want to do", "q")
    assert one.code() == 0
    assert guests(world)["lab"].made


@pytest.mark.slow
def test_line_by_line_what_fails_half_way_is_told_and_leaves_nothing(talk: Start, world: Any) -> None:
    one = talk()
    to_size(one)
    one.reply("Enter goes on", "1")
    one.reply("Its name", "full")
    one.reply("Enter goes on", "")
    one.reply("Which sandbox", "3")
    if "To which" in one.hear("To which network card[^\n]*: |no network card that is up"):
        one.answer("b")  # back to the sandbox, not to the size
    one.reply("Which sandbox", "2")
    one.reply("Who answers", "2")
    one.hear("“full” in its name asks for a fault")
    one.reply("Make it", "1")
    one.hear("No space left on device", 60)
    one.reply("Who answers", "q")
    assert one.code() == 7
    assert guests(world) == {}


class Scripted(Voice):
    """Takes answers from a list, and keeps what was said."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._answers = list(answers)

    def say(self, line: str = "") -> None:
        self.said.append(line)

    def ask(self, question: str) -> str:
        self.said.append(question)
        return self._answers.pop(0)


def test_where_no_hypervisor_is_here_each_is_named_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smartos_wizard.world import build

    monkeypatch.setenv("PATH", str(tmp_path))
    real = build(False)
    voice = Scripted()
    assert PlainSandbox(PlainWork(Desk(real), voice), ascii_only=False).run() is None
    said = "\n".join(voice.said)
    for title in ("VirtualBox", "VMware", "QEMU"):
        assert f"Not offered: {title}: not here." in said
    assert "apt install qemu-system-x86" in said
    assert "There is none here" in said


@pytest.mark.slow
def test_line_by_line_from_an_iso_and_from_a_file_of_ones_own(
    talk: Start, world: Any, tmp_path: Path
) -> None:
    bad = tmp_path / "notes.txt"
    bad.write_text("These are notes. " * 4000)
    own = tmp_path / "my own.img.gz"
    shutil.copy(Desk(world).stored_image(NEWEST).path, own)
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    one = talk()
    one.reply("want to do", number(one, "Try SmartOS"))
    one.reply("which hypervisor", "1")
    assert "a copy of the USB image" in one.hear("Which release[^\n]*: ")
    turn, file = (
        re.findall(rf"^(\d+)\. {words}", one.said, re.M)[-1] for words in ("From the ISO", "From a file")
    )
    one.answer(turn)
    assert "From the ISO itself, read-only" in one.hear("Which release[^\n]*: ")
    for path, vouch, words in (
        (str(bad), "unverified", "cannot start from that"), ("/nowhere/x.iso", "", "no file"), (str(own), "ab" * 20, "64"),
    ):  # fmt: skip
        one.answer(file)
        one.reply("The file", path)
        one.reply("checksum list", vouch)
        assert words in one.hear("Which release[^\n]*: ")
    one.answer("1")
    one.hear("Enter goes on[^\n]*: ", 90)
    one.answer("")
    one.reply("Which sandbox", "2")
    said = one.hear("Make it\\?[^\n]*: ")
    assert "Who answers" not in said
    assert "talks on the screen" in said
    assert f"--release {NEWEST} --boot iso" in said
    one.answer("b")
    one.reply("Which sandbox", "b")
    one.reply("Enter goes on", "b")
    one.reply("Which release", file)
    one.reply("The file", str(own))
    one.reply("checksum list", digest)
    to_review(one)
    said = one.hear("Make it\\?[^\n]*: ")
    assert f"--image '{own}' --sha256 {digest}" in said
    one.answer("1")
    one.hear("Start it[^\n]*: ", 90)
    one.answer("2")
    act(one, "Remove it")
    one.reply("type the guest's name", "lab")
    one.hear("are gone")
    one.reply("want to do", "q")
    assert one.code() == 0
    assert own.exists()
