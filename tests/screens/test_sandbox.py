"""The road to a guest: forth, back with the answers kept, bad input."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from smartos_wizard.guests.model import State
from smartos_wizard.practice.hypervisor import PracticeHypervisor
from tests.screens.conftest import on, text_grid, text_of, until, wizard
from tests.screens.sandbox_parts import (
    CONFLICT,
    MISSING,
    TOO_OLD,
    Found,
    to_guest_review,
    to_made,
    to_network,
    to_size,
    to_where,
)


def _hypervisors(world: Any, monkeypatch: pytest.MonkeyPatch, *drivers: Any) -> None:
    monkeypatch.setattr(type(world), "hypervisors", lambda _self: drivers)


async def test_from_home_to_a_running_guest_and_its_console(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_made(app, pilot)
        assert "lab is made." in text_grid(app)
        assert app.focused.id == "next"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.plan.kind == "guest-start" and app.screen._ended, "started")
        assert "lab runs." in text_grid(app)
        await pilot.press("enter")
        await until(pilot, on(app, "GuestConsole"), "its console")
        (guest,) = world.guests.list()
        assert world.hypervisors()[0].inspect(guest).state is State.RUNNING
        app.go_home()
        await until(pilot, lambda: on(app, "Home")() and "Your guests" in text_grid(app), "guests at Home")


async def test_missing_and_unusable_hypervisors_say_why_and_are_not_chosen(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drivers = (Found(MISSING), Found(TOO_OLD), Found(CONFLICT), PracticeHypervisor())
    _hypervisors(world, monkeypatch, *drivers)
    async with wizard(world) as (app, pilot):
        await to_where(app, pilot)
        rows = app.screen.query_one("#hypervisors")
        await until(pilot, lambda: rows.chosen == "practice", "the pointer on the one that works")
        seen = text_grid(app)
        assert "not here" in seen
        assert "cannot be used" in seen
        assert "makes guests, but starts none" in seen
        for name, word in (
            ("virtualbox", "modprobe -r kvm_intel"),
            ("old", "newer one"),
            ("vmware", "Broadcom"),
        ):
            await pilot.press("up")
            assert rows.chosen == name
            await until(pilot, lambda w=word: w in text_of(app, "#told"), word)
        await pilot.press("enter")
        await until(pilot, on(app, "Asking"), "why not")
        assert "Broadcom" in text_grid(app)
        await pilot.press("escape")
        await until(pilot, on(app, "ChooseHypervisor"))
        assert app.flow.answers.guest.hypervisor == ""
        await pilot.press("down", "down", "enter")  # makes guests but starts none: it may be chosen
        await until(pilot, on(app, "ChooseStart"))
        assert app.flow.answers.guest.hypervisor == "virtualbox"


async def test_a_slow_hypervisor_does_not_hold_the_screen(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    _hypervisors(world, monkeypatch, Found(MISSING, gate), PracticeHypervisor())
    async with wizard(world) as (app, pilot):
        app.start_sandbox()
        await until(pilot, on(app, "ChooseHypervisor"))
        await until(pilot, lambda: app.screen._found, "the quick one")
        assert "looking" in text_grid(app)
        assert app.screen.query_one("#hypervisors").chosen == "practice"
        await pilot.press("enter")
        await until(pilot, on(app, "ChooseStart"), "on without the slow one", 5)
        gate.set()


async def test_without_any_hypervisor_it_is_said_what_to_do(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hypervisors(world, monkeypatch, Found(MISSING))
    async with wizard(world) as (app, pilot):
        await to_where(app, pilot)
        await until(pilot, lambda: "None of them can start" in text_of(app, "#told"), "none")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert app.flow.stage.value == "hypervisor"


async def test_back_leads_home_and_every_answer_is_kept(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_network(app, pilot, "mine")
        await pilot.press("left")
        app.screen.query_one("#inner").focus()
        await pilot.press(*"wire")
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "GuestOptions")() and app.focused is not None)
        app.screen.query_one("#hostname").focus()
        await pilot.press(*"box")
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "GuestReview")() and app.screen._plan is not None)
        for name in ("GuestOptions", "ChooseNetwork", "ChooseSize"):
            await pilot.press("escape")
            await until(pilot, on(app, name), name)
        app.screen.query_one("#count").focus()
        await pilot.press("right")
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "ChooseStart")() and app.screen.query_one("#releases").chosen)
        assert app.screen.query_one("#releases").chosen == app.flow.answers.stamp
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "ChooseHypervisor")() and app.screen._found)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ChooseStart")() and app.screen.query_one("#releases").chosen)
        await pilot.press("enter")
        await until(pilot, lambda: on(app, "ChooseSize")() and app.screen._judged.spec is not None)
        assert app.screen.query_one("#name").value == "mine"
        assert app.screen.query_one("#count").value == "2"
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "ChooseNetwork")() and app.screen._judged.spec is not None)
        assert app.screen.query_one("#sandbox").value == "sealed"
        assert app.screen.query_one("#inner").value == "wire"
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "GuestOptions")() and app.focused is not None)
        assert app.screen.query_one("#hostname").value == "box"
        assert app.flow.answers.choices.console == "ttya"
        for name in ("ChooseNetwork", "ChooseSize", "ChooseStart", "ChooseHypervisor", "Home"):
            await pilot.press("escape")
            await until(pilot, on(app, name), name)


BAD = [
    ("memory", "900TiB", "too much", "keeps 2,048 for itself"),
    ("memory", "lots", "no size", ""),
    ("memory", "512MiB", "does not start", "it needs 1024"),
    ("cpus", "0", "a number", ""),
    ("cpus", "200", "more than there are here", ""),
    ("each", "5GB", "20 GiB or more", "SmartOS wants"),
    ("each", "x", "no size", ""),
    ("name", "../up", "no name", "cannot be the name"),
    ("name", " ", "needs a name", ""),
]


@pytest.mark.parametrize(("field", "typed", "short", "whole"), BAD, ids=lambda v: str(v)[:12])
async def test_a_bad_size_is_said_at_once_and_nobody_goes_on_with_it(
    world: Any, field: str, typed: str, short: str, whole: str
) -> None:
    async with wizard(world) as (app, pilot):
        await to_size(app, pilot)
        app.screen.query_one(f"#{field}").value = typed
        await until(pilot, lambda: short in text_grid(app), short)
        assert "to put right" in text_of(app, "#sum")
        assert whole in " ".join(text_of(app, "#drawn").split())
        app.screen.query_one("#nested").focus()
        await pilot.press("f2")
        await until(pilot, lambda: app.focused is not None and app.focused.id == field, "the focus on it")
        assert on(app, "ChooseSize")()


async def test_a_name_in_use_is_refused_and_another_is_offered_at_first(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_made(app, pilot, "lab")
        app.go_home()
        await until(pilot, on(app, "Home"))
        await to_size(app, pilot)
        assert app.screen.query_one("#name").value == "lab-2"
        app.screen.query_one("#name").value = "LAB"
        await until(pilot, lambda: "there is one of that name" in text_grid(app), "refused")
        await pilot.press("f2")
        await pilot.pause(0.3)
        assert on(app, "ChooseSize")()


async def test_the_pool_and_the_command_follow_what_is_typed(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_size(app, pilot)
        assert "no disk may fail" in text_grid(app)
        app.screen.query_one("#count").focus()
        await pilot.press("right")
        await until(pilot, lambda: "any one disk may fail" in text_grid(app), "the mirror")
        assert "--disk 2x40GiB" in text_of(app, "#same")
        await pilot.press("enter")
        await until(pilot, on(app, "Pick"), "all numbers")
        assert "one disk of each pair may fail" in text_grid(app)


async def test_the_network_step_explains_judges_and_asks_for_a_card_with_lan_only(world: Any) -> None:
    import socket

    async with wizard(world) as (app, pilot):
        await to_network(app, pilot)
        assert not app.screen.query_one("#row-bridge").display
        assert "shared clipboard" in text_of(app, "#drawn")
        await pilot.press("right")
        await until(pilot, lambda: "name a card" in text_grid(app), "the card")
        await pilot.press("f2")
        await until(pilot, lambda: app.focused.id == "bridge", "the focus on it")
        await pilot.press(*"eth9")
        await until(pilot, lambda: "bridged eth9" in text_of(app, "#drawn"), "bridged")
        app.screen.query_one("#sandbox").focus()
        await pilot.press("left")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            app.screen.query_one("#port").value = str(taken.getsockname()[1])
            await until(pilot, lambda: "in use on this machine" in text_grid(app), "the port")
            app.screen.query_one("#port").value = "ssh"
            await until(pilot, lambda: "a number" in text_grid(app), "no number")
        app.screen.query_one("#port").value = ""
        app.screen.query_one("#inner").value = "a/b"
        await until(pilot, lambda: "letters, digits" in text_grid(app), "no name")


async def test_the_review_tells_steps_room_and_what_is_left_alone(world: Any) -> None:
    async with wizard(world, (120, 36)) as (app, pilot):
        await to_guest_review(app, pilot)
        seen = text_grid(app)
        for words in (
            "its own copy of",
            "boot/loader.conf.local",
            "Room: ",
            "Not touched: ",
            "Nothing is lost",
        ):
            assert words in seen
        assert app.focused.id == "go"
        await pilot.press("f")
        await until(pilot, on(app, "Asking"), "the whole plan")
        await pilot.press("escape")
        await pilot.press("escape")
        await until(pilot, on(app, "GuestOptions"))
        assert world.guests.list() == ()
        assert list((world.paths.state / "vault").glob("*")) == []


async def test_a_guest_may_set_itself_up_and_its_password_is_shown_once(world: Any) -> None:
    async with wizard(world, (120, 36)) as (app, pilot):
        await to_network(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "GuestOptions")() and app.focused is not None)
        await pilot.press("f4")
        await until(pilot, on(app, "Asking"), "the password")
        password = app.flow.answers.choices.answers["root_password"]
        assert password in text_grid(app)
        await pilot.press("enter")
        await until(pilot, on(app, "GuestOptions"))
        assert "--hands-off" in text_of(app, "#same")
        await pilot.press("f2")
        await until(pilot, on(app, "GuestReview"))
        await until(pilot, lambda: app.screen._plan is not None, "the plan")
        seen = text_grid(app)
        assert "answers.json" in seen
        assert "is set up unasked" in seen
        assert password not in seen + str(app.screen._plan.to_json()) + repr(app.flow)
        await pilot.press("escape")
        await until(pilot, lambda: on(app, "GuestOptions")() and app.focused is not None)
        await pilot.press("f4")
        await until(pilot, lambda: app.flow.answers.choices.answers is None, "taken away")
        assert "--hands-off" not in text_of(app, "#same")


async def test_without_the_mirror_a_stored_release_will_do(world: Any) -> None:
    async with wizard(world) as (app, pilot):
        await to_where(app, pilot)
        world.default_mirror = "http://127.0.0.1:9/none/"
        world.practice = False  # an address on loopback is taken for the practice mirror there
        for file in world.paths.cache.glob("*.json"):
            file.unlink()
        app.go(app.flow.forward(guest=app.flow.answers.guest))
        await until(pilot, on(app, "ChooseStart"))
        await until(pilot, lambda: app.screen.query_one("#releases").chosen, "stored")
        assert "only what is stored here" in text_grid(app)
        world.practice = True


async def test_the_road_is_in_the_palette(world: Any) -> None:
    async with wizard(world) as (app, _pilot):
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert "Try SmartOS in a sandbox" in names
        assert "Your guests" in names
