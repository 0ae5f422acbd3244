"""The wizard's list and console with a guest that runs in the real QEMU."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.rig import fatkey, parts, qemuguests, tinyboot
from tests.lab.rig.qemuguests import Desk
from tests.lab.rig.tinyboot import Media
from tests.screens.conftest import on, text_grid, text_of, until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def media(space: Path) -> Media:
    parts.need_programs(fatkey.PROGRAMS)
    place = space / "media"
    place.mkdir(exist_ok=True)
    return tinyboot.build(place, "console")


@pytest.fixture
def desk(home: Path, media: Media) -> Iterator[Desk]:
    with qemuguests.desk(home, media) as made:
        yield made


@pytest.fixture
def world(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The real world in the home of these guests, with an empty folder for a mirror."""
    from smartos_wizard.world import build

    monkeypatch.setenv("SMARTOS_WIZARD_HOME", str(desk.home))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    made = build(False)
    made.default_mirror = str(tmp_path)
    yield made
    made.close()


async def test_a_guest_is_started_typed_at_and_switched_off_from_the_wizard(world: Any, desk: Desk) -> None:
    from smartos_wizard.app import WizardApp

    desk.create()
    app: Any = WizardApp(world)
    async with app.run_test(size=(80, 24)) as pilot:
        app.show_guests()
        await until(pilot, lambda: on(app, "Guests")() and "○ off" in text_grid(app), "its state")
        assert "QEMU" in text_grid(app)
        await pilot.press("s")
        await until(pilot, lambda: on(app, "GuestWork")() and app.screen._ended, "it starts", 60)
        assert "lab runs." in text_of(app, "#said")
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "GuestConsole")() and "login:" in text_grid(app), "its login", 60)
        await until(pilot, lambda: "ssh -p " in text_of(app, "#console-state"), "the line for ssh")
        await pilot.press(*"Root")
        await until(pilot, lambda: "login: rOOT" in text_grid(app), "its answer")
        await pilot.press("ctrl+c")  # the guest's, not the wizard's
        await until(
            pilot, lambda: desk.said(desk.store.find("lab")).endswith("rOOT#"), "Ctrl-C arrives, turned over"
        )
        await pilot.press("ctrl+right_square_bracket")
        await until(pilot, lambda: on(app, "Guests")() and "● running" in text_grid(app), "the list")
        await pilot.press("s")
        await until(pilot, on(app, "Asking"))
        await pilot.press("right", "right", "enter")
        await until(pilot, lambda: on(app, "GuestWork")() and app.screen._ended, "it stops", 60)
    assert desk.listed()["lab"]["actual"]["state"] == "stopped"


async def test_somebody_else_at_the_console_is_told_and_what_it_says_is_shown(world: Any, desk: Desk) -> None:
    from smartos_wizard.app import WizardApp
    from smartos_wizard.screens.guest_console import GuestConsole

    guest = desk.create()
    desk.run("start", "lab")
    qemuguests.until(lambda: "login: " in desk.said(guest))
    app = WizardApp(world)
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(str(guest.console.socket))
        async with app.run_test(size=(80, 24)) as pilot:
            app.show(GuestConsole("lab"))
            await until(pilot, lambda: on(app, "GuestConsole")() and "login:" in text_grid(app))
            await pilot.pause(0.5)
            other.sendall(b"Mine")
            await until(pilot, lambda: "mINE" in text_grid(app), "what it says, from its log")
            await until(pilot, lambda: "Somebody else" in text_of(app, "#console-state"), "who is there")
            await pilot.press(*"yours")
            assert "YOURS" not in text_grid(app)
            await pilot.press("escape")
            await until(pilot, on(app, "Guests"))
    assert "YOURS" not in desk.said(guest)
