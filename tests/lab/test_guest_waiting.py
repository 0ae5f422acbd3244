"""Guests that set themselves up and are waited for, in the real QEMU: what is on the key, what counts, how it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.boot.answers_check import check_answers, parse_bytes, stops
from smartos_wizard.core.paths import below
from tests.lab.rig import command, fatkey, parts, qemuguests, tinyboot
from tests.lab.rig.qemuguests import Desk, until
from tests.lab.rig.tinyboot import Media

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def media(space: Path) -> Media:
    parts.need_programs(fatkey.PROGRAMS)
    place = space / "waiting"
    place.mkdir(exist_ok=True)
    return tinyboot.build(place, "obeys")


@pytest.fixture
def desk(home: Path, media: Media) -> Iterator[Desk]:
    with qemuguests.desk(home, media) as made:
        yield made


def on_key(key: Path, path: str) -> bytes:
    """A file of a key, as mtools read it."""
    return fatkey.run("mcopy", "-n", "-i", f"{key}@@{fatkey._ROOT}", f"::{path}", "-")


def test_hands_off_makes_answers_starts_and_waits_and_the_password_is_nowhere_but_on_the_key(
    desk: Desk,
) -> None:
    words = desk.create_words(
        "lab", "--hands-off", "--layout", "single", "--start", "--wait", "login", "--timeout", "60", "--json"
    )
    done = desk.run(*words)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (password,) = [line["password"] for line in lines if line["event"] == "one-time-password"]
    assert (lines[-1]["event"], lines[-1]["outcome"]) == ("waited", "seen")
    assert "SmartOS Setup" in " ".join(lines[-1]["last"])
    guest = desk.store.find("lab")
    for place in ("private/answers.json", "boot/bootfs/answers.json"):
        answers = parse_bytes(on_key(guest.key, place)).answers
        assert answers["root_password"] == password
        assert not [f for f in check_answers(answers) if f.level == "error"]
        assert all(stop.maybe for stop in stops(answers))
    conf = on_key(guest.key, "boot/loader.conf.local").decode()
    assert 'os_console="ttya"' in conf
    assert "answers_json" in conf or "answers.json" in conf
    kept = [
        p for p in desk.home.rglob("*") if p.is_file() and p != guest.key and not p.name.startswith("zones")
    ]
    assert len(kept) > 5
    assert not [p for p in kept if password.encode() in p.read_bytes()]
    assert not list((below(desk.home).state / "vault").iterdir())


def test_only_the_last_start_counts_and_a_guest_that_goes_off_is_not_waited_for(desk: Desk) -> None:
    guest = desk.create()
    assert desk.run("console", "lab", "--wait", "login", code=None).code == 4
    desk.run("start", "lab")
    desk.run("console", "lab", "--wait", "login", "--timeout", "60")
    with (guest.folder / "console.log").open("ab") as log:
        log.write(b"said in the first life\n")
    assert desk.run("console", "lab", "--wait", "first life", "--timeout", "5").code == 0
    assert desk.run("console", "lab", "--wait", "login", "--new", "--timeout", "1", code=None).code == 1
    desk.run("stop", "lab", "--force")
    desk.run("start", "lab")
    assert desk.run("console", "lab", "--wait", "first life", "--timeout", "1", code=None).code == 1
    seen = desk.run("console", "lab", "--wait", "setup", "--timeout", "60", "--json").document
    assert (seen["outcome"], seen["text"]) == ("seen", "SmartOS Setup")

    words = command.argv("guest", "console", "lab", "--wait", "never said", "--timeout", "120", "--json")
    waiting = command.Running(words, desk.home)
    time.sleep(1)
    desk.process(guest).kill()
    started = time.monotonic()
    done = waiting.end()
    assert time.monotonic() - started < 10
    assert done.code == 1
    assert json.loads(done.stdout)["outcome"] == "stopped"


def test_doctor_finds_a_machine_whose_guest_is_gone(desk: Desk) -> None:
    guest = desk.create()
    desk.run("start", "lab")
    process = desk.process(guest)
    hidden = desk.home / "hidden"
    guest.folder.rename(hidden)
    told = command.run(desk.home, "doctor", "--json").document["left_over"]
    assert {each["kind"] for each in told} == {"process", "sockets"}
    assert f"kill {process.pid}" in [each["how"] for each in told]
    hidden.rename(guest.folder)
    assert command.run(desk.home, "doctor", "--json").document["left_over"] == []
    process.kill()
    until(lambda: desk.listed()["lab"]["actual"]["state"] == "stopped")
