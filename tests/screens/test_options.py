"""The step “Options” and the answers form: every field by keyboard, bad values, back and forth, profiles."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.app import WizardApp
from smartos_wizard.boot.model import BootChoices, Kmdb
from smartos_wizard.boot.shadow import matches
from smartos_wizard.core.errors import Refused
from smartos_wizard.media.model import Target
from smartos_wizard.screens.desk import Desk
from smartos_wizard.screens.flow import Answers, Flow, Stage
from smartos_wizard.screens.options_list import OPTIONS
from tests.screens.conftest import on, text_grid, text_of, until

PASSWORD = "geheim-hunter22"


@asynccontextmanager
async def at_options(world: Any) -> AsyncIterator[tuple[Any, Any]]:
    """The wizard where the options are asked, as after choosing the newest release and the first disk."""
    app = WizardApp(world)
    image = app.desk.stored_image(max(app.desk.stored()))
    target = next(d for d in app.desk.judged() if isinstance(d, Target))
    assert image is not None
    answers = Answers(image.stamp, image, (target,))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, on(app, "Home"), "Home")
        app.go(Flow(Stage.OPTIONS, answers, ((Stage.RELEASE, Answers(image.stamp)), (Stage.TARGET, answers))))
        await until(pilot, lambda: on(app, "Options")() and app.focused is not None, "options")
        yield app, pilot


async def row(app: Any, pilot: Any, name: str) -> None:
    """Go to a row."""
    app.screen.query_one(f"#{name}").focus()
    await pilot.pause()


async def box(app: Any, pilot: Any, *lines: str) -> None:
    """Fill the box that opens, one line after the other; long ones are pasted."""
    await until(pilot, lambda: on(app, "Box")() and app.focused is not None, "a box")
    for line in lines:
        app.focused.insert_text_at_cursor(line)
        await pilot.press("enter")
    await pilot.pause()


async def pick(app: Any, pilot: Any, number: int) -> None:
    """Choose from the list that opens."""
    await until(pilot, on(app, "Pick"), "a list")
    await pilot.press("home", *["down"] * number, "enter")
    await pilot.pause()


async def form(app: Any, pilot: Any) -> None:
    """Open the answers form."""
    await row(app, pilot, "answers")
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "AnswersForm")() and app.focused is not None, "the form")


def chosen(app: Any) -> BootChoices:
    return app.flow.answers.choices


async def test_enter_leaves_everything_as_released(world: Any) -> None:
    async with at_options(world) as (app, pilot):
        assert app.focused.id == "go"
        assert "Leave it as released" in text_grid(app)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Review")() and app.screen._plan is not None, "review")
        assert chosen(app).empty
        assert "besides" not in text_grid(app)
        assert "choices" not in json.dumps(app.screen._plan.params) or not app.screen._plan.params["choices"]


async def test_the_arrow_keys_lead_through_every_row_and_round_again(world: Any) -> None:
    async with at_options(world) as (app, pilot):
        for _ in OPTIONS:  # one of them, the speed, is not there: it belongs to a serial console
            await pilot.press("down")
            assert app.screen.focused.parent.region.height == 1  # and it is in sight
        assert app.focused.id == "go"
        await pilot.press("up")
        assert app.focused.id == "save"


async def test_every_field_is_set_by_keyboard_and_survives_going_back(world: Any, tmp_path: Path) -> None:
    system, notes = tmp_path / "system", tmp_path / "notes.txt"
    system.write_text("set a=1\n")
    notes.write_text("hello\n")
    async with at_options(world) as (app, pilot):
        await row(app, pilot, "console")
        await pilot.press("right", "right")
        await row(app, pilot, "speed")
        await pilot.press("right", "enter")
        await pick(app, pilot, 2)
        await row(app, pilot, "root_shadow")
        await pilot.press("enter")
        await box(app, pilot, PASSWORD, PASSWORD)
        await row(app, pilot, "hostname")
        await pilot.press(*"lab1", "enter")
        assert app.focused.id == "delay"
        await pilot.press(*"-1")
        await row(app, pilot, "verbose")
        await pilot.press("right")
        await row(app, pilot, "kmdb")
        await pilot.press("enter")
        await pick(app, pilot, 3)
        await row(app, pilot, "rescue")
        await pilot.press("space")
        await row(app, pilot, "pools")
        await pilot.press(*"zones,data")
        await row(app, pilot, "etc_system")
        await pilot.press("enter")
        await box(app, pilot, str(system))
        await row(app, pilot, "files")
        await pilot.press("enter")
        await box(app, pilot, str(notes), "")
        found = chosen(app)
        assert matches(PASSWORD, found.root_shadow)
        wanted = BootChoices(
            console="ttya", speed=19200, hostname="lab1", delay=-1, verbose=True, kmdb=Kmdb.NMI, rescue=True,
            pools=("zones", "data"), root_shadow=found.root_shadow, modules=found.modules,
            files={"local/notes.txt": b"hello\n"},
        )  # fmt: skip
        assert found == wanted
        assert found.modules[0].data == b"set a=1\n"
        for screen in ("ChooseTarget", "ChooseRelease"):
            await pilot.press("escape")
            await until(pilot, on(app, screen), screen)
        await until(pilot, lambda: app.screen.query_one("#releases").chosen, "the list")
        await pilot.press("enter")
        await until(
            pilot, lambda: on(app, "ChooseTarget")() and app.screen.query_one("#disks").option_count > 3
        )
        await pilot.press("down", "enter")
        await until(pilot, lambda: on(app, "Options")() and app.focused is not None)
        assert chosen(app) == wanted
        assert app.screen.query_one("#hostname").value == "lab1"
        seen = text_grid(app)
        assert "< ttya" in seen
        assert "19200" in seen
        assert PASSWORD not in seen
        assert f"--add-file local/notes.txt={notes}" in app.screen.command()


async def test_a_bad_value_is_told_beside_its_field_and_nobody_goes_on_with_it(world: Any) -> None:
    async with at_options(world) as (app, pilot):
        await row(app, pilot, "delay")
        await pilot.press(*"4000")
        seen = text_grid(app)
        line = next(x for x in seen.splitlines() if "Menu waits" in x and "4000" in x)
        assert "✗ 4000 seconds" in line
        assert "At most 3600" in seen
        assert chosen(app).delay is None
        await row(app, pilot, "pools")
        await pilot.press(*"9", "f2")
        await pilot.pause()
        assert on(app, "Options")()
        assert app.focused.id == "delay"
        await pilot.press("escape")  # back and forth again: it is as it was left
        await until(
            pilot, lambda: on(app, "ChooseTarget")() and app.screen.query_one("#disks").option_count > 3
        )
        await pilot.press("down", "enter")
        await until(pilot, lambda: on(app, "Options")() and app.focused is not None)
        assert app.screen.query_one("#delay").value == "4000"
        await pilot.press("enter")
        await pilot.pause()
        assert on(app, "Options")()
        await pilot.press("backspace", "backspace")
        await row(app, pilot, "pools")
        await pilot.press("backspace", "f2")
        await until(pilot, on(app, "Review"), "review")
        assert chosen(app) == BootChoices(delay=40)


async def test_passwords_that_differ_and_files_that_are_none_are_told_in_the_box(
    world: Any, tmp_path: Path
) -> None:
    async with at_options(world) as (app, pilot):
        await row(app, pilot, "root_shadow")
        await pilot.press("enter")
        await box(app, pilot, "one", "two")
        assert "The two are different." in text_grid(app)
        assert "two" not in text_grid(app).replace("The two", "")
        await pilot.press("escape")
        await until(pilot, on(app, "Options"))
        for name, words in (("etc_system", "cannot be read"), ("files", "is no ordinary file")):
            await row(app, pilot, name)
            await pilot.press("enter")
            await box(app, pilot, str(tmp_path / "none" if name == "etc_system" else tmp_path))
            await pilot.press("enter")
            await until(pilot, lambda w=words: w in " ".join(text_grid(app).split()), words)
            await pilot.press("escape")
            await until(pilot, on(app, "Options"))
        assert chosen(app).empty


async def test_a_file_may_not_take_the_place_of_one_of_the_release(world: Any, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    async with at_options(world) as (app, pilot):
        await row(app, pilot, "files")
        await pilot.press("enter")
        await box(app, pilot, str(tmp_path / "f"), "boot/loader.conf")
        assert "belongs to the release" in text_grid(app)
        await pilot.press("escape")
        await until(pilot, on(app, "Options"))


async def test_a_profile_is_saved_and_taken_and_its_secrets_lie_apart(world: Any) -> None:
    async with at_options(world) as (app, pilot):
        await row(app, pilot, "console")
        await pilot.press("right", "right")
        await row(app, pilot, "root_shadow")
        await pilot.press("enter")
        await box(app, pilot, PASSWORD, PASSWORD)
        await row(app, pilot, "save")
        await pilot.press("enter")
        await box(app, pilot, "../x")
        assert "cannot be the name" in text_grid(app)
        await pilot.press(*["backspace"] * 4)
        await box(app, pilot, "lab")
        await until(pilot, on(app, "Options"), "saved")
        kept = world.paths.config / "profiles"
        assert "$5$" not in (kept / "lab.toml").read_text()
        assert stat.S_IMODE((kept / "lab.secrets.toml").stat().st_mode) == 0o600
        wanted = chosen(app)
        assert app.screen.command().endswith("key write … --profile lab")
        await pilot.press("enter")
        await box(app, pilot, "")
        assert "lab is there already" in text_grid(app)
        await pilot.press("enter")
        await until(pilot, on(app, "Options"), "replaced")
        await row(app, pilot, "console")
        await pilot.press("right")
        assert "--profile lab --console ttyb" in app.screen.command()
        await row(app, pilot, "load")
        await pilot.press("enter")
        await pick(app, pilot, 0)
        await until(pilot, lambda: chosen(app) == wanted, "taken")
        assert app.screen.query_one("#console").value == "ttya"


async def test_the_answers_form_tells_what_setup_will_do_while_one_types(world: Any) -> None:
    async with at_options(world) as (app, pilot):
        await form(app, pilot)
        assert "the search domain, root's password and the host name" in " ".join(
            text_of(app, "#stops").split()
        )
        assert not app.screen.query_one("#row-admin_netmask").display
        await row(app, pilot, "address")
        await pilot.press("right")
        await row(app, pilot, "admin_ip")
        await pilot.press(*"10.0.0.9/25")
        await row(app, pilot, "headnode_default_gateway")
        assert app.screen.query_one("#admin_netmask").value == "255.255.255.128"
        assert app.screen.query_one("#admin_ip").value == "10.0.0.9"
        await pilot.press(*"10.0.0.200", "f2")
        await pilot.pause()
        assert "outside the machine's network" in text_of(app, "#hint")
        assert on(app, "AnswersForm")()
        await pilot.press("backspace", "backspace", "backspace", *"1")
        await row(app, pilot, "dns_search")
        await pilot.press(*"example.com")
        assert "search domain" not in text_of(app, "#stops")
        await pilot.press("f3")
        assert all(r.display for r in app.screen.query(".form-row"))
        await pilot.press("f4")
        await until(pilot, on(app, "Asking"), "what happens")
        assert "It may" in text_grid(app)
        await pilot.press("escape")
        await until(pilot, on(app, "AnswersForm"))
        await pilot.press("f2")
        await until(pilot, on(app, "Options"))
        answers = chosen(app).answers
        assert answers is not None
        assert answers["admin_ip"] == "10.0.0.9"
        assert answers["headnode_default_gateway"] == "10.0.0.1"
        assert answers["dns_search"] == "example.com"


async def test_bad_answers_are_kept_by_going_back_and_stop_the_way(world: Any) -> None:
    async with at_options(world) as (app, pilot):
        await form(app, pilot)
        await pilot.press("escape")
        await until(pilot, on(app, "Options"))
        assert chosen(app).answers is None  # looked at, nothing changed: still none
        await form(app, pilot)
        await row(app, pilot, "dns_resolver1")
        await pilot.press(*["backspace"] * 7, *"9.9.9", "escape")
        await until(pilot, on(app, "Options"))
        assert "1 to put right" in text_grid(app)
        await pilot.press("f2")
        await pilot.pause()
        assert on(app, "Options")()
        assert app.focused.id == "answers"
        await form(app, pilot)
        await row(app, pilot, "drop")
        await pilot.press("enter")
        await until(pilot, on(app, "Options"))
        assert chosen(app).empty


async def test_roots_password_in_the_answers_is_asked_at_the_machine_unless_one_insists(world: Any) -> None:
    async with at_options(world) as (app, pilot):
        await form(app, pilot)
        for number, kind in enumerate(("asked", "once", "typed")):
            await row(app, pilot, "root_password")
            await pilot.press("enter")
            await pick(app, pilot, number)
            if kind == "typed":
                await box(app, pilot, PASSWORD, PASSWORD)
            if kind == "once":
                await until(pilot, on(app, "Asking"), "the password")
                told = text_grid(app)
                assert "passwd root" in told
                assert app.screen_stack[-2].answers["root_password"] in told
                await pilot.press("enter")
            await until(pilot, on(app, "AnswersForm"))
            given = app.screen.answers.get("root_password", "")
            assert bool(given) == (kind != "asked")
            assert ("▲ clear text on the key" in text_grid(app)) == (kind != "asked")
            assert not given or given not in text_grid(app)
        await pilot.press("f2")
        await until(pilot, on(app, "Options"))
        assert PASSWORD not in app.screen.command()


async def test_answers_come_from_a_file_and_go_to_one(world: Any, tmp_path: Path) -> None:
    good, bad, out = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "out.json"
    good.write_text('{"dns_search": "a.example", "bootpool": "zones", "odd_key": "x"}')
    bad.write_text('{"dns_search": }')
    async with at_options(world) as (app, pilot):
        await form(app, pilot)
        await row(app, pilot, "load")
        await pilot.press("enter")
        await box(app, pilot, str(bad))
        assert "Line 1, column 16" in text_grid(app)
        app.screen.query_one("#place").value = ""
        await box(app, pilot, str(good))
        await until(pilot, on(app, "AnswersForm"), "read")
        assert app.screen.query_one("#row-bootpool").display
        assert app.screen.query_one("#dns_search").value == "a.example"
        await row(app, pilot, "save")
        await pilot.press("enter")
        await until(pilot, on(app, "Box"))
        app.screen.query_one("#place").value = ""
        await box(app, pilot, str(out))
        await until(pilot, on(app, "AnswersForm"), "kept")
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert json.loads(out.read_text())["bootpool"] == "zones"
        await pilot.press("enter")
        await box(app, pilot, "")
        assert "Once more replaces it" in " ".join(text_grid(app).split())
        await pilot.press("escape")
        await until(pilot, on(app, "AnswersForm"))


async def test_without_colour_rows_and_errors_are_still_told(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with at_options(world) as (app, pilot):
        assert app.no_color
        await row(app, pilot, "delay")
        await pilot.press("x")
        seen = text_grid(app)
        assert "▸ Menu waits" in seen
        assert "✗ “x” is not" in seen
        await pilot.pause(0.1)
        assert text_grid(app).splitlines()[app.cursor_position.y].startswith("  │ ▸ Menu waits")


async def test_the_review_tells_the_options_and_leaves_no_secret_behind(world: Any) -> None:
    vault = world.paths.state / "vault"
    async with at_options(world) as (app, pilot):
        answers = {"config_console": "true", "root_password": PASSWORD}
        app.screen.took(BootChoices(console="ttya", answers=answers))
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "Review")() and app.screen._plan is not None, "review")
        seen = text_grid(app)
        assert "Options: console ttya; answers (2 of 21)." in seen
        assert "in clear text: change it after" in seen
        assert len(list(vault.iterdir())) == 1
        await pilot.press("f3")
        await until(pilot, on(app, "Asking"), "the files")
        seen = text_grid(app)
        assert "private/answers.json:" in seen
        assert '"root_password": "********"' in seen
        await pilot.press("escape")
        await until(pilot, on(app, "Review"))
        assert PASSWORD not in json.dumps(app.screen._plan.to_json())
        await pilot.press("escape")
        await until(pilot, on(app, "Options"))
        await until(pilot, lambda: not list(vault.iterdir()), "the vault empty")


@pytest.mark.slow
async def test_a_key_written_with_options_says_them(world: Any) -> None:
    async with at_options(world) as (app, pilot):
        await row(app, pilot, "console")
        await pilot.press("right", "right")
        await row(app, pilot, "delay")
        await pilot.press("3", "f2")
        await until(pilot, lambda: on(app, "Review")() and app.screen._plan is not None, "review")
        await pilot.press(*"0179", "enter", "enter")
        await until(pilot, on(app, "Done"), "the proof", 60)
        seen = text_grid(app)
        assert "PROVEN" in seen
        assert "the file you asked for, every other byte as released" in seen
        assert "equals the release" not in seen
        assert "The menu waits 3 s, on ttya." in seen
        assert app.desk.contents(app.flow.answers.targets[0]).console == "ttya"
        assert not list((world.paths.state / "vault").iterdir())
        await pilot.press("a")
        await until(pilot, on(app, "ChooseTarget"), "another key")
        assert chosen(app) == BootChoices(console="ttya", delay=3)


def test_writing_that_is_taken_up_again_keeps_its_options_and_forgotten_ones_are_told(world: Any) -> None:
    desk = Desk(world)
    image = desk.stored_image(desk.offer(details=False).rows[0].stamp)
    target = next(d for d in desk.judged() if d.disk.path == "/practice/sdb")
    assert image is not None
    assert isinstance(target, Target)
    choices = BootChoices(console="ttyb", answers={"root_password": PASSWORD})
    plan = desk.write_plan(image, (target,), choices)
    assert desk.boot.planned(plan) == choices
    assert desk.boot.planned(desk.write_plan(image, (target,))).empty
    desk.boot.forget(plan)
    with pytest.raises(Refused, match="no longer kept"):
        desk.boot.planned(plan)
