"""What a guest starts from, on the road to it: a release's ISO, a file of the user's own, and what is no such file."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.guests.model import BootKind
from smartos_wizard.practice.stamps import NEWEST
from tests.screens.conftest import not_stored, on, text_grid, text_of, until, wizard
from tests.screens.sandbox_parts import to_where


async def to_start(app: Any, pilot: Any) -> None:
    await to_where(app, pilot)
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "ChooseStart")() and app.screen.query_one("#releases").chosen)


async def from_size_to_review(app: Any, pilot: Any) -> None:
    """With everything as it comes; what cannot be asked of an ISO is passed over."""
    await until(
        pilot, lambda: on(app, "ChooseSize")() and app.screen._judged.spec is not None, "its size", 60
    )
    await pilot.press("f2")
    await until(pilot, lambda: on(app, "ChooseNetwork")() and app.screen._judged.spec is not None, "sandbox")
    await pilot.press("f2")
    await until(pilot, lambda: on(app, "GuestOptions")() or on(app, "GuestReview")(), "on")
    if on(app, "GuestOptions")():
        await until(pilot, lambda: app.focused is not None)
        await pilot.press("enter")
    await until(pilot, lambda: on(app, "GuestReview")() and app.screen._plan is not None, "the plan")


async def make(app: Any, pilot: Any) -> None:
    await pilot.press("enter")
    await until(pilot, lambda: on(app, "GuestWork")() and app.screen._ended, "the end", 60)
    assert app.screen.good, text_grid(app)


async def say(app: Any, pilot: Any, file: Path | str, vouch: str) -> None:
    await pilot.press("o")
    await until(pilot, on(app, "Box"), "the question")
    app.screen.query_one("#file").value = str(file)
    app.screen.query_one("#vouch").value = vouch
    app.screen.query_one("#vouch").focus()
    await pilot.press("enter")


@pytest.mark.slow
async def test_from_the_iso_of_a_release_options_are_passed_over_and_its_console_is_said(world: Any) -> None:
    not_stored(world, "iso")
    async with wizard(world) as (app, pilot):
        await to_start(app, pilot)
        assert "copy of the USB image" in text_grid(app)
        await pilot.press("i")
        await until(pilot, lambda: "From the ISO itself" in text_grid(app))
        assert "--boot iso" in app.screen.command()
        await until(pilot, lambda: "stored" not in str(app.screen.query_one("#releases").options[0].prompt))
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "Work")() and app.screen._ended, "the download", 60)
        assert "VERIFIED" in text_grid(app)
        assert str(app.screen.query_one("#next").label) == "Choose its size"
        await pilot.press("enter")
        await from_size_to_review(app, pilot)
        told = text_of(app, "#untouched")
        assert "talks on the screen" in told
        assert "for its key" not in told
        assert f"smartos-{NEWEST}.iso" in str(app.screen.query_one("#steps").content)
        assert "--boot iso" in app.screen.command()
        await make(app, pilot)
        (guest,) = world.guests.list()
        assert guest.spec.boot.kind is BootKind.ISO
        assert guest.spec.console == "text"
        assert guest.spec.configured == ()
        assert not guest.key.exists()


@pytest.mark.slow
async def test_back_from_the_review_of_an_iso_leads_to_its_sandbox_and_to_a_key_again(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_start(app, pilot)
        iso = iso_of(app.desk)
        await say(app, pilot, iso, "")
        await from_size_to_review(app, pilot)
        for name in ("ChooseNetwork", "ChooseSize", "ChooseStart"):
            await pilot.press("escape")
            await until(pilot, on(app, name), name)
        await pilot.press("i")
        await until(pilot, lambda: "copy of the USB image" in text_grid(app))
        await until(pilot, lambda: "stored" in str(app.screen.query_one("#releases").options[0].prompt))
        await pilot.press("home", "enter")
        await from_size_to_review(app, pilot)
        assert "--boot" not in app.screen.command()
        assert "--iso" not in app.screen.command()
        assert "its own copy of smartos" in str(app.screen.query_one("#steps").content)


def iso_of(desk: Any) -> Path:
    """The ISO of the newest release, downloaded once."""
    if desk.stored_image(NEWEST, "iso") is None:
        *_, last = desk.world.run(desk.download_plan(NEWEST, "iso"))
        assert last.exit_code == 0, last
    path: Path = desk.stored_image(NEWEST, "iso").path
    return path


@pytest.mark.slow
@pytest.mark.parametrize("what", ["usb", "iso"])
@pytest.mark.parametrize("vouched", ["sha256", "list", "unverified"])
async def test_a_file_of_ones_own_makes_a_guest(world: Any, tmp_path: Path, what: str, vouched: str) -> None:
    async with wizard(world) as (app, pilot):
        iso_of(app.desk)
        stored = app.desk.stored_image(NEWEST, what).path
        file = tmp_path / f"my own {stored.name}"
        shutil.copy(stored, file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        sums = tmp_path / "sums.txt"
        sums.write_text(f"{digest}  {file.name}\n")
        vouch = {"sha256": digest, "list": str(sums), "unverified": "unverified"}[vouched]
        await to_start(app, pilot)
        await say(app, pilot, f"'{file}'", vouch)
        await from_size_to_review(app, pilot)
        command = app.screen.command()
        assert f"{'--iso' if what == 'iso' else '--image'} '{file}'" in command
        assert {"sha256": f"--sha256 {digest}", "list": f"--sums {sums}", "unverified": "--unverified"}[
            vouched
        ] in command
        if vouched == "unverified":
            assert "Nobody vouches" in text_of(app, "#untouched")
        await make(app, pilot)
        (guest,) = world.guests.list()
        assert guest.spec.boot.kind is (BootKind.ISO if what == "iso" else BootKind.KEY)
        assert guest.spec.boot.source == str(file)
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest


async def test_what_is_no_file_to_start_from_is_named_and_asked_for_again(world: Any, tmp_path: Path) -> None:
    text, cut = tmp_path / "notes.txt", tmp_path / "cut.iso"
    text.write_text("These are notes. " * 4000)
    async with wizard(world) as (app, pilot):
        cut.write_bytes(iso_of(app.desk).read_bytes()[:200_000])
        await to_start(app, pilot)
        for file, vouch, words in (
            ("/nowhere/at all.iso", "", "There is no file"), (tmp_path, "", "There is no file"),
            (text, "ab" * 32, "notes.txt"), (cut, "unverified", "cut off"), (cut, "", "--sha256"),
            (cut, "ab" * 17, "64 characters"), (cut, str(tmp_path / "none.txt"), "cannot be read"),
        ):  # fmt: skip
            await say(app, pilot, file, vouch)
            await until(pilot, on(app, "Asking"), "what is wrong")
            shown = " ".join(text_grid(app).replace("│", " ").split())
            assert words in shown, shown
            await pilot.press("escape")
            await until(pilot, on(app, "Box"), "asked again")
            assert app.screen.query_one("#file").value == str(file)
            await pilot.press("escape")
            await until(pilot, on(app, "ChooseStart"))
        assert world.guests.list() == ()


@pytest.mark.slow
async def test_a_wrong_checksum_makes_no_guest(world: Any, tmp_path: Path) -> None:
    async with wizard(world) as (app, pilot):
        await to_start(app, pilot)
        await say(app, pilot, app.desk.stored_image(NEWEST).path, "0" * 64)
        await from_size_to_review(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "GuestWork")() and app.screen._ended, "the end", 60)
        assert app.screen.failed
        assert "0000" in text_of(app, "#said")
        assert world.guests.list() == ()
