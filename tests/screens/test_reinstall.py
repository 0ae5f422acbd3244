"""The road to a clean machine, step by step, in the practice world: forward, back, with nonsense, and what is refused."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.practice.host_words import machines
from smartos_wizard.reinstall.model import Way
from tests.screens import reinstall_parts as road
from tests.screens.conftest import on, text_grid, text_of, until, wizard


def seen(app: Any) -> str:
    """What is shown, without frames, as one text."""
    return " ".join(text_grid(app).translate(str.maketrans("│╭╮╰╯─", "      ")).split())


def test_each_make_believe_machine_says_its_trouble() -> None:
    assert [name for name, words in machines() if not words] == []
    assert all(len(words) <= 40 for _name, words in machines())


async def test_home_has_the_road_and_escape_leads_back(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        menu = app.screen.query_one("#menu")
        while menu.chosen != "reinstall":
            await pilot.press("down")
        await pilot.press("enter")
        await until(pilot, lambda: road.chosen(app))
        assert "second-pool" in text_grid(app)
        assert "a data pool that must live" in text_grid(app)
        await pilot.press("escape")
        await until(pilot, on(app, "Home"))


async def test_every_step_can_be_walked_back_and_nothing_is_lost(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_plan(app, pilot, "second-pool")
        before = app.flow.answers.machine
        for name in ("Agree", "ChooseWay", "Keep", "ShowSurvey", "ChooseMachine"):
            await pilot.press("escape")
            await until(pilot, on(app, name), name)
        assert app.flow.answers.machine == before
        await until(pilot, lambda: road.chosen(app) == "second-pool", "the same machine")
        await pilot.press("enter")
        await until(pilot, on(app, "ShowSurvey"))
        kept = app.flow.answers.machine
        assert (kept.way, kept.consents, kept.keep) == (before.way, before.consents, before.keep)
        await pilot.press("escape")
        await until(pilot, lambda: road.chosen(app) == "second-pool")
        await pilot.press("down", "enter")
        await until(pilot, lambda: on(app, "ShowSurvey")() and app.flow.answers.machine.name != "second-pool")
        assert (
            app.flow.answers.machine.consents == frozenset()
        )  # what was said of another machine does not hold


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dropped-connection", "The connection to dropped-connection was lost"),
        ("zone", "is a zone"),
        ("not-smartos", "is no SmartOS machine"),
    ],
)
async def test_a_machine_that_cannot_be_surveyed_is_told_with_the_reason(
    world: Any, name: str, words: str
) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_machine(app, pilot, name)
        await pilot.press("enter")
        await until(pilot, lambda: words in seen(app), "the reason")
        assert on(app, "ChooseMachine")()
        assert "nothing was changed there" in seen(app)


async def test_asking_a_machine_can_be_given_up(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from smartos_wizard.practice.hosts import PracticeHost

    gate, closed = threading.Event(), threading.Event()
    real = PracticeHost.run

    def slow(self: Any, script: str, seconds: float = 600.0) -> str:
        gate.wait(30)
        return real(self, script, seconds)

    monkeypatch.setattr(PracticeHost, "run", slow)
    monkeypatch.setattr(PracticeHost, "close", lambda _self: closed.set())
    async with wizard(world) as (app, pilot):
        await road.to_machine(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "Asking plain" in text_grid(app))
        await pilot.press("escape")
        await until(pilot, closed.is_set, "the connection closed")
        assert "Given up. Nothing was changed there." in text_grid(app)
        gate.set()
        await pilot.pause(0.2)
        assert on(app, "ChooseMachine")()


async def test_the_survey_is_a_tree_with_the_problems_first(world: Any, tmp_path: Path) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_survey(app, pilot, "bootable")
        words = seen(app)
        assert "The machine can start from zones; after the wipe it cannot." in words
        assert "No SmartOS key is attached." in words
        tree = app.screen.query_one("#tree")
        lines = len(tree._tree_lines)
        await pilot.press("w")
        await until(pilot, lambda: len(tree._tree_lines) < lines, "no branch")
        await pilot.press("w")
        await until(pilot, lambda: len(tree._tree_lines) == lines, "every branch")
        labels = [str(line.path[-1].label) for line in tree._tree_lines]
        assert any(label.startswith("/usbkey/config") for label in labels)
        assert any("started from a pool" in label for label in labels)
        await pilot.press("s")
        await until(pilot, on(app, "Box"))
        file = tmp_path / "kept.json"
        app.screen.query_one("#file").value = str(file)
        await pilot.press("enter")
        await until(pilot, lambda: file.exists() and on(app, "ShowSurvey")())
        assert json.loads(file.read_text())["hostname"] == "bootable"
        assert file.stat().st_mode & 0o777 == 0o600
        await pilot.press("s")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#file").value = str(file)
        await pilot.press("enter")
        await until(pilot, lambda: "is there already" in seen(app), "it is not overwritten")


async def test_asking_again_keeps_what_was_decided(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_survey(app, pilot)
        app.screen.decide(consents=frozenset({"no-backup"}))
        world.clock = lambda: 1_795_000_100.0
        await pilot.press("r")
        await until(pilot, lambda: app.flow.answers.machine.survey.taken == 1_795_000_100.0, "a new survey")
        assert app.flow.answers.machine.consents == {"no-backup"}


async def test_going_on_wants_a_decision_about_a_backup(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_keep(app, pilot)
        assert "[x] keep" in text_grid(app)
        await pilot.press("enter")
        await pilot.pause()
        assert on(app, "Keep")()
        await pilot.press("down", "space")
        assert "[ ] lost" in text_grid(app)
        assert "would be gone for good" in seen(app)
        await pilot.press("a", "a")
        assert "A backup of the configuration only" in seen(app)
        await pilot.press("f3")
        await until(pilot, on(app, "Asking"))
        assert "gone for good" in seen(app)
        await pilot.press("enter")  # the safe one
        await until(pilot, on(app, "Keep"))
        assert not app.flow.answers.machine.without_backup
        await pilot.press("f4")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#directory").value = "/nowhere/at/all"
        await pilot.press("enter")
        await until(pilot, on(app, "Asking"), "no backup there")
        assert "no finished backup" in seen(app) or "exit code" in seen(app)


async def test_the_ways_say_what_dies_and_what_lives(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_way(app, pilot, "second-pool")
        grid = text_grid(app)
        assert "✔ recommended" in grid
        assert [line for line in grid.splitlines() if "recommended" in line and "Rescue Mode" in line]
        assert "DIES      zones (guid 10417391262571231811)" in grid
        assert "lives     tank (guid 2216402551220348012)" in grid
        await pilot.press("home")
        await until(
            pilot,
            lambda: (
                "DIES      tank (guid 2216402551220348012)" in str(app.screen.query_one("#does-said").content)
            ),
        )


@pytest.mark.parametrize("name", ["triton", "bootable"])
async def test_a_way_that_is_refused_cannot_be_taken(world: Any, name: str) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_way(app, pilot, name)
        assert "No way can be taken" in seen(app)
        assert text_grid(app).count("✗ refused") == 3
        for _ in range(3):
            await pilot.press("enter", "down")
            await pilot.pause()
            assert on(app, "ChooseWay")()
        said = str(app.screen.query_one("#does-said").content)
        assert {"triton": "node of Triton", "bootable": "nothing might boot"}[name] in " ".join(said.split())


async def test_of_an_encrypted_machine_only_c_can_be_taken(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_way(app, pilot, "encrypted")
        ways = {o.choices.way: o.verdict for o in app.screen._advice.opinions}
        assert ways == {Way.RESET: "refused", Way.LOADER: "refused", Way.RESCUE: "recommended"}
        assert "encrypted" in str(app.screen.query_one("#does-said").content)


async def test_a_medium_that_is_proven_opens_the_way(world: Any, tmp_path: Path) -> None:
    proof = tmp_path / "receipt.json"
    proof.write_text(
        json.dumps(
            {
                "receipt": 1,
                "result": "proven",
                "time": "2026-11-28",
                "source": {"stamp": "20260903T001557Z"},
                "device": {"name": "SanDisk Ultra"},
            }
        )
    )
    async with wizard(world) as (app, pilot):
        await road.to_way(app, pilot, "bootable")
        for file, words in ((tmp_path / "none", "There is no file"), (proof, "recommended")):
            await pilot.press("p")
            await until(pilot, on(app, "Box"))
            app.screen.query_one("#file").value = str(file)
            await pilot.press("enter")
            await until(pilot, lambda w=words: w in seen(app), words)  # type: ignore[misc]
            if on(app, "Asking")():
                await pilot.press("enter")
                await until(pilot, on(app, "ChooseWay"))
        assert "SanDisk Ultra" in str(app.flow.answers.machine.prepared)


async def test_an_old_survey_is_refused_and_asked_for_again_from_there(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_way(app, pilot)
        world.clock = lambda: 1_795_000_000.0 + 16 * 60
        app.screen._judge()
        await until(pilot, lambda: text_grid(app).count("✗ refused") == 3, "it has grown old")
        assert "Press r to ask the machine again." in seen(app)
        await pilot.press("r")
        await until(
            pilot, lambda: on(app, "ShowSurvey")() and app.flow.answers.machine.survey.taken > 1_795_000_000.0
        )
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Keep")() and app.screen._rows)
        await pilot.press("enter")  # the decision against a backup still stands
        await until(pilot, lambda: on(app, "ChooseWay")() and "recommended" in text_grid(app))


async def test_nothing_is_planned_before_each_thing_was_agreed_to(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_agree(app, pilot, "second-pool")
        assert "1 of 2" in text_grid(app)
        await pilot.press("f2")
        await pilot.pause()
        assert on(app, "Agree")()
        await pilot.press("f3")
        await until(pilot, on(app, "Asking"))
        assert "zpool create zones raidz c1t0d0 c1t1d0 c1t2d0" in str(app.screen._words)
        await pilot.press("escape")
        await until(pilot, on(app, "Agree"))
        await road.agree(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "ReinstallReview")() and app.screen._plan is not None)
        assert set(app.screen.tokens) == {"second-pool:zones", "no-backup", "manual-layout"}
        assert app.screen.tokens[0] == "second-pool:zones"


async def test_answers_and_console_are_taken_or_said_to_be_wrong(world: Any, tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text('{"hostname": "kestrel"}')
    async with wizard(world) as (app, pilot):
        await road.to_agree(app, pilot)
        await pilot.press("a")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#file").value = str(answers)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Agree")() and "answers.json" in text_of(app, "#after-short"))
        await pilot.press("c")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#console").value = "nonsense"
        await pilot.press("enter")
        assert "guest:NAME, a path, or HOST:PORT" in text_grid(app)
        app.screen.query_one("#console").value = "guest:lab"
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Agree")() and "guest:lab" in text_of(app, "#after-short"))
        assert app.flow.answers.machine.choices.console == "guest:lab"
        assert app.flow.answers.machine.choices.answers.name == str(answers)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ones",
        "second-pool",
        "second-pool:zones",
        "second-pool:zones no-backup",
        "second-pool:zones no-backup manual-layout more",
    ],
)
async def test_only_every_word_arms_the_plan(world: Any, typed: str) -> None:
    async with wizard(world) as (app, pilot):
        await road.to_plan(app, pilot, "second-pool")
        assert "not armed" in text_grid(app)
        assert "Not touched: tank (guid 2216402551220348012)" in seen(app)
        app.screen.query_one("#token").value = typed
        await pilot.press("enter")
        await pilot.pause()
        assert not app.screen.is_armed
        assert app.screen.query_one("#go").disabled
        assert on(app, "ReinstallReview")()
        assert list(world.paths.jobs.iterdir()) == [] if world.paths.jobs.exists() else True
        app.screen.query_one("#token").value = "no-backup manual-layout second-pool:zones"
        await pilot.pause()
        assert app.screen.is_armed


async def test_a_kept_survey_leads_to_a_runbook_whose_marks_are_kept(world: Any, tmp_path: Path) -> None:
    from smartos_wizard.reinstall.ports import Address
    from smartos_wizard.screens.reinstall_desk import Call, ReinstallDesk

    desk = ReinstallDesk(world)
    file = desk.save_survey(desk.survey(Address("second-pool"), Call()), str(tmp_path / "kept.json"))
    world.clock = lambda: 1_795_000_000.0 + 86400  # a day old: a runbook may be of it, a run may not
    async with wizard(world) as (app, pilot):
        await road.to_machine(app, pilot)
        await pilot.press("f3")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#file").value = "/nowhere"
        await pilot.press("enter")
        await until(pilot, lambda: "There is no file /nowhere" in seen(app))
        await pilot.press("enter", "f3")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#file").value = str(file)
        await pilot.press("enter")
        await until(pilot, on(app, "ShowSurvey"))
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Keep")() and app.screen._rows)
        assert "it can fetch nothing" in seen(app)
        await pilot.press("f2")
        await pilot.pause()
        assert on(app, "Keep")()
        await pilot.press("f3")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "enter")
        await until(pilot, lambda: on(app, "ChooseWay")() and app.screen._advice is not None)
        assert "Enter makes the runbook" in seen(app)
        await pilot.press("enter")
        await until(pilot, on(app, "WalkRunbook"))
        await pilot.press("space")
        await until(pilot, lambda: app.screen.kept.done == {0}, "the first mark")
        assert app.screen.at == 1
        await pilot.press("down", "down", "down", "down", "space")  # the step that destroys, before its time
        await pilot.pause(0.2)
        assert app.screen.kept.done == {0}
        await pilot.press("e")
        await until(pilot, on(app, "Pick"))
        await pilot.press("down", "enter")
        await until(pilot, on(app, "Box"))
        book = tmp_path / "book.md"
        app.screen.query_one("#file").value = str(book)
        await pilot.press("enter")
        await until(pilot, lambda: book.exists() and on(app, "WalkRunbook")())
        assert "- [ ]" in book.read_text() or "### [ ]" in book.read_text()
        await pilot.press("o")
        await until(pilot, on(app, "Asking"))
        assert "tank (guid 2216402551220348012)" in str(app.screen._words)
        await pilot.press("escape")
        app.start_reinstall()
        await until(pilot, on(app, "ChooseMachine"))
        await pilot.press("f4")
        await until(pilot, lambda: on(app, "Runbooks")() and "1 of 10 steps done" in text_grid(app))
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "WalkRunbook")() and app.screen.kept.done == {0})
        assert app.screen.at == 1
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "Runbooks")() and app.screen._kept)
        await pilot.press("d")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "enter")
        await until(pilot, lambda: "None yet" in text_grid(app))


async def test_a_real_machines_unknown_key_is_asked_about_and_a_changed_one_refused(
    world: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The form of the real world, against a real ssh server on loopback."""
    import asyncssh

    from smartos_wizard.practice.hosts import MACHINES
    from smartos_wizard.reinstall.connect import SshHosts
    from smartos_wizard.reinstall.known import KnownHosts
    from tests.unit.reinstall.ssh_server import PASSWORD, SshServer, serving

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    hosts = SshHosts(world.paths, KnownHosts(world.paths, (tmp_path / "known",)), config=())
    monkeypatch.setattr(type(world), "hosts", property(lambda _self: hosts))
    answers = MACHINES["plain"].answers("20261118T120000Z")
    with serving(SshServer(answers)) as server:
        async with wizard(world) as (app, pilot):
            world.practice = False
            app.start_reinstall()
            await until(pilot, lambda: app.focused is not None and app.focused.id == "host")
            await pilot.press("f2")
            assert "needed" in text_grid(app)
            await pilot.press(*"127.0.0.1", "enter", "enter", *"99999", "f2")
            assert "1 to 65535" in text_grid(app)
            app.screen.query_one("#port").value = str(server.port)
            app.screen.query_one("#password").value = "wrong"
            assert "wrong" not in text_grid(app)
            await pilot.press("f2")
            await until(pilot, on(app, "Asking"), "an unknown key")
            assert server.fingerprint in seen(app)
            assert server.scripts == []
            await pilot.press("enter")  # no
            await until(pilot, on(app, "ChooseMachine"))
            await pilot.press("f2")
            await until(pilot, on(app, "Asking"))
            await pilot.press("right", "enter")
            await until(pilot, lambda: "wrong-password" in seen(app), "a wrong password")
            app.screen.query_one("#password").value = PASSWORD
            await pilot.press("f2")
            await until(pilot, on(app, "ShowSurvey"), "the survey")
            assert app.flow.answers.machine.survey.hostname == "plain"
            assert PASSWORD not in repr(app.flow)
            await pilot.press("escape")
            await until(pilot, on(app, "ChooseMachine"))
            (tmp_path / "known").unlink(missing_ok=True)
            hosts._known.own.unlink()
            server.trust(hosts._known.own, asyncssh.generate_private_key("ssh-ed25519"))
            app.flow = type(app.flow)(app.flow.stage, road=app.flow.road)
            app.screen.query_one("#password").value = PASSWORD
            await pilot.press("f2")
            await until(
                pilot, lambda: "shows another key than the one remembered" in seen(app), "a changed key"
            )
            assert on(app, "ChooseMachine")()
            world.practice = True
