"""The walk through the practice world: forth, back, guarded, followed."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.screens.conftest import on, text_grid, text_of, to_review, to_target, until, wizard


@pytest.mark.slow
async def test_from_home_to_a_proven_key(world: Any) -> None:
    shutil.rmtree(world.paths.store)
    async with wizard(world) as (app, pilot):
        await to_review(app, pilot)
        assert app.watched.progress.kind == "release-download"
        app.screen.query_one("#token").focus()
        await pilot.press(*"0179", "enter")
        assert app.focused is not None
        assert app.focused.id == "go"
        await pilot.press("enter")
        await until(pilot, on(app, "Done"), "the proof", 60)
        seen = text_grid(app)
        assert "PROVEN" in seen
        assert "1,940,000,256 bytes" in seen
        await pilot.press("r")
        await until(pilot, on(app, "Asking"), "the password")
        await pilot.press("escape", "a")
        await until(pilot, on(app, "ChooseTarget"), "another key")
        assert app.flow.answers.targets == ()


async def test_no_disk_is_chosen_for_the_user_and_enter_does_nothing_then(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_target(app, pilot)
        disks = app.screen.query_one("#disks")
        assert disks.highlighted is None
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert on(app, "ChooseTarget")()
        assert app.flow.answers.targets == ()


async def test_the_only_disk_is_not_chosen_either(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    only = world.disks.list()[1]
    monkeypatch.setattr(type(world.disks), "list", lambda _self: (only,))
    async with wizard(world) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ChooseRelease")() and app.screen.query_one("#releases").chosen)
        await pilot.press("enter")
        await until(pilot, on(app, "ChooseTarget"))
        await until(pilot, lambda: app.screen.query_one("#disks").option_count == 2)
        assert app.screen.query_one("#disks").highlighted is None


async def test_a_withheld_disk_says_why_and_is_not_taken(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_target(app, pilot)
        while app.screen.query_one("#disks").chosen != "not:/practice/sda":
            await pilot.press("down")
        await pilot.press("enter")
        await until(pilot, on(app, "Asking"), "the reasons")
        assert "LUKS" in text_grid(app)
        await pilot.press("escape")
        await pilot.pause()
        assert on(app, "ChooseTarget")()
        assert app.flow.answers.targets == ()


async def test_the_list_follows_plugging_within_a_second(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_target(app, pilot)
        await pilot.press("down")
        assert app.screen.query_one("#disks").chosen == "/practice/sdb"
        world.disks._control.unplug("sdb")
        await until(pilot, lambda: "/practice/sdb" not in text_grid(app), "the key gone", 1.5)
        assert app.screen.query_one("#disks").chosen == ""
        world.disks._control.plug("sdb")
        await until(pilot, lambda: "/practice/sdb" in text_grid(app), "the key back", 1.5)
        assert app.screen.query_one("#disks").chosen == ""


async def test_back_leads_home_and_keeps_what_was_chosen(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_review(app, pilot)
        await pilot.press("escape")
        await until(pilot, on(app, "Options"))
        await pilot.press("escape")
        await until(pilot, on(app, "ChooseTarget"))
        await pilot.press("escape")
        await until(pilot, on(app, "ChooseRelease"))
        await until(pilot, lambda: app.screen.query_one("#releases").chosen)
        assert app.screen.query_one("#releases").chosen == app.flow.answers.stamp
        await pilot.press("escape")
        await until(pilot, on(app, "Home"))


async def test_a_wrong_word_does_not_arm_and_the_safe_button_has_the_focus(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_review(app, pilot)
        assert app.focused.id == "back"
        assert app.screen.query_one("#go").disabled
        app.screen.query_one("#token").focus()
        await pilot.press(*"0178", "enter")
        assert app.screen.query_one("#go").disabled
        assert "that is not it" in text_of(app, "#state")
        assert on(app, "Review")()
        assert app.watched is None  # nothing was started


async def test_several_keys_are_marked_and_all_must_be_named(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_target(app, pilot)
        await pilot.press("down", "space", "down", "space")
        assert "/practice/sdb, /practice/sdc" in text_of(app, "#count")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Options")() and app.focused is not None)
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "Review")() and app.screen._plan is not None)
        app.screen.query_one("#token").focus()
        await pilot.press(*"0179")
        assert app.screen.query_one("#go").disabled
        await pilot.press("space", *"1D5A")
        assert not app.screen.query_one("#go").disabled


@pytest.mark.slow
async def test_quitting_while_writing_asks_and_the_job_survives_and_can_be_taken_up(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "1")
    async with wizard(world) as (app, pilot):
        await to_review(app, pilot, "/practice/sdf")
        app.screen.query_one("#token").focus()
        await pilot.press(*"0077", "enter", "enter")
        await until(pilot, on(app, "Work"))
        job = app.screen.job
        await until(pilot, lambda: any(s.head.id == "write" and s.meters for s in app.screen.progress.steps))
        await pilot.press("f10")
        await until(pilot, on(app, "Asking"))
        assert app.focused.id == "stay"
        await pilot.press("tab", "enter")
        await until(pilot, lambda: app.return_value is not None or not app.is_running)
    assert job.running()
    async with wizard(world) as (app, pilot):
        await until(pilot, lambda: "running" in text_grid(app), "the running job at Home")
        await pilot.press("enter")
        await until(pilot, on(app, "Work"))
        await pilot.press("c")
        await until(pilot, on(app, "Asking"))
        await pilot.press("tab", "enter")
        await until(
            pilot, lambda: app.watched is not None and app.watched.progress.ended is not None, "cancelled", 20
        )
        app.go_home()
        await until(
            pilot, lambda: on(app, "Home")() and "take it up again" in text_grid(app), "unfinished at Home"
        )
        app.screen.query_one("#jobs").focus()
        await pilot.press("enter")
        await until(pilot, on(app, "Review"), "review of the rest")
        await pilot.press("escape")
        app.go_home()
        await until(pilot, lambda: on(app, "Home")() and "take it up again" in text_grid(app))
        app.screen.query_one("#jobs").focus()
        await pilot.press("d")
        await until(pilot, lambda: "Unfinished" not in text_grid(app), "dismissed")


async def test_the_mirror_that_does_not_answer_is_said(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from smartos_wizard.app import WizardApp

    world.default_mirror = "http://127.0.0.1:9/none/"
    app = WizardApp(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "mirror did not answer" in text_grid(app), "the word", 30)


async def test_the_theme_is_kept(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        before = app.theme
        await pilot.press("ctrl+t")
        assert app.theme != before
        assert app.theme in world.paths.settings_file.read_text()


async def test_the_hardware_cursor_is_on_the_chosen_row(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_target(app, pilot)
        await pilot.press("down")
        await pilot.pause(0.1)
        line = text_grid(app).splitlines()[app.cursor_position.y]
        assert line.strip("│ ").startswith("▸ /practice/sdb")


async def test_looking_after_a_key_reads_it(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await pilot.press("down", "enter")
        await until(pilot, lambda: on(app, "LookAfter")() and app.screen.query_one("#disks").option_count > 3)
        while app.screen.query_one("#disks").chosen != "/practice/sdi":
            await pilot.press("down")
        await pilot.press("enter")
        await until(pilot, lambda: "20260430T145637Z" in text_grid(app), "what is on it", 30)
        await pilot.press("end", "enter")
        await until(pilot, lambda: on(app, "RestoreReview")() and app.screen._plan is not None)
        assert app.screen.query_one("#go").disabled


@pytest.mark.slow
async def test_a_key_pulled_while_writing_is_told_with_what_to_do_next(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_review(app, pilot, "/practice/sdg")
        app.screen.query_one("#token").focus()
        await pilot.press(*"4F21", "enter", "enter")
        await until(pilot, on(app, "Done"), "the end", 60)
        seen = text_grid(app)
        assert "FAILED" in seen
        assert "PROVEN" not in seen.replace("Not proven", "")
        assert "exit code 10" in seen
        assert "✗ Write" in seen


async def test_what_is_typed_goes_into_the_field_while_the_safe_button_has_the_focus(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_review(app, pilot)
        assert app.focused.id == "back"
        await pilot.press(*"0179")
        assert app.screen.query_one("#token").value == "0179"
        assert not app.screen.query_one("#go").disabled


async def test_elsewhere_than_on_linux_the_commands_are_shown_with_the_file_filled_in(world: Any) -> None:
    from smartos_wizard.media.disks.platform import OtherDisks

    real = world.disks
    async with wizard(world) as (app, pilot):
        world.disks = OtherDisks("darwin")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ChooseRelease")() and app.screen.query_one("#releases").chosen)
        await pilot.press("enter")
        await until(pilot, lambda: "diskutil" in text_of(app, "#recipe"), "the commands")
        image = app.flow.answers.image
        assert str(image.path) in text_of(app, "#recipe")
        assert image.digest in text_of(app, "#recipe")
        assert app.focused.id == "manual"
    world.disks = real
