"""Looking after a key in the full-screen wizard: read, proven, configured, upgraded, rolled back, ejected."""

from __future__ import annotations

from typing import Any

import pytest

from smartos_wizard.core import journal
from smartos_wizard.media.model import Target
from tests.screens.conftest import not_stored, on, text_grid, text_of, until, wizard


async def to_key(app: Any, pilot: Any, path: str) -> None:
    """From Home to what is on the key at `path`."""
    app.look_after()
    await until(pilot, on(app, "LookAfter"))
    await until(pilot, lambda: app.screen.query_one("#disks").option_count > 3, "disks")
    for _ in range(10):
        await pilot.press("down")
        if app.screen.query_one("#disks").chosen == path:
            break
    await pilot.press("enter")
    await until(pilot, on(app, "OneKey"))
    await until(pilot, lambda: "Reading" not in text_of(app, "#contents"), "what is on it")


async def test_a_key_of_a_release_that_is_not_here_says_what_to_run(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_key(app, pilot, "/practice/sdi")
        await pilot.press("enter")
        await until(pilot, on(app, "Asking"), "the refusal")
        seen = " ".join(str(s.content) for s in app.screen.query("Static"))
        assert "not stored here yet" in seen
        assert "release download 2" in seen


async def test_after_ejecting_the_list_is_shown_without_that_key(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_key(app, pilot, "/practice/sdi")
        await pilot.press("e")
        await until(pilot, on(app, "LookAfter"), "the list again")
        await until(pilot, lambda: app.screen.query_one("#disks").option_count > 3, "disks")
        assert "/practice/sdi" not in [d.disk.path for d in app.desk.judged()]


async def test_a_written_key_is_proven_again_from_its_screen(world: Any) -> None:
    from smartos_wizard.screens.desk import Desk

    desk = Desk(world)
    image = desk.stored_image(desk.offer(details=False).rows[0].stamp)
    (target,) = [d for d in desk.judged() if isinstance(d, Target) and d.path == "/practice/sdb"]
    assert image is not None
    plan = desk.write_plan(image, (target,))
    *_, ended = world.run(plan)
    assert ended.exit_code == 0, ended
    async with wizard(world) as (app, pilot):
        await to_key(app, pilot, "/practice/sdb")
        assert image.stamp in text_of(app, "#contents")
        await pilot.press("enter")
        await until(pilot, on(app, "Work"), "the check")
        await until(pilot, lambda: app.watched.progress.ended is not None, "the proof", 60)
        assert app.watched.progress.ended.exit_code == 0
        await until(pilot, lambda: "PROVEN" in text_grid(app), "the words")


SDI = "/practice/sdi"  # the practice key that holds SmartOS from the start
HOLDS, NEWEST = "20260430T145637Z", "20260903T001557Z"


async def choose(app: Any, pilot: Any, name: str) -> None:
    """Move to that entry of what may be done and take it."""
    todo = app.screen.query_one("#todo")
    todo.focus()
    await pilot.press("home")
    while todo.chosen != name:
        before = todo.chosen
        await pilot.press("down")
        assert todo.chosen != before, f"no entry {name}"
    await pilot.press("enter")


async def to_plan(app: Any, pilot: Any, name: str) -> str:
    """Wait for the review of that name and its plan; what it shows."""
    await until(pilot, lambda: on(app, name)() and getattr(app.screen, "_plan", None) is not None, name)
    await pilot.pause(0.1)
    return text_of(app, "#steps")


async def arm_and_go(app: Any, pilot: Any) -> str:
    """Type a wrong word, then the right one, and follow the work to its end; what was said."""
    assert app.focused.id == "back"
    await pilot.press(*"nope", "enter")
    assert app.screen.query_one("#go").disabled
    assert on(app, "Work")() is False
    field = app.screen.query_one("#token")
    field.value = app.screen.tokens[0][-4:]
    field.focus()
    await pilot.press("enter", "enter")
    await until(pilot, lambda: on(app, "Work")() and app.screen._ended, "the end", 60)
    await pilot.pause(0.1)
    return text_of(app, "#said")


async def back_at_the_key(app: Any, pilot: Any) -> str:
    """By the button of a good end; what is on the key now."""
    assert app.focused.id == "next"
    await pilot.press("enter")
    await until(pilot, on(app, "OneKey"))
    await until(pilot, lambda: "Reading" not in text_of(app, "#contents"), "what is on it")
    return text_of(app, "#contents")


@pytest.mark.slow
async def test_a_key_is_configured_reviewed_proven_and_taken_back(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_key(app, pilot, SDI)
        await choose(app, pilot, "configure")
        await until(pilot, lambda: on(app, "KeyOptions")() and app.focused is not None, "the form")
        assert "It says what the release says." in text_grid(app)
        app.screen.query_one("#console").focus()
        await pilot.press("right", "right")
        app.screen.query_one("#hostname").focus()
        await pilot.press(*"bad_name!", "f2")
        await pilot.pause(0.1)
        assert on(app, "KeyOptions")()  # what is wrong is put right first
        assert app.focused.id == "hostname"
        app.screen.query_one("#hostname").value = "lab1"
        await pilot.press("f2")
        shown = await to_plan(app, pilot, "ConfigureReview")
        assert '+os_console="ttya"' in shown
        assert '+hostname="lab1"' in shown
        assert f"key configure {SDI} --reset --console ttya --hostname lab1" in app.screen.command()

        await pilot.press("escape")  # back to the form as it was left
        await until(pilot, lambda: on(app, "KeyOptions")() and app.focused is not None)
        assert app.screen.query_one("#hostname").value == "lab1"
        assert not list((world.paths.state / "vault").iterdir())  # a plan that is left keeps nothing
        await pilot.press("f2")
        await to_plan(app, pilot, "ConfigureReview")
        assert "PROVEN" in await arm_and_go(app, pilot)
        assert "ttya" in await back_at_the_key(app, pilot)

        await choose(app, pilot, "configure")  # the form is filled in from the key
        await until(pilot, lambda: on(app, "KeyOptions")() and app.focused is not None, "the form")
        assert app.screen.query_one("#hostname").value == "lab1"
        assert app.screen.choices.console == "ttya"
        await pilot.press("f2")
        await to_plan(app, pilot, "ConfigureReview")
        assert "There is nothing to change." in text_grid(app)
        assert not app.screen.query_one("#go").display
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "KeyOptions")() and app.focused is not None)
        app.screen.query_one("#hostname").value = ""
        await pilot.press("f2")
        shown = await to_plan(app, pilot, "ConfigureReview")
        assert '-hostname="lab1"' in shown
        assert '-os_console="ttya"' not in shown
        await pilot.press("escape", "escape")
        await until(pilot, on(app, "OneKey"))
        await pilot.press("escape")
        await until(pilot, on(app, "LookAfter"))


async def test_secrets_are_covered_in_the_review_and_in_the_command(world: Any) -> None:
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.screens.keys_desk import Told
    from smartos_wizard.screens.keys_review import ConfigureReview

    shadow = "$5$abcdefgh$" + "Q" * 43
    choices = BootChoices(root_shadow=shadow, answers={"hostname": "h", "root_password": "TopSecret99"})
    async with wizard(world, (120, 36)) as (app, pilot):
        target = next(d for d in app.desk.judged() if d.disk.path == SDI)
        app.show(ConfigureReview(target, Told(choices)))
        shown = await to_plan(app, pilot, "ConfigureReview")
        await pilot.press("f")
        await until(pilot, on(app, "Asking"), "the full plan")
        everything = shown + text_grid(app) + str(app.screen.query_one("#words Static").content)
        everything += target_command(app)
        assert "answers.json" in everything
        assert "TopSecret99" not in everything
        assert "QQQQ" not in everything


def target_command(app: Any) -> str:
    """The command of the review below the box."""
    return str(next(s for s in app.screen_stack if hasattr(s, "wanted")).command())


@pytest.mark.slow
async def test_a_key_is_upgraded_and_rolled_back(world: Any) -> None:
    not_stored(world, "platform")
    async with wizard(world) as (app, pilot):
        await to_key(app, pilot, SDI)
        assert "rollback" not in [o.id for o in app.screen.query_one("#todo").options]
        await choose(app, pilot, "upgrade")
        await until(pilot, lambda: on(app, "ChoosePlatform")() and "sha256" in text_grid(app), "releases")
        assert "on this key" in text_grid(app)
        assert app.screen.query_one("#releases").chosen == NEWEST
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Fetching")() and app.screen._ended, "the download", 60)
        assert "VERIFIED" in text_grid(app)
        await pilot.press("enter")
        shown = await to_plan(app, pilot, "UpgradeReview")
        assert "the two change places" in shown
        assert f"{HOLDS} is kept as /previous/platform" in " ".join(shown.split())
        assert "PROVEN" in await arm_and_go(app, pilot)
        contents = await back_at_the_key(app, pilot)
        assert f"{NEWEST}, and {HOLDS} kept" in contents

        await choose(app, pilot, "upgrade")  # to what it is already: nothing is fetched, nothing to do
        await until(pilot, lambda: on(app, "ChoosePlatform")() and app.screen.query_one("#releases").chosen)
        await pilot.press("enter")
        await to_plan(app, pilot, "UpgradeReview")
        assert "There is nothing to change." in text_grid(app)
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "OneKey")() and "kept" in text_of(app, "#contents"))

        await choose(app, pilot, "rollback")
        shown = await to_plan(app, pilot, "RollbackReview")
        assert f"key rollback {SDI} --to {HOLDS}" in app.screen.command()
        assert "PROVEN" in await arm_and_go(app, pilot)
        assert f"{HOLDS}, and {NEWEST} kept" in await back_at_the_key(app, pilot)


