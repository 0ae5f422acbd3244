"""SmartOS beside a make-believe Linux, through the full-screen wizard: looked at, refused, put there, taken away."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core import journal
from smartos_wizard.netboot.dualboot_model import HOMES, SCRIPT
from tests.screens.conftest import not_stored, on, text_grid, text_of, until, wizard
from tests.screens.dualboot_parts import NAME, arm, to_entry, to_look, to_review, to_told, to_way


@pytest.fixture(autouse=True)
def _fresh(world: Any) -> Iterator[None]:
    """Every make-believe Linux as on the first day."""
    yield
    for place in world.paths.state.parent.glob("linux*"):
        shutil.rmtree(place)


def tree(linux: Any) -> dict[str, Any]:
    """Every file: mode and content by path."""
    return {
        str(path.relative_to(linux.root)): (path.stat().st_mode, path.read_bytes())
        for path in sorted(linux.root.rglob("*"))
        if path.is_file()
    }


def words_of(app: Any, selector: str) -> str:
    """The words of a Static, as one line."""
    return " ".join(text_of(app, selector).split())


@pytest.mark.slow
async def test_it_is_put_beside_linux_and_taken_away_without_a_trace(world: Any) -> None:
    not_stored(world, "platform")
    linux = world.linux()
    before = tree(linux)
    async with wizard(world) as (app, pilot):
        await to_way(app, pilot)
        await pilot.press("d", "down", "enter")
        await until(pilot, lambda: "shall take: /dev/sdb" in text_of(app, "#disk-said"), "the disk")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "DualbootRelease")() and app.screen.query_one("#releases").chosen)
        stamp = app.screen.query_one("#releases").chosen
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "DualbootFetching")() and app.screen._ended, "the download", 60)
        assert "VERIFIED" in text_grid(app)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "DualbootTold")() and app.focused is not None)
        await pilot.press("f2")
        await until(
            pilot, lambda: on(app, "DualbootEntry")() and "Letter by letter" in text_of(app, "#entry")
        )
        entry = words_of(app, "#entry")
        assert "zpools=zones" in entry
        assert entry.index("Not touched") < entry.index("menuentry")
        assert "boot_archive.hash 41 bytes" in entry
        assert "takes every fixed disk by default" in entry
        assert tree(linux) == before
        await pilot.press("f2")
        await to_review(app, pilot)
        assert f"dualboot install --release {stamp} --confirm {NAME}" in app.screen.command()
        await pilot.press(*"practice", "enter")
        assert app.screen.query_one("#go").disabled
        assert tree(linux) == before
        await arm(app, pilot, "-linux")
        await until(pilot, on(app, "DualbootDone"), "the end", 60)
        await until(pilot, lambda: "SmartOS" in text_of(app, "#result"), "what is there")
        told = words_of(app, "#next-said")
        assert "answer: manual" in told
        assert "PRACTICE0002" in told
        assert "“rescue” first" in told
        menu = linux.at("/boot/grub/grub.cfg").read_text()
        assert f"SmartOS {stamp}" in menu
        assert linux.at(SCRIPT).exists()
        await pilot.press("x")
        await to_review(app, pilot, "DualbootRemove")
        shown = text_of(app, "#steps")
        assert SCRIPT in shown
        assert "boot_archive.hash" in shown
        assert f"dualboot remove --confirm {NAME}" in app.screen.command()
        await arm(app, pilot, NAME)
        await until(pilot, on(app, "DualbootGone"), "the end", 60)
        await until(pilot, lambda: "No file and no entry" in text_of(app, "#result"), "no trace")
        assert "No trace left" in text_grid(app)
    assert tree(linux) == before


@pytest.mark.parametrize(
    ("root", "reason", "way_out"),
    [
        ("secure-boot", "Secure Boot is on", "Switch Secure Boot off"),
        ("no-grub", "systemd-boot", "use a USB key"),
        ("encrypted", "is encrypted", "unencrypted /boot"),
        ("macos", "runs macOS", "in a sandbox"),
    ],
)
async def test_where_it_cannot_be_done_the_reason_and_the_way_out_are_said(
    world: Any, root: str, reason: str, way_out: str
) -> None:
    async with wizard(world) as (app, pilot):
        await to_look(app, pilot, root)
        await pilot.pause(0.1)
        said = words_of(app, "#verdict-said")
        assert reason in said
        assert way_out in said
        assert not app.screen.query_one("#go").display
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert on(app, "DualbootLook")()
        await pilot.press("escape")
        await until(pilot, on(app, "Home"))


async def test_the_danger_is_said_before_anything_else(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_look(app, pilot, "one-disk")
        await pilot.pause(0.1)
        said = words_of(app, "#verdict-said")
        assert "takes EVERY fixed disk" in said
        assert "answer “manual”" in said
        assert "there is none for SmartOS' pool" in said
        assert app.screen.query_one("#linux-card").max_scroll_y == 0


async def test_from_home_it_is_one_entry_and_in_practice_another_linux_is_one_key(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        menu = app.screen.query_one("#menu")
        while menu.chosen != "dualboot":
            before = menu.chosen
            await pilot.press("down")
            assert menu.chosen != before
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "DualbootLook")() and app.screen.seen is not None)
        await pilot.press("m")
        await until(pilot, on(app, "Pick"))
        await pilot.press("down", "enter")
        await until(pilot, lambda: on(app, "DualbootLook")() and app.screen.seen is not None)
        assert app.screen.root == "one-disk"
        assert app.screen.command().endswith("dualboot plan --root one-disk")


async def test_by_uefi_only_the_loader_of_a_key_is_offered(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_way(app, pilot, "uefi")
        assert app.screen.opinion.way == "chainload"
        await pilot.press("up")
        assert "nobody has reported that it works from UEFI" in words_of(app, "#does-said")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert on(app, "DualbootWay")()
        await pilot.press("down", "enter")
        await until(pilot, lambda: on(app, "DualbootEntry")() and "chainloader" in text_of(app, "#entry"))
        assert "--set=root 5A4F-0001" in text_of(app, "#entry")
        assert "multiboot" not in text_of(app, "#entry")
        assert "--chainload 5A4F-0001 --root uefi" in app.screen.command()
        await pilot.press("f2")
        await to_review(app, pilot)
        await arm(app, pilot, "practice-uefi")
        await until(pilot, on(app, "DualbootDone"), "the end", 60)
        await until(pilot, lambda: "own loader" in text_of(app, "#result"))
        assert "Only these pools: zones" in words_of(app, "#next-said")


async def test_without_a_key_its_uuid_is_asked_for_and_nonsense_is_refused(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_way(app, pilot, "uefi-no-key")
        await pilot.press("enter")
        await until(pilot, on(app, "Box"))
        await pilot.press(*"nonsense", "enter")
        await pilot.pause(0.1)
        assert "1A2B-3C4D" in text_of(app, "#wrong")
        app.screen.query_one("#uuid").value = "1A2B-3C4D"
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "DualbootEntry")() and "chainloader" in text_of(app, "#entry"))
        assert "No partition with the UUID 1A2B-3C4D is seen now" in words_of(app, "#entry")


@pytest.mark.slow
async def test_where_there_is_no_room_it_goes_no_further_than_the_entry(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        entry = await to_entry(app, pilot, "full")
        assert "too full" in " ".join(entry.split())
        assert not app.screen.query_one("#go").display
        await pilot.press("f2")
        await pilot.pause(0.1)
        assert on(app, "DualbootEntry")()


@pytest.mark.slow
async def test_what_fails_is_taken_back_and_it_is_looked_whether_that_is_so(world: Any) -> None:
    linux = world.linux("breaks")
    before = tree(linux)
    async with wizard(world) as (app, pilot):
        await to_entry(app, pilot, "breaks", iso=True)
        assert "loopback" in text_of(app, "#entry")
        assert "--way iso" in app.screen.command()
        await pilot.press("f2")
        await to_review(app, pilot)
        await arm(app, pilot, "practice-breaks")
        await until(pilot, lambda: on(app, "DualbootWork")() and app.screen._ended, "the end", 60)
        await until(pilot, lambda: "nothing of it is left" in words_of(app, "#said"), "it is looked again")
        assert "generator-failed" in text_of(app, "#said")
        assert tree(linux) == before
        await pilot.press("tab", "enter")
        await until(
            pilot, lambda: on(app, "DualbootLook")() and app.screen.root == "breaks", "from the start"
        )


@pytest.mark.slow
async def test_answers_that_would_erase_linux_are_refused_where_they_are_named(
    world: Any, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    bad.write_text(json.dumps({"hostname": "box", "zpool_confirm_layout": "yes"}))
    good.write_text(json.dumps({"hostname": "box"}))
    async with wizard(world) as (app, pilot):
        await to_told(app, pilot)
        for file in (bad, good):
            app.screen.query_one("#answers").focus()
            await pilot.press("enter")
            await until(pilot, lambda: on(app, "Box")() or on(app, "Pick")())
            if on(app, "Pick")():
                await pilot.press("enter")
                await until(pilot, on(app, "Box"))
            app.screen.query_one("#place").value = str(file)
            await pilot.press("enter")
            await until(pilot, on(app, "DualbootTold"))
            if file is bad:
                assert "erase every fixed disk" in words_of(app, "#hint")
                await pilot.press("f2")
                await pilot.pause(0.2)
                assert on(app, "DualbootTold")()
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "DualbootEntry")() and "answers.json" in text_of(app, "#entry"))
        assert f"--answers {good}" in app.screen.command()


@pytest.mark.slow
async def test_a_password_stands_neither_in_the_menu_nor_in_the_command(world: Any) -> None:
    from smartos_wizard.boot.model import BootChoices

    shadow = "$5$abcdefgh$" + "Q" * 43
    async with wizard(world, (120, 36)) as (app, pilot):
        await to_told(app, pilot)
        app.screen.took(BootChoices(console="ttya", root_shadow=shadow, rescue=True, delay=3))
        assert app.screen.choices.rescue is None
        assert "in a file for root" in text_of(app, "#preview")
        await pilot.press("f2")
        await until(
            pilot, lambda: on(app, "DualbootEntry")() and "Letter by letter" in text_of(app, "#entry")
        )
        shown = text_of(app, "#entry") + app.screen.command()
        await pilot.press("f2")
        await to_review(app, pilot)
        shown += text_of(app, "#steps") + app.screen.command()
        assert "--root-password-prompt" in shown
        assert "QQQQ" not in shown
        assert list((world.paths.state / "vault").iterdir())
        await pilot.press("escape")
        await until(
            pilot, lambda: on(app, "DualbootEntry")() and "Letter by letter" in text_of(app, "#entry")
        )
        assert not list((world.paths.state / "vault").iterdir())  # a plan that is left keeps nothing
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "DualbootTold")() and app.focused is not None)
        assert app.screen.choices.console == "ttya"


@pytest.mark.slow
async def test_without_roots_rights_the_one_command_for_root_is_made(
    world: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from smartos_wizard.practice.linux import PracticeLinux

    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\nexit 0\n")
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(PracticeLinux, "may_change", lambda _self: False)
    async with wizard(world) as (app, pilot):
        await to_entry(app, pilot)
        await pilot.press("f2")
        await to_review(app, pilot)
        assert app.screen.command().startswith("sudo ")
        assert "the terminal asks for your password" in words_of(app, "#untouched")
        await arm(app, pilot, NAME)
        await until(pilot, on(app, "Asking"), "there is no terminal to give away here")
        said = str(app.screen.query_one("#words Static").content)
        assert "sudo " in said
        assert " --practice dualboot install " in said
        assert "--image " in said
        assert "--sha256 " in said
        assert f"--confirm {NAME}" in said
    assert not world.linux().at(HOMES[0]).exists()


async def test_work_that_was_cut_short_leads_to_what_is_there_of_it(world: Any) -> None:
    linux = world.linux()
    linux.at(HOMES[0]).mkdir()
    linux.at(f"{HOMES[0]}/record.json.half").write_text("half")
    async with wizard(world) as (app, pilot):
        plan = app.desk.dualboot.remove_plan()
        job = journal.create(
            world.paths.jobs, plan, practice=True
        )  # as it lies there when its process was killed
        app.go_home()
        await until(pilot, lambda: "Unfinished" in text_grid(app), "the job")
        await until(pilot, lambda: "Taking it away again" in text_grid(app), "what that means")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "jobs", "its row")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "DualbootLook")() and app.screen.seen is not None)
        assert job.seen_file.exists()
        await pilot.pause(0.1)
        assert "cut short" in words_of(app, "#linux")
        assert "record.json.half" in text_of(app, "#linux")
        assert app.screen.query_one("#go").label.plain == "Take it away"


@pytest.mark.slow
async def test_the_screens_look_as_they_were_looked_at(world: Any, golden: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_look(app, pilot, "full")
        await pilot.pause(0.2)
        golden(app, "dualboot-look-80x24")
        await to_entry(app, pilot)
        await pilot.pause(0.2)
        golden(app, "dualboot-entry-80x24")
        await pilot.press("f2")
        await to_review(app, pilot)
        golden(app, "dualboot-review-80x24")
    async with wizard(world, (120, 36)) as (app, pilot):
        await to_way(app, pilot, "uefi")
        await pilot.pause(0.3)
        golden(app, "dualboot-way-120x36")