async def test_the_root_password_is_shown_only_after_asking(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_key(app, pilot, SDI)
        await choose(app, pilot, "password")
        await until(pilot, on(app, "Asking"), "the question")
        await pilot.press("enter")  # the safe button has the focus
        await until(pilot, on(app, "OneKey"))
        await pilot.pause(0.2)
        assert on(app, "OneKey")()
        await choose(app, pilot, "password")
        await until(pilot, on(app, "Asking"), "the question")
        assert "Practice" not in str(app.screen.query_one("#words Static").content)
        await pilot.press("right", "enter")
        await until(pilot, lambda: on(app, "Asking")() and "Built into" in text_grid(app), "the password")
        words = str(app.screen.query_one("#words Static").content)
        assert f"Built into release {HOLDS}:   Practice" in words
        assert "Which of root's passwords counts" in words
        assert "Rescue Mode" in words
        await pilot.press("escape")
        await until(pilot, on(app, "OneKey"))
        assert "Built into" not in text_grid(app)


@pytest.mark.slow
async def test_a_change_that_was_cut_short_is_taken_up_with_what_it_was_to_say(world: Any) -> None:
    from smartos_wizard.boot.model import BootChoices

    async with wizard(world) as (app, pilot):
        target = next(d for d in app.desk.judged() if d.disk.path == SDI)
        plan = app.desk.care.configure_plan(target, BootChoices(console="ttyb", hostname="lost"))
        job = journal.create(
            world.paths.jobs, plan, practice=True
        )  # as it lies there when its process was killed
        app.go_home()
        await until(pilot, lambda: "Unfinished" in text_grid(app), "the job")
        assert "the old or the new" in text_grid(app)
        await until(pilot, lambda: app.screen.query_one("#body").max_scroll_y == 0, "room for all of it")
        await pilot.press("enter")
        shown = await to_plan(app, pilot, "ConfigureReview")
        assert '+hostname="lost"' in shown
        assert '+os_console="ttyb"' in shown
        assert "PROVEN" in await arm_and_go(app, pilot)
        assert job.seen_file.exists()
        app.go_home()
        await until(pilot, lambda: "Newest" in text_grid(app), "home")
        assert "Unfinished" not in text_grid(app)


async def test_a_change_that_is_dismissed_leaves_no_secret_behind(world: Any) -> None:
    from smartos_wizard.boot.model import BootChoices

    async with wizard(world) as (app, pilot):
        target = next(d for d in app.desk.judged() if d.disk.path == SDI)
        plan = app.desk.care.configure_plan(target, BootChoices(root_shadow="$5$abcdefgh$" + "Q" * 43))
        job = journal.create(world.paths.jobs, plan, practice=True)
        assert list((world.paths.state / "vault").iterdir())
        app.go_home()
        await until(pilot, lambda: "Unfinished" in text_grid(app) and app.focused is not None, "the job")
        await pilot.press("d")
        await until(pilot, lambda: "Unfinished" not in text_grid(app), "it is gone")
        assert job.seen_file.exists()
        assert not list((world.paths.state / "vault").iterdir())


async def test_an_upgrade_that_was_cut_short_is_taken_up_and_leaving_it_keeps_it_there(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        target = next(d for d in app.desk.judged() if d.disk.path == SDI)
        download, image = app.desk.care.platform_download(NEWEST)
        *_, ended = world.run(download)
        assert ended.exit_code == 0
        job = journal.create(world.paths.jobs, app.desk.care.upgrade_plan(target, image), practice=True)
        app.go_home()
        await until(pilot, lambda: "Unfinished" in text_grid(app), "the job")
        await pilot.press("enter")
        assert NEWEST in await to_plan(app, pilot, "UpgradeReview")
        await pilot.press("escape")
        await until(pilot, on(app, "OneKey"))
        app.go_home()
        await until(pilot, lambda: "Unfinished" in text_grid(app), "it is there still")
        assert app.resumes is None
        assert not job.seen_file.exists()


async def test_a_key_with_answers_that_nobody_can_read_may_begin_as_released(world: Any) -> None:
    from smartos_wizard.core.errors import Refused

    async with wizard(world) as (app, pilot):
        app.desk.care.told = lambda _target: (_ for _ in ()).throw(
            Refused("answers-unreadable", "Unreadable.")
        )
        await to_key(app, pilot, SDI)
        await choose(app, pilot, "configure")
        await until(pilot, lambda: "Unreadable." in text_grid(app), "why")
        assert "F2 Begin as released" in text_grid(app)
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "KeyOptions")() and app.focused is not None, "the form")
        app.desk.care.told = lambda _target: (_ for _ in ()).throw(Refused("legacy", "No."))
        await pilot.press("escape")
        await until(pilot, on(app, "OneKey"))
        await choose(app, pilot, "configure")
        await until(pilot, lambda: "No." in text_grid(app), "why")
        assert "Begin as released" not in text_grid(app)


async def test_what_is_on_a_key_scrolls_where_it_is_long(world: Any) -> None:
    from smartos_wizard.media.model import KeyContents

    async with wizard(world) as (app, pilot):
        app.desk.contents = lambda _t: KeyContents(
            "gpt", stamp=HOLDS, notes=tuple(f"Note {n}." for n in range(9))
        )
        await to_key(app, pilot, SDI)
        await until(pilot, lambda: "more below: Tab" in text_grid(app), "the hint")
        assert "Make it a plain stick again" in text_grid(app)
        await pilot.press("shift+tab", "end")
        await until(pilot, lambda: "Note 8." in text_grid(app), "the last note")
